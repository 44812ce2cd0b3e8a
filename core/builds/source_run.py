"""Makes one source of a plan: from its deepest layer, through its steps, to its artifacts."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from core.builds import asking, keeping
from core.builds.artifact import Artifact
from core.builds.asking import Ask
from core.builds.base import Fetching, Request, Workshop
from core.builds.chains import run_chains
from core.builds.kept import Kept, mark
from core.builds.layer_keys import LayerFacts, difference, facts_of, keys
from core.builds.layers import LayerStore
from core.builds.plan import Again, BuildPlan, PlannedSource, PlannedStep, as_written
from core.builds.redaction import Redaction
from core.builds.registry import provisioner, source
from core.builds.scene import Scene
from core.builds.steps import read_again, run_step
from core.builds.undo import FOLDER, remove_folder
from core.errors import BoxwrightError
from core.model.work import Intent, Work


class SourceRun:
    """One source from beginning to end. ``make`` once."""

    def __init__(
        self,
        plan: BuildPlan,
        one: PlannedSource,
        request: Request,
        scene: Scene,
        layers: LayerStore,
        ask: Ask | None,
        again: Again | None = None,
    ) -> None:
        """``again``: the plan, read anew where a failed step is retried."""
        self._again = again
        self._plan = plan
        self._one = one
        self._request = request
        self._scene = scene
        self._layers = layers
        self._ask = ask
        self._chain: list[LayerFacts] = []
        """Of the source and its steps, up to the first one whose state cannot be kept."""
        self._keys: list[str] = []
        self._whole = ""
        self._layer: Path | None = None

    async def make(self, work: Work) -> tuple[Artifact, ...]:
        """The artifacts that are left. When this raises, nothing is, apart from layers."""
        kind = source(self._one.kind, self._one.place)
        if isinstance(kind, Fetching):
            await kind.fetch(self._one.settings, self._scene, work)
        await asyncio.to_thread(self._consider)
        request = self._request
        if not (request.force or request.no_cache) and self._whole:
            known = await asyncio.to_thread(self._layers.result, self._whole)
            gone = None if known is None else await keeping.missing(known, self._one, self._scene)
            if known is not None and gone is None:
                work.cached("nothing changed")
                return known
            if gone is not None and gone is not self._one:
                # Only what was sent on is lost: what is in the way here is this very build's own.
                self._scene = msgspec.structs.replace(self._scene, force=True)
        scene = self._scene
        await keeping.refuse_existing(self._one, scene)
        intent = work.intend(FOLDER, path=str(scene.folder))
        scene.folder.mkdir(mode=0o700, parents=True)
        workshop = kind.workshop(self._one.settings, scene)
        try:
            artifact = await self._through(workshop, work, intent)
            left = await run_chains(artifact, self._plan, self._one, scene, work) if artifact else ()
        finally:
            await asyncio.shield(workshop.close())
        async with work.step("Clean up"):
            await remove_folder({"path": str(scene.folder)})
            intent.settle()
        if self._whole and keeping.lasting(left, self._one):
            await asyncio.to_thread(self._layers.remember_result, self._whole, left)
        for promise in scene.promises:
            promise.settle()
        return left

    # What is known beforehand

    def _consider(self, done: int = 0) -> None:
        """In a thread: reads every file that decides a step. What decided the source and the ``done`` steps
        that have been taken stays what it was."""
        one, scene, before = self._one, self._scene, self._chain
        salt = self._layers.salt
        first = source(one.kind, one.place).facts(one.settings, scene)
        if not first:
            return
        # The source says itself what counts: the same machine, described in another language, is the same.
        self._chain = [facts_of(one.kind, one.label, {}, first, salt)]
        for step in one.steps:
            settings = step.whole
            more = provisioner(step.kind, step.place).facts(as_written(settings), scene)
            if more is None:
                break
            self._chain.append(facts_of(step.kind, step.title, settings, more, salt))
        if before:
            self._chain[: done + 1] = before[: done + 1]
        self._keys = keys(self._chain)
        self._whole = ""
        if len(self._chain) == len(one.steps) + 1:
            ends = [
                (post.kind, post.id, post.keep_input, facts_of(post.kind, "", post.settings, {}, salt).parts)
                for post in one.posts
            ]
            ends.append((one.kind, one.id, None, facts_of(one.kind, "", one.settings, {}, salt).parts))
            text = msgspec.json.encode((self._keys[-1], ends, scene.world.cwd), order="deterministic")
            self._whole = hashlib.sha256(text).hexdigest()[:40]

    @property
    def _history(self) -> str:
        return f"{self._scene.world.root}\0{self._plan.name}\0{self._one.display}"

    # Steps

    async def _through(self, workshop: Workshop, work: Work, intent: Intent) -> Artifact | None:
        begin = await asyncio.to_thread(self._deepest)
        why = self._why_not_cached()
        if self._chain:
            await asyncio.to_thread(self._layers.remember_run, self._history, self._chain)
        try:
            await self._open(workshop, begin, why, work)
        except BoxwrightError as error:
            raise await self._stopped(workshop, "The start of the build", error, work, intent) from error
        for number in range(1, len(self._one.steps) + 1):
            step = self._one.steps[number - 1]
            name = f"Provision {number}/{len(self._one.steps)}  {step.title}"
            reason = why[number] if begin <= number < len(why) else ""
            async with work.step(name, detail=reason) as inner:
                if number < begin:
                    inner.cached("unchanged")
                    continue
                await self._step(workshop, number, inner, intent)
                if number < len(self._keys):
                    await self._keep(workshop, number, step.title, inner)
        try:
            return await workshop.finish(work)
        except BoxwrightError as error:
            raise await self._stopped(workshop, "The end of the build", error, work, intent) from error

    async def _stopped(
        self, workshop: Workshop, title: str, error: BoxwrightError, work: Work, intent: Intent
    ) -> BoxwrightError:
        """What is raised where something failed that is no step, and so cannot be tried again."""
        if await self._answer(workshop, title, error, work) == asking.KEEP:
            return await self._left(workshop, error, intent)
        return error

    async def _open(self, workshop: Workshop, begin: int, why: Sequence[str], work: Work) -> None:
        name = "Continue from the last unchanged step" if begin else "Prepare"
        reason = f"not cached: {why[0]}" if why and why[0] and not begin else ""
        async with work.step(name, detail=reason) as inner:
            await workshop.open(self._layer, inner)
            if not begin and self._keys:
                await self._keep(workshop, 0, self._one.label, inner)

    def _deepest(self) -> int:
        """The number of the first step that has to run; 0 where even the source has to be prepared."""
        if self._request.no_cache:
            return 0
        for number in range(len(self._keys) - 1, -1, -1):
            self._layer = self._layers.find(self._keys[number])
            if self._layer is not None:
                return number + 1
        return 0

    def _why_not_cached(self) -> list[str]:
        """For the source and each step, why its state was not taken from the last run."""
        if self._request.no_cache:
            return ["without the cache"] * (len(self._one.steps) + 1)
        then = self._layers.last_run(self._history)
        found = [
            difference(self._chain, then, number) or "its layer is gone" for number in range(len(self._chain))
        ]
        missing = len(self._one.steps) + 1 - len(found)
        if missing and self._chain:
            step = self._one.steps[len(found) - 1]
            found.append(f"{step.kind} acts on this computer, or waits for somebody")
            found += ["a step before it runs every time"] * (missing - 1)
        return [f"not cached: {why}" if number else why for number, why in enumerate(found)]

    async def _keep(self, workshop: Workshop, number: int, title: str, work: Work) -> None:
        place = self._layers.place(self._keys[number])
        folder = self._layers.folder / f".new-{secrets.token_hex(6)}"
        intent = work.intend("path", path=str(folder))
        folder.mkdir(mode=0o700)
        if await workshop.keep(folder, place, work):
            parent = self._layer
            await asyncio.to_thread(
                self._layers.publish, folder, place, source=self._one.display, title=title, parent=parent
            )
            self._layer = place
        else:
            folder.rmdir()
        intent.settle()

    async def _step(self, workshop: Workshop, number: int, work: Work, intent: Intent) -> None:
        """One step, and what is to be done where it fails."""
        request, step, retried = self._request, self._one.steps[number - 1], False
        if request.debug and self._ask is not None:
            answer = await self._ask(
                asking.before(self._asked_of(step.title), asking.way_in(workshop.guest)), work
            )
            if answer == asking.ABORT:
                raise BoxwrightError("The build was ended before this step, as asked.")
        while True:
            try:
                if retried:
                    await self._read_again(number, work)
                    step = self._one.steps[number - 1]
                await run_step(step, self._plan, self._one, workshop.guest, self._scene, work)
                return
            except BoxwrightError as error:
                error.problem = msgspec.structs.replace(error.problem, files=read_again(step, self._scene))
                answer = await self._answer(workshop, step.title, error, work, step)
                if answer == asking.RETRY:
                    retried = True
                    continue
                if answer == asking.CLEAN or request.on_error == "run-cleanup-provisioner":
                    await self._clean_up(workshop, work)
                if answer == asking.KEEP:
                    raise await self._left(workshop, error, intent) from error
                raise

    async def _read_again(self, number: int, work: Work) -> None:
        """Take this step and those behind it as they are described now. Raises BoxwrightError."""
        plan = await self._again(work) if self._again is not None else self._plan
        now = next((one for one in plan.sources if one.id == self._one.id), None)
        fits = now is not None and len(now.steps) == len(self._one.steps)
        if now is None or not fits or set(plan.secrets) != set(self._plan.secrets):
            work.note("more than the steps is described otherwise now: they go on as they were")
        else:
            self._plan = plan
            steps = (*self._one.steps[: number - 1], *now.steps[number - 1 :])
            self._one = msgspec.structs.replace(self._one, steps=steps)
        await asyncio.to_thread(self._consider, number - 1)

    def _asked_of(self, title: str) -> str:
        """A step, told apart from the same one of other sources."""
        return f"{self._one.display}: {title}" if len(self._plan.sources) > 1 else title

    async def _answer(
        self,
        workshop: Workshop,
        title: str,
        error: BoxwrightError,
        work: Work,
        step: PlannedStep | None = None,
    ) -> str:
        """What to do about a failure: of that step, or of something that cannot be tried again."""
        on_error = self._request.on_error
        if on_error == "ask" and self._ask is not None:
            work.write(f"{error.problem.what}\n".encode())
            question = asking.about_failure(
                self._asked_of(title),
                self._scene.facts.get("reach", ""),
                asking.way_in(workshop.guest),
                problem=Redaction(self._scene.secrets).problem(error.problem),
                files=error.problem.files,
                again=step is not None,
            )
            return await self._ask(question, work)
        return {"abort": asking.KEEP, "run-cleanup-provisioner": asking.KEEP}.get(on_error, asking.CLEAN)

    async def _clean_up(self, workshop: Workshop, work: Work) -> None:
        """The template's error-cleanup-provisioner; that it fails, too, is only said."""
        step = self._one.on_error
        if step is None:
            return
        work.write(b"Running the error-cleanup-provisioner.\n")
        try:
            await run_step(step, self._plan, self._one, workshop.guest, self._scene, work)
        except BoxwrightError as error:
            work.write(f"It failed: {error}\n".encode())

    async def _left(self, workshop: Workshop, error: BoxwrightError, intent: Intent) -> BoxwrightError:
        """The error that says what was left as it was, as asked."""
        endpoint = asking.way_in(workshop.guest)
        if not await workshop.leave():
            return error
        kept = Kept(root=self._scene.world.root, build=self._plan.name, endpoint=endpoint)
        mark(self._scene.folder, kept)
        intent.settle()
        reach = self._scene.facts.get("reach", "")
        problem = error.problem
        return BoxwrightError(
            problem.what,
            why=f"{problem.why} The machine was left as it is, in {self._scene.folder}.".strip(),
            remedy=f"{reach}; boxwright layer prune --kept removes it"
            if reach
            else "boxwright layer prune --kept",
            place=problem.place,
            tail=problem.tail,
            files=problem.files,
        )
