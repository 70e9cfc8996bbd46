"""The messages that were found, as rows for a list view: chat, date, and a piece of what was said."""

from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QPainter,
    QPen,
    QTextCharFormat,
    QTextLayout,
    QTextOption,
)
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.domain.chat import Role
from app.domain.language import _
from app.domain.search import Hit
from app.ui.appearance import Appearance
from app.ui.quantities import date_text
from app.ui.theme import marked

Index = QModelIndex | QPersistentModelIndex

WIDTH = 240
_PADDING = 10
_LINES = 2
_TEXT, _SMALL = 13.0, 12.0
_IN_SIGHT = 30  # half-width characters that stand before the first match at most


class HitRole(IntEnum):
    """What a row answers beside its text."""

    HIT = Qt.ItemDataRole.UserRole


class Hits(QAbstractListModel):
    """The messages that were found, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.hits: list[Hit] = []

    def show_hits(self, hits: list[Hit]) -> None:
        """Show these; where only older ones were added, those before stay as they are."""
        known = len(self.hits)
        if known and hits[:known] == self.hits:
            if len(hits) > known:
                self.beginInsertRows(QModelIndex(), known, len(hits) - 1)
                self.hits = hits
                self.endInsertRows()
            return
        self.beginResetModel()
        self.hits = hits
        self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        """Return how many there are."""
        return 0 if parent is not None and parent.isValid() else len(self.hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Answer one role of one row."""
        hit = self.hits[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return hit.snippet.text
            case Qt.ItemDataRole.AccessibleTextRole:
                parts = [title_of(hit), date_text(hit.created_at), speaker(hit), hit.snippet.text]
                return ", ".join(parts)
            case HitRole.HIT:
                return hit
        return None


def title_of(hit: Hit) -> str:
    """Return what the chat of a message is called on screen."""
    return hit.title or _("New chat")


def speaker(hit: Hit) -> str:
    """Return who said it."""
    return _("You") if hit.role is Role.USER else hit.model or _("Model")


class HitDelegate(QStyledItemDelegate):
    """Draws a message that was found: the chat and the date, who said it, and two lines with the words."""

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance = appearance
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the one size of all rows."""
        title = QFontMetrics(self._appearance.font(_SMALL)).height()
        return QSize(WIDTH, 8 + title + 3 + _LINES * self._line_height() + 8)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect.topLeft(), QSize(WIDTH, option.rect.height()))
        self._paint_ground(painter, rect, option, index)
        inside = rect.adjusted(_PADDING, 8, -_PADDING, -8)
        hit = index.data(HitRole.HIT)
        below = self._paint_head(painter, inside, hit)
        self._paint_words(painter, QRectF(inside.left(), below + 3, inside.width(), 0), hit)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index
    ) -> None:
        look = self._appearance
        painter.setPen(Qt.PenStyle.NoPen)
        if option.state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
            painter.setBrush(look.color("hover"))
            painter.drawRoundedRect(QRectF(rect), 8, 8)
        if self._view.hasFocus() and index == self._view.currentIndex():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), 7, 7)

    def _paint_head(self, painter: QPainter, rect: QRect, hit: Hit) -> int:
        look = self._appearance
        date, small = date_text(hit.created_at), look.font(_SMALL)
        metrics = QFontMetrics(small)
        wide, height = metrics.horizontalAdvance(date), metrics.height()
        line = QRect(rect.left(), rect.top(), rect.width(), height)
        painter.setFont(small)
        painter.setPen(look.color("soft"))
        painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, date)
        bold = look.font(_SMALL, QFont.Weight.DemiBold)
        room = rect.width() - wide - 8
        title = QFontMetrics(bold).elidedText(title_of(hit), Qt.TextElideMode.ElideRight, room)
        painter.setFont(bold)
        painter.setPen(look.color("ink"))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        return line.bottom() + 1

    def _paint_words(self, painter: QPainter, rect: QRectF, hit: Hit) -> None:
        text, marks = in_sight(hit)
        layout = self._laid_out(text, marks, rect.width())
        end = len(text)
        while layout.lineCount() > _LINES:
            last = layout.lineAt(_LINES - 1)
            end = min(end, last.textStart() + last.textLength()) - 1
            short = text[:end].rstrip(" …") + "…"
            layout = self._laid_out(short, [mark for mark in marks if mark[1] < len(short)], rect.width())
        painter.setPen(self._appearance.color("soft"))
        for number in range(layout.lineCount()):
            layout.lineAt(number).setPosition(QPointF(0, number * self._line_height()))
        layout.draw(
            painter,
            rect.topLeft(),
            clip=QRectF(rect.left(), rect.top(), rect.width(), _LINES * self._line_height()),
        )

    def _laid_out(self, text: str, marks: list[tuple[int, int]], width: float) -> QTextLayout:
        layout = QTextLayout(text, self._appearance.font(_TEXT))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        look = QTextCharFormat()
        look.setForeground(self._appearance.color("ink"))
        look.setBackground(QColor(marked(self._appearance.palette, now=False)))
        ranges = []
        for start, end in marks:
            part = QTextLayout.FormatRange()
            part.start, part.length, part.format = start, end - start, look
            ranges.append(part)
        layout.setFormats(ranges)
        layout.beginLayout()
        for _number in range(_LINES + 1):
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(width)
        layout.endLayout()
        return layout

    def _line_height(self) -> int:
        return QFontMetrics(self._appearance.font(_TEXT)).height() + 2


def in_sight(hit: Hit) -> tuple[str, list[tuple[int, int]]]:
    """Return who said what, cut so that the first match comes soon, and the matches, as Qt counts letters."""
    text, marks = hit.snippet.text, hit.snippet.marks
    start = 0
    if marks:
        room, start = _IN_SIGHT, marks[0][0]
        while start and room > 0:
            start -= 1
            room -= 2 if text[start] > "\u1100" else 1
        space = text.find(" ", start, marks[0][0]) if start else -1
        start = space + 1 if 0 <= space < start + 12 else start
    before = f"{speaker(hit)}: " + ("…" if start and not text[start:].startswith("…") else "")
    shown = before + text[start:]
    shift = len(before) - start
    return shown, [
        (_units(shown[: first + shift]), _units(shown[: last + shift]))
        for first, last in marks
        if first >= start
    ]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
