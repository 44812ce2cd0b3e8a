"""Reads expressions."""

from __future__ import annotations

from decimal import Decimal

from core.templates.hcl import strings, tree
from core.templates.hcl.strings import Piece
from core.templates.hcl.tokens import END, HEREDOC, LINE, NUMBER, QUOTE, WORD, Scanner
from core.templates.problems import Fault
from core.templates.source import Source, Span

_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%"))
_STRENGTH = {operator: level for level, operators in enumerate(_LEVELS) for operator in operators}
_DEEPEST = 70
"""Nested expressions; deeper ones are a mistake, and would exhaust the stack."""
_WORDS = {"true": True, "false": False, "null": None}


def parse_expression(source: Source) -> tree.Node:
    """All of a source as one expression. Raises Fault."""
    reader = ExpressionReader(Scanner(source))
    reader.scanner.ignore_lines = True
    found = reader.expression()
    if reader.scanner.peek().kind != END:
        raise reader.scanner.unexpected("the end of the expression")
    return found


def parse_template(source: Source) -> tree.Template:
    """All of a source as text with interpolations. Raises Fault."""
    reader = ExpressionReader(Scanner(source))
    return strings.bare(source, 0, len(source.text), reader.inner)


class ExpressionReader:
    """Reads expressions from a scanner."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner
        self._depth = 0

    def expression(self) -> tree.Node:
        """The expression that comes next. Raises Fault."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Fault("This is nested too deeply.", self.scanner.at(self.scanner.peek()))
        try:
            return self._conditional()
        finally:
            self._depth -= 1

    def _conditional(self) -> tree.Node:
        condition = self._binary(0)
        if not self.scanner.take("?"):
            return condition
        yes = self.expression()
        self.scanner.expect(":", "write CONDITION ? VALUE : OTHER")
        no = self.expression()
        return tree.Conditional(condition.at.to(no.at), condition, yes, no)

    def _binary(self, weakest: int) -> tree.Node:
        left = self._unary()
        while self.scanner.sees(*_STRENGTH):
            strength = _STRENGTH[self.scanner.peek().text]
            if strength < weakest:
                break
            operator = self.scanner.next().text
            right = self._binary(strength + 1)
            left = tree.Binary(left.at.to(right.at), operator, left, right)
        return left

    def _unary(self) -> tree.Node:
        if not self.scanner.sees("-", "!"):
            return self._steps(self._term())
        token = self.scanner.next()
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Fault("This is nested too deeply.", self.scanner.at(token))
        operand = self._unary()
        self._depth -= 1
        return tree.Unary(self.scanner.at(token).to(operand.at), token.text, operand)

    def _steps(self, on: tree.Node) -> tree.Node:
        """``.name``, ``[key]``, ``.*`` and ``[*]`` behind a term."""
        scanner = self.scanner
        while True:
            if scanner.sees("."):
                scanner.next()
                if scanner.take("*"):
                    return self._splat(on, full=False)
                on = self._attribute(on)
            elif scanner.sees("["):
                begun = scanner.next()
                before, scanner.ignore_lines = scanner.ignore_lines, True
                if scanner.sees("*"):
                    scanner.next()
                    self._close("]", before)
                    return self._splat(on, full=True)
                key = self.expression()
                self._close("]", before)
                on = tree.Index(
                    scanner.span(on.at.start if on.at.start < begun.start else begun.start), on, key
                )
            else:
                return on

    def _attribute(self, on: tree.Node) -> tree.Node:
        token = self.scanner.peek()
        at = self.scanner.span(on.at.start, token.end)
        if token.kind == WORD:
            self.scanner.next()
            return tree.Attribute(at, on, token.text)
        if token.kind == NUMBER:
            self.scanner.next()
            for digits in token.text.split("."):
                if not digits.isdigit():
                    raise Fault("An index is a whole number.", self.scanner.at(token))
                on = tree.Index(at, on, tree.Literal(self.scanner.at(token), int(digits)))
            return on
        raise self.scanner.unexpected("the name of an attribute")

    def _splat(self, on: tree.Node, *, full: bool) -> tree.Node:
        each: tree.Node = tree.Item(on.at)
        if full:
            each = self._steps(each)
        else:
            while self.scanner.sees("."):
                self.scanner.next()
                if self.scanner.sees("*"):
                    raise self.scanner.unexpected("the name of an attribute", "write [*] instead of .*")
                each = self._attribute(each)
        splat = tree.Splat(self.scanner.span(on.at.start), on, each)
        return splat if full else self._steps(splat)

    def _close(self, bracket: str, before: bool) -> None:
        self.scanner.expect(bracket)
        self.scanner.ignore_lines = before

    def _term(self) -> tree.Node:
        scanner = self.scanner
        token = scanner.peek()
        at = scanner.at(token)
        if token.kind == NUMBER:
            scanner.next()
            return tree.Literal(at, _number(token.text, at))
        if token.kind == QUOTE:
            found, scanner.place = strings.quoted(scanner.source, token.end, scanner.stop, self.inner)
            return found
        if token.kind == HEREDOC:
            found, scanner.place = strings.heredoc(
                scanner.source, token.text, token.end, scanner.stop, self.inner
            )
            return found
        if token.kind == WORD:
            return self._word()
        if scanner.sees("("):
            return self._parentheses()
        if scanner.sees("["):
            return self._brackets()
        if scanner.sees("{"):
            return self._braces()
        raise scanner.unexpected("a value")

    def _word(self) -> tree.Node:
        scanner = self.scanner
        token = scanner.next()
        at = scanner.at(token)
        if scanner.sees("("):
            return self._call(token.text, at)
        if token.text in _WORDS:
            return tree.Literal(at, _WORDS[token.text])
        return tree.Name(at, token.text)

    def _call(self, name: str, at: Span) -> tree.Node:
        scanner = self.scanner
        scanner.next()
        before, scanner.ignore_lines = scanner.ignore_lines, True
        arguments: list[tree.Node] = []
        expand = False
        while not scanner.sees(")"):
            arguments.append(self.expression())
            if scanner.take("..."):
                expand = True
                break
            if not scanner.take(","):
                break
        if not scanner.sees(")"):
            raise scanner.unexpected('"," or ")"', f"close the arguments of {name}")
        self._close(")", before)
        return tree.Call(scanner.span(at.start), name, tuple(arguments), expand, at)

    def _parentheses(self) -> tree.Node:
        scanner = self.scanner
        begun = scanner.next()
        before, scanner.ignore_lines = scanner.ignore_lines, True
        inner = self.expression()
        self._close(")", before)
        return tree.Parentheses(scanner.span(begun.start), inner)

    def _brackets(self) -> tree.Node:
        scanner = self.scanner
        begun = scanner.next()
        before, scanner.ignore_lines = scanner.ignore_lines, True
        if self._begins_for():
            return self._for(begun.start, "]", before)
        items = []
        while not scanner.sees("]"):
            items.append(self.expression())
            if not scanner.take(","):
                break
        if not scanner.sees("]"):
            raise scanner.unexpected('"," or "]"', "close the list with ]")
        self._close("]", before)
        return tree.TupleNode(scanner.span(begun.start), tuple(items))

    def _braces(self) -> tree.Node:
        scanner = self.scanner
        begun = scanner.next()
        before, scanner.ignore_lines = scanner.ignore_lines, True
        if self._begins_for():
            return self._for(begun.start, "}", before)
        items = []
        while not scanner.sees("}"):
            key = self._key()
            if not (scanner.take("=") or scanner.take(":")):
                raise scanner.unexpected('"=" or ":"', "write KEY = VALUE")
            scanner.ignore_lines = True
            value = self.expression()
            items.append((key, value))
            scanner.ignore_lines = False
            token = scanner.peek()
            scanner.ignore_lines = True
            if token.kind != LINE and not scanner.take(",") and not scanner.sees("}"):
                raise scanner.unexpected('a new line, "," or "}"', "put each key on a line of its own")
        self._close("}", before)
        return tree.ObjectNode(scanner.span(begun.start), tuple(items))

    def _key(self) -> tree.Node:
        """A bare word is text; anything else is an expression."""
        token = self.scanner.peek()
        found = self.expression()
        if isinstance(found, tree.Name):
            return tree.Literal(found.at, found.name)
        if isinstance(found, tree.Literal) and token.kind == WORD:
            return tree.Literal(found.at, token.text)
        return found

    def _begins_for(self) -> bool:
        token = self.scanner.peek()
        if token.kind != WORD or token.text != "for":
            return False
        self.scanner.next()
        named = self.scanner.peek().kind == WORD
        self.scanner.place = token.start
        return named

    def _for(self, start: int, bracket: str, before: bool) -> tree.Node:
        scanner = self.scanner
        scanner.next()
        key, value = self._for_names()
        collection = self.expression()
        scanner.expect(":", "write [for ITEM in LIST : VALUE]")
        result_key: tree.Node | None = None
        result = self.expression()
        if bracket == "}":
            scanner.expect("=>", "write {for KEY, VALUE in MAP : KEY => VALUE}")
            result_key, result = result, self.expression()
        group = bracket == "}" and scanner.take("...") is not None
        condition = None
        token = scanner.peek()
        if token.kind == WORD and token.text == "if":
            scanner.next()
            condition = self.expression()
        self._close(bracket, before)
        at = scanner.span(start)
        return tree.For(at, key, value, collection, result_key, result, condition, group)

    def _for_names(self) -> tuple[str, str]:
        scanner = self.scanner
        names = [self._name()]
        if scanner.take(","):
            names.append(self._name())
        token = scanner.peek()
        if token.kind != WORD or token.text != "in":
            raise scanner.unexpected('"in"', "write for ITEM in LIST")
        scanner.next()
        return (names[0], names[1]) if len(names) == 2 else ("", names[0])

    def _name(self) -> str:
        if self.scanner.peek().kind != WORD:
            raise self.scanner.unexpected("a name")
        return self.scanner.next().text

    def inner(self, start: int, directive: bool) -> tuple[Piece, int]:
        """What stands in ``${...}`` or ``%{...}``; see :data:`core.templates.hcl.strings.Inner`."""
        outer = self.scanner
        scanner = self.scanner = Scanner(outer.source, start + 2, outer.stop)
        scanner.ignore_lines = True
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise Fault("This is nested too deeply.", scanner.span(start, start + 2))
            trim_left = scanner.text.startswith("~", scanner.place)
            scanner.place += trim_left
            piece = Piece(scanner.span(start), trim_left=trim_left)
            if directive:
                self._directive(piece)
            else:
                piece.node = self.expression()
            piece.trim_right = self._end_of_inner(start)
            piece.at = scanner.span(start)
            return piece, scanner.place
        finally:
            self._depth -= 1
            self.scanner = outer

    def _end_of_inner(self, start: int) -> bool:
        """Takes ``}`` or ``~}``; True for the latter."""
        scanner = self.scanner
        place = scanner.place
        while scanner.text[place : place + 1].isspace():
            place += 1
        if scanner.text.startswith("~}", place):
            scanner.place = place + 2
            return True
        if not scanner.sees("}"):
            if scanner.peek().kind == END:
                raise Fault(
                    f"{scanner.text[start : start + 2]} is never closed.",
                    scanner.span(start, start + 2),
                    remedy=f"add }}, or write {scanner.text[start] * 2}{{ for the characters themselves",
                )
            raise scanner.unexpected('"}"', "close the interpolation with }")
        scanner.next()
        return False

    def _directive(self, piece: Piece) -> None:
        token = self.scanner.peek()
        if token.kind != WORD or token.text not in ("if", "else", "endif", "for", "endfor"):
            raise self.scanner.unexpected(
                "if, else, endif, for or endfor", "write %%{ for the characters themselves"
            )
        piece.word = self.scanner.next().text
        if piece.word == "for":
            piece.names = self._for_names()
        if piece.word in ("if", "for"):
            piece.node = self.expression()


def _number(text: str, at: Span) -> int | Decimal:
    if text.isdigit():
        if len(text) > 4000:
            raise Fault("This number is too long.", at)
        return int(text)
    number = Decimal(text)
    if not -6000 < number.adjusted() < 6000:
        raise Fault("This number is too large or too small.", at)
    return int(number) if number == number.to_integral_value() else number
