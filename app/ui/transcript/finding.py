"""What is looked for in a chat: how often it stands there, where, and its marks in what is shown."""

import re
import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QRectF, QTimer, Signal
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from app.domain.chat import Role
from app.domain.shown_text import shown_text
from app.ui.theme import marked
from app.ui.transcript.body import Body
from app.ui.transcript.column import Column
from app.ui.transcript.living import Living
from app.ui.transcript.question import Question
from app.ui.transcript.scrolling import Scrolling
from app.ui.transcript.style import Style

MOST_MARKS = 500
"""Matches of one message that are marked; all are counted."""
_SLICE = 0.003  # seconds of one turn of counting
_SOON = 150  # milliseconds until a text that grows is counted again

Text = tuple[int, Role, str]
"""A message that is shown: its id, who has said it, and what."""


class Finding(QObject):
    """Counts in the texts, not in the widgets: most rows of a long chat are not alive.

    Attributes:
        total: How often it was found, as far as it is counted.
        counting: There are texts that have not been looked at yet.

    Signals:
        changed: There are other matches, or another one is the current one.
    """

    changed = Signal()

    def __init__(
        self,
        column: Column,
        live: Living,
        scroll: Scrolling,
        height: Callable[[], int],
        texts: Callable[[], list[Text]],
        parent: QObject,
    ) -> None:
        """Wait for `look_for`.

        Args:
            column: Where rows are.
            live: Those that are alive.
            scroll: Where the visible part begins.
            height: Returns that of the visible part.
            texts: Returns what is shown, from the first message to the last.
            parent: Owns the timer.
        """
        super().__init__(parent)
        self._column, self._live, self._scroll = column, live, scroll
        self._height, self._texts = height, texts
        self._pattern: re.Pattern[str] | None = None
        self._only: int | None = None
        self._counts: dict[int, int] = {}
        self._words: dict[int, tuple[str, str]] = {}  # by id: a text, and what of it is read on the screen
        self._left: deque[Text] = deque()
        self._unmarked: deque[int] = deque()  # rows that are alive, the nearest first
        self._current: tuple[int, int] | None = None  # a message, and which of its matches
        self._seeking = False  # the first match in sight is to become the current one
        self._coming: int | None = None  # a row that is gone to, and not laid out yet
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._count)
        self.total = 0

    @property
    def counting(self) -> bool:
        """Return whether there are texts that have not been looked at yet."""
        return bool(self._left)

    @property
    def active(self) -> bool:
        """Return whether anything is looked for."""
        return self._pattern is not None

    @property
    def place(self) -> int:
        """Return which match is the current one, from 1 on; 0 for none."""
        if self._current is None or self._current[1] >= self._counts.get(self._current[0], 0):
            return 0
        id_, nth = self._current
        before = self._column.places[id_]
        return sum(n for each, n in self._counts.items() if self._column.places[each] < before) + nth + 1

    def look_for(self, pattern: re.Pattern[str] | None, only: int | None = None) -> None:
        """Mark all that `pattern` finds, and go to the first match in sight or below.

        Args:
            pattern: None looks for nothing any more.
            only: Look in this message alone.
        """
        self._pattern, self._only = pattern, only
        self._counts.clear()
        self._current, self._seeking, self._coming = None, pattern is not None, None
        self._left.clear()
        if pattern is None:
            self._words.clear()
        here = self._scroll.offset
        self._unmarked = deque(
            sorted(self._live, key=lambda id_: abs(self._column.top(self._column.places[id_]) - here))
        )
        self.take_texts()

    def take_texts(self) -> None:
        """Count in what is new among the texts, and forget what is gone."""
        if self._pattern is None:
            self._count()
            return
        texts = [each for each in self._texts() if self._only in (None, each[0])]
        ids = {id_ for id_, _role, _text in texts}
        for gone in self._counts.keys() - ids:
            del self._counts[gone]
        for gone in self._words.keys() - ids:
            del self._words[gone]
        if self._current is not None and self._current[0] not in ids:
            self._current = None
        self._left = deque(
            each
            for each in texts
            if each[0] not in self._counts or self._words.get(each[0], ("",))[0] != each[2]
        )
        self._count()

    def text_grew(self) -> None:
        """Count again soon: a text is being written."""
        if self._pattern is not None and not self._timer.isActive():
            self._timer.singleShot(_SOON, self, self.take_texts)

    def written(self, id_: int) -> None:
        """Mark a row whose text has been written, in part or whole."""
        if self._pattern is not None:
            self._mark(id_)
            if id_ == self._coming and not self._live.needs_work(id_):
                QTimer.singleShot(0, self, self._arrive)  # what is being laid out now keeps its place

    def step(self, by: int) -> None:
        """Go to the next match (1), or to the one before (-1), around the ends."""
        if self.total == 0:
            return
        wanted = (self.place - 1 + by) % self.total if self.place else (0 if by > 0 else self.total - 1)
        for id_ in sorted(self._counts, key=self._column.places.__getitem__):
            if wanted < self._counts[id_]:
                self._go(id_, wanted)
                return
            wanted -= self._counts[id_]

    def go_to(self, id_: int) -> None:
        """Go to the first match in a message, or to its beginning."""
        self._seeking = False
        self._go(id_, 0)

    # ---- counting

    def _count(self) -> None:
        """Mark what is not marked yet, then count, in turns that nobody notices."""
        deadline = time.monotonic() + _SLICE
        while self._unmarked and (time.monotonic() < deadline or self._pattern is None):
            if (id_ := self._unmarked.popleft()) in self._live:
                self._mark(id_)
        while self._left and not self._unmarked:
            id_, role, text = self._left.popleft()
            if self._pattern is not None:
                found = self._pattern.finditer(self._shown(id_, role, text))
                self._counts[id_] = sum(1 for _match in found)
            if time.monotonic() > deadline:
                break
        if self._left or self._unmarked:
            self._timer.start(0)
        self._sum_up()
        if self._seeking and not self._left:
            self._seeking = False
            self._seek()

    def _shown(self, id_: int, role: Role, text: str) -> str:
        known = self._words.get(id_)
        if known is None or known[0] != text:
            known = self._words[id_] = text, shown_text(text) if role is Role.ASSISTANT else text
        return known[1]

    def _sum_up(self) -> None:
        self.total = sum(self._counts.values())
        self.changed.emit()

    def _seek(self) -> None:
        """Go to the first match that is in sight or below, else to the first of all."""
        found = [id_ for id_, count in self._counts.items() if count]
        if found:
            places, top = self._column.places, self._scroll.offset
            found.sort(key=places.__getitem__)
            below = (
                id_ for id_ in found if self._column.top(places[id_]) + self._column.height(places[id_]) > top
            )
            self._go(next(below, found[0]), 0)

    # ---- going there

    def _go(self, id_: int, nth: int) -> None:
        left = self._current[0] if self._current else None
        self._current = id_, nth
        for each in {left, id_} - {None}:
            if each is not None and each in self._live:
                self._mark(each)
        self._coming = id_
        if id_ in self._live and not self._live.needs_work(id_):
            self._arrive()
        else:
            self._scroll.following = False
            self._scroll.by(
                self._column.top(self._column.places[id_]) - self._scroll.offset - self._height() // 3
            )
        self.changed.emit()

    def _arrive(self) -> None:
        """Bring the current match into sight; its row is laid out."""
        if self._coming is None or self._current is None or self._coming not in self._live:
            return
        id_, nth = self._current
        self._coming = None
        widget = self._live[id_]
        spans = self._spans(widget.body)
        if isinstance(widget, Question) and widget.folded:
            inside = nth < len(spans) and _rect(widget.body, spans[nth][0]).bottom() <= widget.body.height()
            if not inside:
                widget.unfold()
                self._mark(id_)
                spans = self._spans(widget.body)
        if spans or self._only is not None:
            rect = _rect(widget.body, spans[min(nth, len(spans) - 1)][0] if spans else 0)
            top = widget.y() + widget.body.mapTo(widget, rect.topLeft().toPoint()).y()
            height = self._height()
            if top < 40 or top + rect.height() > height - 60:
                self._scroll.following = False
                self._scroll.by(top - height // 3)

    # ---- marks

    def _mark(self, id_: int) -> None:
        body, spans = self._live[id_].body, []
        if self._pattern is not None and self._only in (None, id_):
            spans = self._spans(body)
        if not spans and not body.extraSelections():
            return
        nth = min(self._current[1], len(spans) - 1) if self._current and self._current[0] == id_ else None
        style = body.style_
        body.setExtraSelections(
            [_selection(body, *span, style, now=place == nth) for place, span in enumerate(spans)]
        )

    def _spans(self, body: Body) -> list[tuple[int, int]]:
        """Return where the document has it, as Qt counts: in halves of a surrogate pair."""
        if self._pattern is None:
            return []
        text = body.toPlainText()
        found = []
        for match in self._pattern.finditer(text):
            found.append(match.span())
            if len(found) == MOST_MARKS:
                break
        if found and max(text, default="") > "\uffff":
            return [(_units(text[:start]), _units(text[:end])) for start, end in found]
        return found


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _rect(body: Body, position: int) -> QRectF:
    cursor = QTextCursor(body.document())
    cursor.setPosition(position)
    return QRectF(body.cursorRect(cursor))


def _selection(body: Body, start: int, end: int, style: Style, *, now: bool) -> QTextEdit.ExtraSelection:
    made = QTextEdit.ExtraSelection()
    cursor = QTextCursor(body.document())
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    look = QTextCharFormat()
    look.setBackground(QColor(marked(style.palette, now=now)))
    look.setForeground(QColor(style.palette.ink))
    made.cursor, made.format = cursor, look
    return made
