"""What the window must know before it is first drawn: its place, its looks, what stands at its sides.

A small file of its own and not the database, which takes longer to open than a window to appear.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from app.ui.appearance import Scheme


class WindowMemory:
    """Values read at the start, and written when the window closes or a person changes them."""

    def __init__(self, path: Path) -> None:
        self._settings = QSettings(str(path), QSettings.Format.IniFormat)

    @property
    def geometry(self) -> QByteArray:
        """Return what QWidget.saveGeometry wrote; empty the first time."""
        value = self._settings.value("geometry")
        return value if isinstance(value, QByteArray) else QByteArray()

    @property
    def zoom(self) -> float:
        """Return the zoom of all text; 1 is none."""
        try:
            return float(str(self._settings.value("zoom", 1.0)))
        except ValueError:
            return 1.0

    @property
    def scheme(self) -> Scheme:
        """Return whether it is light, dark, or as the desktop."""
        with suppress(ValueError):
            return Scheme(str(self._settings.value("scheme", "")))
        return Scheme.SYSTEM

    @property
    def language(self) -> str:
        """Return the language that was chosen, as of a locale; empty for the desktop's."""
        return str(self._settings.value("language", ""))

    @property
    def sidebar(self) -> bool:
        """Return whether the sidebar is shown."""
        return str(self._settings.value("sidebar", "true")).lower() == "true"

    @property
    def inspector(self) -> bool:
        """Return whether the inspector is shown."""
        return str(self._settings.value("inspector", "false")).lower() == "true"

    @property
    def order(self) -> str:
        """Return by what the chats in the sidebar are sorted; empty the first time."""
        return str(self._settings.value("order", ""))

    @property
    def drawers(self) -> list[str]:
        """Return which folders of the sidebar are open."""
        return [key for key in str(self._settings.value("drawers", "")).split(" ") if key]

    def keep_chats(self, order: str, drawers: Iterable[str]) -> None:
        """Keep how the sidebar lists the chats."""
        self._settings.setValue("order", order)
        self._settings.setValue("drawers", " ".join(sorted(drawers)))

    def keep_zoom(self, zoom: float) -> None:
        """Keep the zoom of all text."""
        self._settings.setValue("zoom", zoom)

    def keep_scheme(self, scheme: Scheme) -> None:
        """Keep whether it is light, dark, or as the desktop."""
        self._settings.setValue("scheme", scheme.value)

    def keep_language(self, language: str) -> None:
        """Keep the language for the next start."""
        self._settings.setValue("language", language)

    def save(self, geometry: QByteArray, zoom: float, *, sidebar: bool, inspector: bool) -> None:
        """Keep these for the next start."""
        values = {"geometry": geometry, "zoom": zoom, "sidebar": sidebar, "inspector": inspector}
        for name, value in values.items():
            self._settings.setValue(name, value)
        self._settings.sync()
