"""Takes what is dropped on the window: a GGUF file, or files of chats."""

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QWidget

from app.domain.language import _

_CHATS = (".zip", ".json", ".jsonl")


class FileDrop(QLabel):
    """Says what would become of what is held, wherever in the window that is.

    Signals:
        dropped: The Path of a model.
        chats_dropped: The Paths of what may hold chats: files, archives and folders.
    """

    dropped = Signal(Path)
    chats_dropped = Signal(list)

    def __init__(self, window: QMainWindow, over: QWidget) -> None:
        """Watch `window`; what is said lies over `over`."""
        super().__init__(over)
        self.setObjectName("dropTarget")
        self.setProperty("measure", "reading")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hide()
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See what is dragged over the window, and leave all else to it."""
        match event.type():
            case QEvent.Type.DragEnter if isinstance(event, QDragEnterEvent):
                if words := _words(event.mimeData()):
                    event.acceptProposedAction()
                    self._cover(words)
                return True
            case QEvent.Type.DragLeave if isinstance(event, QDragLeaveEvent):
                self.hide()
                return True
            case QEvent.Type.Drop if isinstance(event, QDropEvent):
                self.hide()
                if path := gguf_in(event.mimeData()):
                    event.acceptProposedAction()
                    self.dropped.emit(path)
                elif paths := chats_in(event.mimeData()):
                    event.acceptProposedAction()
                    self.chats_dropped.emit(paths)
                return True
        return super().eventFilter(watched, event)

    def _cover(self, words: str) -> None:
        self.setText(words)
        over = self.parentWidget()
        if over is not None:
            self.setGeometry(over.rect().adjusted(12, 12, -12, -12))
        self.show()
        self.raise_()


def gguf_in(mime: QMimeData) -> Path | None:
    """Return the first GGUF file among what is dragged."""
    paths = (Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile())
    return next((path for path in paths if path.suffix.lower() == ".gguf"), None)


def chats_in(mime: QMimeData) -> list[Path]:
    """Return what may hold chats among what is dragged: files of the right kinds, and folders."""
    paths = [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() in _CHATS or path.is_dir()]


def _words(mime: QMimeData) -> str:
    """Return what dropping it does; empty when nothing comes of it."""
    if gguf_in(mime):
        return _("Drop the file to use this model")
    return _("Drop the files to see which chats are in them") if chats_in(mime) else ""
