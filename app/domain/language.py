"""The language that people read: gettext, with one function that every visible sentence passes through."""

import gettext
import locale
import os
from collections.abc import Sequence
from pathlib import Path

_DOMAIN = "fireside"
_current: gettext.NullTranslations = gettext.NullTranslations()


def install(translations: Path, languages: Sequence[str] | None = None) -> None:
    """Use the first of `languages` that `translations` holds a catalogue for, else English.

    Without `languages` the user's own locale decides (LANGUAGE, LC_ALL, LC_MESSAGES, LANG).
    """
    global _current
    wanted = list(languages) if languages else _from_environment()
    _current = gettext.translation(_DOMAIN, translations, wanted, fallback=True)


def _from_environment() -> list[str]:
    named = os.environ.get("LANGUAGE", "").split(":")
    return [name for name in (*named, os.environ.get("LC_ALL"), os.environ.get("LC_MESSAGES"),
                              os.environ.get("LANG"), locale.getlocale()[0]) if name]  # fmt: skip


def _(message: str) -> str:
    """Return `message` in the user's language."""
    return _current.gettext(message)


def plural(one: str, many: str, count: int) -> str:
    """Return the form that fits `count`, in the user's language, with `{count}` still to be filled in."""
    return _current.ngettext(one, many, count)
