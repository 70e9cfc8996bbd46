"""The description of a model, written by its maker: Markdown that loads nothing."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.fonts import code_families
from app.ui.hub.words import readable
from app.ui.transcript.body import Body
from app.ui.transcript.highlight import Highlighter, language_name
from app.ui.transcript.stream import parser
from app.ui.transcript.style import Style


def prepared(card: str) -> str:
    """Return what is to be shown of a description; for any thread, best another one than the window's.

    It also brings in what takes long the first time.
    """
    parser()
    language_name("python")
    return readable(card)


class CardText(QWidget):
    """Text as in an answer, as high as it is long; written a few milliseconds at a time.

    Signals:
        link_activated: An address that was clicked.
    """

    link_activated = Signal(str)

    def __init__(self, appearance: Appearance, highlighter: Highlighter) -> None:
        super().__init__()
        self._appearance = appearance
        self.body = Body(self._style(), highlighter, self)
        self.body.setAccessibleName(_("Description of the model"))
        self.body.link_activated.connect(self.link_activated)
        self._written = True
        self._due = False  # to be laid out
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._step)
        appearance.changed.connect(self._restyle)

    @property
    def complete(self) -> bool:
        """Return whether all of it is written."""
        return not self._turn.isActive()

    def show_card(self, card: str) -> None:
        """Begin to write a description that `prepared` has returned."""
        self.body.show_markdown(card)
        self._written = False
        self._turn.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Have the height that the text takes."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _step(self) -> None:
        """Write a part in one turn, and lay it out in the next."""
        if self._due:
            self._due = False
            self._fit()
            if self._written:
                self._turn.stop()
        else:
            self._written = self.body.step()
            self._due = True

    def _fit(self) -> None:
        height = self.body.lay_out(max(self.width(), 100))
        self.body.resize(self.width(), height)
        self.setFixedHeight(height)

    def _restyle(self) -> None:
        self.body.restyle(self._style())
        self._turn.start()

    def _style(self) -> Style:
        return Style(self._appearance.palette, self._appearance.scale * 0.9, code_families()[0])
