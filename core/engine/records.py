"""What the journal keeps of a machine that was created."""

from __future__ import annotations

from typing import Any

import msgspec

from core.model.box import BoxKey
from core.model.machine import Endpoint, Kept, Machine, MachineKey, MachinePlan, MachineState, Snapshot
from core.providers.base import Started


class MachineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A created machine. It outlives the project file; whoever changes it, replaces it."""

    plan: MachinePlan
    provider: str
    provider_reason: str = ""
    """Why this provider was chosen, for the display."""
    project_name: str = ""
    clone_of: str = ""
    """For a copy of another machine: that one's name in the project, whose description is also this one's."""
    box: BoxKey | None = None
    """What it is linked to."""
    state: MachineState = MachineState.STOPPED
    """As last set by a handler or seen at the provider."""
    trouble: str = ""
    """With BROKEN: what is damaged."""
    created: float = 0.0
    started_at: float = 0.0
    """Unix time of the last start; 0 when not running."""
    started: Started | None = None
    """Of a running machine: as ``start`` returned it."""
    user: str = "vagrant"
    identity: str = ""
    """Path of the private key that the guest accepts; "" for none known."""
    known_hosts: str = ""
    """Path of the file with the pinned host key."""
    forward_agent: bool = False
    provisioned: tuple[str, ...] = ()
    """Fingerprints of the provisioners that ran to their end."""
    provisioned_at: float = 0.0
    """When the provisioners that were due last ran to their end; 0: never."""
    snapshots: tuple[Snapshot, ...] = ()
    facts: dict[str, Any] = {}
    """Anything else that the handlers want to keep: plain JSON data, no secrets."""

    @property
    def key(self) -> MachineKey:
        return self.plan.key

    @property
    def id(self) -> str:
        return self.plan.id

    def endpoint(self) -> Endpoint | None:
        """How to reach the guest; None unless it runs."""
        if self.started is None or self.state is not MachineState.RUNNING:
            return None
        return Endpoint(
            communicator=self.started.communicator,
            target=self.started.target,
            host=self.started.ssh_host,
            port=self.started.ssh_port,
            user=self.user,
            identity=self.identity,
            known_hosts=self.known_hosts,
            forward_agent=self.forward_agent,
        )

    def view(self) -> Machine:
        """As it is shown, without holder and queue."""
        started = self.started
        return Machine(
            key=self.key,
            state=self.state,
            id=self.id,
            project_name=self.project_name,
            provider=self.provider,
            provider_reason=self.provider_reason,
            box=self.box.name if self.box else "",
            box_version=self.box.version if self.box else "",
            cpus=self.plan.cpus,
            memory=self.plan.memory,
            ports=started.ports if started else (),
            endpoint=self.endpoint(),
            snapshots=self.snapshots,
            created=self.created,
            started=self.started_at,
            provisioned=self.provisioned_at > 0,
            screen=started.screen if started else "",
            trouble=self.trouble,
            facts=dict(started.facts) if started else {},
        )


class KeptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A machine that was destroyed, whose folder is still there."""

    record: MachineRecord
    """As it is when it is brought back: stopped."""
    destroyed: float
    """Unix time, as ``until``."""
    until: float
    """0: it is being removed, and cannot be brought back any more."""
    size: int
    """Bytes on disk."""

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def key(self) -> MachineKey:
        return self.record.key

    def view(self) -> Kept:
        record = self.record
        return Kept(
            key=record.key,
            id=record.id,
            destroyed=self.destroyed,
            until=self.until,
            size=self.size,
            provider=record.provider,
            box=f"{record.box.name} {record.box.version}" if record.box else "",
            snapshots=len(record.snapshots),
        )


_decoder = msgspec.json.Decoder(MachineRecord)


def read_record(body: bytes) -> MachineRecord | None:
    """A record as the journal has it. One that another version wrote differently keeps what can be
    read of it, as the machine is there all the same; None where not even its plan can."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        pass
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
        fields = {
            field.name: msgspec.convert(found[field.name], field.type)
            for field in msgspec.structs.fields(MachineRecord)
            if field.name in found and (field.required or _fits(found[field.name], field.type))
        }
        return MachineRecord(**fields)
    except (msgspec.DecodeError, TypeError):
        return None


def read_kept(body: bytes) -> KeptRecord | None:
    """As :func:`read_record`, for a destroyed one."""
    found = msgspec.json.decode(body, type=dict[str, Any])
    record = read_record(msgspec.json.encode(found.pop("record", None)))
    try:
        return msgspec.convert({**found, "record": record}, KeptRecord) if record is not None else None
    except msgspec.ValidationError:
        return None


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
