"""From schemas to shapes: what each keyword says, and what is not supported."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.domain.language import _
from app.engine.json_schema import automata
from app.engine.json_schema.document import Document, joined, json_text, read_json, refusal, too_large
from app.engine.json_schema.formats import PATTERNS
from app.engine.json_schema.numbers import Bound
from app.engine.json_schema.patterns import PatternError, pattern
from app.engine.json_schema.shapes import (
    EVERYTHING,
    Array,
    ItemLayer,
    MemberLayer,
    Number,
    Object,
    Parts,
    Shape,
    String,
    Values,
)

_ANNOTATIONS = frozenset(
    {"$schema", "$comment", "$defs", "definitions", "title", "description", "default", "examples"}
    | {"deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema"}
)
_ASSERTIONS = frozenset(
    {"type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "pattern", "format", "items", "prefixItems", "minItems", "maxItems"}
    | {"properties", "required", "additionalProperties", "patternProperties"}
    | {"minProperties", "maxProperties"}
)
_MOST_SHAPES = 200
_MOST_PATTERNS_OF_NAMES = 4


class Reader:
    """Knows the shapes of every part of one schema."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[Parts, tuple[Shape, ...]] = {}
        self._schemas: dict[str, tuple[Shape, ...]] = {}
        self._open: set[str] = set()  # schemas whose shapes are being read
        self._doubted: set[Parts] = set()  # parts that are being tried for whether anything fits

    def shapes(self, parts: Parts) -> tuple[Shape, ...]:
        """Return the shapes of the values that are valid against all of `parts`.

        Raises:
            UserError: For what is wrong or not supported in one of them.
        """
        if parts not in self._known:
            found = EVERYTHING
            for part in parts:
                found = self._meet(found, self._schema(part))
            self._known[parts] = found
        return self._known[parts]

    def fits(self, value: Any, shape: Shape) -> bool:
        """Return whether `value` is of `shape`, all the way down."""
        if isinstance(shape, Values):
            return any(_equal(value, read_json(text)) for text in shape.texts)
        if isinstance(shape, String):
            return isinstance(value, str) and automata.matches(shape.valid(), value)
        if isinstance(shape, Number):
            return _is_number(value) and _lies_in(value, shape)
        if isinstance(shape, Array):
            return (
                isinstance(value, list)
                and shape.low <= len(value) <= (len(value) if shape.high is None else shape.high)
                and all(self._is_valid(item, shape.item(index)) for index, item in enumerate(value))
            )
        return (
            isinstance(value, dict)
            and shape.low <= len(value) <= (len(value) if shape.high is None else shape.high)
            and value.keys() >= set(shape.required)
            and all(self._is_valid(member, shape.member(name)) for name, member in value.items())
        )

    def _is_valid(self, value: Any, parts: Parts) -> bool:
        return any(self.fits(value, shape) for shape in self.shapes(parts))

    def _schema(self, pointer: str) -> tuple[Shape, ...]:
        if pointer in self._schemas:
            return self._schemas[pointer]
        if pointer in self._open:
            raise refusal(
                pointer,
                _("This schema refers directly back to itself; only its properties or items may do that."),
            )
        self._open.add(pointer)
        schema = self._document.schema(pointer)
        if isinstance(schema, bool):
            found = EVERYTHING if schema else ()
        else:
            self._check_keywords(pointer, schema)
            found = self._combined(pointer, schema, self._typed(pointer, schema))
        self._open.remove(pointer)
        self._schemas[pointer] = found
        return found

    def _check_keywords(self, pointer: str, schema: dict[str, Any]) -> None:
        for keyword, value in schema.items():
            if keyword in _ASSERTIONS or keyword in _ANNOTATIONS or keyword.startswith("x-"):
                continue
            if (keyword == "uniqueItems" and value is False) or (keyword == "$id" and not pointer):
                continue
            raise refusal(
                joined(pointer, keyword),
                _("The keyword “{keyword}” is not supported.").format(keyword=keyword),
            )

    def _typed(self, pointer: str, schema: dict[str, Any]) -> tuple[Shape, ...]:
        """Return the shapes by `type` and the keywords for single types, and by `enum` and `const`."""
        types = schema.get("type", ["null", "boolean", "number", "string", "array", "object"])
        names = types if isinstance(types, list) else [types]
        read: dict[str, Callable[[], Shape]] = {
            "null": lambda: Values(("null",)),
            "boolean": lambda: Values(("true", "false")),
            "integer": lambda: _number(pointer, schema).meet(Number(step=Fraction(1))),
            "number": lambda: _number(pointer, schema),
            "string": lambda: _string(pointer, schema),
            "array": lambda: _array(pointer, schema),
            "object": lambda: _object(pointer, schema),
        }
        for name in names:
            if not isinstance(name, str) or name not in read:
                raise refusal(
                    joined(pointer, "type"), _("A type must be one of {types}.").format(types=", ".join(read))
                )
        if "number" in names:
            names = [name for name in names if name != "integer"]
        # All are read, so that what is wrong in a keyword is said whatever the type.
        shapes = {name: reading() for name, reading in read.items()}
        found = tuple(shapes[name] for name in dict.fromkeys(names))
        if "enum" in schema:
            values = schema["enum"]
            if not isinstance(values, list):
                raise refusal(joined(pointer, "enum"), _("“enum” must be a list of values."))
            found = self._meet((Values(tuple(dict.fromkeys(map(json_text, values)))),), found)
        if "const" in schema:
            found = self._meet((Values((json_text(schema["const"]),)),), found)
        return found

    def _combined(self, pointer: str, schema: dict[str, Any], found: tuple[Shape, ...]) -> tuple[Shape, ...]:
        if "$ref" in schema:
            found = self._meet(found, self._schema(self._document.target(pointer, schema["$ref"])))
        for part in _list_of_schemas(pointer, schema, "allOf"):
            found = self._meet(found, self._schema(part))
        if "anyOf" in schema:
            parts = _list_of_schemas(pointer, schema, "anyOf")
            found = self._meet(found, self._one_of_many([self._schema(part) for part in parts]))
        if "oneOf" in schema:
            parts = _list_of_schemas(pointer, schema, "oneOf")
            branches = [self._meet(found, self._schema(part)) for part in parts]
            for index, branch in enumerate(branches):
                for earlier in range(index):
                    both = self._meet(branches[earlier], branch)
                    if not all(self._is_impossible(shape) for shape in both):
                        raise refusal(
                            joined(pointer, "oneOf"),
                            _(
                                "A value could match both “{first}” and “{second}”; use “anyOf” instead."
                            ).format(first=f"oneOf/{earlier}", second=f"oneOf/{index}"),
                        )
            found = self._one_of_many(branches)
        return found

    def _one_of_many(self, several: list[tuple[Shape, ...]]) -> tuple[Shape, ...]:
        return tuple(dict.fromkeys(shape for shapes in several for shape in shapes))

    def _meet(self, first: tuple[Shape, ...], second: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """Return what both allow."""
        if first is EVERYTHING or second is EVERYTHING:
            return second if first is EVERYTHING else first
        found: dict[Shape, None] = {}
        for one in first:
            if isinstance(one, Values):
                texts = [
                    text for text in one.texts if any(self.fits(read_json(text), shape) for shape in second)
                ]
                if texts:
                    found[Values(tuple(texts))] = None
                continue
            for other in second:
                both = self._meet_of_two(one, other)
                if both:
                    found[both] = None
        if len(found) > _MOST_SHAPES:
            raise too_large()
        return tuple(found)

    def _meet_of_two(self, one: Shape, other: Shape) -> Shape | None:
        if isinstance(other, Values):
            texts = tuple(text for text in other.texts if self.fits(read_json(text), one))
            return Values(texts) if texts else None
        if isinstance(one, Number) and isinstance(other, Number):
            return one.meet(other)
        if isinstance(one, String) and isinstance(other, String):
            return one.meet(other)
        if isinstance(one, Array) and isinstance(other, Array):
            return one.meet(other)
        if isinstance(one, Object) and isinstance(other, Object):
            return one.meet(other)
        return None

    def _is_impossible(self, shape: Shape) -> bool:
        """Return whether it is proven that no value is of `shape`."""
        if isinstance(shape, Number | String):
            values = shape.automaton() if isinstance(shape, Number) else shape.valid()
            return automata.table(values) is None
        if isinstance(shape, Array):
            if shape.high is not None and shape.high < shape.low:
                return True
            told = min(shape.low, shape.described + 1)
            return any(self._holds_nothing(shape.item(index)) for index in range(told))
        if isinstance(shape, Object):
            if shape.high is not None and shape.high < max(shape.low, len(shape.required)):
                return True
            return any(self._holds_nothing(shape.member(name)) for name in shape.required)
        return not shape.texts

    def _holds_nothing(self, parts: Parts) -> bool:
        if parts in self._doubted:
            return False  # it holds itself: nothing is proven
        self._doubted.add(parts)
        try:
            return all(self._is_impossible(shape) for shape in self.shapes(parts))
        finally:
            self._doubted.remove(parts)


def _number(pointer: str, schema: dict[str, Any]) -> Number:
    found = Number()
    for keyword in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"):
        if keyword not in schema:
            continue
        value = schema[keyword]
        if not _is_number(value):
            raise refusal(joined(pointer, keyword), _("This must be a number."))
        if keyword == "multipleOf" and value <= 0:
            raise refusal(joined(pointer, keyword), _("This must be a number above zero."))
        bound = Bound(Decimal(value), keyword.startswith("exclusive"))
        if keyword == "multipleOf":
            found = found.meet(Number(step=Fraction(value)))
        elif keyword.lower().endswith("minimum"):
            found = found.meet(Number(low=bound))
        else:
            found = found.meet(Number(high=bound))
    return found


def _string(pointer: str, schema: dict[str, Any]) -> String:
    patterns = set()
    if "pattern" in schema:
        patterns.add(_pattern(joined(pointer, "pattern"), schema["pattern"]))
    kind = schema.get("format", "")
    if not isinstance(kind, str):
        raise refusal(joined(pointer, "format"), _("The name of a format must be a string."))
    formats = {PATTERNS[kind]} if kind in PATTERNS else set()
    low, high = _range(pointer, schema, "minLength", "maxLength")
    return String(low, high, frozenset(patterns), frozenset(formats))


def _array(pointer: str, schema: dict[str, Any]) -> Array:
    low, high = _range(pointer, schema, "minItems", "maxItems")
    layer = ItemLayer()
    if isinstance(schema.get("items"), list):
        raise refusal(
            joined(pointer, "items"),
            _("Put a list of schemas into “prefixItems” instead of “items” (draft 2020-12)."),
        )
    if "items" in schema or "prefixItems" in schema:
        layer = ItemLayer(
            tuple(_list_of_schemas(pointer, schema, "prefixItems")),
            joined(pointer, "items") if "items" in schema else None,
        )
    return Array(low, high, (layer,) if layer != ItemLayer() else ())


def _object(pointer: str, schema: dict[str, Any]) -> Object:
    low, high = _range(pointer, schema, "minProperties", "maxProperties")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise refusal(joined(pointer, "required"), _("“required” must be a list of names."))
    for keyword in ("properties", "patternProperties"):
        if not isinstance(schema.get(keyword, {}), dict):
            raise refusal(
                joined(pointer, keyword),
                _("“{keyword}” must be an object whose values are schemas.").format(keyword=keyword),
            )
    matching = [
        (
            _pattern(joined(pointer, "patternProperties", source), source),
            joined(pointer, "patternProperties", source),
        )
        for source in schema.get("patternProperties", {})
    ]
    if len(matching) > _MOST_PATTERNS_OF_NAMES:
        raise refusal(
            joined(pointer, "patternProperties"),
            _("“patternProperties” can have at most {count} patterns.").format(count=_MOST_PATTERNS_OF_NAMES),
        )
    layer = MemberLayer(
        tuple((name, joined(pointer, "properties", name)) for name in schema.get("properties", {})),
        tuple(matching),
        joined(pointer, "additionalProperties") if "additionalProperties" in schema else None,
    )
    return Object(low, high, tuple(dict.fromkeys(required)), (layer,) if layer != MemberLayer() else ())


def _pattern(pointer: str, source: Any) -> str:
    if not isinstance(source, str):
        raise refusal(pointer, _("A pattern must be a string."))
    try:
        pattern(source)
    except PatternError as error:
        raise refusal(pointer, str(error)) from None
    except automata.TooLargeError:
        raise refusal(
            pointer, _("The pattern is too large; shorten it, or use smaller repetitions.")
        ) from None
    return source


def _range(pointer: str, schema: dict[str, Any], lowest: str, highest: str) -> tuple[int, int | None]:
    for keyword in (lowest, highest):
        value = schema.get(keyword, 0)
        if not _is_number(value) or value < 0 or value != int(value):
            raise refusal(joined(pointer, keyword), _("This must be a whole number, zero or above."))
    return int(schema.get(lowest, 0)), int(schema[highest]) if highest in schema else None


def _list_of_schemas(pointer: str, schema: dict[str, Any], keyword: str) -> list[str]:
    if keyword not in schema:
        return []
    if not isinstance(schema[keyword], list) or not schema[keyword]:
        raise refusal(
            joined(pointer, keyword),
            _("“{keyword}” must be a list of one or more schemas.").format(keyword=keyword),
        )
    return [joined(pointer, keyword, index) for index in range(len(schema[keyword]))]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _lies_in(value: int | Decimal, number: Number) -> bool:
    low, high = number.low, number.high
    if low and (value < low.value or (low.open and value == low.value)):
        return False
    if high and (value > high.value or (high.open and value == high.value)):
        return False
    return number.step is None or (Fraction(value) / number.step).denominator == 1


def _equal(first: Any, second: Any) -> bool:
    """Return whether two values are the same by JSON Schema: true is not 1, and members have no order."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_equal, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_equal(first[name], second[name]) for name in first)
    return bool(first == second)
