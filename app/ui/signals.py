"""Ctrl+C in the terminal that started the window, and the system's request to end."""

import signal
import socket
import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier

_TAKEN = ("SIGINT", "SIGTERM", "SIGHUP")


def close_on_signals(close: Callable[[], object], parent: QObject) -> None:
    """Call `close` on the GUI thread when the system asks this process to end.

    Python writes a byte to a socket for each signal, and Qt calls when it has no other work. A handler
    of Python's would run between any two instructions, also where a lock is held.
    """
    if sys.platform == "win32":
        return
    waiting, writing = socket.socketpair()
    waiting.setblocking(False)
    writing.setblocking(False)
    notifier = QSocketNotifier(waiting.fileno(), QSocketNotifier.Type.Read, parent)

    def wake() -> None:
        waiting.recv(64)
        close()

    def let_go() -> None:
        signal.set_wakeup_fd(-1)
        waiting.close()
        writing.close()

    notifier.activated.connect(wake)
    notifier.destroyed.connect(let_go)  # and with that, the sockets live as long as the notifier
    signal.set_wakeup_fd(writing.fileno())
    for name in _TAKEN:
        signal.signal(getattr(signal, name), lambda number, frame: None)
