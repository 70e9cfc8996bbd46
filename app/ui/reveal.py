"""Showing a file where it lies, in the system's own window for files."""

import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QUrl
from PySide6.QtGui import QDesktopServices

_SERVICE, _OBJECT = "org.freedesktop.FileManager1", "/org/freedesktop/FileManager1"
_PATIENCE_MS = 3000
_COMMANDS = {"darwin": ("open", "-R"), "win32": ("explorer.exe", "/select,")}


def reveal(path: Path, parent: QObject, failed: Callable[[], None]) -> None:
    """Open the folder of `path`, with the file selected where the system can do that.

    Args:
        path: A file; where it is gone, its folder is opened all the same.
        parent: As long as it lives, an answer is waited for.
        failed: Called when the folder could not be opened either.
    """

    def open_folder() -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))):
            failed()

    command = _COMMANDS.get(sys.platform)
    if command is None:
        _ask_file_manager(path, parent, open_folder)
    elif not QProcess.startDetached(command[0], [command[1], str(path)])[0]:
        open_folder()


def _ask_file_manager(path: Path, parent: QObject, otherwise: Callable[[], None]) -> None:
    """Ask what manages files here: freedesktop.org/wiki/Specifications/file-manager-interface."""
    from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        otherwise()
        return
    call = QDBusMessage.createMethodCall(_SERVICE, _OBJECT, _SERVICE, "ShowItems")
    address = QUrl.fromLocalFile(str(path)).toString(QUrl.ComponentFormattingOption.FullyEncoded)
    call.setArguments([[address], ""])
    watcher = QDBusPendingCallWatcher(bus.asyncCall(call, _PATIENCE_MS), parent)

    def answered(done: QDBusPendingCallWatcher) -> None:
        done.deleteLater()
        if done.isError():
            otherwise()

    watcher.finished.connect(answered)
