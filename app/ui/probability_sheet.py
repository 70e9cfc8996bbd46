"""How sure the model was: the tokens of an answer tinted by probability, and what else could stand there."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from PySide6.QtCore import QEvent, QLocale, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QTextEdit, QWidget

from app.domain.generation import Choice, Chosen
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import announce, label
from app.ui.pages_of_text import PagesOfText
from app.ui.sheet import Sheet
from app.ui.theme import Palette, mixed

STRONGEST = 0.4
"""Share of the accent under a token that was all but impossible; its ink stays readable on that."""
_STEPS = 20
_WIDTH, _ROW = 228, 46
_KEYS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


def tint(palette: Palette, probability: float) -> str:
    """Return the ground of a token: the less likely it was, the more of the accent."""
    return mixed(palette.accent, palette.card, STRONGEST * (1 - probability))


def percent(probability: float) -> str:
    """Return a probability as it is read."""
    value = probability * 100
    if value < 0.1:
        return _("under {percent} %").format(percent=QLocale().toString(0.1, "f", 1))
    return _("{percent} %").format(percent=QLocale().toString(value, "f", 1 if round(value, 1) < 10 else 0))


def _step(logprob: float) -> int:
    return round(min(math.exp(logprob), 1.0) * _STEPS)


def spelled(text: str) -> str:
    """Return a token with what cannot be seen made visible."""
    return text.replace(" ", "␣").replace("\n", "↵").replace("\t", "⇥") or "∅"


class Tokens(PagesOfText):
    """The answer, token by token; the mouse and the arrow keys go from one to the next.

    Signals:
        reached: The number of the token that is looked at.
    """

    reached = Signal(int)

    def __init__(self, appearance: Appearance, tokens: Sequence[Chosen]) -> None:
        super().__init__(appearance, _("The tokens of the answer"))
        self._appearance, self._tokens = appearance, tokens
        self._palette = appearance.palette
        self._lengths = [len(token.choice.text.encode("utf-16-le")) // 2 for token in tokens]  # Qt's count
        self._ends = list(accumulate(self._lengths))
        self._current = -1
        self.viewport().setMouseTracking(True)
        self.viewport().installEventFilter(self)
        appearance.changed.connect(self._write_tokens)
        self._write_tokens()

    def _write_tokens(self) -> None:
        self._palette, here, self._current = self._appearance.palette, self._current, -1
        looks = [self._look(step / _STEPS) for step in range(_STEPS + 1)]
        parts = ((t.choice.text, looks[_step(t.choice.logprob)]) for t in self._tokens)
        self.show_parts(parts)
        self.reach(here)

    def _look(self, probability: float) -> QTextCharFormat:
        look = QTextCharFormat()
        look.setForeground(QColor(self._palette.ink))
        look.setBackground(QColor(tint(self._palette, probability)))
        return look

    def reach(self, number: int) -> None:
        """Look at one token."""
        if not 0 <= number < len(self._tokens) or number == self._current:
            return
        self._current = number
        place = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        last = self.document().characterCount() - 1
        cursor.setPosition(min(self._ends[number] - self._lengths[number], last))
        cursor.setPosition(min(self._ends[number], last), QTextCursor.MoveMode.KeepAnchor)
        look = QTextCharFormat()
        look.setForeground(QColor(self._palette.on_accent))
        look.setBackground(QColor(self._palette.accent))
        place.cursor, place.format = cursor, look
        self.setExtraSelections([place])
        self.reached.emit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the token before or behind."""
        if event.key() in _KEYS and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            step = _KEYS[Qt.Key(event.key())]
            self.reach(min(max(self._current + step, 0), len(self._tokens) - 1))
            begin = QTextCursor(self.document())
            begin.setPosition(min(self._ends[self._current], self.document().characterCount() - 1))
            self.setTextCursor(begin)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at the token under the mouse."""
        if watched is self.viewport() and isinstance(event, QMouseEvent):
            position = self.cursorForPosition(event.position().toPoint()).position()
            self.reach(bisect_right(self._ends, position))
        return super().eventFilter(watched, event)


class Alternatives(QWidget):
    """The likeliest tokens at one place, each with a bar as long as its probability."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._choices: list[Choice] = []
        self._token = -1

    def show_token(self, chosen: Chosen) -> None:
        """Show what was written and what else could have been."""
        self._token = chosen.choice.token
        others = list(chosen.top)
        if all(choice.token != self._token for choice in others):
            others.append(chosen.choice)
        self._choices = others
        self.setFixedHeight(self._row() * len(others))
        self.setAccessibleName(self.said())
        self.update()

    def said(self) -> str:
        """Return all of it as words."""
        return ", ".join(f"{spelled(c.text.strip())} {percent(math.exp(c.logprob))}" for c in self._choices)

    def _row(self) -> int:
        return round(_ROW * self._appearance.scale)

    def sizeHint(self) -> QSize:
        """Return room for all rows."""
        return QSize(_WIDTH, self._row() * max(len(self._choices), 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        look, row = self._appearance, self._row()
        painter.setFont(look.font(14))
        for number, choice in enumerate(self._choices):
            probability = math.exp(choice.logprob)
            area = self.rect().adjusted(0, number * row, -12, 0)
            area.setHeight(row - 14)
            written = choice.token == self._token
            painter.setPen(look.color("ink" if written else "soft"))
            share = percent(probability)
            room = painter.fontMetrics().horizontalAdvance(share) + 8
            words = painter.fontMetrics().elidedText(
                spelled(choice.text), Qt.TextElideMode.ElideRight, area.width() - room
            )
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, words)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, share)
            bar = QRectF(area.left(), area.bottom() + 1, area.width(), 4)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("line"))
            painter.drawRoundedRect(bar, 2, 2)
            bar.setWidth(max(bar.width() * probability, 4))
            painter.setBrush(look.color("accent" if written else "soft"))
            painter.drawRoundedRect(bar, 2, 2)


class ProbabilitySheet(Sheet):
    """Tokens at the left, what else could stand at the chosen one at the right."""

    def __init__(self, appearance: Appearance, tokens: Sequence[Chosen], parent: QWidget) -> None:
        super().__init__(appearance, _("How sure the model was"), parent)
        self._tokens = tokens
        self.tokens = Tokens(appearance, tokens)
        self.alternatives = Alternatives(appearance)
        self.tokens.reached.connect(self._reached)
        scroll = QScrollArea()
        scroll.setWidget(self.alternatives)
        scroll.setWidgetResizable(True)
        scroll.setFixedWidth(_WIDTH)
        scroll.setObjectName("alternatives")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        halves = QHBoxLayout()
        halves.setSpacing(18)
        halves.addWidget(self.tokens, 1)
        halves.addWidget(scroll)
        self.column.addLayout(halves, 1)
        hint = _(
            "The stronger the colour, the less likely the word. "
            "Point at a word, or use the arrow keys, to see what else was likely."
        )
        said = label(hint, tone="soft", measure="small")
        said.setWordWrap(True)
        self.foot.addWidget(said, 1)
        self.tokens.reach(0)

    def _reached(self, number: int) -> None:
        self.alternatives.show_token(self._tokens[number])
        if self.tokens.hasFocus():
            announce(self.tokens, self.alternatives.said())
