"""Real Docker under test; its guest is a shell script that counts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import docker.errors

from core.model.machine import MachinePlan
from core.providers.base import Provider
from core.providers.docker import DockerProvider, names
from tests.providers.bench import Plans
from tests.support.dockerd import Dockerd
from tests.support.work import RecordingWork

SOON = 30.0

COUNTING = "counting:1"

COUNTER = """#!/bin/sh
# Counts in its memory; what it is told, and what it says, goes through two pipes.
[ -p /tell ] || mkfifo /tell /said
exec 3<>/tell 4<>/said
deaf=
trap '[ "$deaf" ] || exit 0' TERM
n=0
echo ready
while :; do
  read -r word <&3 || continue
  case $word in
    +) n=$((n + 1)); echo $n >&4 ;;
    w) echo $n >/stored; echo w >&4 ;;
    r) cat /stored >&4 ;;
    i) deaf=1; echo i >&4 ;;
    q) exit 0 ;;
  esac
done
"""


LISTENS = "while [ ! -p /said ]; do sleep 0.02; done"


class DockerPlans(Plans):
    """``made``: all that were, in order."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.made: list[MachinePlan] = []

    def make(self, **changes: Any) -> MachinePlan:
        options = {"image": COUNTING, "communicator": "ssh", **changes.pop("options", {})}
        plan = super().make(**{"disks": (), "options": options, **changes})
        self.made.append(plan)
        return plan


class DockerBench:
    def __init__(self, root: Path, daemon: Dockerd) -> None:
        self.daemon = daemon
        self.plans = DockerPlans(root)
        self.provider: Provider = DockerProvider()
        self.later: list[Provider] = []

    def again(self) -> Provider:
        self.later.append(DockerProvider())
        self.provider = self.later[-1]
        return self.provider

    async def clear(self) -> None:
        """Destroy what a test has left, so that the next one does not fail for it."""
        for plan in self.plans.made:
            await self.provider.destroy(plan, RecordingWork(self.provider.undo))

    async def close(self) -> None:
        for provider in (self.provider, *self.later):
            await provider.close()

    def _find(self, client: Any, plan: MachinePlan) -> Any:
        found = client.containers.list(all=True, filters={"label": f"{names.MACHINE}={plan.id}"})
        assert len(found) == 1, found
        return found[0]

    def containers(self, plan: MachinePlan) -> list[str]:
        """The ids of those that are the machine's."""
        with self.daemon.client() as client:
            mine = {"label": f"{names.MACHINE}={plan.id}"}
            return [str(found.id) for found in client.containers.list(all=True, filters=mine)]

    async def kill(self, plan: MachinePlan) -> None:
        with self.daemon.client() as client:
            self._find(client, plan).kill()

    async def power_off(self, plan: MachinePlan) -> None:
        await asyncio.to_thread(self._exec, plan, f"{LISTENS}; echo q >/tell")

    async def deafen(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, "i") == "i"

    async def lose_disk(self, plan: MachinePlan) -> None:
        with self.daemon.client() as client:
            self._find(client, plan).remove(force=True)

    async def traces(self, plan: MachinePlan) -> list[str]:
        found = [str(path) for path in Path(plan.folder).iterdir()]
        with self.daemon.client() as client:
            mine = {"label": f"{names.MACHINE}={plan.id}"}
            found += [container.name for container in client.containers.list(all=True, filters=mine)]
            made = {"label": f"{names.IMAGE}={plan.id}"}
            found += [str(image.id) for image in client.images.list(filters=made)]
        return found

    async def count(self, plan: MachinePlan) -> int:
        return int(await self._tell(plan, "+"))

    async def store(self, plan: MachinePlan) -> None:
        assert await self._tell(plan, "w") == "w"

    async def stored(self, plan: MachinePlan) -> int:
        return int(await self._tell(plan, "r"))

    async def reaches(self, plan: MachinePlan, address: str) -> bool:
        card = f"$(ip -o addr | awk '/{plan.networks[0].address}\\// {{print $2}}')"
        script = f"ping -c 1 -W 1 -I {card} {address} >/dev/null && echo yes"
        return await asyncio.to_thread(self._exec, plan, script) == "yes"

    async def _tell(self, plan: MachinePlan, word: str) -> str:
        """Wait until the guest listens, say one word, return its answer."""
        script = f"{LISTENS}; exec 4<>/said; echo {word} >/tell; head -n1 <&4"
        return await asyncio.wait_for(asyncio.to_thread(self._exec, plan, script), SOON)

    def _exec(self, plan: MachinePlan, script: str) -> str:
        with self.daemon.client() as client:
            try:
                _status, output = self._find(client, plan).exec_run(["sh", "-c", script])
            except docker.errors.APIError as error:
                raise AssertionError(str(error)) from error
        text: str = output.decode().strip()
        return text
