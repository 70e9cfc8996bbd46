"""How the terminal shows things: JSON, columns, sizes, and progress on one line."""

import json
import sys
from collections.abc import Sequence
from typing import Any
from unicodedata import east_asian_width

import humanize

from app.domain.errors import UserError


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
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
        _progress_shown = True


def clear_progress() -> None:
    """Take the line of `show_progress` away."""
    global _progress_shown
    if _progress_shown:
        print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
        _progress_shown = False
