"""How the terminal shows things: JSON, columns, sizes, and progress on one line."""

import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

import humanize

from app.domain.errors import UserError
from app.domain.generation import EngineEvent, Loading, Reading, WaitsForSummary
from app.domain.language import _
from app.domain.reading_words import reading_text


def print_json(value: Any) -> None:
    """Print `value` as one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_columns(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in aligned columns; wide characters count as the two cells they take."""
    widths = [max(map(_cells, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = [text + " " * (width - _cells(text)) for text, width in zip(row, widths, strict=True)]
        print("  ".join(padded).rstrip())


def _cells(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def size(count: int) -> str:
    """Return a number of bytes in words."""
    return humanize.naturalsize(count, format="%.1f")


def report(error: UserError) -> None:
    """Show what could not be done, and what to do."""
    clear_progress()
    print(error, file=sys.stderr)


_progress_shown = False


def show_progress(text: str) -> None:
    """Show `text` on the terminal's last line until something else is written; silent in a pipe."""
    global _progress_shown
    if sys.stderr.isatty():
        line = _cut(text, shutil.get_terminal_size().columns - 1)
        print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)
        _progress_shown = True


def _cut(text: str, columns: int) -> str:
    """Return as much of `text` as one line shows: what goes on below could not be taken away again."""
    for at, letter in enumerate(text):
        columns -= 2 if east_asian_width(letter) in "WF" else 1
        if columns < 0:
            return text[:at]
    return text


def clear_progress() -> None:
    """Take the line of `show_progress` away."""
    global _progress_shown
    if _progress_shown:
        print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
        _progress_shown = False


def show_waiting(event: EngineEvent | None, model: str) -> None:
    """Show how far an answer is that has not begun; `model` is the name of the one that gives it."""
    match event:
        case Loading(fraction):
            text = _("Loading {model}… {percent} %")
            show_progress(text.format(model=model, percent=round(fraction * 100)))
        case Reading(done) if done:
            show_progress(reading_text(event))
        case WaitsForSummary():
            show_progress(_("Summarising older messages first…"))


class Voice:
    """Prints an answer as it comes, and what the model thinks before it dimmed; not at all in a pipe."""

    def __init__(self, *, dimmed: bool) -> None:
        """Print thoughts only where they can be `dimmed`."""
        self._dimmed = dimmed
        self._thinking = False

    def think(self, text: str) -> None:
        """Print what is thought."""
        if self._dimmed:
            clear_progress()
            self._thinking = True
            print(f"\x1b[2m{text}\x1b[22m", end="", flush=True)

    def speak(self, text: str) -> None:
        """Print what is answered, below the thoughts."""
        clear_progress()
        gap = "\n\n" if self._thinking else ""
        self._thinking = False
        print(gap + text, end="", flush=True)
