"""One SQLite file, one thread that writes to it and one that reads."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.domain.backup import Reason
from app.storage.connection import BUSY_SECONDS, connect, enable_wal, readable_mode, transaction
from app.storage.faults import UNWRITABLE, code_of, damaged, is_damage, read_only, sorted_errors

if TYPE_CHECKING:
    import sqlite_utils

_T = TypeVar("_T")
_log = logging.getLogger("fireside.database")

_CHECKPOINT_SECONDS = 5.0
_LONGEST_LOG = 1000 * (4096 + 24)  # bytes: so many pages, each behind its header
_DAMAGED = "-damaged"


class Database:
    """The file of the chats, opened and brought up to date by the first call that needs it.

    Functions given to `write` and `read` run on one thread each, in the order given, and get a
    `sqlite_utils.Database`. They must return plain data, no open cursor, and must not commit or
    roll back. A file that cannot be written is opened for reading, and only writes fail.

    Futures fail with a UserError for what a person can do something about (a full disk, a read-only
    folder, a damaged file, a file of a newer Fireside), else with what the function raised.

    What was deleted or replaced leaves the write-ahead log within about 5 seconds, and the log is moved into
    the file as soon as it has 1,000 pages. A file that turns out to be damaged is only read from then on, and
    after the next start until a check finds it whole.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Name the file; nothing is opened yet. With `read_only` it must exist, and is never written."""
        self._path = path
        self._read_only = read_only
        self._writer = ThreadPoolExecutor(1, "database-writer")
        self._reader = ThreadPoolExecutor(1, "database-reader")
        self._mode = ""  # of the reader's connection, set by the writer's thread once the file is usable
        self._writing: sqlite_utils.Database | None = None
        self._reading: sqlite_utils.Database | None = None
        self._generation = self._read_generation = 0  # how often another file was put in place
        self._durable = False
        self._timer: threading.Timer | None = None
        self._leisure: Callable[[sqlite_utils.Database], bool] | None = None
        self._at_work = False
        self._crowded = False  # the log cannot be emptied now: somebody reads
        self._damaged = self._ended_badly = False
        self._tell_damage: Callable[[], None] = lambda: None

    @property
    def path(self) -> Path:
        """Return the file."""
        return self._path

    @property
    def is_damaged(self) -> bool:
        """Return whether the file is known to be damaged, and so only read."""
        return self._damaged

    @property
    def ended_badly(self) -> bool:
        """Return whether whoever had the file open before was killed, or still has it open.

        SQLite takes the log away when the file is closed: that it is not there is the mark of a clean end.
        """
        return self._ended_badly

    def when_damaged(self, tell: Callable[[], None]) -> None:
        """Have `tell` called, on any thread, when the file turns out to be damaged."""
        self._tell_damage = tell

    def note_damage(self) -> None:
        """Change nothing in the file any more. May be called from any thread."""
        if self._damaged:
            return
        self._damaged = True
        _log.error("The file of the chats is damaged.")
        if not self._read_only:
            with suppress(OSError):
                self._marker.touch(mode=0o600)
        self._tell_damage()

    @property
    def _log(self) -> Path:
        return self._path.with_name(self._path.name + "-wal")

    @property
    def _marker(self) -> Path:
        return self._path.with_name(self._path.name + _DAMAGED)

    def open(self) -> "Future[bool]":
        """Open the file and bring it up to date; resolves to whether it can be written."""
        return self._writer.submit(self._open)

    def write(
        self,
        fn: "Callable[[sqlite_utils.Database], _T]",
        *,
        durable: bool = False,
        committed: Callable[[_T], None] | None = None,
    ) -> "Future[_T]":
        """Run `fn` in one transaction, which is rolled back when `fn` raises.

        Args:
            fn: What to write.
            durable: Resolve only when the disk itself says that it has everything written so far.
            committed: Called with the result after the commit, on the writer's thread, before the
                future resolves.
        """
        return self._writer.submit(self._write, fn, durable, committed)

    def read(self, fn: "Callable[[sqlite_utils.Database], _T]") -> "Future[_T]":
        """Run `fn` on one unchanging state of the database."""
        return self._reader.submit(self._read, fn)

    def alone(self, fn: "Callable[[sqlite_utils.Database], _T]") -> "Future[_T]":
        """Run `fn` on the writer's connection in no transaction: VACUUM, say, cannot stand in one."""
        return self._writer.submit(self._alone, fn)

    def replace(self, put: "Callable[[], _T]") -> "Future[_T]":
        """Close the file, have `put` put another one in its place, and open that with the next call.

        Must not be called on a thread of this object: it waits for what is being read.
        """
        self._reader.submit(self._close_reader).result()
        return self._writer.submit(self._replace, put)

    def at_leisure(self, work: "Callable[[sqlite_utils.Database], bool]") -> None:
        """Have `work` done when nothing else is to be written, seconds after the opening and each write.

        Each call is a transaction of its own, for which writes wait: it should be short, and return whether
        more is left to do.
        """
        self._leisure = work

    def close(self) -> None:
        """Do what is queued, empty the write-ahead log and close the file."""
        with suppress(RuntimeError):  # closed already
            self._reader.submit(self._close_reader)
            self._reader.shutdown()
            self._writer.submit(self._close_writer)
            self._writer.shutdown()

    # On the writer's thread.

    def _open(self) -> bool:
        with self._sorted():
            if not self._mode:
                if not self._read_only and not self._is_still_damaged():
                    self._open_writable()
                if not self._mode:
                    self._mode = readable_mode(self._path)
        return self._writing is not None and not self._damaged

    def _is_still_damaged(self) -> bool:
        from app.storage.checks import quick_check

        if self._marker.exists():
            if self._path.exists() and quick_check(self._path):
                self.note_damage()
                return True
            self._marker.unlink(missing_ok=True)
        return False

    @contextmanager
    def _sorted(self) -> Iterator[None]:
        """Raise what is for people as a UserError, and notice damage."""
        try:
            with sorted_errors(self._path):
                yield
        except Exception as error:
            if is_damage(error.__cause__ or error):
                self.note_damage()
            raise

    def _open_writable(self) -> None:
        with suppress(OSError):  # SQLite finds the same reason, and has a code for it
            if not self._path.exists():
                self._path.touch(mode=0o600)
        db = None
        try:
            self._ended_badly = self._log.exists()
            db = connect(self._path, "mode=rw")
            self._bring_up_to_date(db)
        except Exception as error:
            if db is not None:
                db.close()
            if is_damage(error):
                self.note_damage()
                return  # perhaps it can be read
            if code_of(error) in UNWRITABLE and self._path.exists():
                return
            raise
        self._writing, self._mode = db, "mode=rw"
        self._plan_checkpoint()

    def _bring_up_to_date(self, db: "sqlite_utils.Database") -> None:
        from app.storage import digests
        from app.storage.backups import make_backup
        from app.storage.migrations import apply, is_older, refuse_newer

        refuse_newer(db)
        enable_wal(db)
        if is_older(db):
            make_backup(self._path, Reason.UPDATE)
        with transaction(db):
            apply(db)
            digests.follow(db)
            # Changes nothing, and fails where nothing can be changed: BEGIN IMMEDIATE does not.
            db.execute("DELETE FROM _sqlite_migrations WHERE false")

    def _write(
        self,
        fn: "Callable[[sqlite_utils.Database], _T]",
        durable: bool,
        committed: Callable[[_T], None] | None,
    ) -> _T:
        self._open()
        if self._damaged:
            raise damaged(self._path)
        if self._writing is None:
            raise read_only(self._path)
        with self._sorted():
            self._set_durable(durable)
            with transaction(self._writing):
                result = fn(self._writing)
        self._plan_checkpoint()
        if committed is not None:
            committed(result)
        return result

    def _alone(self, fn: "Callable[[sqlite_utils.Database], _T]") -> _T:
        self._open()
        if self._damaged:
            raise damaged(self._path)
        if self._writing is None:
            raise read_only(self._path)
        with self._sorted():
            result = fn(self._writing)
        self._plan_checkpoint()
        return result

    def _replace(self, put: "Callable[[], _T]") -> _T:
        self._close_writer()
        self._generation += 1
        self._mode = ""
        result = put()
        self._damaged = self._durable = False
        self._marker.unlink(missing_ok=True)
        return result

    def _set_durable(self, durable: bool) -> None:
        if self._writing is not None and durable != self._durable:
            self._writing.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._writing.execute(f"PRAGMA fullfsync={'ON' if durable else 'OFF'}")
            self._durable = durable

    def _plan_checkpoint(self) -> None:
        if not self._crowded and self._log_size() >= _LONGEST_LOG:
            with suppress(RuntimeError):  # closed meanwhile
                self._writer.submit(self._checkpoint)
        elif self._timer is None:
            self._timer = threading.Timer(_CHECKPOINT_SECONDS, self._ask_for_checkpoint)
            self._timer.daemon = True
            with suppress(RuntimeError):  # Python is ending, and starts no thread any more
                self._timer.start()

    def _log_size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    def _ask_for_checkpoint(self) -> None:
        with suppress(RuntimeError):  # closed meanwhile, which makes one too
            self._writer.submit(self._rest)

    def _rest(self) -> None:
        self._timer = None
        self._checkpoint()
        if not self._at_work:
            self._work_at_leisure()

    def _work_at_leisure(self) -> None:
        self._at_work = False
        if self._writing is None or self._leisure is None or self._damaged:
            return
        before = self._writing.conn.total_changes
        try:
            with transaction(self._writing):
                self._at_work = self._leisure(self._writing)
        except Exception as error:
            if code_of(error) is None:
                raise
            _log.info("What was to be done at leisure waits: %s", error)
        if self._writing.conn.total_changes != before:
            self._plan_checkpoint()
        if self._at_work:
            with suppress(RuntimeError):  # closed meanwhile
                self._writer.submit(self._work_at_leisure)

    def _checkpoint(self) -> None:
        if self._writing is None or self._damaged:
            return
        # Waits for no reader: what cannot be moved now is moved a little later.
        self._writing.execute("PRAGMA busy_timeout=0")
        try:
            crowded = self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._crowded = bool(crowded)
            if crowded:
                self._plan_checkpoint()
        except Exception as error:
            if code_of(error) is None:
                raise
            if is_damage(error):
                self.note_damage()
            _log.info("The write-ahead log stays as it is: %s", error)  # nothing is lost by that
        finally:
            self._writing.execute(f"PRAGMA busy_timeout={int(BUSY_SECONDS * 1000)}")

    def _close_writer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            self._checkpoint()
            self._writing.close()
            self._writing = None

    # On the reader's thread.

    def _read(self, fn: "Callable[[sqlite_utils.Database], _T]") -> _T:
        if self._read_generation != self._generation:
            self._close_reader()
        if self._reading is None:
            if not self._mode:
                self.open().result()
            self._read_generation = self._generation
            with self._sorted():
                self._reading = connect(self._path, self._mode)
                self._reading.execute("PRAGMA query_only=ON")
        with self._sorted(), transaction(self._reading, "DEFERRED"):
            return fn(self._reading)

    def _close_reader(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
