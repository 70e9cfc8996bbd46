"""What folders and tags may be called."""

import unicodedata

from app.domain.errors import UserError
from app.domain.language import _

MOST_LETTERS = 60


def folder_name(name: str) -> str:
    """Return `name` without what cannot be seen.

    Raises:
        UserError: When nothing is left of it, or too much.
    """
    return _checked(name, _("A folder needs a name."), _("The name of a folder has at most {count} letters."))


def tag_name(name: str) -> str:
    """Return `name` without what cannot be seen, and without the # that a person may write before it.

    Raises:
        UserError: When nothing is left of it, or too much.
    """
    bare = name.strip().lstrip("#")
    return _checked(bare, _("A tag needs a name."), _("The name of a tag has at most {count} letters."))


def _checked(name: str, empty: str, long: str) -> str:
    seen = "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in name)
    words = " ".join(seen.split())
    if not words:
        raise UserError(empty, _("Write at least one letter."))
    if len(words) > MOST_LETTERS:
        raise UserError(long.format(count=MOST_LETTERS), _("Choose a shorter one."))
    return words
