"""Names of files that every system takes, made of the titles of chats."""

import re
import unicodedata
from collections.abc import Callable

from app.domain.language import _

_MOST_BYTES = 120  # most systems take 255, with what is put before and behind
_TAKEN = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)")
_FORBIDDEN = str.maketrans(dict.fromkeys('<>:"/\\|?*', " "))


def file_name(title: str) -> str:
    """Return a name without an ending for the file of a chat.

    Source: https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file; the other systems
    forbid less.
    """
    plain = unicodedata.normalize("NFC", title).translate(_FORBIDDEN)
    seen = "".join(
        letter for letter in plain if unicodedata.category(letter) not in _UNSEEN or letter.isspace()
    )
    name = " ".join(seen.split()).encode()[:_MOST_BYTES].decode(errors="ignore").strip(". ")
    if _TAKEN.match(name):
        name = f"_{name}"
    return name or _("Chat")


_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # among them what turns the direction of a text round


def unused(name: str, suffix: str, used: Callable[[str], bool]) -> str:
    """Return a name that is not `used` yet: the second one of the same gets " (2)"."""
    found, number = name + suffix, 1
    while used(found):
        number += 1
        found = f"{name} ({number}){suffix}"
    return found
