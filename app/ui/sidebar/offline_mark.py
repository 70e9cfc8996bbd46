"""The mark at the foot of the sidebar: whether anything was asked over the network, and what last."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton

from app.domain.contact_words import outcome_words, purpose_name, purpose_words
from app.domain.language import _
from app.services.contacts import Contact
from app.ui.appearance import Appearance
from app.ui.downloads.bar import Line
from app.ui.quantities import time_text


class OfflineMark(QPushButton):
    """A lock and a few words; a press opens the list of connections."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self.setProperty("kind", "mark")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._lock, self._words = QLabel(), Line(appearance)
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 6, 3)
        row.setSpacing(6)
        row.addWidget(self._lock)
        row.addWidget(self._words, 1)
        for child in (self._lock, self._words):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        appearance.changed.connect(self._dress)
        self._dress()
        self.show_last(None)

    @property
    def words(self) -> str:
        """Return what it says."""
        return self._words.text

    def sizeHint(self) -> QSize:
        """Return the room that the words take."""
        return self._row.sizeHint()

    def show_last(self, contact: Contact | None) -> None:
        """Say what was asked last in this run; None for nothing."""
        if contact is None:
            self._words.show_facts((_("Offline"),))
            meaning = _("Fireside has made no connection since it was started.")
        else:
            time = time_text(contact.began.astimezone())
            self._words.show_facts((purpose_name(contact.purpose),), time if contact.outcome else _("now"))
            ended = outcome_words(contact.outcome)
            facts = [contact.host, time, ended] if ended else [contact.host, time]
            meaning = f"{purpose_words(contact.purpose)}: {', '.join(facts)}"
        self.setToolTip(meaning)
        self.setAccessibleName(_("Network: {words}").format(words=self.words))
        self.setAccessibleDescription(meaning)

    def _dress(self) -> None:
        self._lock.setPixmap(self._appearance.icon("lock").pixmap(QSize(18, 18)))
