"""The first look: what is where, and the few keys that lead to everything else."""

from __future__ import annotations

from tui.keys import Keymap, spoken
from tui.look.lines import Part, wrap

Line = list[Part]

_STOPS = (
    ("workbench.new", "describes a machine in a form and writes the project's file."),
    ("machine.up", "brings the selected machine up: each step is shown, with how long it takes."),
    ("machine.ssh", "opens a shell in it, in a tab that stays; ctrl+] leaves it."),
    ("operation.logs", "shows the log of what was done last; / searches, e goes to the next error."),
    ("workbench.mark", "marks several machines: what is done then is done with all of them."),
    ("workbench.palette", "finds every command by a part of its name, and says why one is not possible now."),
    ("workbench.prompt", "takes commands as the command line does; y copies the line of what was done last."),
    ("workbench.help", "lists all keys. This page comes back with f1."),
)


def lines(keymap: Keymap, width: int) -> list[Line]:
    first = "Machines, boxes and builds are on the left, what is selected is on the right."
    found: list[Line] = [*([(part, "text")] for part in wrap(first, width)), []]
    for id, text in _STOPS:
        key = spoken(keymap.key(id))
        if not key:
            continue
        for number, part in enumerate(wrap(text, max(20, width - 10))):
            found.append([(f"{key if not number else '':>7}", "!accent"), (f"  {part}", "text")])
    last = "Nothing is lost by quitting (q): machines and builds go on. What cannot be undone asks first."
    return [*found, [], *([(part, "muted")] for part in wrap(last, width))]
