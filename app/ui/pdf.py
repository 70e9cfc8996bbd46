"""HTML as a PDF, printed by Qt on any thread."""

import os
from errno import EIO
from pathlib import Path

from PySide6.QtCore import QLocale, QMarginsF, QThread, QUrl
from PySide6.QtGui import QFont, QGuiApplication, QPageSize, QPdfWriter, QTextDocument

from app.ui.fonts import load_fonts, text_families

_POINTS = 10


class _Sealed(QTextDocument):
    """A document that fetches nothing: neither pictures nor style sheets."""

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Return nothing, at once."""
        return b""


def prepare() -> QGuiApplication | None:
    """Make what printing needs where there is no window, on the main thread; to be held until it is done."""
    if QGuiApplication.instance() is not None:
        return None
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    made = QGuiApplication(["fireside"])
    load_fonts()
    return made


class _Printer(QThread):
    """A thread as Qt starts them: laying out a text sets timers, and wants somebody who could run them."""

    def __init__(self, html: str, title: str, path: Path) -> None:
        super().__init__()
        self._html, self._title, self._path = html, title, path

    def run(self) -> None:
        """Lay the text out and print it."""
        document = _Sealed()
        font = QFont()
        font.setFamilies(list(text_families()))
        font.setPointSizeF(_POINTS)
        document.setDefaultFont(font)
        document.setHtml(self._html)
        writer = QPdfWriter(str(self._path))
        writer.setTitle(self._title)
        writer.setCreator("Fireside")
        letter = QLocale.system().measurementSystem() is QLocale.MeasurementSystem.ImperialUSSystem
        writer.setPageSize(QPageSize(QPageSize.PageSizeId.Letter if letter else QPageSize.PageSizeId.A4))
        writer.setPageMargins(
            QMarginsF(0, 0, 0, 0)
        )  # the document adds 2 cm of its own, and the page numbers
        document.print_(writer)


def print_pdf(html: str, title: str, path: Path) -> None:
    """Write pages with numbers, of the size that is usual in this country; waits until it is done.

    Raises:
        OSError: When the file cannot be written.
    """
    printer = _Printer(html, title, path)
    printer.start()
    printer.wait()
    if not path.stat().st_size:
        raise OSError(EIO, os.strerror(EIO))
