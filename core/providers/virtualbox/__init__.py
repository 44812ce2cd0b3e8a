"""Machines of VirtualBox. ``worker`` is run by the Python that VirtualBox's API was made for: nothing that
only ours has may be imported on the way there, so the provider is found in ``provider``."""
