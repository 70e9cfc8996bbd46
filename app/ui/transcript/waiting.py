"""The ember that glows while an answer has not begun, and what the engine is doing meanwhile."""

import math
import time

from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from app.ui.motion import duration
from app.ui.transcript.style import Style

HEIGHT = 26
_BREATH = 1.4  # seconds
_FRAME_MS = 40


class Ember(QWidget):
    """A pulsing dot at the left of its parent; still where the system asks for less motion."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._scale = 1.0
        self._color = QColor()
        self._began = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self.update)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def glow(self, glowing: bool, style: Style) -> None:
        """Show the dot, or hide it."""
        self._scale, self._color = style.scale, QColor(style.palette.accent)
        parent = self.parentWidget()
        self.setGeometry(0, 0, style.px(16), parent.height() if parent is not None else 0)
        self.setVisible(glowing)
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to glow."""
        if duration():
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop."""
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dot at this moment of its breath."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(self._color)
        if self._timer.isActive():
            phase = (time.monotonic() - self._began) / _BREATH * 2 * math.pi
            color.setAlphaF(0.675 - 0.325 * math.cos(phase))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        centre = QPointF(round(5 * self._scale), self.height() / 2)
        painter.drawEllipse(centre, 4.5 * self._scale, 4.5 * self._scale)


class Waiting(QWidget):
    """An ember with a word of explanation."""

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._ember = Ember(self)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.restyle(style)

    def restyle(self, style: Style) -> None:
        """Draw with another style from now on."""
        self._style = style
        self.setFont(style.font(14))
        self._ember.glow(True, style)
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

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the dot in the middle of the line."""
        self._ember.glow(True, self._style)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text."""
        painter = QPainter(self)
        painter.setPen(QColor(self._style.palette.soft))
        room = self.rect().adjusted(self._style.px(20), 0, 0, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._text)
