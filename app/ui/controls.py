"""Small controls that every part of the window shares."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QToolButton, QWidget

from app.ui.appearance import Appearance


class IconButton(QToolButton):
    """A line icon that can be pressed, with a name for those who cannot see it."""

    def __init__(
        self, appearance: Appearance, icon: str, name: str, parent: QWidget | None = None, tint: str = "soft"
    ) -> None:
        super().__init__(parent)
        self._appearance, self._icon, self._tint = appearance, icon, tint
        self.setProperty("kind", "icon")
        self.setToolTip(name)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(18, 18))
        appearance.changed.connect(self._dress)
        self._dress()

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self._dress()

    def _dress(self) -> None:
        self.setIcon(self._appearance.icon(self._icon, self._tint))


def label(text: str, **properties: str) -> QLabel:
    """Return a label that the style sheet finds by `properties`: tone, size, weight."""
    made = QLabel(text)
    for name, value in properties.items():
        made.setProperty(name, value)
    made.setTextFormat(Qt.TextFormat.PlainText)
    return made
