"""What all tests share: private folders, no skipping under CI, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import leftovers
from tests.support.foreign import NotToday, installed

if TYPE_CHECKING:
    from tests.support.dockerd import Dockerd

PRIVATE = (
    "BOXWRIGHT_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "TMPDIR",
)

settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

NOT_TODAY = "Cannot be installed today from another of Debian's distributions"
"""Begins the reason of the one skip that is allowed under CI; it is said loudly at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="a skipped test fails: every real component has to be there (the default under CI)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Point everything at folders of this run, before any fixture of any scope looks."""
    # A run in the background of a script has Ctrl-C ignored, and so would have every program it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.stash[ROOT] = root = Path(tempfile.mkdtemp(prefix="bwt-", dir="/tmp"))
    root.chmod(0o711)
    config.stash[BEFORE] = {name: os.environ.get(name) for name in PRIVATE}
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    for name, folder in zip(PRIVATE, ("home", "run", "config", "cache", "state", "tmp"), strict=True):
        (root / folder).mkdir(mode=0o711 if folder == "tmp" else 0o700)
        os.environ[name] = str(root / folder)
    tempfile.tempdir = None


def pytest_unconfigure(config: pytest.Config) -> None:
    root = config.stash.get(ROOT, None)
    if root is None:
        return
    for name, value in config.stash[BEFORE].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    tempfile.tempdir = None
    shutil.rmtree(root, ignore_errors=True)


ROOT = pytest.StashKey[Path]()
BEFORE = pytest.StashKey[dict[str, str | None]]()
FOUND = pytest.StashKey[list[str]]()
REAL = pytest.StashKey[int]()
MISSED = pytest.StashKey[list[str]]()


@pytest.fixture(autouse=True)
def boxwright_home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A private, empty ``BOXWRIGHT_HOME`` for each test; its path is short enough for sockets."""
    home = Path(tempfile.mkdtemp(prefix="h", dir=request.config.stash[ROOT]))
    monkeypatch.setenv("BOXWRIGHT_HOME", str(home))
    yield home
    shutil.rmtree(home, ignore_errors=True)


def foreign(config: pytest.Config, name: str) -> Path:
    """Where that program of another distribution is installed; skips where it cannot be had today."""
    cache = Path(config.stash[BEFORE]["XDG_CACHE_HOME"] or Path.home() / ".cache") / "boxwright-tests"
    try:
        return installed(name, Path(os.environ.get("BOXWRIGHT_TESTS_CACHE", cache)))
    except NotToday as error:
        pytest.skip(f"{NOT_TODAY}: {name}: {error}")


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Dockerd]:
    """A daemon of Docker for these tests alone, one for the whole run."""
    from tests.providers.docker.bench import COUNTER, COUNTING
    from tests.support.dockerd import Dockerd

    folder = Path(tempfile.mkdtemp(prefix="d"))
    daemon = Dockerd(folder)
    try:
        daemon.start()
        daemon.load("tiny:1", changes=('CMD ["/bin/sh"]',))
        daemon.load(COUNTING, {"/bin/counter": COUNTER}, changes=('CMD ["/bin/counter"]',))
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(folder)


@pytest.fixture
def daemon(dockerd: Dockerd, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dockerd]:
    """The daemon that ``DOCKER_HOST`` names; after the test it has what it had before."""
    monkeypatch.setenv("DOCKER_HOST", dockerd.url)
    before = dockerd.objects()
    yield dockerd
    assert dockerd.objects() == before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _forbid_skip(report, item.config)
    if report.when == "call" and report.passed and item.get_closest_marker("real"):
        item.config.stash[REAL] = item.config.stash.get(REAL, 0) + 1
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _forbid_skip(report, collector.config)
    return report


def _forbid_skip(report: Any, config: pytest.Config) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and config.getoption("no_skips"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if NOT_TODAY in str(reason):
            name = str(reason).partition(f"{NOT_TODAY}: ")[2].partition(":")[0]
            config.stash[MISSED] = [*config.stash.get(MISSED, []), name]
            return
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which --no-skips (or CI) forbids.\n{reason}"


LONG = ("providers", "faults", "builds", "end_to_end")
"""Areas whose tests take minutes: they come first, so that several workers end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.nodeid)[0] not in LONG)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several workers share the tests, a file goes to one of them as a whole, and so do all of one
    provider, whose daemon is then started once. (Marks for groups have no effect under this pytest.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByPlace(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            area, rest = _place(nodeid)
            return f"{area}/{rest.partition('/')[0] if area == 'providers' else rest}"

    config.option.loadscopereorder = False
    return ByPlace(config, log)


def _place(nodeid: str) -> tuple[str, str]:
    """The area of a test, and its file there."""
    area, _, rest = nodeid.partition("::")[0].removeprefix("tests/").partition("/")
    return area, rest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run that leaves a process or a temporary file behind has failed, whatever its tests say."""
    config = session.config
    root = config.stash[ROOT]
    processes = leftovers.lasting(root)
    leftovers.end(processes)
    found = [f"process {left.pid}: {left.command}" for left in processes]
    found += [f"temporary file: {name}" for name in leftovers.files(root / "tmp")]
    if hasattr(config, "workeroutput"):
        counted = (config.stash.get(REAL, 0), config.stash.get(MISSED, []))
        config.workeroutput["boxwright"] = (*counted, found)
        return
    config.stash[FOUND] = found = [*config.stash.get(FOUND, []), *found]
    if found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What a worker has counted and found belongs to the run."""
    real, missed, found = getattr(node, "workeroutput", {}).get("boxwright", (0, [], []))
    stash = node.config.stash
    stash[REAL] = stash.get(REAL, 0) + real
    stash[MISSED] = [*stash.get(MISSED, []), *missed]
    stash[FOUND] = [*stash.get(FOUND, []), *found]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    terminalreporter.write_line(f"{config.stash.get(REAL, 0)} tests ran against real components")
    for name, missed in sorted(Counter(config.stash.get(MISSED, [])).items()):
        terminalreporter.section(f"NOT TESTED TODAY: {name}", red=True)
        terminalreporter.write_line(f"{NOT_TODAY}: {missed} tests against the real {name} did not run.")
    found = config.stash.get(FOUND, [])
    if found:
        terminalreporter.section("left behind", red=True)
        for line in found:
            terminalreporter.write_line(line)
