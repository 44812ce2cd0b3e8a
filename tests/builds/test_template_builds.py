"""Templates without a guest: sources side by side, chains of post-processors, what stays."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from core.builds.base import Request
from core.builds.run import BuildError
from core.errors import BoxwrightError, ConfigError, NotFoundError
from tests.builds.yard import Yard

FILES = """
variable "word" { default = "hello" }
source "file" "a" {
  content = var.word
  target  = "out/a.txt"
}
source "file" "b" {
  content = "bee"
  target  = "out/b.txt"
}
"""


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


async def test_sources_are_chosen_by_name_and_pattern(yard: Yard) -> None:
    yard.write("a.pkr.hcl", FILES + 'build { sources = ["file.a", "file.b"] }')
    made = await yard.build(request=Request(only=("*.b",)))
    assert [one.source for one in made] == ["file.b"]
    made = await yard.build(request=Request(exclude=("file.b",)))
    assert (yard.folder / "out/a.txt").read_text() == "hello"
    with pytest.raises(NotFoundError, match=r"file\.c"):
        await yard.build(request=Request(only=("file.c",)))


async def test_one_source_that_fails_does_not_stop_the_other(yard: Yard) -> None:
    yard.write(
        "a.pkr.hcl",
        FILES
        + """
        source "null" "n" { communicator = "none" }
        build {
          sources = ["file.a", "null.n"]
          provisioner "shell-local" { inline = ["echo the reason", "exit 3"] }
        }""",
    )
    with pytest.raises(BoxwrightError, match="exit status 3") as caught:
        await yard.build(request=Request(only=("null.n", "file.a")))
    assert "the reason" in "\n".join(caught.value.problem.tail)
    assert await yard.left() == []


async def test_mistakes_are_found_before_anything_begins(yard: Yard) -> None:
    yard.write(
        "a.pkr.hcl",
        FILES
        + """
        build {
          sources = ["file.a"]
          provisioner "shell" { script = "not-there.sh" }
          provisioner "shell" { inlin = ["ls"] }
          post-processor "checksum" { checksum_types = ["sha3"] }
        }""",
    )
    with pytest.raises(BuildError) as caught:
        await yard.build()
    said = [
        (problem.place.line if problem.place else 0, problem.what) for problem in caught.value.problem.others
    ]
    assert [what for _, what in said] == [
        f"There is no script {yard.folder}/not-there.sh.",
        'The provisioner "shell" has no setting "inlin".',
        "There is no checksum 'sha3'.",
    ]
    assert all(line for line, _ in said)
    assert not (yard.folder / "out").exists()


async def test_kinds_that_cannot_be_run_are_named_with_those_that_can(yard: Yard) -> None:
    yard.write("a.pkr.hcl", 'source "qemmu" "x" {}\nbuild { sources = ["qemmu.x"] }')
    with pytest.raises(ConfigError, match="cannot be run") as caught:
        await yard.build()
    assert 'did you mean "qemu"' in caught.value.problem.why


async def test_secrets_appear_nowhere(yard: Yard) -> None:
    yard.write(
        "a.pkr.hcl",
        """
        variable "password" {
          sensitive = true
          default   = "t0p-s3cret"
        }
        source "null" "n" { communicator = "none" }
        build {
          sources = ["null.n"]
          provisioner "shell-local" {
            environment_vars = ["PASSWORD=${var.password}"]
            inline = ["echo it is $PASSWORD", "printf t0p-; sleep 0.2; printf 's3cret\\n'", "exit $FAIL"]
            env              = { FAIL = "0" }
          }
          post-processor "manifest" { custom_data = { password = var.password } }
        }""",
    )
    await yard.build()
    assert b"it is <sensitive>" in yard.work.output
    said = yard.work.output + "".join([*yard.work.notes, *yard.work.states]).encode()
    written = b"".join(path.read_bytes() for path in yard.locations.data.rglob("*") if path.is_file())
    written += (yard.folder / "packer-manifest.json").read_bytes()
    assert b"t0p-s3cret" not in said + written


@pytest.mark.parametrize("ending", ["gz", "zst", "xz", "lz4"])
async def test_compress_makes_what_others_unpack(yard: Yard, ending: str) -> None:
    yard.write(
        "a.pkr.hcl",
        FILES
        + f"""
        build {{
          sources = ["file.a"]
          post-processor "compress" {{ output = "out/{{{{.BuildName}}}}.{ending}" }}
        }}""",
    )
    await yard.build()
    packed = yard.folder / f"out/a.{ending}"
    unpack = {
        "gz": lambda: gzip.decompress(packed.read_bytes()),
        "zst": lambda: zstandard.ZstdDecompressor().decompressobj().decompress(packed.read_bytes()),
        "xz": lambda: lzma.decompress(packed.read_bytes()),
        "lz4": lambda: subprocess.run(["lz4", "-dc", packed], capture_output=True, check=True).stdout,
    }
    assert unpack[ending]() == b"hello"
    assert not (yard.folder / "out/a.txt").exists(), "the input of a chain goes, as in Packer"
    [said] = [note for note in yard.work.notes if note.startswith("not kept, as a post-processor took it: ")]
    assert said.endswith("out/a.txt")


async def test_chains_and_what_stays_are_those_of_packer(yard: Yard) -> None:
    yard.write(
        "template.json",
        json.dumps(
            {
                "builders": [{"type": "file", "name": "a", "content": "hello", "target": "out/a.txt"}],
                "post-processors": [
                    [
                        {"type": "checksum", "checksum_types": ["sha256"], "output": "out/{{.ChecksumType}}"},
                        {"type": "compress", "output": "out/all.tar.gz", "keep_input_artifact": True},
                    ],
                    [{"type": "compress", "output": "out/a.zip", "keep_input_artifact": False}, "manifest"],
                ],
            }
        ),
    )
    made = await yard.build("template.json")
    assert sorted(path.name for path in (yard.folder / "out").iterdir()) == [
        "a.txt", "a.zip", "all.tar.gz", "sha256",
    ]  # fmt: skip
    with tarfile.open(yard.folder / "out/all.tar.gz") as tar:
        assert sorted(tar.getnames()) == ["a.txt", "sha256"]
    with zipfile.ZipFile(yard.folder / "out/a.zip") as packed:
        assert packed.read("a.txt") == b"hello"
    manifest = json.loads((yard.folder / "packer-manifest.json").read_text())
    assert [one["name"] for one in manifest["builds"][0]["files"]] == ["out/a.zip"]
    assert manifest["builds"][0]["builder_type"] == "file"
    assert {Path(file).name for one in made for artifact in one.artifacts for file in artifact.files} == {
        "a.txt", "a.zip", "all.tar.gz", "sha256",
    }  # fmt: skip


async def test_checksums_of_several_kinds_share_a_file_that_is_named_once(yard: Yard) -> None:
    sums = 'post-processor "checksum" {\n checksum_types = ["md5", "sha1"]\n output = "out/sums"\n }'
    yard.write("a.pkr.hcl", f'{FILES}\nbuild {{\n sources = ["file.a"]\n {sums}\n }}')
    await yard.build()
    content = (yard.folder / "out/a.txt").read_bytes()
    expected = [hashlib.new(kind, content).hexdigest() + "\ta.txt" for kind in ("md5", "sha1")]
    assert (yard.folder / "out/sums").read_text().splitlines() == expected


async def test_except_leaves_post_processors_out(yard: Yard) -> None:
    yard.write(
        "a.pkr.hcl",
        FILES
        + """
        build {
          sources = ["file.a"]
          post-processors {
            post-processor "compress" { output = "out/a.gz" }
            post-processor "checksum" {
              name   = "sums"
              output = "out/sums"
            }
          }
        }""",
    )
    await yard.build(request=Request(exclude=("sums",)))
    assert [path.name for path in (yard.folder / "out").iterdir()] == ["a.gz"]


async def test_steps_are_tried_again_and_ended_in_time(yard: Yard) -> None:
    yard.write(
        "a.pkr.hcl",
        """
        source "null" "n" { communicator = "none" }
        build {
          sources = ["null.n"]
          provisioner "shell-local" {
            max_retries = 2
            inline      = ["test -e tried || { touch tried; exit 1; }"]
          }
          provisioner "shell-local" {
            timeout = "1s"
            inline  = ["sleep 60"]
          }
          error-cleanup-provisioner "shell-local" { inline = ["touch cleaned"] }
        }""",
    )
    with pytest.raises(BoxwrightError, match="took longer than 1 s"):
        await yard.build()
    assert (yard.folder / "tried").exists()
    assert (yard.folder / "cleaned").exists()
    assert await yard.left() == []
