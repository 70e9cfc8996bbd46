"""The part of the sidebar below the chats while something is looked for: the messages that have it."""

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QVBoxLayout, QWidget

from app.domain.language import _, plural
from app.ui.appearance import Appearance
from app.ui.controls import announce, label
from app.ui.search.desk import SearchDesk
from app.ui.search.filters import FilterChips
from app.ui.search.rows import HitDelegate, HitRole, Hits

_NEAR = 200  # pixels from the end at which older messages are asked for


class HitView(QListView):
    """The list of messages.

    Signals:
        chosen: The Hit to go to.
        left: The keyboard wants back to the field.
    """

    chosen = Signal(object)
    left = Signal()

    def __init__(self, appearance: Appearance, hits: Hits) -> None:
        super().__init__()
        self.setItemDelegate(HitDelegate(appearance, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(_("Messages"))
        self.setModel(hits)
        self.clicked.connect(self._choose)
        appearance.changed.connect(self.doItemsLayout)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to a message with Return, and back to the field from the first one with Up."""
        index = self.currentIndex()
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._choose(index)
        elif event.key() == Qt.Key.Key_Up and index.row() <= 0:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def enter(self) -> None:
        """Take the keyboard, at the message that was gone to last or at the first."""
        if not self.currentIndex().isValid():
            self.setCurrentIndex(self.model().index(0, 0))
        self.setFocus(Qt.FocusReason.TabFocusReason)

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(index.data(HitRole.HIT))


class SearchPanel(QWidget):
    """Filters, the messages, and a line that says what else is so.

    Attributes:
        view: The messages.
        chips: The filters.
    """

    def __init__(self, appearance: Appearance, desk: SearchDesk) -> None:
        super().__init__()
        self._desk = desk
        self._hits = Hits()
        self.view = HitView(appearance, self._hits)
        self.chips = FilterChips(appearance, desk)
        self._title = label(_("Messages"), measure="group")
        self._title.setContentsMargins(8, 10, 0, 4)
        self._note = label("", tone="soft", measure="small")
        self._note.setWordWrap(True)
        self._note.setContentsMargins(10, 6, 10, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        above = QVBoxLayout()
        above.setContentsMargins(0, 6, 10, 0)
        above.addWidget(self.chips)
        column.addLayout(above)
        column.addWidget(self._title)
        column.addWidget(self.view, 1)
        column.addWidget(self._note)
        column.addStretch(0)  # takes the height where there is no message
        desk.answered.connect(self._show_found)
        self.view.verticalScrollBar().valueChanged.connect(self._look_for_more)
        self._note.hide()

    @property
    def note(self) -> str:
        """Return what is said below the messages."""
        return self._note.text()

    def choose_first(self) -> None:
        """Go to the newest message that was found, if there is one."""
        self.view.setCurrentIndex(self._hits.index(0, 0))
        self.view._choose(self.view.currentIndex())

    def _show_found(self) -> None:
        found = self._desk.found
        before = self._hits.hits
        self._hits.show_hits(found.hits)
        if not before or not found.hits or before[0] != found.hits[0]:
            self.view.scrollToTop()
        notes = []
        if self._desk.active and not found.hits and not found.waiting:
            notes.append(_("No message has these words."))
        if found.waiting:
            words = plural(
                "{count} older message is not prepared for searching yet.",
                "{count} older messages are not prepared for searching yet.",
                found.waiting,
            )
            notes.append(words.format(count=found.waiting))
        self.view.setVisible(bool(found.hits))
        self._note.setText(" ".join(notes))
        self._note.setVisible(bool(notes))
        if notes and self.isVisible():
            announce(self, self._note.text())

    def _look_for_more(self, value: int) -> None:
        if value > self.view.verticalScrollBar().maximum() - _NEAR:
            self._desk.find_more()
