"""Our own files: `app.domain.chat_file` says what they hold."""

from typing import Any

from app.domain.chat_file import FORMAT, Unreadable, from_object
from app.domain.language import _
from app.domain.whole_chat import WholeChat
from app.services.imports.growing import MOST_MESSAGES
from app.services.imports.shapes import LONGEST_TEXT

NAME = "Fireside"


def claims(value: dict[str, Any]) -> bool:
    """Return whether Fireside wrote this."""
    return value.get("format") == FORMAT


def chat(value: dict[str, Any]) -> WholeChat:
    """Read one chat.

    Raises:
        Unreadable: When it is not what the format says, or there is too much of it.
    """
    found = from_object(value)
    if len(found.messages) > MOST_MESSAGES or any(len(each.text) > LONGEST_TEXT for each in found.messages):
        raise Unreadable(_("It is far too long."))
    return found
