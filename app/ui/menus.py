"""Menus with the window's corners."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu


def rounded(menu: QMenu) -> QMenu:
    """Return `menu`, its corners clear so that the style sheet can round them."""
    menu.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    menu.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    menu.setWindowFlag(Qt.WindowType.NoDropShadowWindowHint)
    return menu
