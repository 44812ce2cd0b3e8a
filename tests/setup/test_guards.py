"""The guards of the test suite guard: tried on small suites of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pytest_run(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a test module under our conftest, away from our own tests."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = real: real\n")
    (folder / "test_it.py").write_text(textwrap.dedent(source))
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-q", "-rA", *arguments, str(folder)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


SKIPPING = """
    import pytest

    @pytest.mark.skipif(True, reason="no hypervisor")
    def test_marked(): ...

    def test_called():
        pytest.skip("not here")

    @pytest.mark.xfail(strict=True)
    def test_expected():
        assert False
"""


def test_a_skip_passes_at_home_and_fails_with_no_skips(tmp_path: Path) -> None:
    assert pytest_run(tmp_path, SKIPPING).returncode == 0
    done = pytest_run(tmp_path, SKIPPING, "--no-skips")
    assert done.returncode == 1
    assert "1 failed, 1 xfailed, 1 error" in done.stdout
    assert "no hypervisor" in done.stdout


def test_a_whole_module_that_skips_fails_with_no_skips(tmp_path: Path) -> None:
    source = "import pytest\npytest.importorskip('no_such_module')\n"
    assert pytest_run(tmp_path, source).returncode == 5
    done = pytest_run(tmp_path, source, "--no-skips")
    assert done.returncode != 0
    assert "which --no-skips (or CI) forbids" in done.stdout


def test_a_process_left_behind_fails_the_run_and_is_ended(tmp_path: Path) -> None:
    done = pytest_run(
        tmp_path,
        """
        import subprocess
        from pathlib import Path

        def test_leaves():
            child = subprocess.Popen(["sleep", "300"], start_new_session=True)
            Path(__file__).with_name("pid").write_text(str(child.pid))
        """,
    )
    assert done.returncode == 1
    assert "left behind" in done.stdout
    assert "sleep 300" in done.stdout
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the process lives on"
        os.sched_yield()


def test_a_temporary_file_left_behind_fails_the_run(tmp_path: Path) -> None:
    done = pytest_run(tmp_path, "import tempfile\ndef test_leaves():\n    tempfile.mkdtemp(prefix='mine')\n")
    assert done.returncode == 1
    assert "temporary file: mine" in done.stdout


def test_each_test_has_a_home_of_its_own_and_real_ones_are_counted(tmp_path: Path) -> None:
    done = pytest_run(
        tmp_path,
        """
        import os
        import pytest
        from pathlib import Path
        from core.paths import locations

        seen = set()

        @pytest.mark.real
        @pytest.mark.parametrize("number", [1, 2])
        def test_home(number):
            home = Path(os.environ["BOXWRIGHT_HOME"])
            assert home not in seen and list(home.iterdir()) == []
            seen.add(home)
            assert locations().data == home
            assert len(str(locations().socket)) < 70
        """,
    )
    assert done.returncode == 0, done.stdout
    assert "2 tests ran against real components" in done.stdout


def test_the_one_skip_that_is_allowed_is_said_loudly(tmp_path: Path) -> None:
    source = """
        import pytest
        from tests.conftest import NOT_TODAY

        def test_it():
            pytest.skip(f"{NOT_TODAY}: incus: the mirror is in the middle of something")
    """
    ended = pytest_run(tmp_path, source, "--no-skips")
    assert ended.returncode == 0, ended.stdout
    assert "NOT TESTED TODAY: incus" in ended.stdout
    assert "1 tests against the real incus did not run" in ended.stdout


def test_what_several_workers_leave_and_count_is_of_the_run(tmp_path: Path) -> None:
    done = pytest_run(
        tmp_path,
        """
        import subprocess, tempfile
        import pytest

        @pytest.mark.real
        def test_one():
            subprocess.Popen(["sleep", "300"], start_new_session=True)

        @pytest.mark.real
        def test_two():
            tempfile.mkstemp(prefix="forgotten")
        """,
        *("-n", "2"),
    )
    assert done.returncode == 1
    assert "2 tests ran against real components" in done.stdout
    assert "sleep 300" in done.stdout
    assert "temporary file: forgotten" in done.stdout
