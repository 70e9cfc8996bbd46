"""Menus with the window's corners."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget


def menu(parent: QWidget) -> QMenu:
    """Return an empty menu that deletes itself after use."""
    made = QMenu(parent)
    made.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)  # lets the rounded corners be clear
    made.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    made.setWindowFlag(Qt.WindowType.NoDropShadowWindowHint)
    made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return made
