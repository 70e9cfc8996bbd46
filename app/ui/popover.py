"""A card that floats over the window until it is closed or something else is clicked."""

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

_SHADOW = 36
_EDGE = 16


class Popover(QWidget):
    """Lies over all of its parent, so that no window system has to place it or draw its corners.

    Attributes:
        card: What is shown; its layout is the subclass's.

    Signals:
        closed: It is gone, and the keyboard is back where it was.
    """

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.card = QFrame(self)
        self.card.setObjectName("popover")
        self._corner = QPoint()
        self._size = QSize()
        self._before: QWidget | None = None
        parent.installEventFilter(self)
        self.hide()

    def open_at(self, corner: QPoint, size: QSize) -> None:
        """Show the card with its top left at `corner`, at most `size` and never out of the window."""
        self._before = self.window().focusWidget()
        self._corner, self._size = corner, size
        self.place()
        self.show()
        self.raise_()

    def resize_card(self, size: QSize) -> None:
        """Give the card another size, where it stands."""
        self._size = size
        self.place()

    def close_card(self) -> None:
        """Take the card away."""
        if self.isVisible():
            self.hide()
            if self._before is not None:
                self._before.setFocus(Qt.FocusReason.PopupFocusReason)
            self.closed.emit()

    def place(self) -> None:
        """Keep the card inside the window."""
        parent = self.parentWidget()
        if parent is None:
            return
        self.setGeometry(parent.rect())
        room = parent.rect().adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        width = min(self._size.width(), room.width())
        left = max(room.left(), min(self._corner.x(), room.right() - width))
        height = min(self._size.height(), room.bottom() - self._corner.y())
        self.card.setGeometry(QRect(left, self._corner.y(), width, height))
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's size."""
        if watched is self.parent() and event.type() == QEvent.Type.Resize and self.isVisible():
            self.place()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        """Keep Esc for the card, or it would stop the answer."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self.close_card()
                return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Close when something else is clicked."""
        if not self.card.geometry().contains(event.position().toPoint()):
            self.close_card()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a soft shadow below the card."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 2))
        card = QRectF(self.card.geometry())
        for spread in range(_SHADOW, -_SHADOW // 3, -3):
            grown = card.adjusted(-spread, -spread + 16, spread, spread + 16)
            painter.drawRoundedRect(grown, 14 + spread, 14 + spread)
