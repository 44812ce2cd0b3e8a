"""Scripts that run on this computer: the provisioner and the post-processor shell-local."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from core.builds.process import run_guarded
from core.builds.provisioners import scripts
from core.builds.scene import Scene
from core.errors import BoxwrightError
from core.model.work import Work


class LocalSettings(scripts.Scripts, frozen=True, kw_only=True):
    only_on: tuple[str, ...] = ()
    tempfile_extension: str = ""


_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "windows"}


async def run_local(given: LocalSettings, scene: Scene, more: Mapping[str, str], work: Work) -> None:
    """Raises BoxwrightError with the last lines of a script that failed."""
    here = _SYSTEMS.get(platform.system(), platform.system().lower())
    if given.only_on and here not in given.only_on:
        work.skipped(f"only on {', '.join(given.only_on)}")
        return
    values = {**more, **scripts.with_packers(given, scene)}
    for path, called in scripts.written(given, scene):
        template = given.execute_command or ("/bin/sh", "-c", "{{.Vars}} {{.Script}}")
        script = str(path)
        if given.execute_command:
            path.chmod(path.stat().st_mode | 0o100)
            fields = {"Vars": "", "Script": script, "Command": script}
            words = [scene.render(word, **fields) for word in template]
        else:
            first = path.read_bytes()[:2]
            words = [script] if first == b"#!" and path.stat().st_mode & 0o100 else ["/bin/sh", script]
        try:
            # Variables go by the environment: arguments can be read by everybody on this computer.
            await run_guarded(
                words,
                work=work,
                doing=f"the script {called}",
                environment=values,
                folder=scene.path("."),
            )
        except BoxwrightError as error:
            code = _status(error)
            if code is None or code not in given.valid_exit_codes:
                raise
        else:
            if 0 not in given.valid_exit_codes:
                raise BoxwrightError(
                    f"The script {called} ended with exit status 0, which is not among valid_exit_codes."
                )


def _status(error: BoxwrightError) -> int | None:
    """The exit status that the error tells of."""
    _, found, rest = error.problem.what.partition("(exit status ")
    return int(rest.partition(")")[0]) if found else None
