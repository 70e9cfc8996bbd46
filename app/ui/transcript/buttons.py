"""Quiet buttons: a line icon, a word, no frame until the mouse or the keyboard is on them."""

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QFocusEvent, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.ui.icons import icon
from app.ui.transcript.style import SMALL, Style

BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
_ICON = 18
_CONFIRMED_MS = 1600


def paint_focus(painter: QPainter, rect: QRectF, style: Style, radius: float) -> None:
    """Draw the ring around what the keyboard is on."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(style.palette.accent), 1.5))
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), radius, radius)


class RingedButton(QAbstractButton):
    """A button that has a ring while the keyboard is on it, but not after a click."""

    _ring = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring only for the keyboard."""
        self._ring = event.reason() in BY_KEYBOARD
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the ring away."""
        self._ring = False
        super().focusOutEvent(event)


class QuietButton(RingedButton):
    """An icon, a word, or both.

    Args:
        name: What it does: its tooltip where no word is shown, and its name for a screen reader.
        picture: Icon, or empty.
        word: Shown beside the icon, or empty.
        width: Of an icon alone, in pixels of the drawing.
        framed: With a hairline around it, for the one thing to do next.
    """

    def __init__(
        self,
        style: Style,
        name: str,
        picture: str = "",
        word: str = "",
        *,
        width: int = 28,
        framed: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._style = style
        self._picture = picture
        self._word = word
        self._width = width
        self._framed = framed
        self._confirmation = ""
        self._lit = False
        self.setAccessibleName(name)
        if not word:
            self.setToolTip(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFont(style.font(SMALL[0]))

    def rename(self, word: str) -> None:
        """Show another word, which is its name too."""
        self._word = word
        self.setAccessibleName(word)
        self.resize(self.sizeHint())
        self.update()

    def light(self, lit: bool, name: str) -> None:
        """Show that what it does has been done, or not, and call it `name`."""
        self._lit = lit
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.update()

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        self._style = style
        self.setFont(style.font(SMALL[0]))
        self.resize(self.sizeHint())
        self.update()

    def confirm(self, word: str = "") -> None:
        """Show a tick, and `word` beside it where a word is shown, for a moment."""
        self._confirmation = word or self.accessibleName()
        QTimer.singleShot(_CONFIRMED_MS, self, self._forget_confirmation)
        self.update()

    def _forget_confirmation(self) -> None:
        self._confirmation = ""
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size for the longer of its two words."""
        px = self._style.px
        if not self._word:
            return QSize(px(self._width), px(28))
        words = QFontMetrics(self.font()).horizontalAdvance(self._word)
        words = max(words, QFontMetrics(self.font()).horizontalAdvance(self._confirmation))
        return QSize(words + 2 * self._inset() + (px(_ICON + 6) if self._picture else 0), px(26))

    def _radius(self) -> int:
        return self._style.px(8 if self._framed else 6)

    def _inset(self) -> int:
        return self._style.px(12 if self._framed else 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground under the mouse, the icon and the word."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        px, palette = self._style.px, self._style.palette
        live = self.isEnabled() and (self.underMouse() or self.isDown())
        if live:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(palette.line if self.isDown() else palette.hover))
            painter.drawRoundedRect(QRectF(self.rect()), self._radius(), self._radius())
        color = palette.ink if live or self._framed else palette.soft
        color = palette.accent_ink if self._lit else color
        if self._framed:
            painter.setPen(QPen(QColor(palette.line), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), px(8), px(8))
        if not self.isEnabled():
            painter.setOpacity(0.4)
        picture = "check" if self._confirmation else self._picture
        left = self._inset() if self._word else (self.width() - px(_ICON)) // 2
        if picture:
            edge = px(_ICON)
            icon(picture, color, edge).paint(painter, left, (self.height() - edge) // 2, edge, edge)
            left += edge + px(6)
        if self._word:
            painter.setPen(QColor(color))
            rest = self.rect().adjusted(left, 0, 0, 0)
            word = self._confirmation or self._word
            painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, word)
        if self._ring and self.hasFocus():
            paint_focus(painter, QRectF(self.rect()), self._style, px(6))
