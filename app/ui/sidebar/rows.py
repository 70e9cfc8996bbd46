"""How a row of the chat list is drawn and renamed."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.sidebar.chats import ChatRole

Index = QModelIndex | QPersistentModelIndex

WIDTH = 240
_PADDING = 10
_MORE = 28


class RowDelegate(QStyledItemDelegate):
    """Draws headings and chats, all of one height, so that the view never asks row by row."""

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance = appearance
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the one size of all rows."""
        height = QFontMetrics(self._appearance.font(14)).height()
        return QSize(WIDTH, max(34, height + 16))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect.topLeft(), QSize(WIDTH, option.rect.height()))
        if index.data(ChatRole.CHAT) is None:
            self._paint_heading(painter, rect, index)
        else:
            self._paint_chat(painter, rect, option, index)
        painter.restore()

    def more_rect(self, row: QRect) -> QRect:
        """Return where in a row the ⋯ stands that opens its menu."""
        return QRect(row.left() + WIDTH - _MORE - 4, row.top(), _MORE, row.height())

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Return the field that a chat is renamed in."""
        editor = QLineEdit(parent)
        editor.setObjectName("rename")
        editor.setAccessibleName(_("Title of the chat"))
        editor.setFrame(False)
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Lay the field over its row."""
        editor.setGeometry(QRect(option.rect.topLeft(), QSize(WIDTH, option.rect.height())))

    def _paint_heading(self, painter: QPainter, rect: QRect, index: Index) -> None:
        painter.setFont(self._appearance.font(12, QFont.Weight.Medium))
        painter.setPen(self._appearance.color("soft"))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom
        painter.drawText(rect.adjusted(8, 0, -8, -5), flags, index.data())

    def _paint_chat(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        look = self._appearance
        is_open, live = index.data(ChatRole.OPEN), index.data(ChatRole.LIVE)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        focused = self._view.hasFocus() and index == self._view.currentIndex()
        ground = QRectF(rect)
        painter.setPen(Qt.PenStyle.NoPen)
        if is_open or hovered:
            painter.setBrush(look.color("hover"))
            painter.drawRoundedRect(ground, 8, 8)
        if focused:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.drawRoundedRect(ground.adjusted(1, 1, -1, -1), 7, 7)
        end = _MORE if hovered or focused else 18 if live else _PADDING
        text = rect.adjusted(_PADDING, 0, -end, 0)
        font = look.font(14, QFont.Weight.Medium if is_open else QFont.Weight.Normal)
        title = QFontMetrics(font).elidedText(index.data(), Qt.TextElideMode.ElideRight, text.width())
        painter.setFont(font)
        painter.setPen(look.color("ink"))
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        if hovered or focused:
            area = self.more_rect(rect)
            corner = area.center() - QPoint(8, 8)
            look.icon("dots", "soft", 18).paint(painter, QRect(corner, QSize(18, 18)))
        elif live:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("accent"))
            painter.drawEllipse(QRectF(rect.right() - 13, rect.center().y() - 2.5, 7, 7))
