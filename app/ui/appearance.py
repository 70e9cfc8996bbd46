"""What the window wears right now: one palette, one size of text."""

from enum import StrEnum

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from app.ui.fonts import system_scale, text_font
from app.ui.icons import icon
from app.ui.stylesheet import stylesheet
from app.ui.theme import DARK, LIGHT, Palette, selection

SMALLEST_ZOOM, LARGEST_ZOOM = 0.7, 2.0
ZOOM_STEP = 1.1


class Scheme(StrEnum):
    """Which palette a person wants."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Appearance(QObject):
    """The palette and the size of text that are in use, for everything that paints itself.

    Follows the desktop between light and dark, unless a person wants one of them.

    Signals:
        changed: Another palette or another size; painted widgets update.
    """

    changed = Signal()

    def __init__(self, application: QApplication, parent: QObject) -> None:
        """Dress `application`, and dress it again whenever the desktop's scheme changes.

        That goes on as long as `parent` lives.
        """
        super().__init__(parent)
        self._application = application
        self._system_scale = system_scale()
        self._zoom = 1.0
        self._fonts: dict[tuple[float, QFont.Weight], QFont] = {}
        self._metrics: dict[tuple[float, QFont.Weight], QFontMetrics] = {}
        self.palette = LIGHT
        self.scheme = Scheme.SYSTEM
        hints = application.styleHints()
        hints.colorSchemeChanged.connect(self._follow)
        self.use(self._wanted(hints.colorScheme()))

    @property
    def scale(self) -> float:
        """Return the factor on every size of text: the desktop's own times the zoom."""
        return self._system_scale * self._zoom

    @property
    def zoom(self) -> float:
        """Return the zoom the person chose; 1 is none."""
        return self._zoom

    def set_zoom(self, zoom: float) -> None:
        """Make all text larger or smaller, within bounds that keep the window usable."""
        self._zoom = min(LARGEST_ZOOM, max(SMALLEST_ZOOM, zoom))
        self._apply()

    def set_scheme(self, scheme: Scheme) -> None:
        """Be light, dark, or as the desktop is, with the frame that the system draws around the window."""
        self.scheme = scheme
        hints = self._application.styleHints()
        hints.setColorScheme(
            {Scheme.LIGHT: Qt.ColorScheme.Light, Scheme.DARK: Qt.ColorScheme.Dark}.get(
                scheme, Qt.ColorScheme.Unknown
            )
        )
        self._follow(hints.colorScheme())

    def use(self, palette: Palette) -> None:
        """Wear `palette` until the desktop's scheme changes."""
        self.palette = palette
        self._apply()

    def font(self, pixels: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        """Return the text font at `pixels` of an unscaled window."""
        known = self._fonts.get((pixels, weight))
        if known is None:
            known = self._fonts[pixels, weight] = text_font(pixels * self.scale, weight)
        return QFont(known)

    def metrics(self, pixels: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFontMetrics:
        """Return how much room text takes in `font`."""
        known = self._metrics.get((pixels, weight))
        if known is None:
            known = self._metrics[pixels, weight] = QFontMetrics(self.font(pixels, weight))
        return known

    def icon(self, name: str, tint: str = "soft", size: int = 20) -> QIcon:
        """Return the icon `name` in the colour of the token `tint`."""
        return icon(name, getattr(self.palette, tint), size)

    def color(self, token: str) -> QColor:
        """Return the colour of a palette token."""
        return QColor(getattr(self.palette, token))

    def _follow(self, scheme: Qt.ColorScheme) -> None:
        palette = self._wanted(scheme)
        if palette is not self.palette:
            self.use(palette)

    def _wanted(self, scheme: Qt.ColorScheme) -> Palette:
        if self.scheme is not Scheme.SYSTEM:
            return DARK if self.scheme is Scheme.DARK else LIGHT
        return DARK if scheme == Qt.ColorScheme.Dark else LIGHT

    def _apply(self) -> None:
        self._fonts.clear()
        self._metrics.clear()
        self._application.setFont(self.font(14))
        self._application.setPalette(qt_palette(self.palette))
        self._application.setStyleSheet(stylesheet(self.palette, self.scale))
        self.changed.emit()


def qt_palette(palette: Palette) -> QPalette:
    """Return the roles of Qt's own palette, for what no style sheet reaches."""
    role = QPalette.ColorRole
    made = QPalette()
    for where, color in {
        role.Window: palette.paper,
        role.WindowText: palette.ink,
        role.Base: palette.card,
        role.AlternateBase: palette.side,
        role.Text: palette.ink,
        role.PlaceholderText: palette.soft,
        role.Button: palette.card,
        role.ButtonText: palette.ink,
        role.ToolTipBase: palette.card,
        role.ToolTipText: palette.ink,
        role.Highlight: selection(palette),
        role.HighlightedText: palette.ink,
        role.Link: palette.accent_ink,
        role.LinkVisited: palette.accent_ink,
        role.Accent: palette.accent,
    }.items():
        made.setColor(where, QColor(color))
    for where in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, where, QColor(palette.soft))
    return made
