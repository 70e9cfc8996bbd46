"""What was deleted: brought back, or erased for good."""

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QListView, QMessageBox, QPushButton, QWidget

from app.domain.language import _, plural
from app.domain.trash import DAYS, Erased, Trash
from app.domain.trash_words import erase_question
from app.services.trash import TrashCan
from app.ui.appearance import Appearance
from app.ui.inspector.fields import small
from app.ui.notices import Notices
from app.ui.post import Poster
from app.ui.sheet import Sheet
from app.ui.trash_rows import Entry, EntryDelegate, EntryRows, entries, trash_of

_SOON_MS = 1000


class TrashSheet(Sheet):
    """The list, with what can be done with the rows that are chosen.

    Attributes:
        rows: What is listed.
        list: Shows them.
        back, erase, erase_all: The buttons.
        backups: The names of those that may hold what is listed.

    Signals:
        back_requested: The Entries to bring back.
        erase_requested: The Entries to erase.
    """

    back_requested = Signal(list)
    erase_requested = Signal(list)

    def __init__(self, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(appearance, _("Recently deleted"), parent)
        self.rows = EntryRows()
        self.list = QListView()
        self.list.setModel(self.rows)
        self.list.setItemDelegate(EntryDelegate(appearance, self.list))
        self.list.setAccessibleName(_("Recently deleted"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.activated.connect(lambda _index: self.back_requested.emit(self.chosen()))
        appearance.changed.connect(self.list.doItemsLayout)
        words = plural(
            "What you delete can be brought back for {count} day. Then it goes by itself.",
            "What you delete can be brought back for {count} days. Then it goes by itself.",
            DAYS,
        )
        self.column.addWidget(small(words.format(count=DAYS)))
        self._none = small(_("Nothing was deleted."))
        self.column.addWidget(self._none, 1, Qt.AlignmentFlag.AlignCenter)
        self.column.addWidget(self.list, 1)
        self.erase_all = QPushButton(_("Erase all…"))
        self.erase = QPushButton(_("Erase now…"))
        self.back = QPushButton(_("Bring back"))
        self.foot.addWidget(self.erase_all)
        self.foot.addStretch(1)
        self.foot.addWidget(self.erase)
        self.foot.addWidget(self.back)
        self.erase_all.clicked.connect(lambda: self.erase_requested.emit(self.rows.entries))
        self.erase.clicked.connect(lambda: self.erase_requested.emit(self.chosen()))
        self.back.clicked.connect(lambda: self.back_requested.emit(self.chosen()))
        self.list.selectionModel().selectionChanged.connect(lambda *_now: self._offer())
        self.show_trash(Trash())

    def show_trash(self, trash: Trash) -> None:
        """Show what is deleted."""
        self.backups = trash.backups
        self.rows.show_entries(entries(trash))
        self._none.setVisible(not trash)
        self.list.setVisible(bool(trash))
        for button in (self.erase_all, self.erase, self.back):
            button.setVisible(bool(trash))
        self._offer()

    def chosen(self) -> list[Entry]:
        """Return the rows that are chosen, from above."""
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [self.rows.entries[row] for row in rows]

    def _offer(self) -> None:
        chosen = bool(self.list.selectedIndexes())
        self.back.setEnabled(chosen)
        self.erase.setEnabled(chosen)
        self.erase_all.setEnabled(bool(self.rows.entries))


class TrashDesk(QObject):
    """Opens the sheet, and does what it asks for."""

    def __init__(
        self, appearance: Appearance, poster: Poster, trash: TrashCan, notices: Notices, over: QWidget
    ) -> None:
        super().__init__(over)
        self._appearance, self._poster, self._trash = appearance, poster, trash
        self._notices, self._over = notices, over

    def open(self) -> None:
        """Show what was deleted."""
        if not self._over.findChildren(TrashSheet):
            sheet = TrashSheet(self._appearance, self._over)
            sheet.back_requested.connect(self._bring_back)
            sheet.erase_requested.connect(lambda chosen: self.ask_to_erase(chosen, sheet.backups))
            self.refresh()
            sheet.open_card(sheet.list)

    def refresh(self) -> None:
        """Show what is deleted now, if it is looked at."""
        for sheet in self._over.findChildren(TrashSheet):
            self._poster.when_done(
                self._trash.read(),
                lambda trash, sheet=sheet: sheet.show_trash(trash) if shiboken6.isValid(sheet) else None,  # type: ignore[misc]
            )

    def ask_to_erase(self, chosen: list[Entry], backups: tuple[str, ...]) -> QMessageBox:
        """Erase after a question that names all that goes, and what is left of it in backups."""
        question = erase_question(trash_of(chosen, backups))
        box = QMessageBox(self._over)
        box.setWindowTitle(_("Erase for good"))
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setText(question.text)
        box.setInformativeText(question.details)
        go = box.addButton(_("Erase"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(_("Keep it"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        go.clicked.connect(lambda: self._erase(chosen))
        box.finished.connect(box.deleteLater)
        box.open()
        return box

    def _bring_back(self, chosen: list[Entry]) -> None:
        chats = [entry.chat.id for entry in chosen if entry.messages is None]
        if chats:
            self._poster.when_done(self._trash.restore_chats(chats), lambda done: None)
        for entry in chosen:
            if entry.messages is not None:
                self._poster.when_done(self._trash.restore_messages(entry.message_ids), lambda done: None)

    def _erase(self, chosen: list[Entry]) -> None:
        chats = [entry.chat.id for entry in chosen if entry.messages is None]
        messages = [each for entry in chosen for each in entry.message_ids]

        def erased(_erased: Erased) -> None:
            self._notices.show_offer(_("It is gone for good."))

        def still_at_it() -> None:
            if not erasing.done():
                self._notices.show_offer(_("Erasing… With a long history this takes a moment."))

        erasing = self._trash.erase(chats, messages)
        self._poster.when_done(erasing, erased)
        QTimer.singleShot(_SOON_MS, self, still_at_it)
