"""Small controls that every part of the window shares."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QToolButton, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance


class IconButton(QToolButton):
    """A line icon that can be pressed, with a name for those who cannot see it."""

    def __init__(
        self, appearance: Appearance, icon: str, name: str, parent: QWidget | None = None, tint: str = "soft"
    ) -> None:
        super().__init__(parent)
        self._appearance, self._icon, self._tint = appearance, icon, tint
        self.setProperty("kind", "icon")
        self.set_name(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(18, 18))
        appearance.changed.connect(self._dress)
        self._dress()

    def set_name(self, name: str) -> None:
        """Say what a press does."""
        self.setToolTip(name)
        self.setAccessibleName(name)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._dress()

    def _dress(self) -> None:
        self.setIcon(self._appearance.icon(self._icon, self._tint))


class SendButton(QAbstractButton):
    """An ember circle: an arrow that sends, a square that stops."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._stop = False
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        appearance.changed.connect(self.update)
        self.set_stop(False)

    @property
    def stops(self) -> bool:
        """Return whether a press stops the answer."""
        return self._stop

    def set_stop(self, stop: bool) -> None:
        """Show the square that stops, or the arrow that sends."""
        self._stop = stop
        name = _("Stop the answer") if stop else _("Send")
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.update()

    def sizeHint(self) -> QSize:
        """Return the circle and room for the focus ring."""
        return QSize(38, 38)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the circle, its icon, and the ring when the keyboard is here."""
        look = self._appearance
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.color("accent_ink" if self.isDown() or self.underMouse() else "accent"))
        painter.drawEllipse(3, 3, 32, 32)
        look.icon("stop" if self._stop else "arrow-up", "on_accent").paint(painter, 9, 9, 20, 20)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(look.color("accent"), 2))
            painter.drawEllipse(1, 1, 36, 36)


class SearchField(QLineEdit):
    """A field with a magnifying glass in it."""

    def __init__(self, appearance: Appearance, hint: str, name: str) -> None:
        super().__init__()
        self._appearance = appearance
        self.setObjectName("search")
        self.setPlaceholderText(hint)
        self.setAccessibleName(name)
        self.setTextMargins(26, 0, 0, 0)
        self.setAcceptDrops(False)  # a file that is dropped here is meant for the window
        appearance.changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(max(34, self._appearance.metrics(14).height() + 14))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field, then the glass."""
        super().paintEvent(event)
        glass = self._appearance.icon("search", "soft", 18)
        glass.paint(QPainter(self), 10, (self.height() - 18) // 2, 18, 18)


def label(text: str, **properties: str) -> QLabel:
    """Return a label that the style sheet finds by `properties`: tone, measure."""
    made = QLabel(text)
    for name, value in properties.items():
        made.setProperty(name, value)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader say `text`, wherever the keyboard is."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
