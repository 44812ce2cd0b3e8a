"""What the workbench does by itself, besides the commands of the registry: each with an id and a key."""

from __future__ import annotations

import msgspec


class Own(msgspec.Struct, frozen=True):
    """Something that the workbench does by itself."""

    id: str
    key: str
    title: str
    help: str
    shown: bool = False
    """In the footer."""


OWN: tuple[Own, ...] = (
    Own(
        "workbench.filter",
        "/",
        "Filter",
        "Show only rows that match (! for the others, -f for letters in that order); in a log: search.",
        True,
    ),
    Own("workbench.prompt", ":", "Command", "Type a command by its name.", True),
    Own(
        "workbench.palette", "ctrl+p", "Palette", "Search all commands, also those that are not possible now."
    ),
    Own("workbench.help", "?", "Help", "Show all keys.", True),
    Own("workbench.tour", "f1", "Tour", "The few keys that lead to everything else, on one page."),
    Own("workbench.open", "enter", "Open", "Look at the selected thing."),
    Own(
        "workbench.back",
        "escape",
        "Back",
        "Ends a search in the log; back to the lists; takes marks away, then a filter.",
    ),
    Own("workbench.machines", "1", "Machines", "Go to the machines."),
    Own("workbench.boxes", "2", "Boxes", "Go to the boxes."),
    Own("workbench.builds", "3", "Builds", "Go to the builds."),
    Own("workbench.next-pane", "tab", "Next pane", "Go to the next pane."),
    Own("workbench.previous-pane", "shift+tab", "Previous pane", "Go to the pane before."),
    Own("workbench.previous-tab", "[", "Tab before", "Show the tab to the left."),
    Own("workbench.next-tab", "]", "Tab after", "Show the tab to the right."),
    Own("workbench.close-tab", "w", "Close tab", "Close the console or serial tab that is shown."),
    Own(
        "workbench.again",
        "a",
        "Retry from here",
        "Do again what failed, from the failed provisioner on; run a build again, or answer what it asks.",
    ),
    Own(
        "workbench.shell-here",
        "s",
        "Shell here",
        "A shell in the guest of a build that asks something or left it running.",
    ),
    Own("workbench.clean-up", "d", "Clean up", "Remove the machines that failed builds left as they were."),
    Own("workbench.store", "A", "Into the store", "Add the box that a template's build left to the boxes."),
    Own(
        "workbench.edit",
        "e",
        "Edit",
        "Edit the script that failed, else what describes the machine.",
    ),
    Own("workbench.editor", "E", "Editor", "Open the project file in your editor ($VISUAL or $EDITOR)."),
    Own(
        "workbench.mark",
        "space",
        "Mark",
        "Mark the row, or take its mark away; commands act on all that are marked.",
    ),
    Own(
        "workbench.mark-range",
        "ctrl+@",
        "Mark a range",
        "Mark everything from the last marked row to this one.",
    ),
    Own("workbench.mark-all", "*", "Mark all", "Mark all rows that are shown, or none."),
    Own("workbench.sort", ",", "Sort", "Sort by the next column, and after the last one as before."),
    Own("workbench.reverse", ".", "Reverse", "Turn the order of the rows round."),
    Own("workbench.run-before", "<", "Run before", "Show steps and log of the run before on the same thing."),
    Own("workbench.run-after", ">", "Run after", "Show steps and log of the next run, up to the latest."),
    Own(
        "workbench.logs",
        "L",
        "Logs together",
        "Show the logs of all marked machines in one, or of all that are listed.",
    ),
    Own("workbench.copy-log", "Y", "Copy the log", "Copy the log of what was done last with this thing."),
    Own(
        "workbench.new",
        "n",
        "New machine",
        "Describe a machine in a form: here, or (where all projects are shown) in a new project.",
    ),
    Own("workbench.consoles", "'", "Consoles", "Go to one of the consoles that are open."),
    Own("workbench.recordings", "M", "Recordings", "Play a recording of a console."),
    Own("workbench.everywhere", "P", "Projects", "Go to another project, or to the machines of all."),
    Own("workbench.bigger", "+", "Bigger", "More room for this side: half of it, all of it, as it was."),
    Own("workbench.smaller", "_", "Smaller", "Less room for this side, the other way round."),
    Own("workbench.full", "f", "Full screen", "All the room for this side, or as it was."),
    Own("workbench.menu", "m", "Menu", "What can be done with the selected thing, and what cannot, and why."),
    Own("workbench.line", "y", "Command line", "Show and copy the command line of the last action."),
    Own("workbench.theme", "T", "Theme", "Choose another theme; each is shown as one comes to it."),
    Own("workbench.settings", "", "Settings", "Open the file of your keys and colours in your editor."),
    Own("workbench.quit", "q", "Quit", "Close the workbench; machines and builds go on."),
)

CONSOLE_LEAVE = "ctrl+right_square_bracket"
"""The chord that leaves a console."""

CONSOLE: tuple[Own, ...] = (
    Own("console.leave", CONSOLE_LEAVE, "Leave", "Leave the guest: what is typed then is the workbench's."),
    Own("console.type", "enter", "Type", "What is typed goes to the guest again.", True),
    Own("console.find", "/", "Search", "Search all that the console has shown.", True),
    Own("console.next", "n", "Next match", "Go to the next match, further down."),
    Own("console.previous", "N", "Match before", "Go to the match before, further up."),
    Own("console.select", "v", "Select", "Begin a selection at the cursor, or end it.", True),
    Own("console.lines", "V", "Select lines", "Begin a selection of whole lines, or end it."),
    Own("console.copy", "y", "Copy", "Copy the selection; without one the link or the line.", True),
    Own(
        "console.split",
        "|",
        "Split",
        "Show a second console, beside this one where there is room; again: alone.",
        True,
    ),
    Own("console.other", "o", "Other side", "Go to the other one of two consoles."),
    Own("console.record", "m", "Record", "Record the console to a file (asciicast), or stop that.", True),
    Own(
        "console.broadcast",
        "b",
        "Broadcast",
        "Type to both that are in sight; alone, this one joins or leaves.",
        True,
    ),
    Own(
        "console.all",
        "B",
        "Broadcast to all",
        "Type to all connected shells of the machines listed, or stop that.",
    ),
)
"""What a console does by itself, once the chord has left it."""

LOG: tuple[Own, ...] = (
    Own("log.next", "n", "Next match", "Go to the next match."),
    Own("log.previous", "N", "Match before", "Go to the match before."),
    Own("log.error", "e", "Next error", "Mark what looks like an error, and go to the next one.", True),
    Own("log.first-error", "E", "First error", "Go to the first error of all.", True),
    Own("log.step-before", "{", "Step before", "Go to the heading of the step before."),
    Own("log.step-after", "}", "Step after", "Go to the heading of the next step."),
    Own("log.fold", "-", "Fold", "Put the lines of the step at the top away, or show them again.", True),
    Own("log.fold-all", "=", "Fold all", "Show only the headings of steps, or everything again."),
    Own("log.times", "t", "Times", "Show when each line was written.", True),
    Own("log.wrap", "W", "Wrap", "Wrap long lines.", True),
    Own("log.begin", "g", "Begin", "Go to the beginning."),
    Own("log.end", "G", "Follow", "Go to the end, and follow it."),
    Own("log.copy", "y", "Copy", "Copy the log; of a long one its end.", True),
    Own("log.save", "w", "Save", "Save the log to a file.", True),
)
"""What the keys mean in a log."""

SCREEN: tuple[Own, ...] = (
    Own("screen.save", "w", "Save", "Save what the machine shows now as a picture (PNG).", True),
    Own("screen.next", "o", "Next screen", "Show the machine of the build's next source.", True),
)
"""What the keys mean on the screen of a build's machine."""

PLACES = {"log": LOG, "screen": SCREEN}
"""What has keys of its own as soon as it is gone to, by the id of its tab."""
