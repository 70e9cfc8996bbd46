"""Takes a GGUF file that is dropped on the window."""

from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QWidget

from app.domain.language import _


class FileDrop(QLabel):
    """Says that the file may be dropped, wherever in the window it is held.

    Signals:
        dropped: The Path of the file.
    """

    dropped = Signal(Path)

    def __init__(self, window: QMainWindow, over: QWidget) -> None:
        """Watch `window`; what is said lies over `over`."""
        super().__init__(_("Drop the file to use this model"), over)
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
                if gguf_in(event.mimeData()):
                    event.acceptProposedAction()
                    self._cover()
                return True
            case QEvent.Type.DragLeave if isinstance(event, QDragLeaveEvent):
                self.hide()
                return True
            case QEvent.Type.Drop if isinstance(event, QDropEvent):
                self.hide()
                if path := gguf_in(event.mimeData()):
                    event.acceptProposedAction()
                    self.dropped.emit(path)
                return True
        return super().eventFilter(watched, event)

    def _cover(self) -> None:
        over = self.parentWidget()
        if over is not None:
            self.setGeometry(over.rect().adjusted(12, 12, -12, -12))
        self.show()
        self.raise_()


def gguf_in(mime: QMimeData) -> Path | None:
    """Return the first GGUF file among what is dragged."""
    paths = (Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile())
    return next((path for path in paths if path.suffix.lower() == ".gguf"), None)
