"""Line icons from assets/icons, tinted when they are drawn."""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.ui.assets import asset


def icon(name: str, color: str, size: int = 20) -> QIcon:
    """Return the icon `name` in `color` (#RRGGBB), sharp on every screen of this computer.

    Args:
        name: File name in assets/icons without its ending.
        color: Takes the place of `currentColor`.
        size: Edge in device-independent pixels.

    Raises:
        FileNotFoundError: There is no such icon.
    """
    ratios = frozenset(screen.devicePixelRatio() for screen in QGuiApplication.screens())
    return _drawn(name, color, size, ratios)


@cache
def _drawn(name: str, color: str, size: int, ratios: frozenset[float]) -> QIcon:
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color).encode()))
    made = QIcon()
    for ratio in sorted(ratios):
        edge = round(size * ratio)
        pixmap = QPixmap(edge, edge)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, edge, edge))
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        made.addPixmap(pixmap)
    return made


@cache
def _source(name: str) -> str:
    return asset(f"icons/{name}.svg").read_text(encoding="utf-8")
