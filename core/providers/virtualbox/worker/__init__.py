"""What talks to VirtualBox's API, in a process of its own: by whichever Python has ``vboxapi`` (from 3.9 on),
with nothing but the standard library, ``virtualbox`` (pyvbox) and ``vboxapi``."""
