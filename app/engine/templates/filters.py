"""The filters that a template may use: Jinja's own where they are bounded as they are, else ours.

Left out are those for web pages, and `random`: a prompt must come out the same twice.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from jinja2.filters import FILTERS, make_attrgetter
from jinja2.tests import TESTS
from jinja2.utils import pass_environment
from markupsafe import escape

from app.engine.templates import methods
from app.engine.templates.meter import Exhausted, Meter
from app.engine.templates.methods import MAX_ITEMS, spelled
from app.engine.templates.words import concatenated, origin, written

_AS_THEY_ARE = (
    "abs", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last", "length", "reverse",
)  # fmt: skip
# These take a string apart into its characters.
_ITEMWISE = ("map", "max", "min", "reject", "rejectattr", "select", "selectattr", "slice", "sort", "unique")
_ESCAPED = 6  # characters that one may become: `&quot;`, `\u0000`
_MAX_INDENT = 16
_MAX_PRECISION = 300  # beyond it a float has no digits

Meters = Callable[[], Meter]


def bounded_filters(meter: Meters) -> dict[str, Callable[..., Any]]:
    """Return the filters by name; `meter` gives the one of the rendering that runs."""
    ours = {name: _metered(function, meter) for name, function in _OURS.items()}
    theirs = {name: _counted(FILTERS[name], meter) for name in _AS_THEY_ARE}
    itemwise = {name: _counted(FILTERS[name], meter, most=MAX_ITEMS) for name in _ITEMWISE}
    return theirs | itemwise | ours


def bounded_tests(meter: Meters) -> dict[str, Callable[..., Any]]:
    """Return Jinja's tests by name, each of which looks at the clock."""
    return {name: _counted(function, meter) for name, function in TESTS.items()}


def _counted(function: Any, meter: Meters, most: int | None = None) -> Callable[..., Any]:
    @wraps(function)
    def counted(*arguments: Any, **options: Any) -> Any:
        if most is not None and any(isinstance(a, str) and len(a) > most for a in arguments):
            raise Exhausted("items")
        return settled(meter(), function(*arguments, **options))

    return counted


def _metered(function: Callable[..., Any], meter: Meters) -> Callable[..., Any]:
    @wraps(function)
    def metered(*arguments: Any, **options: Any) -> Any:
        if hasattr(function, "jinja_pass_arg"):
            return meter().keep(function(arguments[0], meter(), *arguments[1:], **options))
        return meter().keep(function(meter(), *arguments, **options))

    return metered


def settled(meter: Meter, value: Any) -> Any:
    """Return `value`, counted, and a list for an iterator: what is lazy cannot be bounded."""
    if not hasattr(value, "__next__"):
        return meter.keep(value)
    items = []
    for item in value:
        meter.tick()
        items.append(item)
        if len(items) > MAX_ITEMS:
            raise Exhausted("items")
    return meter.keep(items)


def _case(name: str) -> Callable[..., str]:
    def change(meter: Meter, value: Any) -> str:
        return methods.call(meter, spelled(value), name, (), {})

    return change


def _trim(meter: Meter, value: Any, chars: str | None = None) -> str:
    return methods.call(meter, spelled(value), "strip", (chars,), {})


def _title(_meter: Meter, value: Any) -> str:
    text = spelled(value)
    if len(text) > MAX_ITEMS:  # Jinja takes it apart into words
        raise Exhausted("items")
    return methods.like(text, FILTERS["title"](str.__str__(text)))


def _string(_meter: Meter, value: Any) -> str:
    return spelled(value)


def _escape(meter: Meter, value: Any) -> str:
    text = spelled(value)
    meter.reckon(_ESCAPED * len(text))
    return methods.like(text, str(escape(str.__str__(text))))


def _format(meter: Meter, value: Any, *arguments: Any, **options: Any) -> str:
    return methods.interpolated(meter, spelled(value), options or arguments)


def _replace(meter: Meter, value: Any, old: str, new: str, count: int | None = None) -> str:
    return methods.replace(meter, spelled(value), spelled(old), spelled(new), -1 if count is None else count)


@pass_environment
def _join(environment: Any, meter: Meter, value: Any, d: Any = "", attribute: Any = None) -> str:
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    return methods.join(meter, spelled(d), items)


@pass_environment
def _sum(environment: Any, meter: Meter, value: Any, attribute: Any = None, start: Any = 0) -> Any:
    total = start
    for item in value if attribute is None else map(make_attrgetter(environment, attribute), value):
        total = environment.call_binop(None, "+", total, item)
    return total


def _list(meter: Meter, value: Any) -> list[Any]:
    return settled(meter, iter(value))


def _round(_meter: Meter, value: Any, precision: int = 0, method: str = "common") -> Any:
    if abs(precision) > _MAX_PRECISION:
        raise Exhausted("number")
    return FILTERS["round"](value, precision, method)


def _indent(meter: Meter, value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    if isinstance(width, int):
        meter.reckon(width)
    margin = width if isinstance(width, str) else " " * width
    lines = methods.call(meter, concatenated([spelled(value), "\n"]), "splitlines", (), {})
    meter.reckon(len(lines) * (len(margin) + 1))
    pieces: list[str] = []
    for number, line in enumerate(lines):
        pieces.append("\n" if number else "")
        pieces.append(margin if (first if not number else line or blank) else "")
        pieces.append(line)
    return concatenated(pieces)


def _to_json(
    meter: Meter,
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter escapes for HTML, which models were not trained on. The arguments are those
    # that transformers' apply_chat_template knows.
    if indent is not None and (len(indent) if isinstance(indent, str) else indent) > _MAX_INDENT:
        raise Exhausted("width")
    if separators is not None and sum(map(len, separators)) > _MAX_INDENT:
        raise Exhausted("width")
    encoder = json.JSONEncoder(
        ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )
    parts = []
    size = 0
    for part in encoder.iterencode(value):
        size += len(part)
        meter.reckon(size)
        meter.tick()
        parts.append(part)
    return written("".join(parts), origin(value))


_OURS: dict[str, Callable[..., Any]] = {
    "upper": _case("upper"),
    "lower": _case("lower"),
    "capitalize": _case("capitalize"),
    "title": _title,
    "trim": _trim,
    "string": _string,
    "safe": _string,
    "escape": _escape,
    "e": _escape,
    "format": _format,
    "replace": _replace,
    "join": _join,
    "sum": _sum,
    "list": _list,
    "round": _round,
    "indent": _indent,
    "tojson": _to_json,
}
