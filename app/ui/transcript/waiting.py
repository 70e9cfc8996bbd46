"""The ember that glows while an answer has not begun, and what the engine is doing meanwhile."""

import math
import time

from PySide6.QtCore import QPointF, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from app.ui.motion import duration
from app.ui.transcript.style import Style

HEIGHT = 26
_BREATH = 1.4  # seconds
_FRAME_MS = 40


class Waiting(QWidget):
    """A pulsing dot with a word of explanation; still where the system asks for less motion."""

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._text = ""
        self._began = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(lambda: self.update(self._dot()))
        self.setFont(style.font(14))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        self._style = style
        self.setFont(style.font(14))
        self.update()

    def say(self, text: str) -> None:
        """Show what is going on, or only the dot when `text` is empty."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

    @property
    def text(self) -> str:
        """Return what is said."""
        return self._text

    def _dot(self) -> QRect:
        return QRect(0, 0, self._style.px(16), self.height())

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to glow."""
        if duration():
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop."""
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dot at this moment of its breath, and the text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        px, palette = self._style.px, self._style.palette
        glow = 1.0
        if self._timer.isActive():
            phase = (time.monotonic() - self._began) / _BREATH * 2 * math.pi
            glow = 0.675 - 0.325 * math.cos(phase)
        color = QColor(palette.accent)
        color.setAlphaF(glow)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(
            QPointF(px(5), self.height() / 2), 4.5 * self._style.scale, 4.5 * self._style.scale
        )
        painter.setPen(QColor(palette.soft))
        room = self.rect().adjusted(px(20), 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._text)
