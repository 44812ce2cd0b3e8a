"""What can be done about something that has failed."""

from __future__ import annotations

import msgspec

from core.model.operation import Operation, StepState
from core.model.problem import Problem
from core.model.query import BuildView
from tui.choice import Choice
from tui.look.lines import Part, clean, wrap
from tui.look.signs import Signs
from tui.store import State
from tui.views import steps
from tui.views.overview import Key
from tui.views.steps import Shortcut

_BRIEF = {
    "Retry from here": "Retry",
    "Shell here": "Shell",
    "Shell in what was left": "Shell",
    "Edit the project's file": "Edit project",
    "Project's file": "Project",
    "Copy the log": "Copy",
}

_AS_DESCRIBED = ("machine.up", "machine.reload", "machine.provision")
"""Commands that follow the project's file: after their failure it may be that, or what is there of the
machine, that is to be changed."""


def shortcuts(choice: Choice, operation: Operation | None, state: State, key: Key) -> list[Shortcut]:
    """Keys for the failure of an operation on the chosen thing; only those that the engine can follow now."""
    return [
        Shortcut(pressed, title, _BRIEF.get(title, ""))
        for id, title in _offers(choice, operation, state)
        if (pressed := key(id))
    ]


def files(choice: Choice, operation: Operation | None) -> tuple[str, ...]:
    """Those of the host in which what failed is written: of the step that a build asks about, else of what
    failed last."""
    if choice.build is not None and choice.build.question:
        return choice.build.files
    if operation is None or operation.state is not StepState.FAILED or operation.problem is None:
        return ()
    # Where several sources of a build failed, each has its own.
    problems = (operation.problem, *operation.problem.others)
    return tuple(dict.fromkeys(file for problem in problems for file in problem.files))


def _edit(choice: Choice, operation: Operation | None, otherwise: str) -> list[tuple[str, str]]:
    """What failed, by its file where it is in one of its own, and what describes it."""
    found = [clean(file.rpartition("/")[2]) for file in files(choice, operation)]
    if not found:
        return [("workbench.edit", otherwise)]
    more = f" and {len(found) - 1} more" if found[1:] else ""
    return [("workbench.edit", f"Edit {found[0]}{more}"), ("workbench.editor", "Project's file")]


def _offers(choice: Choice, operation: Operation | None, state: State) -> list[tuple[str, str]]:
    """By the ids of commands."""
    machine, build = choice.machine, choice.build
    described = operation is None or operation.command in _AS_DESCRIBED
    found: list[tuple[str, str]] = []
    if machine is not None:
        from_here = failed_provisioner(choice, operation, state)
        if operation is None or choice.operation is None or choice.operation.id == operation.id:
            found.append(("workbench.again", "Retry from here" if from_here else "Try again"))
        if machine.endpoint is not None:
            found.append(("machine.ssh", "Shell here"))
        if described:
            found += _edit(choice, operation, "Edit the project's file")
    elif build is not None:
        # What was kept after each step that went well is not done again.
        asks = bool(build.question)
        found.append(("workbench.again", "Retry, keep, clean up or abort" if asks else "Retry from here"))
        if build.endpoint is not None:
            found.append(("workbench.shell-here", "Shell here" if asks else "Shell in what was left"))
        found += _edit(choice, operation, "Edit what failed" if asks else "Edit")
    found += [("operation.logs", "Log"), ("workbench.copy-log", "Copy the log")]
    if machine is not None and machine.state.created and described:
        found.append(("machine.destroy", "Destroy"))
    if build is not None and operation is not None and _left(operation):
        found.append(("workbench.clean-up", "Clean up"))
    return found


def _left(operation: Operation) -> bool:
    """A machine was kept, as asked."""
    return operation.problem is not None and "--kept" in operation.problem.remedy


def asked(choice: Choice, operation: Operation | None) -> Problem | None:
    """Why a running build asks what to do; None where it does not."""
    build = choice.build
    if build is None or not build.question or operation is None or operation.state.ended:
        return None
    if build.failure is None:
        return Problem(what=build.question)
    return msgspec.structs.replace(build.failure, remedy="")


def question_lines(build: BuildView, width: int, *, signs: Signs) -> list[list[Part]]:
    """What is asked, and why the step failed where one did."""
    lines: list[list[Part]] = [[(text, "!warn")] for text in wrap(build.question, width)]
    if build.failure is not None:
        lines += [[], *steps.problem_lines(msgspec.structs.replace(build.failure, remedy=""), width, signs)]
    return lines


def failed_provisioner(choice: Choice, operation: Operation | None, state: State) -> int:
    """Number of the provisioner that failed last on the chosen machine, 0 where none did."""
    machine = choice.machine
    if operation is None or machine is None or operation.state is not StepState.FAILED:
        return 0
    view = state.projects.get(machine.key.project)
    titles = view.provisioners.get(machine.name, ()) if view else ()
    return steps.failed_provisioner(state.steps_of(operation.id), titles)
