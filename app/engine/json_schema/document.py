"""The text of a JSON Schema: its parts by their pointers, and what is refused in it."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from app.domain.errors import UserError
from app.domain.language import _

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 100


def refusal(pointer: str, problem: str) -> UserError:
    """Return the error that says that `problem` lies at `pointer` (RFC 6901) of the schema."""
    return UserError(
        _("There is a problem in the JSON Schema at “{pointer}”.").format(pointer="#" + pointer), problem
    )


def too_large() -> UserError:
    """Return the error for a schema that would make a grammar without measure."""
    return UserError(_("The JSON Schema is too large."), _("Use fewer, shorter or less deeply nested parts."))


def joined(pointer: str, *parts: str | int) -> str:
    """Return the pointer to a part of what `pointer` points to."""
    return pointer + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class Document:
    """A schema as JSON values; fractions are Decimals, so that no digit is lost."""

    def __init__(self, text: str) -> None:
        """Read `text`.

        Raises:
            UserError: When it is not JSON, names a member twice, or is too large or too deep.
        """
        if len(text) > MAX_CHARACTERS:
            raise too_large()
        try:
            self._root = json.loads(
                text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_object
            )
        except RecursionError:
            raise too_large() from None
        except json.JSONDecodeError as error:
            raise UserError(
                _("The JSON Schema is not valid JSON; look at line {line}, column {column}.").format(
                    line=error.lineno, column=error.colno
                )
            ) from None
        except ValueError as error:  # a number of thousands of digits, or what the functions below found
            raise UserError(_("The JSON Schema is not valid JSON."), str(error)) from None
        if _is_deeper(self._root, MAX_DEPTH):
            raise too_large()

    def at(self, pointer: str) -> Any:
        """Return the value at `pointer`.

        Raises:
            KeyError: When there is none.
        """
        value = self._root
        for part in pointer.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            elif isinstance(value, dict) and name in value:
                value = value[name]
            else:
                raise KeyError(pointer)
        return value

    def schema(self, pointer: str) -> dict[str, Any] | bool:
        """Return the schema at `pointer`.

        Raises:
            UserError: When it is neither an object nor true nor false.
        """
        value = self.at(pointer)
        if not isinstance(value, dict | bool):
            raise refusal(pointer, _("A schema must be an object, true or false."))
        return value

    def target(self, pointer: str, reference: Any) -> str:
        """Return the pointer that `reference`, the `$ref` of the schema at `pointer`, leads to.

        Raises:
            UserError: When it leads out of this schema or nowhere.
        """
        at = joined(pointer, "$ref")
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise refusal(at, _("Only references within the schema, like “#/$defs/name”, are supported."))
        found = unquote(reference[1:])
        try:
            self.at(found)
        except KeyError:
            raise refusal(
                at, _("“{reference}” points to nothing in this schema.").format(reference=reference)
            ) from None
        return found


def json_text(value: Any) -> str:
    """Return `value` as JSON, in the one way in which it is written; 1.0 is 1."""
    if isinstance(value, Decimal):
        if value == value.to_integral_value() and value.adjusted() < 20:
            return str(int(value))
        return format(value, "f") if abs(value.adjusted()) < 20 else str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json_text(k)}: {json_text(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def read_json(text: str) -> Any:
    """Return the value of what `json_text` wrote."""
    return json.loads(text, parse_float=Decimal)


def _no_number(name: str) -> None:
    raise ValueError(_("{name} is not a number in JSON.").format(name=name))


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    for name, value in members:
        for text in (name, value):
            if isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text):
                raise ValueError(_("One of its strings contains only half of a surrogate pair."))
    if len(found) < len(members):
        names = [name for name, _value in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(_("The name “{name}” appears twice in one object.").format(name=twice))
    return found


def _is_deeper(value: Any, depth: int) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(depth == 0 or _is_deeper(part, depth - 1) for part in parts)
