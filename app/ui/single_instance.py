"""A second start brings the first window to the front, through a local socket, with the file it was to open.

Who is first is decided by the lock on the data folder, not here: an answer on the socket alone
would let any other user who makes one keep Fireside from starting.
"""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_WAIT_MS = 1000
_HANDOVER_SECONDS = 15.0  # a long conversation is kept on the disk on the way out
_POLL_SECONDS = 0.05
_HEARING_MS = 200


def instance_name(data: Path) -> str:
    """Return the name of the socket for one data folder."""
    return "fireside-" + hashlib.sha256(str(data).encode()).hexdigest()[:16]


def raise_first(name: str, opened: Path | None = None) -> bool:
    """Ask the window that listens on `name` to come to the front, open a file; False if none answers."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    answered = socket.waitForConnected(_WAIT_MS)
    if answered and opened is not None:
        socket.write(os.fsencode(opened))
        socket.waitForBytesWritten(_WAIT_MS)
        socket.disconnectFromServer()
    socket.abort()
    return answered


def is_first(name: str, acquire: Callable[[], bool], opened: Path | None = None) -> bool:
    """Return whether this start opens the window; else the one that is open has been brought to the front.

    A window that is just closing, or just opening, does not answer: this waits for it.

    Args:
        name: Of the socket.
        acquire: Takes the lock on the data folder; False when another process holds it.
        opened: What the first window is to open.
    """
    until = time.monotonic() + _HANDOVER_SECONDS
    while not acquire():
        if raise_first(name, opened) or time.monotonic() > until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def listen(
    name: str, on_raise: Callable[[], None], parent: QObject, on_open: Callable[[Path], None] | None = None
) -> bool:
    """Call `on_raise` for every later start, as long as `parent` lives and the application runs.

    `on_open` is given the file that such a start was to open.

    Only this user can connect. The caller holds the lock on the data folder: a socket left by a crash
    is taken over. Returns False where no socket can be made; a second start then ends without a sign.
    """
    server = QLocalServer(parent)
    server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)

    def answer() -> None:
        while (socket := server.nextPendingConnection()) is not None:
            if socket.state() != QLocalSocket.LocalSocketState.UnconnectedState:
                socket.waitForDisconnected(_HEARING_MS)  # the other says at once what it has to say, and goes
            path = os.fsdecode(bytes(socket.readAll().data()))
            socket.close()
            socket.deleteLater()
            on_raise()
            if path and on_open is not None:
                on_open(Path(path))

    server.newConnection.connect(answer)
    if (application := QCoreApplication.instance()) is not None:
        application.aboutToQuit.connect(server.close)
    QLocalServer.removeServer(name)
    return server.listen(name)
