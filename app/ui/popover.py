"""A card that floats over the window until it is closed or something else is clicked."""

from functools import cache

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QWidget

_SHADOW = 36  # how far the shadow reaches, and
_FALL = 16  # how far below the card it lies
_RADIUS = 14
_CORNER = _RADIUS + _SHADOW + _FALL  # from here on its edges are straight
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
        painter, card = QPainter(self), self.card.geometry()
        if min(card.width(), card.height()) > 2 * _CORNER:
            lay_shadow(painter, card, self.devicePixelRatioF())
        else:
            draw_shadow(painter, QRectF(card))


def draw_shadow(painter: QPainter, card: QRectF) -> None:
    """Draw the shadow of `card`, all of it."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(0, 0, 0, 2))
    for spread in range(_SHADOW, -_SHADOW // 3, -3):
        grown = card.adjusted(-spread, -spread + _FALL, spread, spread + _FALL)
        painter.drawRoundedRect(grown, _RADIUS + spread, _RADIUS + spread)


@cache
def _shadow(ratio: float) -> QPixmap:
    """Return the shadow of the smallest card that has straight edges between its corners."""
    card = QRectF(_SHADOW, _SHADOW, 2 * _CORNER + 1, 2 * _CORNER + 1)
    edge = round((card.width() + 2 * _SHADOW + _FALL) * ratio)
    made = QPixmap(edge, edge)
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    draw_shadow(painter, card)
    painter.end()
    return made


def lay_shadow(painter: QPainter, card: QRect, ratio: float) -> None:
    """Draw the shadow around `card` from pieces of the one that was drawn once, its edges stretched.

    What lies below the middle of the card is left out: nobody sees it.
    """
    shadow = _shadow(ratio)
    near, far = _SHADOW + _CORNER, _CORNER + _SHADOW + _FALL

    def along(begin: int, length: int) -> tuple[tuple[int, int, int, int], ...]:
        """Return where each piece of a side begins and how long it is: in what was drawn, and here."""
        end = begin + length - _CORNER
        return (
            (0, near, begin - _SHADOW, near),
            (near, 1, begin + _CORNER, length - 2 * _CORNER),
            (near + 1, far, end, far),
        )

    for top, height, y, tall in along(card.top(), card.height()):
        for left, width, x, wide in along(card.left(), card.width()):
            if width > 1 or height > 1:
                source = QRectF(left * ratio, top * ratio, width * ratio, height * ratio)
                painter.drawPixmap(QRectF(x, y, wide, tall), shadow, source)
