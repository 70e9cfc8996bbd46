"""What marks an incognito chat."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.controls import label


class IncognitoBar(QWidget):
    """A mask, what is so of this chat, and the way out of it.

    Signals:
        keep_requested: The chat shall be kept after all.
    """

    keep_requested = Signal()

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._mask = QLabel()
        self._words = label(_("Incognito: nothing of this chat is kept."), measure="small")
        self._keep = QPushButton(_("Keep this chat"))
        self._keep.setProperty("kind", "link")
        self._keep.setProperty("measure", "small")
        self._keep.clicked.connect(self.keep_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(24, 0, 24, 8)
        row.setSpacing(8)
        row.addStrut(26)  # as high without the button as with it
        row.addStretch(1)
        for widget in (self._mask, self._words, self._keep):
            row.addWidget(widget)
        row.addStretch(1)
        appearance.changed.connect(self._dress)
        self._dress()
        self.hide()

    def offer_keeping(self, offered: bool) -> None:
        """Offer to keep the chat, once there is something in it."""
        self._keep.setVisible(offered)

    def _dress(self) -> None:
        self._mask.setPixmap(self._appearance.icon("mask", "ink").pixmap(QSize(18, 18)))
