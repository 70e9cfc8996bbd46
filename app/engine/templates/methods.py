"""The methods of strings, lists and dictionaries that a template may call, within bounds and with marks."""

import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.utils import Namespace

from app.engine.templates.meter import Exhausted, Meter
from app.engine.templates.words import Words, concatenated, divided, origin, stripped, written

MAX_ITEMS = 500_000  # of a list that a string is divided into

_LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_WIDE = re.compile(r"\d{4}|\*")  # a field wider than 999, or as wide as an argument says
_FIELDS = re.compile(r"%[^a-zA-Z%]*")
_EXPANSION = 3  # characters that one may become in another case

# What these return is no larger than the string, or a number or a truth value.
_PLAIN = frozenset({
    "endswith", "startswith", "find", "rfind", "index", "rindex", "count", "isalnum", "isalpha", "isascii",
    "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper",
})  # fmt: skip
_CASES = frozenset({"capitalize", "casefold", "lower", "swapcase", "title", "upper"})
_STRIPS = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}


def call(meter: Meter, owner: Any, name: str, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    """Call the method `name` of `owner`, a value of one of Python's own types.

    Raises:
        Exhausted: When the result would be too large.
        SecurityError: When a template has no business calling it.
    """
    if isinstance(owner, str):
        return _of_text(meter, owner, name, arguments, options)
    if isinstance(owner, dict) and name in {"get", "items", "keys", "values", "copy"}:
        result = getattr(owner, name)(*arguments, **options)
        return list(result) if name in {"items", "keys", "values"} else result
    if isinstance(owner, list | tuple) and name in {"index", "count", "copy"}:
        return getattr(owner, name)(*arguments, **options)
    raise SecurityError(f"{type(owner).__name__}.{name} cannot be called from a template")


def _of_text(
    meter: Meter, text: str, name: str, arguments: tuple[Any, ...], options: Mapping[str, Any]
) -> Any:
    if name in _PLAIN:
        return getattr(text, name)(*arguments, **options)
    if name in _CASES:
        meter.reckon(_EXPANSION * len(text))
        return like(text, getattr(text, name)())
    if name in _STRIPS:
        return stripped(text, _STRIPS[name], *arguments)
    if (method := _METHODS.get(name)) is None:
        raise SecurityError(f"str.{name} cannot be called from a template")
    return method(meter, text, *arguments, **options)


def like(text: str, result: str) -> str:
    """Return `result` with the marks of `text`, character by character if there are as many."""
    if isinstance(text, Words) and len(text) == len(result):
        return Words(result, text.spans)
    return written(result, origin(text))


def _split(
    meter: Meter, text: str, sep: str | None = None, maxsplit: int = -1, *, from_right: bool = False
) -> list[str]:
    most = MAX_ITEMS if maxsplit < 0 else min(maxsplit, MAX_ITEMS)
    pieces = (str.rsplit if from_right else str.split)(text, sep, most)
    if len(pieces) > MAX_ITEMS:
        raise Exhausted("items")
    return divided(text, pieces, None if sep is None else len(sep))


def _rsplit(meter: Meter, text: str, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    return _split(meter, text, sep, maxsplit, from_right=True)


def _splitlines(_meter: Meter, text: str, keepends: bool = False) -> list[str]:
    if sum(map(text.count, _LINE_ENDS)) > MAX_ITEMS:
        raise Exhausted("items")
    lines = divided(text, text.splitlines(keepends=True), 0)
    return lines if keepends else [stripped(line, str.rstrip, _LINE_ENDS) for line in lines]


def _partition(_meter: Meter, text: str, sep: str) -> tuple[str, ...]:
    return tuple(divided(text, text.partition(sep), 0))


def _rpartition(_meter: Meter, text: str, sep: str) -> tuple[str, ...]:
    return tuple(divided(text, text.rpartition(sep), 0))


# Slices, since `str.removeprefix` would lose the marks.


def _removeprefix(_meter: Meter, text: str, prefix: str) -> str:
    return text[len(prefix) if text.startswith(prefix) else 0 :]


def _removesuffix(_meter: Meter, text: str, suffix: str) -> str:
    return text[: len(text) - len(suffix) if text.endswith(suffix) else len(text)]


def replace(meter: Meter, text: str, old: str, new: str, count: int = -1) -> str:
    """Return `str.replace` of `text`, with marks."""
    found = text.count(old) if count is None or count < 0 else min(count, text.count(old))
    meter.reckon(len(text) + found * len(new))
    if origin(text, new) is None:
        return text.replace(old, new, found)
    if not old:
        return written(text.replace(old, new, found), origin(text, new))
    return join(meter, new, _split(meter, text, old, found))


def join(meter: Meter, text: str, pieces: Any) -> str:
    """Return `text.join(pieces)`, with marks; what is no string in `pieces` is spelled."""
    parts: list[str] = []
    total = 0
    for piece in pieces:
        part = spelled(piece)
        total += len(part) + len(text)
        meter.reckon(total)
        meter.tick()
        parts += [text, part] if parts else [part]
    return concatenated(parts)


def spelled(value: Any) -> str:
    """Return `value` as a template prints it; what holds a person's words is theirs."""
    if isinstance(value, Namespace):
        raise SecurityError("a namespace cannot be printed")  # it may hold one large value many times
    return value if isinstance(value, str) else written(str(value), origin(value))


def _padded(method: Callable[..., str]) -> Callable[..., str]:
    def pad(meter: Meter, text: str, width: int, *fill: str) -> str:
        meter.reckon(width)
        return written(method(text, width, *fill), origin(text))

    return pad


class _BoundedFormatter(Formatter):
    """`str.format`, without a way into its arguments, and with fields of a sane width."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._size = 0

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        first, _dot, rest = field_name.partition(".")
        if rest or "[" in first:
            raise SecurityError("a format may not look into its arguments")
        return super().get_field(first, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> Any:
        if _WIDE.search(format_spec):
            raise Exhausted("width")
        text = format(value, format_spec) if format_spec else spelled(value)
        self._size += len(text)
        self._meter.reckon(self._size)
        return text


def formatted(meter: Meter, text: str, *arguments: Any, **options: Any) -> str:
    """Return `text.format(...)`."""
    result = _BoundedFormatter(meter).vformat(text, arguments, options)
    return written(result, origin(text, arguments, options))


def interpolated(meter: Meter, text: str, arguments: Any) -> str:
    """Return `text % arguments`."""
    fields = _FIELDS.findall(text)
    if any(map(_WIDE.search, [text] if "%(" in text else fields)):
        raise Exhausted("width")
    meter.reckon(len(text) + len(fields) * meter.size(arguments))
    return written(text % arguments, origin(text, arguments))


_METHODS: dict[str, Callable[..., Any]] = {
    "split": _split,
    "rsplit": _rsplit,
    "splitlines": _splitlines,
    "partition": _partition,
    "rpartition": _rpartition,
    "removeprefix": _removeprefix,
    "removesuffix": _removesuffix,
    "replace": replace,
    "join": join,
    "format": formatted,
    "center": _padded(str.center),
    "ljust": _padded(str.ljust),
    "rjust": _padded(str.rjust),
    "zfill": _padded(str.zfill),
}
