"""Machines on libvirt beside Vagrant's (vagrant-libvirt, driver qemu), and beside a domain started by hand.

    python -m benchmarks.on_libvirt [--rounds N]

One tiny box, the system's libvirt, all in turns. Bars: ``up`` to the first answered SSH command at most 1.5 s
over ``virsh create`` of the same domain, and less than ``vagrant up``; ``status``, ``halt`` and ``destroy``
at most half of Vagrant's time. Exit status 1 where one is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.up import Boxwright, Vagrant, a_libvirt, stand_apart, until_ssh_answers
from core.boxes import UNDO
from core.boxes.pack import write_box
from core.guests.keys import insecure_keys
from core.model.machine import Disk
from tests.support.tiny import TINY, free_port, image_of
from tests.support.work import RecordingWork

OVER = 1.5
SHARE = 0.5

_VIRSH = ("virsh", "-q", "-c", "qemu:///system")

Times = dict[str, list[float]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if not all(shutil.which(name) for name in ("vagrant", "virsh", "libvirtd")):
        print("There is no vagrant or no libvirt here: apt-get install vagrant-libvirt", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="bw-lv-", dir="/tmp"))
    image_of(TINY)  # Where it has to be built, that needs the network.
    stand_apart(folder)
    try:
        return _compare(folder, options.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compare(folder: Path, rounds: int) -> int:
    box = folder / "tiny.box"
    asyncio.run(write_box(box, disks=[Disk(path=str(image_of(TINY)))], work=RecordingWork(UNDO)))
    ours: Times = defaultdict(list)
    theirs: Times = defaultdict(list)
    by_hand = []
    with a_libvirt(), Vagrant(folder, box) as peer, Boxwright(folder, box, "libvirt") as boxwright:
        for _ in range(rounds):
            ours["up"].append(boxwright.up())
            for command in ("status", "halt"):
                ours[command].append(_timed(lambda command=command: boxwright.run(command)))  # type: ignore[misc]
            by_hand.append(_same_by_hand(boxwright, folder))
            ours["destroy"].append(_timed(lambda: boxwright.run("destroy", "one", "--yes")))
            theirs["up"].append(_timed(lambda: _up(peer)))
            for words in (("status",), ("halt",), ("destroy", "-f")):
                theirs[words[0]].append(_timed(lambda words=words: peer.run(*words)))  # type: ignore[misc]
    return _report(ours, theirs, by_hand)


def _up(peer: Vagrant) -> None:
    peer.run("up", "--provider=libvirt")
    peer.run("ssh", "-c", "true")


def _timed(action: Callable[[], object]) -> float:
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def _same_by_hand(boxwright: Boxwright, folder: Path) -> float:
    """Seconds to the first SSH answer of the same domain on a fresh overlay; the machine is halted."""
    machine = json.loads(boxwright.run("status", "one", "--json"))["machines"][0]
    name = f"boxwright-one-{machine['id']}"
    tree = ElementTree.fromstring(_run(*_VIRSH, "dumpxml", "--inactive", name))
    for element in tree.findall("uuid") + tree.findall("metadata"):
        tree.remove(element)
    own = tree.find("name")
    source, log = tree.find("devices/disk/source"), tree.find("devices/serial/log")
    assert own is not None and source is not None and log is not None
    own.text = "boxwright-benchmark-by-hand"
    backing = json.loads(_run("qemu-img", "info", "--output=json", source.get("file", "")))
    overlay = folder / "by-hand.qcow2"
    overlay.unlink(missing_ok=True)
    source.set("file", str(overlay))
    log.set("file", str(folder / "by-hand.log"))
    definition = folder / "by-hand.xml"
    definition.write_bytes(ElementTree.tostring(tree))
    keys = folder / "keys-by-hand"
    keys.mkdir(exist_ok=True)
    port = free_port()
    begin = time.monotonic()
    below = backing["full-backing-filename"]
    _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", below, str(overlay))
    _run(*_VIRSH, "create", str(definition))
    rule = f"hostfwd_add hostnet0 tcp:127.0.0.1:{port}-:22"
    _run(*_VIRSH, "qemu-monitor-command", own.text, "--hmp", rule)
    until_ssh_answers(port, "vagrant", [str(path) for path in insecure_keys(keys)])
    seconds = time.monotonic() - begin
    _run(*_VIRSH, "destroy", own.text)
    return seconds


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def _report(
    ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]], by_hand: Sequence[float]
) -> int:
    plain = statistics.median(by_hand)
    up = statistics.median(ours["up"])
    missed = up - plain > OVER
    verdict = "MISSED" if missed else "ok    "
    print(f"{verdict}  up {up:.2f} s, by hand {plain:.2f} s: {up - plain:+.2f} s (bar: +{OVER} s)")
    for command, taken in ours.items():
        mine, peer = statistics.median(taken), statistics.median(theirs[command])
        bar = 1.0 if command == "up" else SHARE
        good = mine < peer * bar
        missed |= not good
        print(
            f"{'ok    ' if good else 'MISSED'}  {command} {mine:.2f} s, vagrant {peer:.2f} s: "
            f"{mine / peer:.2f} of it (bar: {bar:g})"
        )
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
