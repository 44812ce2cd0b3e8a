"""A build of a container that kills itself, as :mod:`tests.builds.killed` does.

Arguments: Boxwright's home, which has the template in its folder ``project``, and the point.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core.boxes.store import BoxStore
from core.builds.base import Request
from core.builds.project_builds import template_plan
from core.builds.run import run_plan
from core.paths import Locations
from core.templates.given import Given
from tests.builds.killed import Journal, KillingWork


async def main() -> None:
    home, point = Path(sys.argv[1]), int(sys.argv[2])
    locations = Locations(data=home / "data", runtime=home / "run" / "x").prepare()
    folder = home / "project"
    journal = Journal(home / "intents.jsonl", point)
    work = KillingWork(journal)
    await run_plan(
        await template_plan(folder, "yard", Given(cwd=str(folder)), work),
        Request(no_cache=True, force=True),
        locations=locations,
        store=BoxStore(locations.boxes),
        project="yard",
        work=work,
    )
    print(journal.count)


if __name__ == "__main__":
    asyncio.run(main())
