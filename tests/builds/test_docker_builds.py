"""The source "docker": containers that are provisioned for real, at a daemon of the tests' own."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import docker.errors
import pytest

from core.builds.base import Request
from core.builds.layers import LayerStore
from core.builds.run import BuildError, prune
from core.builds.undo import remove_kept
from core.errors import BoxwrightError, ConfigError, ProviderError, UsageError
from tests.builds.yard import Yard
from tests.support.dockerd import Dockerd

pytestmark = pytest.mark.real


def template(steps: str, ending: str = "commit = true") -> str:
    return f"""
        source "docker" "site" {{
          image = "tiny:1"
          pull  = false
          {ending}
        }}
        build {{
          sources = ["docker.site"]
          {steps}
        }}"""


def shell(*lines: str) -> str:
    return f'provisioner "shell" {{ inline = {json.dumps(lines)} }}\n'


@pytest.fixture
async def yard(boxwright_home: Path, daemon: Dockerd) -> AsyncIterator[Yard]:
    """Layers of the test are pruned at its end: then nothing of it may be left at the daemon."""
    made = Yard(boxwright_home)
    yield made
    assert await made.left() == []
    await prune(LayerStore(made.locations.layers), made.work, 0)


def steps(yard: Yard) -> list[str]:
    return [state for name, state in yard.work.states.items() if name.startswith("Provision")]


async def test_a_container_is_provisioned_and_becomes_an_image(yard: Yard, daemon: Dockerd) -> None:
    yard.write("page.txt", "a page")
    yard.write(
        "a.pkr.hcl",
        template(
            shell("echo here > /made", "id -un")
            + """
            provisioner "file" {
              source      = "page.txt"
              destination = "/srv/page.txt"
            }
            post-processor "docker-tag" {
              repository = "made/site"
              tags       = ["1", "2"]
            }""",
            """
            commit    = true
            exec_user = "root"
            author    = "Ann"
            message   = "made by a test"
            changes   = ["ENV WORD=hello", "CMD [\\"cat\\", \\"/made\\"]"]
            """,
        ),
    )
    made = await yard.build()
    assert made[0].artifacts[-1].id == "made/site:2"
    with daemon.client() as client:
        image = client.images.get("made/site:1")
        assert client.images.get("made/site:2").id == image.id
        config = image.attrs["Config"]
        assert config["Cmd"] == ["cat", "/made"] and not config["Entrypoint"]
        assert "WORD=hello" in config["Env"] and not config["Labels"]
        assert (image.attrs["Author"], image.attrs["Comment"]) == ("Ann", "made by a test")
        assert daemon.said("made/site:1") == b"here\n"
        assert daemon.said("made/site:2", "cat", "/srv/page.txt") == b"a page"
        client.images.remove("made/site:1")
        client.images.remove("made/site:2")


async def test_a_changed_step_begins_where_it_stands(yard: Yard) -> None:
    """Each step shows what is there: what the steps before it have left, however they came to be."""

    async def build(*words: str, request: Request | None = None) -> None:
        inlines = "".join(shell(f"echo {word} >> /words", "cat /words") for word in words)
        yard.write("a.pkr.hcl", template(inlines, "discard = true"))
        await yard.build(request=request)

    await build("a", "b", "c", "d", "e")
    assert steps(yard) == ["done"] * 5
    layers = LayerStore(yard.locations.layers).list()
    assert len(layers) == 6 and sum(layer.size for layer in layers) > 0
    await build("a", "b", "c", "d", "f")
    assert steps(yard) == ["cached"] * 4 + ["done"]
    assert yard.work.output.decode().split("Kept")[0].split() == ["a", "b", "c", "d", "f"]
    await build("a", "x", "c", "d", "f")
    assert steps(yard) == ["cached"] + ["done"] * 4
    await build("a", "x", "c", "d", "f", request=Request(no_cache=True))
    assert steps(yard) == ["done"] * 5


async def test_where_nothing_changed_no_container_is_made_as_long_as_the_image_is_there(
    yard: Yard, daemon: Dockerd
) -> None:
    tag = 'post-processor "docker-tag" { repository = "made/site" }'
    yard.write("a.pkr.hcl", template(shell("echo a") + tag))
    (first,) = await yard.build()
    with daemon.client() as client:
        began = time.time_ns()
        (again,) = await yard.build()
        assert yard.work.states["docker.site"] == "cached"
        assert [one.id for one in again.artifacts] == [one.id for one in first.artifacts]
        told = client.events(since=began // 10**9, until=int(time.time()) + 1, decode=True)
        done = {(event["Type"], event["Action"]) for event in told if event["timeNano"] >= began}
        assert not done, "nothing was asked of the daemon but questions"
        client.images.remove("made/site:latest")
        await yard.build()
        assert steps(yard) == ["cached"]
        yard.write("a.pkr.hcl", template(shell("echo b") + tag))
        with pytest.raises(UsageError, match="made/site:latest is there already"):
            await yard.build()
        assert not yard.work.intents[:-1], "it is said before anything begins"
        old = client.images.get("made/site:latest").id
        await yard.build(request=Request(force=True))
        assert client.images.get("made/site:latest").id != old
        with pytest.raises(docker.errors.ImageNotFound):
            client.images.get(old)
        client.images.remove("made/site:latest")


async def test_a_secret_of_a_step_is_in_no_image_layer_file_or_output(yard: Yard, daemon: Dockerd) -> None:
    yard.write(
        "a.pkr.hcl",
        'variable "key" {\n  type = string\n  sensitive = true\n}\n'
        + template(
            """
            provisioner "shell" {
              environment_vars = ["KEY=${var.key}"]
              inline           = ["test $${#KEY} = 10", "echo it is $KEY", "cat /proc/*/cmdline"]
            }
            provisioner "file" {
              content     = "length: ${length(var.key)}"
              destination = "/length"
            }
            post-processor "docker-tag" { repository = "made/site" }"""
        ),
    )
    await yard.build(variables=[("key", "s3cret-k3y")])
    assert b"it is <sensitive>" in yard.work.output
    with daemon.client() as client:
        image = client.images.get("made/site")
        written = json.dumps([image.attrs, image.history()]).encode()
        written += b"".join(image.save())
        client.images.remove("made/site")
    written += b"".join(path.read_bytes() for path in yard.locations.data.rglob("*") if path.is_file())
    assert b"s3cret-k3y" not in written + yard.work.output


async def test_names_of_images_go_where_a_later_post_processor_fails(yard: Yard, daemon: Dockerd) -> None:
    yard.write(
        "a.pkr.hcl",
        template(
            """
            post-processors {
              post-processor "docker-tag" { repository = "made/site" }
              post-processor "docker-save" { path = "out/site.tar" }
              post-processor "shell-local" { inline = ["exit 3"] }
            }"""
        ),
    )
    with pytest.raises(BoxwrightError, match="exit status 3"):
        await yard.build()
    assert await yard.left() == []
    assert not (yard.folder / "out/site.tar").exists()
    with daemon.client() as client:
        assert not client.images.list("made/site") and not client.images.list("boxwright/build")


async def test_layers_whose_image_somebody_has_removed_are_none(yard: Yard, daemon: Dockerd) -> None:
    yard.write("a.pkr.hcl", template(shell("echo a") + shell("echo b"), "discard = true"))
    await yard.build()
    latest = LayerStore(yard.locations.layers).list()[0]
    with daemon.client() as client:
        client.images.remove(f"boxwright/layer:{latest.id}")
    await yard.build(request=Request(force=True))
    assert steps(yard) == ["cached", "done"]
    with daemon.client() as client:
        assert len(client.images.list("boxwright/layer")) == len(LayerStore(yard.locations.layers).list())


async def test_what_a_daemon_keeps_of_pruned_layers_goes_when_it_is_there_again(
    yard: Yard, daemon: Dockerd
) -> None:
    yard.write("a.pkr.hcl", template(shell("echo a"), "discard = true"))
    await yard.build()
    store = LayerStore(yard.locations.layers)
    with daemon.gone():
        assert len(await prune(store, yard.work, 0)) == 2
    assert store.list() == ()
    with daemon.client() as client:
        assert client.images.list("boxwright/layer")
    await prune(store, yard.work, 0)
    with daemon.client() as client:
        assert not client.images.list("boxwright/layer")


async def test_a_container_is_exported_and_packed(yard: Yard, daemon: Dockerd) -> None:
    yard.write(
        "a.pkr.hcl",
        template(
            shell("echo here > /made")
            + """
            post-processors {
              post-processor "docker-import" {
                repository = "made/imported"
                tag        = "1"
                changes    = ["CMD [\\"cat\\", \\"/made\\"]"]
              }
              post-processor "docker-save" { path = "out/image.tar" }
              post-processor "compress" { output = "out/image.tar.gz" }
            }
            post-processor "checksum" {
              checksum_types = ["sha256"]
              output         = "out/sums"
            }
            post-processor "manifest" {}""",
            'export_path = "out/root.tar"',
        ),
    )
    await yard.build()
    out = yard.folder / "out"
    assert sorted(path.name for path in out.iterdir()) == ["image.tar.gz", "root.tar", "sums"]
    with tarfile.open(out / "root.tar") as root:
        made = root.extractfile("made")
        assert made is not None and made.read() == b"here\n"
    with tarfile.open(out / "image.tar.gz") as packed:
        saved = packed.extractfile("image.tar")
        assert saved is not None
        image = saved.read()
    manifest = json.loads((yard.folder / "packer-manifest.json").read_text())
    assert [one["files"][0]["name"] for one in manifest["builds"]] == ["out/root.tar"]
    with daemon.client() as client:
        assert daemon.said("made/imported:1") == b"here\n"
        client.images.remove("made/imported:1")
        assert client.images.load(io.BytesIO(image))[0].tags == ["made/imported:1"]
        client.images.remove("made/imported:1")


async def test_it_becomes_a_box_and_what_is_made_of_that_runs_the_same(yard: Yard, daemon: Dockerd) -> None:
    from core.providers.docker import box_image
    from core.providers.docker.address import parse
    from core.providers.docker.daemon import Daemon

    yard.write(
        "a.pkr.hcl",
        template(
            shell("echo here > /made")
            + """
            post-processor "box" {}
            post-processors {
              post-processor "docker-tag" { repository = "made/site" }
              post-processor "vagrant" { output = "site.box" }
            }""",
            """
            commit  = true
            run_command = ["-dit", "-e", "WORD=it's $5", "--entrypoint=/bin/sh", "{{.Image}}"]
            changes = ["CMD [\\"cat\\", \\"/made\\"]"]
            """,
        ),
    )
    await yard.build()
    (box,) = yard.store.list()
    assert (box.key.name, box.key.provider) == ("yard/site", "docker")
    with tarfile.open(yard.folder / "site.box") as packed:
        vagrantfile = packed.extractfile("Vagrantfile")
        assert vagrantfile is not None and b'docker.image = "made/site:latest"' in vagrantfile.read()
    changes = box.metadata["boxwright"]["changes"]
    at = Daemon(parse(daemon.url))
    root = Path(box.files["rootfs.tar.zst"])
    await box_image.import_archive(at, root, "made/again:1", changes, yard.work)
    with daemon.client() as client:
        assert daemon.said("made/again:1") == b"here\n"
        assert daemon.said("made/again:1", "sh", "-c", "echo $WORD") == b"it's $5\n"
        client.images.remove("made/again:1")
        client.images.remove("made/site:latest")


async def test_a_failing_step_leaves_nothing_unless_asked(yard: Yard, daemon: Dockerd) -> None:
    yard.write("a.pkr.hcl", template(shell("echo a") + shell("echo the reason; exit 3")))
    with pytest.raises(BoxwrightError, match="exit status 3"):
        await yard.build()
    assert daemon.objects()["containers"] == [] and await yard.left() == []
    with pytest.raises(BoxwrightError) as caught:
        await yard.build(request=Request(on_error="abort"))
    assert steps(yard) == ["cached", "failed"]
    (left,) = daemon.objects()["containers"]
    assert f"docker exec -it {left} sh" in caught.value.problem.remedy
    assert await remove_kept(yard.locations.builds) == 1
    assert daemon.objects()["containers"] == []


async def test_ansible_works_in_the_container(yard: Yard) -> None:
    yard.write(
        "play.yml", "- hosts: all\n  gather_facts: false\n  tasks: [{ raw: echo $((6 * 7)) > /answer }]\n"
    )
    yard.write(
        "a.pkr.hcl",
        template(
            'provisioner "ansible" { playbook_file = "play.yml" }\n' + shell("cat /answer"), "discard = true"
        ),
    )
    await yard.build()
    assert b"\n42\n" in yard.work.output


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("commit = true\n discard = true", "exactly one of"),
        ('commit = true\n changes = ["RUN ls"]', "cannot be changed of an image"),
        ('discard = true\n changes = ["USER bob"]', "belong to an image"),
        ('commit = true\n communicator = "ssh"', "not reached by"),
        ("commit = true\n fix_upload_owner = false", "fix_upload_owner"),
        ("commit = true\n ecr_login = true", "AWS"),
        ('commit = true\n run_command = ["--gpus=all", "{{.Image}}"]', "--gpus=all"),
        ('commit = true\n run_command = ["-d", "other"]', "'other'"),
        ('commit = true\n volumes = { "not-there" = "/x" }', "not-there"),
        ('commit = true\n bootstrap { suite = "bookworm" }', "one of"),
    ],
)
async def test_mistakes_are_found_before_anything_begins(yard: Yard, ending: str, said: str) -> None:
    yard.write("a.pkr.hcl", template("", ending))
    with pytest.raises((ConfigError, BuildError, BoxwrightError), match=said):
        await yard.build()
    assert not yard.work.intents


async def test_an_image_that_is_not_there_is_named(yard: Yard) -> None:
    yard.write("a.pkr.hcl", template("", "discard = true").replace("tiny:1", "not/there"))
    with pytest.raises(ProviderError, match="not/there is missing") as caught:
        await yard.build()
    assert "docker pull not/there" in caught.value.problem.remedy


async def test_the_container_is_as_run_command_says(yard: Yard) -> None:
    yard.write("shared/word", "shared")
    yard.write(
        "a.pkr.hcl",
        template(
            shell(
                "echo $WORD in $(pwd), $(hostname), $(cat /there/word)",
                "ls /dev/null2",
                "stat -f -c %T /quick",
            ),
            """
            discard     = true
            run_command = ["-dit", "-e", "WORD=hello", "-w", "/tmp", "--hostname=inner", "-u", "0",
                           "--entrypoint", "/bin/sh", "--", "{{ .Image }}"]
            volumes     = { "shared" = "/there" }
            device      = ["/dev/null:/dev/null2"]
            tmpfs       = ["/quick"]
            cap_add     = ["NET_ADMIN"]
            privileged  = false
            """,
        ),
    )
    await yard.build()
    assert b"hello in /tmp, inner, shared\n/dev/null2\ntmpfs\n" in yard.work.output
