"""What a question on the command line costs: few imports, and little time."""

from __future__ import annotations

import subprocess
import sys

from core.client.blocking import BlockingClient

HEAVY = {"asyncio", "asyncssh", "httpx", "textual", "rich", "docker", "libvirt", "sqlite3", "subprocess"}

QUESTION = """
import sys
from pathlib import Path
from core.client.blocking import BlockingClient
from core.model.query import GetMachines
from core.paths import Locations
where = Locations(data=Path(sys.argv[1]), runtime=Path(sys.argv[2]))
with BlockingClient.connect(where, start=False) as client:
    client.query(GetMachines())
print(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_question_imports_nothing_heavy(client: BlockingClient) -> None:
    result = subprocess.run(
        [sys.executable, "-c", QUESTION, str(client.where.data), str(client.where.runtime)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert set(result.stdout.split()) & HEAVY == set()
