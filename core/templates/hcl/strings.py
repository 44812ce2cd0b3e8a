r"""Texts with interpolations and directives: quoted, as heredoc, or bare.

The escapes of quoted text: ``\n \r \t \" \\ \uXXXX \UXXXXXXXX``; of all: ``$${`` and ``%%{``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from core.templates.hcl import tree
from core.templates.problems import Fault
from core.templates.source import Source, Span

_STOP_QUOTED = re.compile(r'["\\\n]|\$\$\{|%%\{|\$\{|%\{')
_STOP_BARE = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


class Piece(msgspec.Struct):
    """Text (``node`` None), an interpolation, or a directive (``word`` names it)."""

    at: Span
    text: str = ""
    node: Any = None
    word: str = ""
    names: tuple[str, str] = ("", "")
    trim_left: bool = False
    trim_right: bool = False

    @property
    def plain(self) -> bool:
        return self.node is None and not self.word


Inner = Callable[[int, bool], tuple[Piece, int]]
"""Reads what is in ``${...}`` (or, with True, ``%{...}``) from an offset; gives the offset behind it."""


def quoted(source: Source, start: int, stop: int, inner: Inner) -> tuple[tree.Template, int]:
    """The text behind an opening quote; the offset behind the closing one."""
    pieces, place = _pieces(source, start, stop, inner, _STOP_QUOTED)
    _trim(pieces)
    if place >= stop or source.text[place] != '"':
        raise Fault(
            "This text has no closing quote.",
            Span(source, start - 1, min(stop, _line_end(source.text, start))),
            remedy='close it with ", or use a heredoc for several lines',
        )
    return build(pieces, Span(source, start - 1, place + 1)), place + 1


def bare(source: Source, start: int, stop: int, inner: Inner) -> tree.Template:
    """All of the text from ``start`` to ``stop``."""
    pieces, _ = _pieces(source, start, stop, inner, _STOP_BARE)
    _trim(pieces)
    return build(pieces, Span(source, start, stop))


def heredoc(source: Source, opening: str, start: int, stop: int, inner: Inner) -> tuple[tree.Template, int]:
    """The lines behind ``<<WORD``; the offset of the end of the line with the closing word."""
    found = re.match(r"<<(-?)([^\W\d][\w-]*)", opening)
    assert found is not None
    indented, word = bool(found[1]), found[2]
    closing = re.compile(rf"^[ \t]*{re.escape(word)}[ \t]*\r?$", re.MULTILINE)
    end = closing.search(source.text, start, stop)
    if end is None:
        raise Fault(
            "This heredoc is never closed.",
            Span(source, start - len(opening), start - 1),
            remedy=f"put {word} alone on a line behind its last one",
        )
    pieces, _ = _pieces(source, start, end.start(), inner, _STOP_BARE)
    pieces = _by_line(pieces)
    _trim(pieces)
    if indented:
        _outdent(pieces)
    return build(pieces, Span(source, start - len(opening), end.end())), end.end()


def _pieces(
    source: Source, place: int, stop: int, inner: Inner, stops: re.Pattern[str]
) -> tuple[list[Piece], int]:
    text = source.text
    pieces: list[Piece] = []
    words: list[str] = []
    begun = place

    def flush() -> None:
        if found_text := "".join(words):
            pieces.append(Piece(Span(source, begun, place), found_text))
        words.clear()

    while place < stop:
        found = stops.search(text, place, stop)
        if found is None:
            words.append(text[place:stop])
            place = stop
            break
        words.append(text[place : found.start()])
        place = found.start()
        sign = found.group()
        if sign in ('"', "\n"):
            break
        if sign == "\\":
            decoded, place = _escape(source, place)
            words.append(decoded)
        elif len(sign) == 3:
            words.append(sign[1:])
            place += 3
        else:
            flush()
            piece, place = inner(place, sign == "%{")
            pieces.append(piece)
            begun = place
    flush()
    return pieces, place


def _escape(source: Source, place: int) -> tuple[str, int]:
    text = source.text
    letter = text[place + 1 : place + 2]
    if letter in _ESCAPES and letter:
        return _ESCAPES[letter], place + 2
    if letter and letter in "uU":
        length = 4 if letter == "u" else 8
        digits = text[place + 2 : place + 2 + length]
        if re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", digits) and int(digits, 16) < 0x110000:
            return chr(int(digits, 16)), place + 2 + length
        raise Fault(f"\\{letter} needs {length} hexadecimal digits.", Span(source, place, place + 2 + length))
    raise Fault(
        f"The escape \\{letter} means nothing.",
        Span(source, place, place + 2),
        why='There are \\n, \\r, \\t, \\", \\\\, \\uXXXX and \\UXXXXXXXX.',
        remedy="write \\\\ for a backslash",
    )


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _by_line(pieces: list[Piece]) -> list[Piece]:
    """Text cut behind each line's end: in heredocs trimming and indents concern one line each."""
    cut: list[Piece] = []
    for piece in pieces:
        if not piece.plain:
            cut.append(piece)
            continue
        cut += [Piece(piece.at, line) for line in re.findall(r"[^\n]*\n|[^\n]+", piece.text)]
    return cut


def _outdent(pieces: list[Piece]) -> None:
    """Takes the indent that all lines share from each (``<<-``); blank lines do not count."""
    indents: list[int] = []
    begins: list[Piece] = []
    fresh = True
    for piece in pieces:
        if fresh and piece.plain:
            bare_text = piece.text.lstrip()
            if bare_text or not piece.text.endswith("\n"):
                indents.append(len(piece.text) - len(bare_text))
                begins.append(piece)
        elif fresh:
            indents.append(0)
        fresh = piece.plain and piece.text.endswith("\n")
    common = min(indents, default=0)
    for piece in begins:
        piece.text = piece.text[common:]


def build(pieces: list[Piece], at: Span) -> tree.Template:
    """Pieces as a tree. Raises Fault for directives that do not match."""
    builder = _Builder(pieces, at)
    parts, closing = builder.parts(())
    assert closing is None
    wrapped = len(pieces) == 1 and pieces[0].node is not None and not pieces[0].word
    return tree.Template(at, tuple(parts), wrapped)


def _trim(pieces: list[Piece]) -> None:
    for number, piece in enumerate(pieces):
        if piece.plain:
            continue
        if piece.trim_left and number and pieces[number - 1].plain:
            pieces[number - 1].text = pieces[number - 1].text.rstrip()
        if piece.trim_right and number + 1 < len(pieces) and pieces[number + 1].plain:
            pieces[number + 1].text = pieces[number + 1].text.lstrip()


class _Builder:
    """Nests ``%{ if }`` and ``%{ for }``."""

    def __init__(self, pieces: list[Piece], at: Span) -> None:
        self._pieces = pieces
        self._next = 0
        self._at = at

    def parts(self, until: tuple[str, ...], opened: Piece | None = None) -> tuple[list[tree.Node], Any]:
        """Nodes up to one of the directives ``until``; and that directive."""
        found: list[tree.Node] = []
        while self._next < len(self._pieces):
            piece = self._pieces[self._next]
            self._next += 1
            if piece.plain:
                if piece.text:
                    found.append(tree.Literal(piece.at, piece.text))
            elif not piece.word:
                found.append(piece.node)
            elif piece.word in until:
                return found, piece
            elif piece.word == "if":
                found.append(self._if(piece))
            elif piece.word == "for":
                found.append(self._for(piece))
            else:
                raise Fault(f"There is no directive that %{{ {piece.word} }} could belong to.", piece.at)
        if opened is not None:
            end = "endif" if opened.word == "if" else "endfor"
            raise Fault(
                f"%{{ {opened.word} }} is never closed.", opened.at, remedy=f"add %{{ {end} }} behind it"
            )
        return found, None

    def _if(self, piece: Piece) -> tree.Node:
        yes, closing = self.parts(("else", "endif"), piece)
        no = None
        if closing.word == "else":
            parts, last = self.parts(("endif",), piece)
            no = tree.Template(closing.at.to(last.at), tuple(parts), False)
            closing = last
        at = piece.at.to(closing.at)
        return tree.TemplateIf(at, piece.node, tree.Template(at, tuple(yes), False), no)

    def _for(self, piece: Piece) -> tree.Node:
        body, closing = self.parts(("endfor",), piece)
        at = piece.at.to(closing.at)
        return tree.TemplateFor(
            at, piece.names[0], piece.names[1], piece.node, tree.Template(at, tuple(body), False)
        )
