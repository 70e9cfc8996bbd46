"""From shapes to rules: how values of each kind are written."""

from app.domain.language import _
from app.engine.json_schema import automata
from app.engine.json_schema.automata import All, Not, Table, Words, table
from app.engine.json_schema.document import joined, json_text, refusal, too_large
from app.engine.json_schema.patterns import pattern
from app.engine.json_schema.reader import Reader
from app.engine.json_schema.rules import (
    ROOT,
    Alternative,
    Rule,
    Rules,
    character_set,
    literal,
    string_characters,
)
from app.engine.json_schema.shapes import (
    EVERYTHING,
    Array,
    Number,
    Object,
    Parts,
    Shape,
    String,
    Values,
)

_WS = Rule("ws")
_LONGEST_COUNT = 5_000  # texts and arrays that must be counted through
_LONGEST_REPEAT = 2_000  # what GBNF repeats by itself
_MOST_STATES = 10_000  # of the members of an object


class Writer:
    """Writes the rules for one schema.

    Each rule is told once, however often and however deep it is needed: what is still to be told waits
    in a list, so that schemas that hold themselves come to an end.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rules = Rules()
        self._names: dict[tuple[Shape, ...], str] = {}
        self._waiting: list[tuple[str, tuple[Shape, ...], str]] = []

    def write(self) -> str | None:
        """Return the grammar of the whole schema; None when nothing is valid against it."""
        shapes = self._reader.shapes(("",))
        self._names[shapes] = ROOT
        self._waiting.append((ROOT, shapes, ""))
        while self._waiting:
            name, shapes, pointer = self._waiting.pop()
            self._rules.tell(name, [self._shape(shape, pointer) for shape in shapes])
        return self._rules.written()

    def value(self, parts: Parts) -> Rule:
        """Return the rule for values that are valid against all of `parts`."""
        shapes = self._reader.shapes(parts)
        if shapes == EVERYTHING:
            return Rule("value")
        if shapes not in self._names:
            self._names[shapes] = self._rules.new()
            self._waiting.append((self._names[shapes], shapes, parts[0] if parts else ""))
        return Rule(self._names[shapes])

    def allows_any(self, parts: Parts) -> bool:
        """Return whether there is a kind of value that is valid against all of `parts`."""
        return bool(self._reader.shapes(parts))

    def _shape(self, shape: Shape, pointer: str) -> Alternative:
        if isinstance(shape, Values):
            return (self._rules.add([(literal(text),) for text in shape.texts]),)
        if isinstance(shape, Number):
            return self._number(shape)
        if isinstance(shape, String):
            return self._string(shape)
        if isinstance(shape, Array):
            return (Rule("array"),) if shape == Array() else self._array(shape)
        if shape == Object():
            return (Rule("object"),)
        return ('"{"', _WS, _Members(self, self._rules, shape, pointer).rule())

    def _number(self, number: Number) -> Alternative:
        if number.is_free:
            return (Rule("number" if number.step is None else "integer"),)
        return (self._automaton(table(number.automaton()), in_string=False),)

    def _string(self, string: String) -> Alternative:
        if string.high is not None and string.high < string.low:
            return (self._rules.add([]),)
        if max(string.low, string.high or 0) > _LONGEST_COUNT:
            raise too_large()
        if string.patterns or string.formats:
            return ('"\\""', self._automaton(table(string.written()), in_string=True))
        if max(string.low, string.high or 0) <= _LONGEST_REPEAT:
            high = "" if string.high is None else string.high
            return ('"\\""', Rule("char", f"{{{string.low},{high}}}"), '"\\""')
        return ('"\\""', *self._counted(Rule("char"), string.low, string.high), '"\\""')

    def _counted(self, item: Rule, low: int, high: int | None) -> Alternative:
        """Return `item` that many times; GBNF's own repetition ends at two thousand."""
        after: Alternative = (Rule(item.name, "*"),)
        if high is not None:
            after = ()
            for _step in range(high - low):
                after = (self._rules.add([(), (item, *after)]),)
        blocks, rest = divmod(low, _LONGEST_REPEAT)
        exact = [Rule(item.name, f"{{{_LONGEST_REPEAT}}}")] * blocks
        return (*exact, Rule(item.name, f"{{{rest}}}"), *after) if rest else (*exact, *after)

    def _automaton(self, found: Table | None, *, in_string: bool) -> Rule:
        """Return a rule for each state: what can follow there, up to the closing quote of a string."""
        if found is None:
            return self._rules.add([])
        names = [self._rules.new() for _state in found.targets]
        for state, targets in enumerate(found.targets):
            alternatives: list[Alternative] = []
            for target, ranges in targets:
                ways = string_characters(ranges) if in_string else [character_set(ranges)]
                alternatives += [(way, Rule(names[target])) for way in ways]
            if state in found.ends:
                alternatives.append(('"\\""',) if in_string else ())
            self._rules.tell(names[state], alternatives)
        return Rule(names[0])

    def _array(self, array: Array) -> Alternative:
        most = array.most
        close: Alternative = (_WS, '"]"')
        if most is not None and most < array.low:
            return (self._rules.add([]),)
        # Up to `told` each item has a rule for what follows it; then it goes on in a circle, or not at all.
        told = max(array.described, array.low) if most is None else most
        if told > _LONGEST_COUNT:
            raise too_large()
        after: Rule
        if most is None:
            name = self._rules.new()
            item = self.value(array.item(told))
            after = self._rules.tell(name, [close, ('","', _WS, item, Rule(name))])
        else:
            after = self._rules.add([close])
        for index in range(told - 1, 0, -1):
            # `after` is what follows the item at `index`.
            item = self.value(array.item(index))
            alternatives: list[Alternative] = [('","', _WS, item, after)]
            after = self._rules.add(([close] if index >= array.low else []) + alternatives)
        inside: list[Alternative] = [('"]"',)] if array.low == 0 else []
        if most is None or most > 0:
            inside.append((self.value(array.item(0)), after))
        return ('"["', _WS, self._rules.add(inside))

    def name_of_other_member(self, shape: Object, matched: frozenset[str]) -> Rule:
        """Return the rule for a name that is not told, in which just the patterns `matched` are found."""
        parts: list[automata.Automaton] = [pattern(source) for source in sorted(matched)]
        parts += [Not(pattern(source)) for source in shape.sources if source not in matched]
        if not parts and not shape.names:
            return Rule("string")
        parts.append(Not(Words(shape.names)))
        return self._rules.add([('"\\""', self._automaton(table(All(parts)), in_string=True))])


class _Members:
    """The members of one object: those that are told in their order, then the others.

    A state is how many of the told ones were passed, and how many members were written, as far as that
    matters: `most` stands for any number from there on.
    """

    def __init__(self, writer: Writer, rules: Rules, shape: Object, pointer: str) -> None:
        self._writer = writer
        self._rules = rules
        self._shape = shape
        self._names = shape.names
        self._others = self._other_members()
        self._states: dict[tuple[int, int, bool], Rule] = {}
        # A bound that the names alone keep is not counted for.
        self._low = shape.low if shape.low > len(shape.required) else 0
        self._high = shape.high
        if shape.high is not None and not self._others and shape.high >= len(self._names):
            self._high = None
        self._most = max(self._low, 0 if self._high is None else self._high + 1)
        if self._others and self._low > len(self._names) + 1:
            raise refusal(
                joined(pointer, "minProperties"),
                _("This can be at most {count}, one more than the properties that are named.").format(
                    count=len(self._names) + 1
                ),
            )
        if len(self._names) * self._most > _MOST_STATES:
            raise too_large()

    def rule(self) -> Rule:
        """Return the rule for what follows the opening brace and its white space."""
        return self._after(0, 0, comma=False)

    def _other_members(self) -> list[Alternative]:
        found: list[Alternative] = []
        sources = self._shape.sources
        for choice in range(2 ** len(sources)):
            matched = frozenset(source for bit, source in enumerate(sources) if choice >> bit & 1)
            parts = self._shape.other_member(matched)
            if parts is not None and self._writer.allows_any(parts):
                name = self._writer.name_of_other_member(self._shape, matched)
                found.append((name, '":"', _WS, self._writer.value(parts)))
        return found

    def _after(self, passed: int, written: int, *, comma: bool) -> Rule:
        """Return the rule for what follows after `passed` names, with `written` members: an end, or more."""
        key = (passed, written, comma)
        if key in self._states:
            return self._states[key]
        name = self._rules.new()
        self._states[key] = Rule(name)
        alternatives: list[Alternative] = []
        needs_more = any(told in self._shape.required for told in self._names[passed:])
        if not needs_more and written >= self._low:
            alternatives.append((_WS, '"}"') if comma else ('"}"',))
        if self._high is None or written < self._high:
            more = self._members(passed, written)
            if more:
                next_member = self._rules.add(more)
                alternatives.append(('","', _WS, next_member) if comma else (next_member,))
        return self._rules.tell(name, alternatives)

    def _members(self, passed: int, written: int) -> list[Alternative]:
        """Return the ways to write the next member."""
        found: list[Alternative] = []
        for index in range(passed, len(self._names)):
            name = self._names[index]
            value = self._writer.value(self._shape.member(name))
            after = self._after(index + 1, self._counted(written), comma=True)
            found.append((literal(json_text(name) + ":"), _WS, value, after))
            if name in self._shape.required:
                return found
        if self._others and written + 1 >= self._low:
            # Only the first of them counts for certain: the same name may come twice.
            after = self._after(len(self._names), self._counted(written), comma=True)
            found += [(*member, after) for member in self._others]
        return found

    def _counted(self, written: int) -> int:
        return min(written + 1, self._most)
