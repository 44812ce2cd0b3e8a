"""Builds in machines that a provider makes and runs: what their sources share."""
