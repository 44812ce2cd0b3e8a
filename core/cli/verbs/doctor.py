"""doctor: what works here, what does not, why, and what mends it."""

from __future__ import annotations

import argparse

import msgspec

from core.cli.checkup import NOT_USABLE, Finding, Verdict, examine
from core.cli.context import Context
from core.commands import CommandSpec
from core.model.problem import ExitCode

_SYMBOLS = {
    Verdict.GOOD: ("✓", "+", "green"),
    Verdict.NOTE: ("–", "-", "yellow"),
    Verdict.BAD: ("✗", "x", "red"),
}


def doctor(context: Context, _spec: CommandSpec, _given: argparse.Namespace) -> int:
    """Exit code 5 where no provider is usable, 1 where something else is broken, else 0."""
    findings = examine(context)
    output = context.output
    code = _code(findings)
    data = {"healthy": code == ExitCode.DONE, "findings": msgspec.to_builtins(findings)}
    output.result(data, _lines(findings, context))
    return code


def _code(findings: list[Finding]) -> int:
    if not _usable(findings):
        return ExitCode.PROVIDER
    if any(finding.verdict is Verdict.BAD for finding in findings if finding.topic != "Providers"):
        return ExitCode.FAILED
    return ExitCode.DONE


def _usable(findings: list[Finding]) -> list[str]:
    """Names of the providers; one may be usable and have something to mend all the same."""
    return [one.name for one in findings if one.topic == "Providers" and one.text != NOT_USABLE]


def _lines(findings: list[Finding], context: Context) -> list[str]:
    look = context.output.look
    lines: list[str] = []
    topic = ""
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            lines += ([""] if lines else []) + [look.paint(topic, "bold")]
        unicode, plain, colour = _SYMBOLS[finding.verdict]
        symbol = look.paint(unicode if look.unicode else plain, colour)
        lines.append(f"  {symbol} {finding.name:<{width}}  {finding.text}")
        margin = " " * (width + 6)
        if finding.why:
            lines.append(f"{margin}{look.paint(finding.why, 'dim')}")
        if finding.remedy:
            lines.append(f"{margin}{look.paint('To mend it:', 'green')} {finding.remedy}")
    lines.append("")
    lines.append(_summary(findings))
    return lines


def _summary(findings: list[Finding]) -> str:
    code = _code(findings)
    usable = _usable(findings)
    if code == ExitCode.PROVIDER:
        return "No provider is usable: machines cannot be brought up."
    if code == ExitCode.FAILED:
        return f"Usable: {', '.join(usable)}. Something else needs mending, see above."
    return f"Usable: {', '.join(usable)}."
