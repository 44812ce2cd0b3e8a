"""Images from a registry: a real daemon pulls from a registry on the loopback."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import ProviderError
from core.providers.docker.pulling import Layers, complete
from tests.providers.bench import Machine
from tests.providers.docker.bench import DockerBench
from tests.support.dockerd import root_file_system

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def registry() -> Iterator[str]:
    """One image, ``tiny:1``, of one layer."""
    tar = root_file_system({"/pulled": "yes"})
    layer = gzip.compress(tar)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar)]},
        }
    ).encode()
    described = {
        "config": ("application/vnd.docker.container.image.v1+json", config),
        "layer": ("application/vnd.docker.image.rootfs.diff.tar.gzip", layer),
    }
    parts = {
        name: {"mediaType": kind, "size": len(data), "digest": _digest(data)}
        for name, (kind, data) in described.items()
    }
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": _MANIFEST, "config": parts["config"], "layers": [parts["layer"]]}
    ).encode()
    found = {
        "/v2/": ("application/json", b"{}"),
        "/v2/tiny/manifests/1": (_MANIFEST, manifest),
        f"/v2/tiny/manifests/{_digest(manifest)}": (_MANIFEST, manifest),
        **{f"/v2/tiny/blobs/{_digest(data)}": (kind, data) for kind, data in described.values()},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            unknown = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
            kind, data = found.get(self.path, ("application/json", unknown))
            self.send_response(404 if data == unknown else 200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Docker-Content-Digest", _digest(data))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.real
async def test_an_image_that_is_not_there_is_pulled(bench: DockerBench, registry: str) -> None:
    name = f"{registry}/tiny:1"
    machine = Machine(bench, bench.plans.make(options={"image": name}))
    work = machine.work()
    await machine.provider.create(machine.plan, work)
    assert work.states == {"Pull": "done"}
    await machine.start()
    assert bench._exec(machine.plan, "cat /pulled") == "yes"
    await machine.destroy()
    with bench.daemon.client() as client:
        client.images.remove(name)


@pytest.mark.real
async def test_an_image_that_nobody_has_is_said(bench: DockerBench, registry: str) -> None:
    machine = Machine(bench, bench.plans.make(options={"image": f"{registry}/none:1"}))
    work = machine.work()
    with pytest.raises(ProviderError) as raised:
        await machine.provider.create(machine.plan, work)
    assert "could not be pulled" in raised.value.problem.what
    assert "tag" in raised.value.problem.remedy
    await work.undo()


def test_without_a_tag_one_is_meant() -> None:
    assert complete("debian") == "debian:latest"
    assert complete("there:5000/debian") == "there:5000/debian:latest"
    assert complete("debian:12") == "debian:12"
    assert complete("debian@sha256:00") == "debian@sha256:00"


def test_layers_add_up() -> None:
    layers = Layers()
    assert layers.take({"id": "a", "status": "Downloading", "progressDetail": {"current": 3, "total": 9}})
    assert layers.take({"id": "b", "status": "Downloading", "progressDetail": {"current": 1, "total": 2}})
    assert layers.take({"id": "b", "status": "Download complete"})
    assert not layers.take({"status": "Pulling from tiny"})
    assert (layers.done, layers.total) == (5, 11)
