"""The rules of a grammar while it grows, and how they are written as GBNF."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.engine.derivation import deriving
from app.engine.json_schema.automata import LAST, Ranges, common, normal
from app.engine.json_schema.document import too_large

ROOT = "root"
_MOST_RULES = 20_000
_MOST_ALTERNATIVES = 60_000

# What may stand in a JSON text as it is; everything else in a string is escaped (RFC 8259, section 7).
_PLAIN: Ranges = ((0x20, 0x21), (0x23, 0x5B), (0x5D, 0xD7FF), (0xE000, LAST))
_SHORT = {0x08: "b", 0x09: "t", 0x0A: "n", 0x0C: "f", 0x0D: "r", 0x22: '"', 0x5C: "\\"}


@dataclass(frozen=True, slots=True)
class Rule:
    """The name of a rule in an alternative; `suffix` says how often."""

    name: str
    suffix: str = ""


Item = str | Rule  # a text is a piece of GBNF that stands for itself
Alternative = tuple[Item, ...]

# What any JSON value is made of. White space is bounded, so that no answer is lost in it; numbers are
# too, and so short that no reader's floating point rounds them.
_COMMON: dict[str, list[Alternative]] = {
    "ws": [(), ('" "',), ('"\\n" [ \\t]{0,40}',)],
    "char": [("[ !#-\\[\\]-\\uD7FF\\uE000-\\U0010FFFF]",), ('"\\\\"', Rule("escape"))],
    "escape": [
        ('["\\\\/bfnrt]',),
        ('"u" [0-9a-cA-CefEF] [0-9a-fA-F]{3}',),
        ('"u" [dD] [0-7] [0-9a-fA-F]{2}',),
        ('"u" [dD] [89abAB] [0-9a-fA-F]{2} "\\\\u" [dD] [c-fC-F] [0-9a-fA-F]{2}',),
    ],
    "string": [('"\\""', Rule("char", "*"), '"\\""')],
    "integer": [('"-"?', Rule("whole"))],
    "whole": [('"0"',), ("[1-9] [0-9]{0,14}",)],
    "number": [('"-"?', Rule("whole"), '("." [0-9]{1,15})? ([eE] [-+]? [0-9] [0-9]?)?')],
    "value": [
        *[(f'"{word}"',) for word in ("null", "true", "false")],
        *[(Rule(name),) for name in ("number", "string", "array", "object")],
    ],
    "array": [
        ('"["', Rule("ws"), '"]"'),
        ('"["', Rule("ws"), Rule("value"), Rule("more-items"), Rule("ws"), '"]"'),
    ],
    "more-items": [(), ('","', Rule("ws"), Rule("value"), Rule("more-items"))],
    "member": [(Rule("string"), '":"', Rule("ws"), Rule("value"))],
    "object": [
        ('"{"', Rule("ws"), '"}"'),
        ('"{"', Rule("ws"), Rule("member"), Rule("more-members"), Rule("ws"), '"}"'),
    ],
    "more-members": [(), ('","', Rule("ws"), Rule("member"), Rule("more-members"))],
}


class Rules:
    """A grammar that is being made; names of rules are given out by number."""

    def __init__(self) -> None:
        self._rules: dict[str, list[Alternative]] = dict(_COMMON)
        self._next = 0
        self._size = 0

    def new(self) -> str:
        """Return the name of a rule that is to be told later."""
        self._next += 1
        if self._next > _MOST_RULES:
            raise too_large()
        return f"r{self._next}"

    def tell(self, name: str, alternatives: Iterable[Alternative]) -> Rule:
        """Say what the rule `name` is; no alternative at all is what no text follows."""
        self._rules[name] = list(alternatives)
        self._size += len(self._rules[name])
        if self._size > _MOST_ALTERNATIVES:
            raise too_large()
        return Rule(name)

    def add(self, alternatives: Iterable[Alternative]) -> Rule:
        """Add a rule."""
        return self.tell(self.new(), alternatives)

    def written(self) -> str | None:
        """Return the grammar as GBNF, without what can never end; None when nothing is left of it."""
        ending = deriving(
            {
                name: [[item.name for item in each if isinstance(item, Rule)] for each in alternatives]
                for name, alternatives in self._rules.items()
            }
        )
        if ROOT not in ending:
            return None
        lines: list[str] = []
        pending = [ROOT]
        seen = {ROOT}
        while pending:
            name = pending.pop()
            alternatives = [
                alternative
                for alternative in self._rules[name]
                if all(isinstance(item, str) or item.name in ending for item in alternative)
            ]
            lines.append(f"{name} ::= " + " | ".join(map(_alternative_text, alternatives)))
            for rule in (item for alternative in alternatives for item in alternative):
                if isinstance(rule, Rule) and rule.name not in seen:
                    seen.add(rule.name)
                    pending.append(rule.name)
        return "\n".join(lines) + "\n"


def literal(text: str) -> str:
    """Return the GBNF for exactly `text`."""
    return '"' + "".join(_escaped(ord(letter), in_set=False) for letter in text) + '"'


def character_set(ranges: Ranges) -> str:
    """Return the GBNF for one of these code points, as they are."""
    parts = [
        _escaped(low, in_set=True) + ("" if low == high else "-" + _escaped(high, in_set=True))
        for low, high in ranges
    ]
    return "[" + "".join(parts) + "]"


def string_characters(ranges: Ranges) -> list[str]:
    """Return the ways, as GBNF, in which one of these code points stands in a JSON string."""
    found = []
    if plain := common(ranges, _PLAIN):
        found.append(character_set(plain))
    escaped = common(ranges, ((0, 0x1F), (0x22, 0x22), (0x5C, 0x5C)))
    values = [value for low, high in escaped for value in range(low, high + 1)]
    if short := [ord(_SHORT[value]) for value in values if value in _SHORT]:
        found.append('"\\\\" ' + character_set(normal([(letter, letter) for letter in short])))
    found += [f'"\\\\u{value:04x}"' for value in values if value not in _SHORT]
    return found


def _escaped(value: int, *, in_set: bool) -> str:
    letter = chr(value)
    if letter.isascii() and (letter.isalnum() or letter in " !#$%&'()*+,./:;<=>?@_`{|}~"):
        return letter
    if letter in '"\\[]-' and (in_set or letter in '"\\'):
        return "\\" + letter
    if letter in "[]-^" and not in_set:
        return letter
    return f"\\x{value:02X}" if value < 0x80 else f"\\U{value:08X}"


def _alternative_text(alternative: Sequence[Item]) -> str:
    parts = [item if isinstance(item, str) else item.name + item.suffix for item in alternative]
    return " ".join(parts) or '""'
