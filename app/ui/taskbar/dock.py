"""macOS: the Dock shows the application's icon, and Qt sets that; so a bar is drawn on it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QWidget

from app.ui.assets import asset
from app.ui.taskbar.progress import Show
from app.ui.theme import LIGHT

_SIDE = 256


def show_on(window: QWidget) -> Show:
    """Return what shows progress in the Dock."""
    plain = QIcon(str(asset("fireside.svg"))).pixmap(_SIDE, _SIDE)

    def show(part: float | None) -> None:
        # Without an icon of its own the application has the bundle's again.
        QGuiApplication.setWindowIcon(QIcon() if part is None else QIcon(with_bar(plain, part)))

    return show


def with_bar(plain: QPixmap, part: float) -> QPixmap:
    """Return a copy of an icon with a bar near its foot, filled by `part`."""
    made = QPixmap(plain)
    side = made.width() / made.devicePixelRatio()
    bar = QRectF(0.1 * side, 0.76 * side, 0.8 * side, 0.12 * side)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for area, color in ((bar, LIGHT.paper), (_filled(bar, side, part), LIGHT.accent)):
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
    painter.end()
    return made


def _filled(bar: QRectF, side: float, part: float) -> QRectF:
    inner = bar.adjusted(0.02 * side, 0.02 * side, -0.02 * side, -0.02 * side)
    inner.setWidth(max(inner.height(), inner.width() * part))
    return inner
