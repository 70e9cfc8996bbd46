"""Linux: the message that launchers and task managers listen to, on the session's D-Bus.

The interface is Unity's, which KDE Plasma, Dash to Dock and others have taken on:
https://wiki.ubuntu.com/Unity/LauncherAPI. Where nobody listens, nothing happens.
"""

import os

from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.ui.taskbar.progress import Show

_INTERFACE = "com.canonical.Unity.LauncherEntry"


def show_on(window: QWidget) -> Show:
    """Return what shows progress in the launcher."""

    def show(part: float | None) -> None:
        # Without an address D-Bus would start a bus of its own.
        if "DBUS_SESSION_BUS_ADDRESS" in os.environ and (bus := QDBusConnection.sessionBus()).isConnected():
            bus.send(message(part))

    return show


def message(part: float | None) -> QDBusMessage:
    """Return the message that shows a part of the whole, or no progress."""
    name = QGuiApplication.desktopFileName()
    made = QDBusMessage.createSignal(
        f"/com/canonical/unity/launcherentry/{os.getpid()}", _INTERFACE, "Update"
    )
    made.setArguments(
        [f"application://{name}.desktop", {"progress": part or 0.0, "progress-visible": part is not None}]
    )
    return made
