"""GBNF, the grammar format of llama.cpp: nothing that llama.cpp cannot carry may reach it.

llama.cpp answers a bad grammar with a null pointer, with an exception that ends the process, or with
work and memory without end. So each grammar is read here first, into the very rules that llama.cpp's
own parser makes of it (`src/llama-grammar.cpp`, and `grammars/README.md` there for the format).

Stricter than llama.cpp, on purpose: a rule must not be defined twice, a quoted text ends on its line,
what can be empty cannot be repeated, every rule can come to an end, and tokens in angle brackets are
not known, since an answer is made of text.
"""

from collections.abc import Sequence
from typing import NoReturn

from app.domain.errors import UserError
from app.domain.language import _
from app.engine.gbnf_rules import Alternative, Rule, check_rules

MAX_CHARACTERS = 1_000_000
MAX_REPEATS = 2000  # beyond it llama.cpp drops an upper bound without a word
MAX_NESTING = 100
MAX_ELEMENTS = 300_000  # eight bytes each in llama.cpp, which holds them three times while it reads

_ROOT = "root"
_LAST_CHARACTER = 0x10FFFF
_SURROGATES = 0xD800, 0xDFFF  # in no UTF-8 text
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n", "\\": "\\", '"': '"', "[": "[", "]": "]", "-": "-"}
_HEX_DIGITS = {"x": 2, "u": 4, "U": 8}


def check(text: str) -> None:
    """Return when llama.cpp can load and follow the grammar `text`, from its rule "root".

    Raises:
        UserError: With the line and the column of the first mistake, and what it is.
    """
    parser = _Parser(text.replace("\r\n", "\n").replace("\r", "\n"))
    parser.parse()
    rules = [rule or [] for rule in parser.rules]
    check_rules(rules, parser.places, parser.repeats, parser.refuse)


class _Parser:
    """Reads a grammar into rules, numbered in the order in which llama.cpp numbers them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._size = 0
        self.numbers: dict[str, int] = {}
        self.rules: list[Rule | None] = []
        self.places: list[int] = []
        self.repeats: list[tuple[Alternative, int]] = []

    def parse(self) -> None:
        if len(self._text) > MAX_CHARACTERS:
            self.refuse(
                0,
                _("A grammar can have at most {count:,} characters; this one is longer.").format(
                    count=MAX_CHARACTERS
                ),
            )
        for index, character in enumerate(self._text):
            if not _is_character(ord(character)):
                self.refuse(
                    index,
                    _("No text can contain this character: NUL, half a surrogate pair, or outside Unicode."),
                )
        self._skip_space(newlines=True)
        while self._at < len(self._text):
            self._rule()
        for name, number in self.numbers.items():
            if self.rules[number] is None:
                self.refuse(
                    self.places[number],
                    _("The rule “{name}” is used here but not defined.").format(name=name),
                )
        if _ROOT not in self.numbers:
            self.refuse(
                0, _("The rule “root” is missing; add it, because every answer starts from that rule.")
            )

    def refuse(self, at: int, problem: str) -> NoReturn:
        line = self._text.count("\n", 0, at) + 1
        column = at - (self._text.rfind("\n", 0, at) + 1) + 1
        raise UserError(
            _("There is a mistake in the grammar at line {line}, column {column}.").format(
                line=line, column=column
            ),
            problem,
        )

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_space(self, *, newlines: bool) -> None:
        space = " \t\n" if newlines else " \t"
        while (character := self._peek()) and (character in space or character == "#"):
            if character == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                self._at += 1

    def _name(self) -> str:
        start = self._at
        while _is_word(self._peek()):
            self._at += 1
        return self._text[start : self._at]

    def _number_of(self, name: str, at: int) -> int:
        if name not in self.numbers:
            self.numbers[name] = self._new_rule(at)
        return self.numbers[name]

    def _new_rule(self, at: int) -> int:
        self.rules.append(None)
        self.places.append(at)
        return len(self.rules) - 1

    def _rule(self) -> None:
        start = self._at
        name = self._name()
        if not name and self._peek() == "|":
            self.refuse(start, _("A line cannot start with “|”; move it to the end of the line above."))
        if not name:
            self.refuse(start, _("A rule must start with its name, made of letters, digits and “-”."))
        number = self._number_of(name, start)
        self._skip_space(newlines=False)
        if not self._text.startswith("::=", self._at):
            self.refuse(self._at, _("“::=” must follow the name of a rule."))
        if self.rules[number] is not None:
            self.refuse(start, _("The rule “{name}” is defined twice.").format(name=name))
        self.places[number] = start
        self._at += 3
        self._skip_space(newlines=True)
        self.rules[number] = self._alternatives(nested=False)
        if self._peek() not in ("", "\n"):
            self.refuse(self._at, _("“{character}” is not expected here.").format(character=self._peek()))
        self._skip_space(newlines=True)

    def _alternatives(self, *, nested: bool) -> Rule:
        found = [self._sequence(nested=nested)]
        while self._peek() == "|":
            self._at += 1
            self._skip_space(newlines=True)
            found.append(self._sequence(nested=nested))
        return found

    def _sequence(self, *, nested: bool) -> Alternative:
        sequence: Alternative = []
        last = 0  # where the item begins that a repetition would repeat
        weight = 1  # llama.cpp's measure of what that item takes
        while character := self._peek():
            at = self._at
            if character in "*+?{":
                low, high = self._bounds(nested=nested)
                weight = self._repeat(sequence, last, low, high, weight, at)
                continue
            before = len(self.rules)
            item = self._item(character, nested=nested)
            if item is None:
                break
            last = len(sequence)
            # Names that are seen for the first time count too, as they do in llama.cpp.
            weight = max(1, len(self.rules) - before) if character == "(" else 1
            sequence += item
            self._grow(sum(-element if element < 0 else 1 for element in item), at)
            self._skip_space(newlines=nested)
        return sequence

    def _item(self, character: str, *, nested: bool) -> Alternative | None:
        if character == '"':
            return self._literal()
        if character == "[":
            return self._class()
        if character == ".":
            self._at += 1
            return [-1]
        if _is_word(character):
            at = self._at
            return [self._number_of(self._name(), at)]
        if character == "(":
            return self._group()
        if character in "<!":
            self.refuse(
                self._at, _("Tokens in angle brackets are not supported; write their text in quotes instead.")
            )
        return None

    def _literal(self) -> Alternative:
        start = self._at
        self._at += 1
        count = 0
        while (character := self._peek()) != '"':
            if character in ("", "\n"):
                self.refuse(
                    start, _("The quoted text that starts here has no closing quote on the same line.")
                )
            at = self._at
            if not _is_character(self._character()):
                self.refuse(
                    at,
                    _("No text can contain this character: NUL, half a surrogate pair, or outside Unicode."),
                )
            count += 1
        self._at += 1
        return [-1] * count

    def _class(self) -> Alternative:
        start = self._at
        self._at += 1
        negated = self._peek() == "^"
        self._at += negated
        ranges: list[tuple[int, int]] = []
        while (character := self._peek()) != "]":
            if character in ("", "\n"):
                self.refuse(start, _("The set of characters that starts here has no “]” on the same line."))
            at = self._at
            low = high = self._character()
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", "", "\n"):
                self._at += 1
                high = self._character()
            if low > high:
                self.refuse(at, _("The first character of this range comes after its last; swap the two."))
            ranges.append((low, high))
        self._at += 1
        if _covers_all(ranges) if negated else not any(map(_holds_character, ranges)):
            self.refuse(start, _("This set of characters matches nothing."))
        return [-2 * len(ranges)]

    def _character(self) -> int:
        at = self._at
        character = self._peek()
        self._at += 1
        if character != "\\":
            return ord(character)
        kind = self._peek()
        self._at += 1
        if kind in _ESCAPES and kind:
            return ord(_ESCAPES[kind])
        digits = self._text[self._at : self._at + _HEX_DIGITS.get(kind, 0)]
        if not digits or len(digits) != _HEX_DIGITS[kind] or set(digits) - set("0123456789abcdefABCDEF"):
            self.refuse(
                at,
                _("“\\” must be followed by one of {known}.").format(
                    known='n r t \\ " [ ] - xHH uHHHH UHHHHHHHH'
                ),
            )
        self._at += len(digits)
        value = int(digits, 16)
        if value > _LAST_CHARACTER:
            self.refuse(
                at,
                _("No text can contain this character: NUL, half a surrogate pair, or outside Unicode."),
            )
        return value

    def _group(self) -> Alternative:
        start = self._at
        if self._depth == MAX_NESTING:
            self.refuse(start, _("Parentheses can be nested at most {count} deep.").format(count=MAX_NESTING))
        self._depth += 1
        self._at += 1
        self._skip_space(newlines=True)
        number = self._new_rule(start)
        self.rules[number] = self._alternatives(nested=True)
        if self._peek() != ")":
            if self._peek():
                self.refuse(self._at, _("“{character}” is not expected here.").format(character=self._peek()))
            self.refuse(start, _("The parenthesis that opens here is not closed."))
        self._at += 1
        self._depth -= 1
        return [number]

    def _bounds(self, *, nested: bool) -> tuple[int, int | None]:
        """Read `*`, `+`, `?` or `{m,n}` and the space after it."""
        at = self._at
        character = self._peek()
        self._at += 1
        self._skip_space(newlines=nested)
        if character != "{":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[character]
        low = self._count(at)
        self._skip_space(newlines=nested)
        high: int | None = low
        if self._peek() == ",":
            self._at += 1
            self._skip_space(newlines=nested)
            high = self._count(at) if _is_digit(self._peek()) else None
            self._skip_space(newlines=nested)
        if self._peek() != "}":
            self.refuse(at, _how_to_repeat())
        self._at += 1
        self._skip_space(newlines=nested)
        if high is not None and high < low:
            self.refuse(at, _("The upper limit of this repetition is below its lower limit."))
        return low, high

    def _count(self, at: int) -> int:
        start = self._at
        while _is_digit(self._peek()):
            self._at += 1
        digits = self._text[start : self._at]
        if not digits:
            self.refuse(at, _how_to_repeat())
        if len(digits) > 9 or int(digits) > MAX_REPEATS:
            self.refuse(
                at,
                _("This repeats too often: at most {count:,} times, and nested repetitions multiply.").format(
                    count=MAX_REPEATS
                ),
            )
        return int(digits)

    def _repeat(
        self, sequence: Alternative, last: int, low: int, high: int | None, weight: int, at: int
    ) -> int:
        """Rewrite the last item of `sequence` as llama.cpp does; return the new weight."""
        item = sequence[last:]
        if not item:
            self.refuse(at, _("There is nothing before this to repeat."))
        weight *= high or low or 1
        if weight > MAX_REPEATS:
            self.refuse(
                at,
                _("This repeats too often: at most {count:,} times, and nested repetitions multiply.").format(
                    count=MAX_REPEATS
                ),
            )
        if high is None or high > 1:
            self.repeats.append((item, at))
        optional = 1 if high is None else high - low
        size = sum(-element if element < 0 else 1 for element in item)
        self._grow(size * max(low - 1, 0) + (size + 3) * optional, at)
        if low == 0:
            del sequence[last:]
        else:
            sequence += item * (low - 1)
        inner = -1
        for step in range(optional):
            number = self._new_rule(at)
            tail = [number] if high is None else [inner] if step else []
            self.rules[number] = [item + tail, []]
            inner = number
        if optional:
            sequence.append(inner)
        return weight

    def _grow(self, elements: int, at: int) -> None:
        self._size += elements
        if self._size > MAX_ELEMENTS:
            self.refuse(at, _("The grammar is too large; use fewer or smaller repetitions."))


def _how_to_repeat() -> str:
    sentence = _(
        "Write a repetition like {exactly} (twice), {least} (twice or more) or {between} (2 to 5 times)."
    )
    return sentence.format(exactly="{2}", least="{2,}", between="{2,5}")


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def _is_word(character: str) -> bool:
    return "a" <= character <= "z" or "A" <= character <= "Z" or _is_digit(character) or character == "-"


def _is_character(value: int) -> bool:
    return 0 < value < _SURROGATES[0] or value > _SURROGATES[1]


def _holds_character(bounds: tuple[int, int]) -> bool:
    low, high = bounds
    return high > 0 and not _SURROGATES[0] <= low <= high <= _SURROGATES[1]


def _covers_all(ranges: Sequence[tuple[int, int]]) -> bool:
    reached = 0  # NUL is in no text
    for low, high in sorted(ranges):
        between = reached + 1, low - 1
        if between[0] <= between[1] and _holds_character(between):
            return False
        reached = max(reached, high)
    return reached >= _LAST_CHARACTER
