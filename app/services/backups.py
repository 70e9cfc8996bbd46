"""Backups: made by themselves every day, brought back when somebody wants one, or the file is damaged."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from app.domain.backup import Backup, Prospect, Reason, Restored
from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.findings import Findings
from app.domain.language import _
from app.services.threads import Threads
from app.storage import backups, checks, restoring
from app.storage.database import Database
from app.storage.undo import UndoLog

_FIRST_SECONDS, _SECONDS = 20.0, 30 * 60.0  # after the start, and from then on
_log = logging.getLogger("fireside.backups")


class Backups:
    """The backups of one database, looked after on a thread of their own. Everything returns at once.

    Attributes:
        offer: What can be brought back where the file is damaged; set before `Changed(DAMAGE)`. None where
            it is not damaged, or there is no backup.
    """

    def __init__(
        self, database: Database, undo: UndoLog, changes: Changes, report: Callable[[UserError], None]
    ) -> None:
        """Wire the service; nothing is looked at yet. `report` shows an error that nobody waits for."""
        self._database, self._undo, self._changes, self._report = database, undo, changes, report
        self._thread = Threads(1, "backups")
        self._timer: threading.Timer | None = None
        self._complained = False
        self.offer: Prospect | None = None

    @property
    def folder(self) -> Path:
        """Return where they lie."""
        return backups.folder_of(self._database.path)

    @property
    def is_damaged(self) -> bool:
        """Return whether the file of the chats is known to be damaged, and so only read."""
        return self._database.is_damaged

    def begin(self) -> None:
        """Check the file if Fireside did not end well, and make a backup whenever one is due."""
        self._database.when_damaged(self._take_damage)
        self._thread.submit(self._look_after_start)
        self._plan(_FIRST_SECONDS)

    def listed(self) -> "Future[list[Backup]]":
        """Return the backups there are, the newest first."""
        return self._thread.submit(backups.backups, self._database.path)

    def names(self) -> list[str]:
        """Return the names of the files, the newest first; this alone is answered at once."""
        return backups.names(self._database.path)

    def read(self, path: Path) -> "Future[Backup]":
        """Return what lies in a file; fails with a UserError when that is no backup."""
        return self._thread.submit(_read, path)

    def make(self, reason: Reason = Reason.ASKED) -> "Future[Backup]":
        """Make a backup now; fails with a UserError when that cannot be."""
        return self._thread.submit(self._make, reason)

    def copy_to(self, path: Path) -> "Future[Backup]":
        """Make a backup in a file of one's own; fails with a UserError when that cannot be."""
        return self._thread.submit(self._copy_to, path)

    def prospect(self, backup: Backup) -> "Future[Prospect]":
        """Return what bringing back a backup would mean."""
        return self._thread.submit(restoring.prospect, self._database.path, backup)

    def restore(self, backup: Backup) -> "Future[Restored]":
        """Put a backup in the place of what is there, which is kept; what is set and downloaded stays.

        Fails with a UserError, and changes nothing, when that cannot be. `Changed(RESTORED)` is published.
        """
        return self._thread.submit(self._restore, backup)

    def check(self) -> "Future[Findings]":
        """Look at everything in the file that can be told to be right or wrong."""
        return self._thread.submit(self._check)

    def close(self) -> None:
        """End the thread."""
        if self._timer is not None:
            self._timer.cancel()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _take_damage(self) -> None:
        self._thread.submit(self._prepare_offer)

    # On the thread.

    def _look_after_start(self) -> None:
        restoring.clear_remains(self._database.path)
        with suppress(UserError):  # whoever reads the chats is told
            self._database.open().result()
            if self._database.ended_badly and not self._database.is_damaged:
                self._quick_check()

    def _quick_check(self) -> None:
        said = checks.quick_check(self._database.path)
        if said:
            _log.error("The file of the chats is damaged: %s", said[0])
            self._database.note_damage()

    def _prepare_offer(self) -> None:
        newest = backups.newest_whole(self._database.path)
        if newest is not None:
            self.offer = restoring.prospect(self._database.path, newest)
        self._changes.publish(Changed(Kind.DAMAGE))

    def _plan(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, lambda: self._thread.submit(self._make_daily))
        self._timer.daemon = True
        self._timer.start()

    def _make_daily(self) -> None:
        self._plan(_SECONDS)
        try:
            if not self._database.open().result() or not backups.is_due(self._database.path):
                return
            sql = "SELECT EXISTS (SELECT 1 FROM chats)"
            if self._database.read(lambda db: db.execute(sql).fetchone()[0]).result():
                self._make(Reason.DAILY)
        except UserError as error:
            if not self._complained:
                self._report(error)
            self._complained = True

    def _make(self, reason: Reason) -> Backup:
        self._database.open().result()
        if self._database.is_damaged:
            raise UserError(
                _("Your chats are damaged, so no backup of them is made."), _("Restore a backup first.")
            )
        return backups.make_backup(self._database.path, reason)

    def _copy_to(self, path: Path) -> Backup:
        self._database.open().result()
        if path.is_dir():
            raise UserError(_("{path} is a folder. Name a file for the backup.").format(path=path))
        if path.exists():
            raise UserError(_("{path} is there already.").format(path=path), _("Name another file."))
        return backups.copy_database(self._database.path, path)

    def _restore(self, backup: Backup) -> Restored:
        restored = restoring.restore(self._database, backup)
        self._undo.forget().result()
        self.offer = None
        self._changes.publish(Changed(Kind.RESTORED))
        return restored

    def _check(self) -> Findings:
        with suppress(UserError):
            self._database.open().result()
        found = checks.examine(self._database.path)
        if found.file:
            self._database.note_damage()
        return found


def _read(path: Path) -> Backup:
    found = backups.read_backup(path) if path.is_file() else None
    if found is None:
        raise UserError(_("{path} is no backup of Fireside’s chats.").format(path=path))
    return found
