"""Keeps the catalogues in assets/translations in step with the sentences of app/ and of the models there are.

Started by `dev.py translate`. A new language begins as an empty file: zh_CN/LC_MESSAGES/fireside.po.
What it writes depends on the code and the translations alone: no dates, no versions, no line numbers.
"""

import io
import json
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
TRANSLATIONS = ROOT / "assets" / "translations"
MODELS = ROOT / "models_registry" / "catalogue.json"
KEYWORDS = {"_": None, "plural": (1, 2)}
NOTE = "Translators:"


class Undated(Catalog):
    """A catalogue whose header changes with nothing but its language."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Return what gettext needs."""
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit\n"),
        ]


def catalogues() -> list[Path]:
    """Return the .po file of every language."""
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/fireside.po"))


def extracted() -> list[Message]:
    """Return every sentence of app/ in the order of files and lines, and what each model is good at."""
    found = Catalog(fuzzy=False)
    for path in sorted((ROOT / "app").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for line, message, notes, _context in extract_from_file("python", path, KEYWORDS, (NOTE,)):
            found.add(message, locations=[(name, line)], auto_comments=notes)
    for model in json.loads(MODELS.read_text(encoding="utf-8"))["models"]:
        note = f"Translators: what the model {model['name']} is good at."
        found.add(
            model["good_at"], locations=[(MODELS.relative_to(ROOT).as_posix(), 1)], auto_comments=[note]
        )
    return [message for message in found if message.id]


def read(path: Path) -> Undated:
    """Return the catalogue in the .po file at `path`."""
    code = path.parent.parent.name
    made = Undated(locale=code, header_comment=f"# Fireside in the language {code}", fuzzy=False)
    with path.open("rb") as file:
        for message in read_po(file, locale=code, abort_invalid=True):
            if message.id:
                made[message.id] = message
    return made


def updated(old: Undated, messages: list[Message]) -> Undated:
    """Return a catalogue of `messages` with the translations and the translators' comments of `old`."""
    made = Undated(locale=old.locale_identifier, header_comment=old.header_comment, fuzzy=False)
    for message in messages:
        known = old.get(message.id)
        made.add(
            message.id,
            known.string if known and known.pluralizable == message.pluralizable else None,
            locations=message.locations,
            flags=["fuzzy"] if known and known.fuzzy else [],
            auto_comments=message.auto_comments,
            user_comments=known.user_comments if known else [],
        )
    return made


def source(catalogue: Undated) -> bytes:
    """Return a catalogue as a .po file."""
    out = io.BytesIO()
    write_po(out, catalogue, width=0, sort_by_file=True, include_lineno=False)
    return out.getvalue()


def compiled(catalogue: Undated) -> bytes:
    """Return a catalogue as a .mo file."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def untranslated(catalogue: Undated) -> list[Message]:
    """Return what people would read in English."""
    # A message with several forms has a tuple of strings; one string is whole when it is not empty.
    return [m for m in catalogue if m.id and (m.fuzzy or not m.string or not all(m.string))]


def main() -> int:
    """Bring every catalogue up to date, compile it, and say what is left to translate."""
    messages = extracted()
    for path in catalogues():
        catalogue = updated(read(path), messages)
        path.write_bytes(source(catalogue))
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        left = len(untranslated(catalogue))
        print(f"{path.relative_to(ROOT)}: {len(messages)} sentences, {left} left to translate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
