"""How a row of the picker is drawn."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.ui.appearance import Appearance
from app.ui.downloads.bar import paint_bar
from app.ui.model_rows import Index, ModelRole, Part, Row

_PADDING = 10
_ABOVE = 9
_GAP = 4
_BAR = 4


class ModelDelegate(QStyledItemDelegate):
    """Draws headings in one line and models in as many as they take."""

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance = appearance
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the height of a heading, or of a row with all that it says."""
        scale = self._appearance.scale
        width = self._view.viewport().width()
        row = index.data(ModelRole.ROW)
        if row is None:
            return QSize(width, round((28 if index.row() == 0 else 38) * max(1.0, scale)))
        height = 2 * _ABOVE + self._name().height()
        small = self._small()
        room = width - 2 * _PADDING - 26
        height += sum(self._wrapped(text, room).height() + _GAP for text, _tint in row.about)
        height += small.height() + _GAP if row.facts else 0
        return QSize(width, height + (_BAR + 2 * _GAP if row.part is not None else 0))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        row = index.data(ModelRole.ROW)
        if row is None:
            painter.setFont(self._appearance.font(12, QFont.Weight.Medium))
            painter.setPen(self._appearance.color("soft"))
            flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
            painter.drawText(option.rect.adjusted(8, 0, -8, -5), flags, index.data())
            if action := index.data(ModelRole.ACTION):
                self._paint_action(painter, option, action)
        else:
            self._paint_row(painter, option.rect, row, current=index == self._view.currentIndex())
        painter.restore()

    def _paint_row(self, painter: QPainter, rect: QRect, row: Row, *, current: bool) -> None:
        look = self._appearance
        if current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("hover"))
            painter.drawRoundedRect(rect, 9, 9)
        inner = rect.adjusted(_PADDING, _ABOVE, -_PADDING, -_ABOVE)
        head = QRect(inner.left(), inner.top(), inner.width(), self._name().height())
        room = head.adjusted(0, 0, -self._paint_end(painter, rect, head, row), 0)
        self._paint_title(painter, room, row)
        painter.setFont(look.font(12.5))
        at = QPoint(inner.left(), head.bottom() + _GAP)
        for text, tint in row.about:
            area = QRect(at, QSize(inner.width() - 26, self._wrapped(text, inner.width() - 26).height()))
            painter.setPen(look.color(tint))
            painter.drawText(area, Qt.TextFlag.TextWordWrap, text)
            at.setY(area.bottom() + 1 + _GAP)
        if row.facts:
            room_below = inner.width() - (26 if row.chosen else 0)
            self._paint_facts(painter, QRect(at, QSize(room_below, self._small().height())), row.facts)
            at.setY(at.y() + self._small().height() + _GAP)
        if row.part is not None:
            bar = QRectF(inner.left(), at.y() + 2, inner.width(), _BAR)
            paint_bar(painter, look, bar, row.part, "accent")

    def _paint_title(self, painter: QPainter, room: QRect, row: Row) -> None:
        look = self._appearance
        metrics, small = self._name(), look.metrics(11.5)
        widths = [small.horizontalAdvance(text) + 14 for text, _tint in row.tags]
        left = room.width() - sum(width + 6 for width in widths)
        name = metrics.elidedText(row.title, Qt.TextElideMode.ElideRight, max(left, 40))
        weight = QFont.Weight.DemiBold if row.about or row.facts else QFont.Weight.Normal
        painter.setFont(look.font(14, weight))
        painter.setPen(look.color("soft" if row.muted else "ink"))
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
        at = room.left() + metrics.horizontalAdvance(name) + 6
        for (text, tint), width in zip(row.tags, widths, strict=True):
            box = QRectF(at + 0.5, room.top() - 0.5, width - 1, room.height() + 1)
            painter.setPen(QPen(look.color("line" if tint == "soft" else tint), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 6, 6)
            painter.setFont(look.font(11.5))
            painter.setPen(look.color(tint))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            at += width + 6

    def _paint_end(self, painter: QPainter, rect: QRect, head: QRect, row: Row) -> int:
        """Draw what stands at the right, and return how much room that takes."""
        look, taken = self._appearance, 0
        if row.chosen:
            spot = QRect(rect.right() - _PADDING - 18, rect.center().y() - 9, 18, 18)
            look.icon("check", "accent", 18).paint(painter, spot)
            taken = 26
        words, tint = (row.action, "accent_ink") if row.action else row.end
        if not words:
            return taken
        painter.setFont(look.font(12.5, QFont.Weight.DemiBold if row.action else QFont.Weight.Normal))
        painter.setPen(look.color(tint))
        area = head.adjusted(0, 0, -taken, 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
        return taken + painter.fontMetrics().horizontalAdvance(words) + 12

    def _paint_action(self, painter: QPainter, option: QStyleOptionViewItem, words: str) -> None:
        """Draw what pressing a heading does; stronger under the mouse."""
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.setPen(self._appearance.color("ink" if over else "accent_ink"))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        painter.drawText(option.rect.adjusted(8, 0, -_PADDING, -5), flags, words)

    def _paint_facts(self, painter: QPainter, room: QRect, facts: tuple[Part, ...]) -> None:
        painter.setFont(self._appearance.font(12.5))
        metrics = painter.fontMetrics()
        for text, tint in facts:
            painter.setPen(self._appearance.color(tint))
            words = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
            room.setLeft(room.left() + metrics.horizontalAdvance(words))

    def _name(self) -> QFontMetrics:
        return self._appearance.metrics(14, QFont.Weight.DemiBold)

    def _small(self) -> QFontMetrics:
        return self._appearance.metrics(12.5)

    def _wrapped(self, text: str, width: int) -> QRect:
        return self._small().boundingRect(QRect(0, 0, width, 1000), Qt.TextFlag.TextWordWrap, text)
