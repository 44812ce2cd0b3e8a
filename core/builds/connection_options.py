"""Packer's options about connections that need nothing here, or cannot be had, each with the reason."""

from __future__ import annotations

NOT_NEEDED = frozenset(
    {
        # A build puts no key of its own into a machine, and lends it none.
        "ssh_keypair_name", "temporary_key_pair_name", "temporary_key_pair_type", "temporary_key_pair_bits",
        "ssh_disable_agent_forwarding",
        # What both sides can do is agreed upon, and a connection is watched, by the library.
        "ssh_ciphers", "ssh_key_exchange_algorithms", "ssh_keep_alive_interval", "ssh_read_write_timeout",
    }
)  # fmt: skip

_DIRECT = "A build goes straight to its machine, which it runs itself or which is named by ssh_host."
_TUNNELS = "Nothing is forwarded through the connection of a build."

REFUSED = {
    **dict.fromkeys(
        (
            "ssh_bastion_host", "ssh_bastion_port", "ssh_bastion_agent_auth", "ssh_bastion_username",
            "ssh_bastion_password", "ssh_bastion_interactive", "ssh_bastion_private_key_file",
            "ssh_bastion_certificate_file", "ssh_proxy_host", "ssh_proxy_port", "ssh_proxy_username",
            "ssh_proxy_password",
        ),
        _DIRECT,
    ),
    **dict.fromkeys(("ssh_remote_tunnels", "ssh_local_tunnels"), _TUNNELS),
    "ssh_agent_auth": "Builds run in the background, where no agent of yours is. Name ssh_private_key_file.",
    "ssh_certificate_file": "Logins go by keys and passwords.",
}  # fmt: skip
