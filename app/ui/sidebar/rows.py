"""How a row of the chat list is drawn and renamed."""

from PySide6.QtCore import QLocale, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QLineEdit, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.sidebar.chats import ChatRole
from app.ui.sidebar.grouping import Drawer, Heading, Place

Index = QModelIndex | QPersistentModelIndex

WIDTH = 240
_PADDING = 10
_MORE = 28
_INDENT = 24


class RowDelegate(QStyledItemDelegate):
    """Draws headings, folders and chats, all of one height, so that the view never asks row by row.

    Attributes:
        several: More than one chat is chosen: those are drawn so.
        drop_row: The row that what is dragged would go to; -1 for none.
    """

    def __init__(self, appearance: Appearance, view: QListView) -> None:
        super().__init__(view)
        self._appearance = appearance
        self._view = view
        self.several = False
        self.drop_row = -1

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the one size of all rows."""
        height = QFontMetrics(self._appearance.font(14)).height()
        return QSize(WIDTH, max(34, height + 16))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one row."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRect(option.rect.topLeft(), QSize(WIDTH, option.rect.height()))
        row = index.data(ChatRole.ROW)
        if isinstance(row, Heading):
            self._paint_heading(painter, rect, index)
        elif isinstance(row, Drawer):
            self._paint_ground(painter, rect, option, index)
            self._paint_drawer(painter, rect, option, index, row)
        else:
            self._paint_ground(painter, rect, option, index)
            self._paint_chat(painter, rect, option, index)
        if index.row() == self.drop_row:
            self._ring(painter, rect)
        painter.restore()

    def more_rect(self, row: QRect) -> QRect:
        """Return where in a row the ⋯ stands that opens its menu."""
        return QRect(row.left() + WIDTH - _MORE - 4, row.top(), _MORE, row.height())

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Return the field that a chat is renamed in."""
        editor = QLineEdit(parent)
        editor.setObjectName("rename")
        folder = isinstance(index.data(ChatRole.ROW), Drawer)
        editor.setAccessibleName(_("Name of the folder") if folder else _("Title of the chat"))
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

    def _is_here(self, index: Index) -> bool:
        return self._view.hasFocus() and index == self._view.currentIndex()

    def _ring(self, painter: QPainter, rect: QRect) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self._appearance.color("accent"), 2))
        painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), 7, 7)

    def _paint_ground(
        self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index
    ) -> None:
        look = self._appearance
        chosen = self.several and bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or index.data(ChatRole.OPEN) or option.state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("bubble" if chosen else "hover"))
            painter.drawRoundedRect(QRectF(rect), 8, 8)
        if self._is_here(index):
            self._ring(painter, rect)

    def _paint_drawer(
        self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index, row: Drawer
    ) -> None:
        look, middle = self._appearance, rect.center().y()
        if self._ends_list(index):
            painter.setPen(QPen(self._hairline(), 1))
            painter.drawLine(rect.left() + 8, rect.top() + 1, rect.right() - 8, rect.top() + 1)
        picture = {Place.ARCHIVE: "archive", Place.TRASH: "trash"}.get(row.place, "folder")
        look.icon(picture, "soft", 18).paint(painter, rect.left() + _PADDING - 2, middle - 9, 18, 18)
        text = rect.adjusted(_PADDING + 24, 0, -_PADDING, 0)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if hovered and row.folder_id is not None:
            look.icon("dots", "soft", 18).paint(painter, self._more_corner(rect))
            text.setRight(rect.right() - _MORE)
        elif row.count is not None:
            chevron = look.icon("chevron-down" if row.open else "chevron-right", "soft", 14)
            chevron.paint(painter, rect.right() - _PADDING - 12, middle - 7, 14, 14)
            painter.setFont(look.font(12))
            painter.setPen(look.color("soft"))
            count = QLocale().toString(row.count)
            width = painter.fontMetrics().horizontalAdvance(count)
            text.setRight(rect.right() - _PADDING - 16)
            painter.drawText(text, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, count)
            text.setRight(text.right() - width - 8)
        font = look.font(14)
        painter.setFont(font)
        painter.setPen(look.color("ink"))
        name = QFontMetrics(font).elidedText(row.text, Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)

    def _paint_chat(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        look = self._appearance
        is_open, live = index.data(ChatRole.OPEN), index.data(ChatRole.LIVE)
        more = bool(option.state & QStyle.StateFlag.State_MouseOver) or self._is_here(index)
        end = _MORE if more else 18 if live else _PADDING
        start = _PADDING + (_INDENT if index.data(ChatRole.INDENTED) else 0)
        text = rect.adjusted(start, 0, -end, 0)
        font = look.font(14, QFont.Weight.Medium if is_open else QFont.Weight.Normal)
        metrics = QFontMetrics(font)
        taken = self._paint_tags(painter, text, index, metrics.horizontalAdvance(index.data()))
        title = metrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, text.width() - taken)
        painter.setFont(font)
        painter.setPen(look.color("ink"))
        painter.drawText(text, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
        if more:
            look.icon("dots", "soft", 18).paint(painter, self._more_corner(rect))
        elif live:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.color("accent"))
            painter.drawEllipse(QRectF(rect.right() - 13, rect.center().y() - 2.5, 7, 7))

    def _ends_list(self, index: Index) -> bool:
        """Return whether the list of chats ends above this row: the archive, or what was deleted."""
        above = index.model().index(index.row() - 1, 0)
        place = getattr(index.data(ChatRole.ROW), "place", None)
        return place is Place.ARCHIVE or (
            place is Place.TRASH and getattr(above.data(ChatRole.ROW), "place", None) is not Place.ARCHIVE
        )

    def _paint_tags(self, painter: QPainter, text: QRect, index: Index, title: int) -> int:
        """Draw as many tags at the right as there is room beside the whole title; return the width taken."""
        look = self._appearance
        painter.setFont(look.font(11.5))
        metrics = painter.fontMetrics()
        taken = 0
        for tag in index.data(ChatRole.CHAT).tags:
            width = metrics.horizontalAdvance(tag) + 12
            if title + 8 + taken + width > text.width():
                break
            chip = QRectF(text.right() - taken - width, 0, width, metrics.height() + 4)
            chip.moveTop(text.center().y() - chip.height() / 2 + 0.5)
            painter.setPen(QPen(self._hairline(), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(chip, 6, 6)
            painter.setPen(look.color("ink"))
            painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, tag)
            taken += width + 4
        return taken + 4 if taken else 0

    def _hairline(self) -> QColor:
        """Return a line that can be seen on every ground of a row."""
        line = self._appearance.color("soft")
        line.setAlphaF(0.3)
        return line

    def _more_corner(self, rect: QRect) -> QRect:
        return QRect(self.more_rect(rect).center() - QPoint(8, 8), QSize(18, 18))
