"""Settings: the backups of the chats, and the way back to one."""

from collections.abc import Iterator
from functools import partial

from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from app.domain.backup import Backup, Prospect, Restored
from app.domain.backup_words import chats_words, lost_words, reason_words
from app.domain.errors import UserError
from app.domain.language import _
from app.ui.controls import announce, label
from app.ui.inspector.fields import small
from app.ui.quantities import moment_text, size_text
from app.ui.reveal import reveal
from app.ui.settings.desk import SettingsDesk
from app.ui.settings.page import SettingsPage, group, note, show_note


class BackupRow(QFrame):
    """One backup, and what bringing it back would mean once that is asked for.

    Attributes:
        restore: Asks for it.
        sure: Does it.
        cancel: Leaves it.
    """

    def __init__(self, backup: Backup) -> None:
        super().__init__()
        self.backup = backup
        self.when = moment_text(backup.made_at)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(10)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(self.when, measure="field"))
        # Translators: what a backup is about, such as "12 chats · 3 MB · daily".
        facts = _("{chats} · {size} · {reason}").format(
            chats=chats_words(backup.chats), size=size_text(backup.size), reason=reason_words(backup.reason)
        )
        words.addWidget(small(facts))
        row.addLayout(words, 1)
        self.restore = QPushButton(_("Restore…"))
        self.restore.setAccessibleName(_("Restore the backup of {date}…").format(date=self.when))
        row.addWidget(self.restore)
        column.addLayout(row)
        self.lost = note("")
        column.addWidget(self.lost)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        self.sure = QPushButton(_("Restore it"))
        self.sure.setProperty("kind", "primary")
        self.cancel = QPushButton(_("Leave it"))
        for button in (self.sure, self.cancel):
            button.hide()
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addLayout(buttons)
        self.cancel.clicked.connect(self.fold)

    def ask(self, prospect: Prospect, *, damaged: bool) -> None:
        """Say what would be lost, and wait for yes or no."""
        show_note(self.lost, lost_words(prospect.lost, damaged=damaged))
        self.restore.hide()
        self.sure.show()
        self.cancel.show()
        self.sure.setFocus()
        announce(self, self.lost.text())

    def fold(self) -> None:
        """Ask no more."""
        asked = self.sure.isVisible()
        show_note(self.lost, "")
        self.sure.hide()
        self.cancel.hide()
        self.restore.show()
        if asked:
            self.restore.setFocus()


class BackupsPage(SettingsPage):
    """The section.

    Attributes:
        rows: The backups, the newest first.
        make: Makes one.
        folder: Shows where they lie.
    """

    def __init__(self, desk: SettingsDesk, title: str) -> None:
        self._desk = desk
        self.rows: list[BackupRow] = []
        super().__init__(title)

    def _fill(self) -> Iterator[None]:
        self.column.addWidget(
            small(
                _(
                    "Fireside copies your chats every day, and before an import or an update changes them. "
                    "It reads each copy back, and keeps seven. They stay on this computer."
                )
            )
        )
        self.make = QPushButton(_("Back up now"))
        self.make.clicked.connect(self._make)
        self.folder = QPushButton(_("Show in its folder"))
        self.folder.clicked.connect(self._reveal)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.make)
        buttons.addWidget(self.folder)
        buttons.addStretch(1)
        self.column.addLayout(buttons)
        self._said = note("")
        self.column.addWidget(self._said)
        yield
        self.column.addWidget(group(_("Backups")))
        self._none = note("")
        self.column.addWidget(self._none)
        self._list = QVBoxLayout()
        self._list.setSpacing(12)
        self.column.addLayout(self._list)

    def refresh(self) -> None:
        """Show which there are now."""
        newest = self._newest()
        listing = self._desk.backups.listed()
        self._desk.when(self, listing, lambda found: self._take(found) if newest() else None)

    def _take(self, found: list[Backup]) -> None:
        if self.rows and [row.backup for row in self.rows] == found:
            return
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = [BackupRow(backup) for backup in found]
        for row in self.rows:
            row.restore.clicked.connect(partial(self._ask, row))
            row.sure.clicked.connect(partial(self._restore, row))
            self._list.addWidget(row)
        self.folder.setEnabled(bool(found))
        show_note(self._none, "" if found else _("There are none yet."))

    def _make(self) -> None:
        self.make.setEnabled(False)

        def made(backup: Backup) -> None:
            self.make.setEnabled(True)
            text = _("The backup has {chats}, takes {size} and was read back without a fault.")
            self._say(text.format(chats=chats_words(backup.chats), size=size_text(backup.size)), "good")
            self.refresh()

        self._desk.when(self, self._desk.backups.make(), made, self._refused)

    def _ask(self, row: BackupRow) -> None:
        for other in self.rows:
            other.fold()
        backups = self._desk.backups
        ask = partial(row.ask, damaged=backups.is_damaged)
        self._desk.when(row, backups.prospect(row.backup), ask, self._refused)

    def _restore(self, row: BackupRow) -> None:
        row.sure.setEnabled(False)

        def restored(_restored: Restored) -> None:
            text = _("Your chats are as they were on {date}. What was there before is a backup, too.")
            self._say(text.format(date=row.when), "good")
            self.make.setFocus()
            self.refresh()

        def refused(error: UserError) -> None:
            row.sure.setEnabled(True)
            row.fold()
            self._refused(error)

        self._desk.when(self, self._desk.backups.restore(row.backup), restored, refused)

    def _reveal(self) -> None:
        if self.rows:
            failed = _("The folder could not be opened: {folder}").format(folder=self._desk.backups.folder)
            reveal(self.rows[0].backup.path, self, lambda: self._say(failed, "bad"))

    def _refused(self, error: UserError) -> None:
        self.make.setEnabled(True)
        self._say(str(error), "bad")

    def _say(self, text: str, tone: str) -> None:
        show_note(self._said, text, tone)
        announce(self, text)
