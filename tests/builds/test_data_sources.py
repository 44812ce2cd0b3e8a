"""Builds of templates that ask a web server, or Amazon, before they begin."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import boto3
import pytest

from core.builds.base import Request
from core.builds.data.asking import ask_now
from core.errors import BoxwrightError, ConfigError
from tests.boxes.server import Resource, Server
from tests.builds.yard import Yard
from tests.support.ec2 import ACCESS, REGION, SECRET, Ec2Server
from tests.support.waiting import until

FILE = """
source "file" "a" {
  content = data.http.page.body
  target  = "a.txt"
}
build { sources = ["file.a"] }
"""


async def test_what_a_server_answers_becomes_a_part_of_the_build(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    with Server() as server:
        server.put("/page", Resource("one é".encode(), content_type="text/plain"))
        block = 'method = "POST"\nrequest_body = "ask"\nrequest_headers = { X-Who = "me" }'
        yard.write("a.pkr.hcl", f'data "http" "page" {{\nurl = "{server.url}/page"\n{block}\n}}' + FILE)
        await yard.build()
        assert (yard.folder / "a.txt").read_text() == "one é"
        assert yard.work.states["Data: http"] == "done"
        (asked,) = server.asked
        assert (asked.method, asked.body, asked.headers["X-Who"]) == ("POST", b"ask", "me")
        server.put("/page", Resource(b"two", content_type="text/plain"))
        await yard.build(request=Request(force=True))
        assert (yard.folder / "a.txt").read_text() == "two"
        found = await asyncio.to_thread(ask_now({}), "http", {"url": f"{server.url}/page"})
        assert found["response_headers"]["Content-Type"] == "text/plain" and found["body"] == "two"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Resource(b"no", status=500), "answers 500"),
        (Resource(b"\xff\xfe"), "is no text"),
        (Resource(endless=b"more"), "does not end"),
    ],
)
async def test_what_is_no_good_answer_ends_the_build_before_it_begins(
    tmp_path: Path, answer: Resource, why: str
) -> None:
    yard = Yard(tmp_path)
    with Server() as server:
        server.put("/page", answer)
        yard.write("a.pkr.hcl", f'data "http" "page" {{ url = "{server.url}/page?token=hush" }}' + FILE)
        with pytest.raises(ConfigError, match=why) as caught:
            await yard.build()
    place = caught.value.problem.place
    assert place is not None and (place.line, place.column) == (1, 1)
    assert "hush" not in str(caught.value) and not (yard.folder / "a.txt").exists()


async def test_a_server_that_never_answers_does_not_hold_up_a_build_that_is_cancelled(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    gate = threading.Event()
    with Server() as server:
        server.put("/page", Resource(b"late", cut_after=1, gate=gate))
        yard.write("a.pkr.hcl", f'data "http" "page" {{ url = "{server.url}/page" }}' + FILE)
        building = asyncio.create_task(yard.build())
        await until(lambda: server.asked)
        building.cancel()
        with pytest.raises(asyncio.CancelledError):
            await building
        gate.set()
    assert yard.work.states["Data: http"] == "failed" and await yard.left() == []


async def test_amazon_is_asked_for_images_and_secrets(tmp_path: Path, ec2: Ec2Server) -> None:
    secrets = boto3.client(
        "secretsmanager",
        region_name=REGION,
        endpoint_url=ec2.url,
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
    )
    made = secrets.create_secret(Name="shop", SecretString='{"user": "jo", "password": "hush-7"}')
    account = {"region": REGION, "access_key": ACCESS, "secret_key": SECRET}
    ask = ask_now({"AWS_ENDPOINT_URL": ec2.url})
    try:
        found = await asyncio.to_thread(
            ask, "amazon-secretsmanager", {**account, "name": "shop", "key": "password"}
        )
        assert (found["value"], found["version_id"]) == ("hush-7", made["VersionId"])
        with pytest.raises(BoxwrightError, match="has no key"):
            await asyncio.to_thread(ask, "amazon-secretsmanager", {**account, "name": "shop", "key": "no"})
        with pytest.raises(BoxwrightError, match="ResourceNotFoundException"):
            await asyncio.to_thread(ask, "amazon-secretsmanager", {**account, "name": "nothing"})
    finally:
        secrets.delete_secret(SecretId="shop", ForceDeleteWithoutRecovery=True)
    image = {**account, "custom_endpoint_ec2": ec2.url, "owners": ["self"]}
    found = await asyncio.to_thread(ask, "amazon-ami", {**image, "filters": {"name": "base *"}})
    assert (found["id"], found["name"]) == (ec2.source, "base 1")
    with pytest.raises(BoxwrightError, match="is what the filter says"):
        await asyncio.to_thread(ask, "amazon-ami", {**image, "filters": {"name": "nothing"}})
