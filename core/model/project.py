"""A project: the machines and builds that a folder describes.

These classes are at once what the readers return, what ``boxwright.toml`` may contain (its JSON
Schema is generated from them) and what the engine works with. Field descriptions end up in the
schema and in editors.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*$", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def parse_size(text: str) -> int:
    """Bytes of ``512MiB``, ``2GB``, ``1G``, ``4096``. Raises ValueError.

    K, M, G and T alone, and with ``iB``, are powers of 1024; with ``B`` powers of 1000.
    """
    found = _SIZE.match(text)
    if not found:
        raise ValueError(f"{text!r} is not a size; write for instance '512MiB' or '2GiB'")
    number, letter, binary = found.groups()
    decimal = text.strip().upper().endswith("B") and not binary and letter
    return int(float(number) * (1000 if decimal else 1024) ** _POWERS[letter.upper()])


NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[
    str,
    Meta(
        pattern=NAME_PATTERN,
        max_length=63,
        description="Letters, digits, '.', '_' and '-'.",
        examples=["web"],
    ),
]
Size = Annotated[
    str,
    Meta(
        pattern=r"^\s*\d+(\.\d+)?\s*([KMGTkmgt]?[iI]?[bB]?)\s*$",
        description="A size, e.g. '512MiB' or '2GiB'.",
        examples=["512MiB", "2GiB"],
    ),
]
PortNumber = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, description="Seconds.")]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the project file: an unknown key is an error."""


class BoxReference(_Table, frozen=True):
    """What a machine is made of, where that is no box of the store: exactly one key says what."""

    build: Annotated[Name, Meta(description="Name of a build of this project.")] | None = None
    image: Annotated[str, Meta(min_length=1, description="An image of the provider's own.")] | None = None
    dockerfile: (
        Annotated[str, Meta(min_length=1, description="A Dockerfile, or the folder that has one.")] | None
    ) = None

    def __post_init__(self) -> None:
        if [self.build, self.image, self.dockerfile].count(None) != 2:
            raise ValueError("needs exactly one of 'build', 'image' and 'dockerfile'")

    @property
    def options(self) -> dict[str, Any]:
        """What it adds to the options of the provider."""
        named = {"image": self.image, "dockerfile": self.dockerfile}
        return {key: value for key, value in named.items() if value is not None}

    def __str__(self) -> str:
        return f"{self.build} (built here)" if self.build else self.image or f"{self.dockerfile} (Dockerfile)"


class Port(_Table, frozen=True):
    """A port of the guest, forwarded to the host's loopback."""

    guest: PortNumber
    host: Annotated[int, Meta(ge=0, le=65535, description="0 or absent: any free port.")] = 0
    protocol: Literal["tcp", "udp"] = "tcp"
    name: str = ""
    auto_correct: Annotated[
        bool, Meta(description="Take the next free host port where this one is in use.")
    ] = True


class Folder(_Table, frozen=True):
    """A folder of the host that the guest gets a copy of, on up, reload and provision."""

    host: Annotated[str, Meta(description="Relative to the project's folder.", examples=["."])]
    guest: Annotated[
        str, Meta(pattern="^/", description="Absolute path in the guest.", examples=["/srv/app"])
    ]
    exclude: Annotated[
        tuple[str, ...], Meta(description="Shell patterns of what is left out, e.g. '.git'.")
    ] = ()


class DiskSpec(_Table, frozen=True):
    """An extra disk."""

    name: Name
    size: Size


class NetworkPlace(_Table, frozen=True):
    """A network that the machine shares with others of the project."""

    name: Name
    address: Annotated[
        str,
        Meta(
            pattern=r"^(\d{1,3}(\.\d{1,3}){3})?$",
            description="The machine's own in it; absent: one that follows from its name.",
            examples=["10.213.7.10"],
        ),
    ] = ""


class Ssh(_Table, frozen=True):
    """How the guest is reached, where the box's own defaults do not fit."""

    user: str = ""
    identity: Annotated[str, Meta(description="A private key file.")] = ""
    guest_port: PortNumber = 22
    host_port: Annotated[int, Meta(ge=0, le=65535, description="0: any free port.")] = 0
    forward_agent: bool = False
    replace_key: Annotated[
        bool, Meta(description="Replace the well-known insecure key by a fresh one at first boot.")
    ] = True


class Provision(_Table, frozen=True):
    """One provisioner: exactly one of ``shell``, ``script`` and ``file`` says which."""

    name: Annotated[str, Meta(description="For --only, and for the display.")] = ""
    run: Annotated[
        Literal["once", "always", "never"],
        Meta(description="At the first up; at every up; only when named with --only."),
    ] = "once"
    shell: Annotated[str, Meta(description="Commands, given inline.")] | None = None
    script: Annotated[str, Meta(description="A script on the host.")] | None = None
    file: Annotated[str, Meta(description="A file or folder on the host, to be uploaded.")] | None = None
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    privileged: Annotated[bool, Meta(description="As root (by sudo where needed).")] = True
    cwd: Annotated[str, Meta(description="Working directory in the guest.")] = ""
    to: Annotated[str, Meta(description="For file: the path in the guest.")] = ""
    mode: Annotated[
        str, Meta(pattern="^(0?[0-7]{3,4})?$", description="For file: e.g. '0644'.", examples=["0644"])
    ] = ""
    timeout: Annotated[float, Meta(ge=0, description="Seconds; 0: no limit.")] = 0

    def __post_init__(self) -> None:
        given = [kind for kind in ("shell", "script", "file") if getattr(self, kind) is not None]
        if len(given) != 1:
            said = " and ".join(f"'{kind}'" for kind in given) or "none of them"
            raise ValueError(f"needs exactly one of 'shell', 'script' and 'file'; it has {said}")
        if self.file is not None and not self.to:
            raise ValueError("'file' needs 'to', the path in the guest")
        if self.file is None and (self.to or self.mode):
            raise ValueError("'to' and 'mode' belong to 'file'")
        if self.file is not None and (self.args or self.env or self.cwd):
            raise ValueError("'args', 'env' and 'cwd' belong to 'shell' and 'script'")

    @property
    def kind(self) -> Literal["shell", "file"]:
        return "file" if self.file is not None else "shell"

    def title(self, number: int) -> str:
        """For the display: its name, else what it does."""
        if self.name:
            return self.name
        text = self.shell if self.shell is not None else (self.script or self.file or "")
        first = text.strip().splitlines()[0] if text.strip() else ""
        return f"{number}: {first[:60]}"


class MachineSpec(_Table, frozen=True):
    """A machine."""

    box: Annotated[
        str | BoxReference,
        Meta(
            description="A box's name, file or URL; { build = NAME } for one that is built here; "
            "{ image = NAME } or { dockerfile = PATH } for what containers are made of.",
            examples=["debian/bookworm64"],
        ),
    ]
    version: Annotated[str, Meta(description="Constraint, e.g. '>= 12.0, < 13'.")] = ""
    architecture: str = ""
    box_url: Annotated[str, Meta(description="Where to get the box: a file, box URL or catalogue.")] = ""
    checksum: Annotated[str, Meta(description="Of the box's archive, e.g. 'sha256:...'.")] = ""
    provider: str | tuple[str, ...] = ()
    hostname: str = ""
    cpus: Annotated[int, Meta(ge=1, le=512)] = 1
    memory: Size = "512MiB"
    disks: tuple[DiskSpec, ...] = ()
    ports: tuple[Port, ...] = ()
    networks: Annotated[
        tuple[NetworkPlace, ...], Meta(description="Networks that it shares with machines of this project.")
    ] = ()
    folders: tuple[Folder, ...] = ()
    provision: tuple[Provision, ...] = ()
    ssh: Ssh = Ssh()
    autostart: Annotated[bool, Meta(description="Part of 'up' without names.")] = True
    boot_timeout: Seconds = 300.0
    halt_timeout: Seconds = 60.0
    qemu: Annotated[dict[str, Any], Meta(description="Options of the QEMU provider.")] = {}
    libvirt: Annotated[dict[str, Any], Meta(description="Options of the libvirt provider.")] = {}
    docker: Annotated[dict[str, Any], Meta(description="Options of the Docker provider.")] = {}
    lxc: Annotated[dict[str, Any], Meta(description="Options of the provider of libvirt's containers.")] = {}
    lxd: Annotated[dict[str, Any], Meta(description="Options of the LXD and Incus provider.")] = {}
    virtualbox: Annotated[dict[str, Any], Meta(description="Options of the VirtualBox provider.")] = {}

    def __post_init__(self) -> None:
        names = [provision.name for provision in self.provision if provision.name]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two provisioners are called {sorted(twice)[0]!r}")

    def options(self, provider: str) -> dict[str, Any]:
        """The table of one provider, {} where there is none, and what ``box`` adds to it."""
        table = getattr(self, provider, {})
        named = self.box.options if isinstance(self.box, BoxReference) else {}
        return {**named, **(table if isinstance(table, dict) else {})}


class Bootstrap(_Table, frozen=True):
    """A system made from a distribution's packages."""

    suite: Annotated[str, Meta(description="Release, e.g. 'bookworm'.", examples=["bookworm"])]
    flavour: Annotated[
        Literal["debian", "tiny"],
        Meta(description="'debian': systemd and OpenSSH; 'tiny': kernel, BusyBox and Dropbear."),
    ] = "debian"
    packages: tuple[str, ...] = ()
    architecture: Literal["amd64"] = "amd64"
    size: Annotated[Size, Meta(description="Of the disk.")] = "4GiB"
    components: tuple[str, ...] = ("main",)


class DockerSource(_Table, frozen=True):
    """A container that is provisioned and kept as a box for Docker."""

    image: Annotated[
        str, Meta(description="What it is made from; without one what 'bootstrap' beside it says.")
    ] = ""
    pull: Annotated[bool, Meta(description="Ask the image's registry for the newest.")] = True
    platform: Annotated[str, Meta(description="E.g. 'linux/arm64'.")] = ""
    changes: Annotated[
        tuple[str, ...], Meta(description="Lines of a Dockerfile: CMD, ENV, EXPOSE, USER, WORKDIR, ...")
    ] = ()
    run_command: Annotated[
        tuple[str, ...], Meta(description="Arguments of 'docker run' for the container of the build.")
    ] = ()
    volumes: Annotated[dict[str, str], Meta(description="Folders here, and where they are there.")] = {}
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    exec_user: Annotated[str, Meta(description="Account of the provisioners.")] = ""
    host: Annotated[str, Meta(description="Another daemon, e.g. 'ssh://user@host'.")] = ""
    certificates: Annotated[str, Meta(description="Folder with what TLS needs.")] = ""


class LxdSource(_Table, frozen=True):
    """A container of LXD or Incus that is provisioned and kept as a box for them."""

    image: Annotated[
        str,
        Meta(
            description="Alias or fingerprint at the server, or 'remote:alias'; without it the build's "
            "'bootstrap' is imported.",
            examples=["images:debian/12"],
        ),
    ] = ""
    profile: Annotated[str, Meta(description="Of the build's container.")] = "default"
    launch_config: Annotated[dict[str, str], Meta(description="Configuration keys of that container.")] = {}
    remote: Annotated[str, Meta(description="'https://host:port' of a server elsewhere.")] = ""
    project: Annotated[str, Meta(description="Of the server.")] = "default"


class Source(_Table, frozen=True):
    """Where a build starts. With several keys one system is built several times."""

    bootstrap: Bootstrap | None = None
    docker: DockerSource | None = None
    lxd: LxdSource | None = None

    def __post_init__(self) -> None:
        if self.bootstrap is None and self.docker is None and self.lxd is None:
            raise ValueError("needs 'bootstrap', 'docker' or 'lxd', the sources that are supported")
        if self.docker is not None and not self.docker.image and self.bootstrap is None:
            raise ValueError("'docker' needs 'image', or a 'bootstrap' beside it")
        if self.lxd is not None and not self.lxd.image and self.bootstrap is None:
            raise ValueError("'lxd' needs 'image', or a 'bootstrap' beside it")


class BuildSpec(_Table, frozen=True):
    """A build: a source, provisioners that run in it, and the formats of the box that comes out; or a
    template of Packer's that says all of it."""

    source: Source | None = None
    template: Annotated[
        str,
        Meta(description="A template in JSON or HCL2, or a folder of *.pkr.hcl files, in place of 'source'."),
    ] = ""
    formats: Annotated[
        tuple[Literal["qemu", "docker", "lxd", "virtualbox"], ...],
        Meta(
            min_length=1,
            description="Of the boxes: a disk for QEMU and libvirt, one for VirtualBox, a root file system "
            "for Docker, for LXD.",
        ),
    ] = ("qemu",)
    provision: tuple[Provision, ...] = ()
    description: str = ""
    cpus: Annotated[int, Meta(ge=1, le=512)] = 2
    memory: Size = "1GiB"

    def __post_init__(self) -> None:
        if (self.source is None) == (not self.template):
            raise ValueError("needs exactly one of 'source' and 'template'")
        if self.template and self.provision:
            raise ValueError("'provision' belongs to 'source': a template has its own provisioners")
        if self.source is not None:
            for kind in ("docker", "lxd"):
                if getattr(self.source, kind) is not None and kind in self.formats:
                    raise ValueError(f"the source '{kind}' makes that box itself: remove it from 'formats'")
            if self.source.bootstrap is None and self.formats != ("qemu",):
                raise ValueError("'formats' belongs to the source 'bootstrap'")

    @property
    def makes(self) -> dict[str, tuple[str, ...]]:
        """By each source, the providers that it makes boxes for; {} for a template."""
        found: dict[str, tuple[str, ...]] = {}
        if self.source is not None and self.source.bootstrap is not None:
            found["bootstrap"] = self.formats
        if self.source is not None and self.source.docker is not None:
            found["docker"] = ("docker",)
        if self.source is not None and self.source.lxd is not None:
            found["lxd"] = ("lxd",)
        return found


class ProjectHead(_Table, frozen=True):
    """The project itself."""

    name: Name
    provider: Annotated[
        str | tuple[str, ...],
        Meta(description="'auto', a provider, or several: the first usable one wins."),
    ] = "auto"


class ProjectFile(_Table, frozen=True):
    """The whole of ``boxwright.toml``."""

    project: ProjectHead
    machines: dict[Name, MachineSpec] = {}
    builds: dict[Name, BuildSpec] = {}

    def __post_init__(self) -> None:
        for name, machine in self.machines.items():
            box = machine.box
            if isinstance(box, BoxReference) and box.build and box.build not in self.builds:
                raise ValueError(f"machine {name!r} uses build {box.build!r}, which is not there")


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project that was read without a problem."""

    root: str
    """Absolute path of its folder."""
    file: str
    """Absolute path of the file that describes it."""
    name: str
    provider: tuple[str, ...] = ("auto",)
    machines: dict[str, MachineSpec] = field(default_factory=dict)
    builds: dict[str, BuildSpec] = field(default_factory=dict)

    @property
    def has_own_file(self) -> bool:
        """Whether it is described by a boxwright.toml: boxes of its builds then go into the store."""
        return self.file.endswith(".toml")

    def providers_for(self, machine: str) -> tuple[str, ...]:
        """The providers that a machine may run on, most wanted first."""
        wanted = self.machines[machine].provider or self.provider
        return (wanted,) if isinstance(wanted, str) else tuple(wanted)
