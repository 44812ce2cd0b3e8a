"""What can be done about something that has failed."""

from __future__ import annotations

from core.model.operation import Operation, StepState
from tui.choice import Choice
from tui.store import State
from tui.views import steps
from tui.views.steps import Shortcut


def shortcuts(choice: Choice, operation: Operation | None, state: State) -> list[Shortcut]:
    """Keys for the failure of an operation on the chosen thing; only those that the engine can follow now."""
    machine, found = choice.machine, []
    if machine is not None:
        if failed_provisioner(choice, operation, state):
            found.append(Shortcut("a", "Retry from here"))
        else:
            found.append(Shortcut("u", "Try again"))
        if machine.endpoint is not None:
            found.append(Shortcut("s", "Shell here"))
        found.append(Shortcut("e", "Edit"))
    elif choice.build is not None:
        # What was kept after each step that went well is not done again.
        found += [Shortcut("a", "Retry from here"), Shortcut("e", "Edit")]
    found += [Shortcut("l", "Log"), Shortcut("Y", "Copy the log")]
    if machine is not None and machine.state.created:
        found.append(Shortcut("d", "Clean up"))
    return found


def failed_provisioner(choice: Choice, operation: Operation | None, state: State) -> int:
    """Number of the provisioner that failed last on the chosen machine, 0 where none did."""
    machine = choice.machine
    if operation is None or machine is None or operation.state is not StepState.FAILED:
        return 0
    view = state.projects.get(machine.key.project)
    titles = view.provisioners.get(machine.name, ()) if view else ()
    return steps.failed_provisioner(state.steps_of(operation.id), titles)
