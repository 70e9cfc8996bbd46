"""Values of foreign files: anything may be of any type, and what is not as expected counts as not there."""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.chat_file import Unreadable
from app.domain.language import _

LONGEST_TEXT = 16 * 2**20
"""Characters of one message."""
_LATEST = 4_102_444_800.0  # the year 2100
_THOUGHT = re.compile(r"\s*<(think|thinking)>(.*?)</\1>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not taken over.

    Attributes:
        what: A title, or the name of a file.
        reason: Why, as a sentence.
    """

    what: str
    reason: str


def of(value: Any, *names: str) -> dict[str, Any]:
    """Return the object that lies at the end of `names` below `value`, or an empty one."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """Return a list, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a text, or an empty one.

    Raises:
        Unreadable: When it is too long.
    """
    if not isinstance(value, str):
        return ""
    if len(value) > LONGEST_TEXT:
        raise Unreadable(_("One of its messages is far too long."))
    return value


def name(value: Any) -> str:
    """Return a text that names something: one line, no longer than a title."""
    return " ".join(value[:400].split()) if isinstance(value, str) else ""


def key(value: Any) -> str | None:
    """Return what refers to a message: some sources number them, some name them."""
    if isinstance(value, str):
        return value or None
    return str(value) if type(value) is int and abs(value) < 2**63 else None


def whole(value: Any) -> int:
    """Return a number that is not negative, or 0."""
    return value if type(value) is int and 0 <= value < 2**53 else 0


def seconds(value: Any) -> float:
    """Return how long something took, or 0."""
    found = _number(value)
    return found if 0 <= found < _LATEST else 0.0


def moment(value: Any) -> float:
    """Return a time in seconds since the epoch, given in seconds, milliseconds or as ISO 8601, or 0."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return 0.0
    found = _number(value)
    while found > _LATEST:
        found /= 1000  # milliseconds, or even finer
    return max(0.0, found)


def without_thought(said: str) -> tuple[str, str]:
    """Return an answer without what stands before it in <think>, and that."""
    found = _THOUGHT.match(said)
    return (said[found.end() :], found[2].strip()) if found else (said, "")


def parts(value: Any) -> str:
    """Return the text of a content that is a text, or a list of parts such as {"type": "text", "text": …}."""
    if isinstance(value, str):
        return text(value)
    said = []
    for part in items(value):
        if isinstance(part, str):
            said.append(text(part))
        elif of(part).get("type") in ("image_url", "image", "input_image"):
            said.append(_("[an image that was not imported]"))
        else:
            said.append(text(of(part).get("text")))
    return "\n".join(filter(None, said))


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not -_LATEST * 1e9 < value < _LATEST * 1e9 or math.isnan(value):
        return 0.0
    return float(value)
