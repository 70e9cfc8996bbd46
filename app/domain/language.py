"""The language that people read: gettext, with one function that every visible sentence passes through."""

import gettext
import os
import re
from collections.abc import Sequence
from pathlib import Path

_DOMAIN = "fireside"
_SOURCE = "en"  # what the code is written in, and needs no catalogue
_NO_LANGUAGE = {"C", "POSIX"}
_SIMPLIFIED = {"Hans", "CN", "SG"}
_current: gettext.NullTranslations = gettext.NullTranslations()
_code = _SOURCE


def install(
    translations: Path, languages: Sequence[str] | None = None, *, otherwise: Sequence[str] = ()
) -> None:
    """Use the first of `languages` that is English or has a catalogue in `translations`, else English.

    Args:
        translations: The folder of the catalogues.
        languages: Names as of locales ("zh_CN.UTF-8") or as of tags ("zh-Hans-CN"); without them the
            environment decides (LC_ALL, LC_MESSAGES, LANG, and before them LANGUAGE).
        otherwise: What decides where the environment names no language.
    """
    global _code, _current
    _code, _current = _SOURCE, gettext.NullTranslations()
    for name in languages or _from_environment() or otherwise:
        code = _catalogue(name)
        if code == _SOURCE:
            return
        if gettext.find(_DOMAIN, translations, [code]):
            _code, _current = code, gettext.translation(_DOMAIN, translations, [code])
            return


def current() -> str:
    """Return the name of the language that is in use, as of a locale: "en", "zh_CN"."""
    return _code


def _from_environment() -> list[str]:
    chosen = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if chosen.split(".")[0] in _NO_LANGUAGE:
        return [_SOURCE]  # whatever LANGUAGE says
    return [name for name in (*os.environ.get("LANGUAGE", "").split(":"), chosen) if name]


def _catalogue(name: str) -> str:
    """Return what the catalogue for a locale or a tag is called."""
    parts = re.split("[-_]", re.split("[.@]", name)[0])
    if parts[0] == _SOURCE or parts[0] in _NO_LANGUAGE:
        return _SOURCE
    if parts[0] == "zh":  # two scripts; Qt ends the tags of both with a bare "zh"
        return "zh_CN" if _SIMPLIFIED.intersection(parts) else "zh_TW"
    return "_".join(part for part in parts if len(part) != 4)  # without the script


def _(message: str) -> str:
    """Return `message` in the user's language."""
    return _current.gettext(message)


def of_data(sentence: str) -> str:
    """Return a sentence that stands in a data file, the models' catalogue, in the user's language."""
    return _current.gettext(sentence)


def plural(one: str, many: str, count: int) -> str:
    """Return the form that fits `count`, in the user's language, with `{count}` still to be filled in."""
    return _current.ngettext(one, many, count)


def joined(first: str, second: str) -> str:
    """Return two sentences, either of which may be empty, one after the other."""
    if not (first and second):
        return first or second
    # Translators: two sentences; a language that puts no space between them leaves it out.
    return _("{first} {second}").format(first=first, second=second)
