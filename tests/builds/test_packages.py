"""What mmdebstrap prints becomes notes, progress and a log without noise."""

from __future__ import annotations

from core.builds.packages import Reading
from tests.support.work import RecordingWork

OUTPUT = """\
I: running apt-get update...
Get:1 http://mirror.test/debian stable InRelease [151 kB]
Get:2 http://mirror.test/debian stable/main amd64 Packages [8790 kB]
0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.
Get:1 http://mirror.test/debian stable/main amd64 libc6 amd64 2.36-9 [2759 kB]
Get:2 http://mirror.test/debian stable/main amd64 zlib1g amd64 1:1.2.13 [86.7 kB]
/usr/bin/dpkg --status-fd 10 --configure --pending
Unpacking libc6:amd64 (2.36-9) ...
Unpacking zlib1g:amd64 (1:1.2.13) ...
Setting up libc6:amd64 (2.36-9) ...
Setting up zlib1g:amd64 (1:1.2.13) ...
boxwright: phase file-system
""".splitlines()


def test_notes_say_what_is_being_done_and_progress_counts_packages() -> None:
    work = RecordingWork()
    reading = Reading(work)

    for line in OUTPUT:
        reading.line(line)

    assert work.notes == [
        "fetching package lists",
        "fetching packages",
        "unpacking packages",
        "setting up packages",
        "writing the file system",
    ]
    assert work.progresses[-3:] == [(0, 2, "packages"), (1, 2, "packages"), (0, None, "")]
    assert all(total is None or done < total for done, total, _ in work.progresses)


def test_nothing_is_all_done_while_something_is_still_being_done() -> None:
    work = RecordingWork()
    reading = Reading(work)
    for line in OUTPUT:
        reading.line(line)
        done, total, _ = work.progresses[-1] if work.progresses else (0, None, "")
        assert total is None or done < total, line


def test_the_log_is_spared_what_nobody_wants_to_read() -> None:
    reading = Reading(RecordingWork())
    dropped = [line for line in OUTPUT if not reading.line(line)]
    assert dropped == ["/usr/bin/dpkg --status-fd 10 --configure --pending", "boxwright: phase file-system"]


def test_more_packages_than_expected_are_no_progress_beyond_the_end() -> None:
    work = RecordingWork()
    reading = Reading(work)
    reading.line("0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.")
    for _ in range(3):
        reading.line("Unpacking something (1) ...")
    assert work.progresses == [
        (0, None, ""),
        (0, 1, "packages"),
        (1, None, "packages"),
        (2, None, "packages"),
    ]
