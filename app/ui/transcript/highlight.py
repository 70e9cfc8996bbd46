"""Colours for code: Pygments finds the words on a thread of its own, the GUI thread paints them.

The worker hands its results over in a queue that a timer of the GUI thread empties while there is
work; it lets go of the interpreter often, so that a long listing never holds the window up.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor, QTextDocument, QTextLayout
from shiboken6 import isValid

from app.ui.theme import Palette
from app.ui.transcript.marks import Card

if TYPE_CHECKING:  # imported with the first piece of code, not with the window
    from pygments.lexer import Lexer

log = logging.getLogger(__name__)

Words = list[tuple[int, int, str]]
"""Start, length and kind of the coloured words of one line."""

SHORT = 1500
"""Characters that are looked at at once: about 3 ms."""
LONGEST = 200_000
"""Characters beyond which code stays plain."""
KEPT = 200
_KINDS = {
    "Keyword": "keyword",
    "Operator.Word": "keyword",
    "Name.Tag": "keyword",
    "Literal.String": "string",
    "Literal.Number": "number",
    "Name.Function": "function",
    "Name.Class": "function",
    "Name.Decorator": "function",
    "Name.Attribute": "function",
    "Comment": "comment",
}


@cache
def _aliases() -> dict[str, tuple[str, str]]:
    from pygments.lexers import LEXERS

    return {
        alias: (name, aliases[0])
        for module, name, aliases, patterns, types in LEXERS.values()
        for alias in aliases
    }


def language_name(language: str) -> str:
    """Return how people write the name of a language that a fence calls `language`."""
    if not language:
        return ""
    found = _aliases().get(language.lower())
    return found[0] if found else language


def _import() -> None:
    import markdown_it  # noqa: F401
    import pygments.lexers.python  # noqa: F401  # the most frequent, and with it the machinery of all

    _aliases()


def _kind(token: object) -> str:
    name = str(token).removeprefix("Token.")
    return next((kind for prefix, kind in _KINDS.items() if name.startswith(prefix)), "")


class Highlighter(QObject):
    """Finds the words of code. One serves all messages of a view."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lexers: dict[tuple[str, bool], Lexer] = {}
        self._loaded: set[str] = set()
        self._kinds: dict[object, str] = {}
        self._found: OrderedDict[tuple[str, str], list[Words]] = OrderedDict()
        self._asked: dict[tuple[str, str], list[Callable[[str, list[Words]], None]]] = {}
        self._done: SimpleQueue[tuple[tuple[str, str], list[Words]]] = SimpleQueue()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="highlight")
        self._warm = False
        self._timer = QTimer(self)
        self._timer.setInterval(15)
        self._timer.timeout.connect(self._deliver)

    def warm_up(self) -> None:
        """Import what takes long to import on the worker, before the first code comes."""
        if not self._warm:
            self._warm = True
            self._worker.submit(_import)

    def now(self, language: str, code: str) -> list[Words] | None:
        """Return the words of each line if they are known or quickly found, else None."""
        key = (language.lower(), code)
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        if len(code) > SHORT or key[0] not in self._loaded:
            return None
        self._keep(key, self._lex(key[0], code, polite=False))
        return self._found[key]

    def later(self, language: str, code: str, then: Callable[[str, list[Words]], None]) -> None:
        """Find the words of `code` on the worker, and call `then(code, words)` on this thread."""
        key = (language.lower(), code)
        if not language or len(code) > LONGEST or key[0] not in _aliases():
            return
        waiting = self._asked.setdefault(key, [])
        waiting.append(then)
        if len(waiting) == 1:
            self._worker.submit(self._work, key)
            self._timer.start()

    def busy(self) -> bool:
        """Return whether something that was asked for is still to come."""
        return bool(self._asked)

    def _work(self, key: tuple[str, str]) -> None:
        words: list[Words] = []
        try:
            words = self._lex(*key, polite=True)
            self._loaded.add(key[0])
        except Exception:
            log.exception("No colours for code in %s", key[0])
        finally:
            self._done.put((key, words))

    def _deliver(self) -> None:
        while True:
            try:
                key, words = self._done.get_nowait()
            except Empty:
                break
            self._keep(key, words)
            for then in self._asked.pop(key, ()):
                then(key[1], words)
        if not self._asked:
            self._timer.stop()

    def _keep(self, key: tuple[str, str], words: list[Words]) -> None:
        self._found[key] = words
        while len(self._found) > KEPT:
            self._found.popitem(last=False)

    def _lex(self, language: str, code: str, *, polite: bool) -> list[Words]:
        lines: list[Words] = [[]]
        column = 0
        tokens = self._lexer(language, polite).get_tokens_unprocessed(code + "\n")
        for count, (_start, token, text) in enumerate(tokens):
            if polite and count % 64 == 0:
                time.sleep(0)  # hands the interpreter to the GUI thread
            kind = self._kinds.get(token)
            if kind is None:
                kind = self._kinds[token] = _kind(token)
            for number, part in enumerate(text.split("\n")):
                if number:
                    lines.append([])
                    column = 0
                if kind and part:
                    lines[-1].append((column, len(part.encode("utf-16-le")) // 2, kind))
                column += len(part) if part.isascii() else len(part.encode("utf-16-le")) // 2
        return lines

    def _lexer(self, language: str, polite: bool) -> "Lexer":
        """Return the lexer of one of the two threads: some keep notes while they run."""
        key = (language, polite)
        if key not in self._lexers:
            from pygments.lexers import get_lexer_by_name

            self._lexers[key] = get_lexer_by_name(language)
        return self._lexers[key]


class Ink:
    """Colours the cards of one document; `cards` gives those it has at the moment."""

    def __init__(
        self,
        document: QTextDocument,
        cards: Callable[[], list[Card]],
        highlighter: Highlighter,
        palette: Palette,
    ) -> None:
        self._document = document
        self._cards = cards
        self._highlighter = highlighter
        self._retired = False
        self._last: dict[int, tuple[str, list[Words]]] = {}
        self._asked: set[int] = set()
        self._whole: set[int] = set()
        self._not_before = 0.0
        self._formats: dict[str, QTextCharFormat] = {}
        for kind in ("keyword", "string", "function", "comment", "number"):
            made = QTextCharFormat()
            made.setForeground(QColor(getattr(palette, f"syntax_{kind}")))
            self._formats[kind] = made

    def colour(self, index: int, *, growing: bool) -> None:
        """Colour a card: at once where that is quick, else when the worker has found its words.

        Args:
            index: Which card.
            growing: More code is to come: colour what is known, and ask for the rest now and then.
        """
        card = self._cards()[index]
        if not growing:
            self._whole.add(index)
        if not card.language:
            return
        code, words = self._last.get(index, ("", []))
        if not growing and code != card.code:
            found = self._highlighter.now(card.language, card.code)
            if found is not None:
                code, words = self._last[index] = (card.code, found)
        if words and card.code.startswith(code):
            self._apply(card, words)
        if code != card.code and index not in self._asked and (not growing or self._may_ask(card.code)):
            self._asked.add(index)
            self._highlighter.later(card.language, card.code, partial(self._arrived, index))

    def retire(self) -> None:
        """Colour nothing any more: the document is about to hold something else."""
        self._retired = True

    def _may_ask(self, code: str) -> bool:
        """Return whether it is time to look again: the longer the code, the more seldom."""
        now = time.monotonic()
        if now < self._not_before or not code:
            return False
        self._not_before = now + max(0.12, len(code) * 25e-6)
        return True

    def _arrived(self, index: int, code: str, words: list[Words]) -> None:
        self._asked.discard(index)
        if self._retired or not isValid(self._document):
            return
        cards = self._cards()
        if index < len(cards) and cards[index].code.startswith(code):
            self._last[index] = (code, words)
            self._apply(cards[index], words)
            if cards[index].code != code:
                self.colour(index, growing=index not in self._whole)

    def _apply(self, card: Card, words: list[Words]) -> None:
        """Give the lines of a card their colours, those that have them already excepted."""
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        block = self._document.findBlock(card.start)
        for number, line in enumerate(words):
            if not block.isValid() or block.position() > card.end:
                break
            if number >= len(card.inked) or card.inked[number] != line:
                block.layout().setFormats(self._ranges(line))
            block = block.next()
        cursor.endEditBlock()
        card.inked = words

    def _ranges(self, words: Words) -> list[QTextLayout.FormatRange]:
        made = []
        for start, length, kind in words:
            each = QTextLayout.FormatRange()
            each.start, each.length, each.format = start, length, self._formats[kind]
            made.append(each)
        return made
