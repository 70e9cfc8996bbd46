"""What floats over the transcript: the fade at its foot, the way to new text below, and the focus ring."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.domain.language import _
from app.ui.transcript.buttons import QuietButton, paint_focus
from app.ui.transcript.style import Style

FADE = 28


class Fade(QWidget):
    """The paper, thickening downwards, so that text sinks behind what is below."""

    def __init__(self, style: Style, parent: QWidget) -> None:
        super().__init__(parent)
        self._paper = style.palette.paper
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def restyle(self, style: Style) -> None:
        """Fade into another paper."""
        self._paper = style.palette.paper
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the fade."""
        clear, solid = QColor(self._paper), QColor(self._paper)
        clear.setAlpha(0)
        gradient = QLinearGradient(0, 0, 0, self.height())
        gradient.setColorAt(0, clear)
        gradient.setColorAt(1, solid)
        QPainter(self).fillRect(self.rect(), gradient)


class NewText(QuietButton):
    """A pill that says there is new text below, and goes there."""

    def __init__(self, style: Style, parent: QWidget) -> None:
        super().__init__(
            style, _("Go to the new text"), "arrow-down", _("New text"), framed=True, parent=parent
        )
        self.resize(self.sizeHint())
        self.hide()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a ground of its own: it lies over text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._style.palette.line), 1))
        painter.setBrush(QColor(self._style.palette.card))
        radius = self.height() / 2
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.end()
        super().paintEvent(event)


class Ring(QWidget):
    """The ring around the whole transcript while the keyboard scrolls it."""

    def __init__(self, style: Style, parent: QWidget) -> None:
        super().__init__(parent)
        self._style = style
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def restyle(self, style: Style) -> None:
        """Draw in another style."""
        self._style = style
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ring."""
        paint_focus(QPainter(self), QRectF(self.rect()).adjusted(3, 1, -3, -1), self._style, 8)


class Overlays:
    """Everything that floats over the rows.

    Attributes:
        chip: The way to new text below.
    """

    def __init__(self, style: Style, viewport: QWidget) -> None:
        self._fade, self._ring = Fade(style, viewport), Ring(style, viewport)
        self.chip = NewText(style, viewport)

    def arrange(self, area: QRect) -> None:
        """Take their places in `area`."""
        self._ring.setGeometry(area)
        self._fade.setGeometry(0, area.height() - FADE, area.width(), FADE)
        self.chip.move((area.width() - self.chip.width()) // 2, area.height() - self.chip.height() - 14)

    def restyle(self, style: Style) -> None:
        """Draw in another style."""
        for overlay in (self._fade, self._ring, self.chip):
            overlay.restyle(style)

    def lift(self) -> None:
        """Lie over rows that are new."""
        for overlay in (self._fade, self._ring, self.chip):
            overlay.raise_()

    def show_ring(self, shown: bool) -> None:
        """Show that the keyboard scrolls the transcript, or no longer."""
        self._ring.setVisible(shown)
