from tests.providers.libvirt.conftest import other_daemon, session_daemon
from tests.support.tiny import tiny_image

__all__ = ["other_daemon", "session_daemon", "tiny_image"]
