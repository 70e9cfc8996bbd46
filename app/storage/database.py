"""One SQLite file, one thread that writes to it and one that reads.

The settings of the connections follow https://sqlite.org/security.html and
https://sqlite.org/pragma.html#pragma_synchronous: with WAL, NORMAL survives the death of the process
at any moment, and FULL that of the computer as well.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.domain.errors import UserError
from app.domain.language import _

if TYPE_CHECKING:
    import sqlite3  # pysqlite3 has no types of its own, and these fit

    import sqlite_utils

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_BUSY_SECONDS = 5.0
_CHECKPOINT_SECONDS = 5.0
_PRAGMAS = (
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "mmap_size=0",
    "secure_delete=FAST",
    "temp_store=MEMORY",  # what can be undone was perhaps deleted: it goes into no other file
    "synchronous=NORMAL",
    "checkpoint_fullfsync=ON",  # with fullfsync, macOS alone has it: its fsync leaves the disk's cache
)

# Primary result codes, https://sqlite.org/rescode.html
_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
# Bytes. With less, what SQLite calls a fault of the disk is a file that cannot grow.
_LEAST_ROOM = 256 * 1024
_UNWRITABLE = {_READONLY, _CANTOPEN}


class Database:
    """The file of the chats, opened and brought up to date by the first call that needs it.

    Functions given to `write` and `read` run on one thread each, in the order given, and get a
    `sqlite_utils.Database`. They must return plain data, no open cursor, and must not commit or
    roll back. A file that cannot be written is opened for reading, and only writes fail.

    Futures fail with a UserError for what a person can do something about (a full disk, a read-only
    folder, a damaged file, a file of a newer Fireside), else with what the function raised.

    What was deleted or replaced leaves the write-ahead log within about 5 seconds.
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
        self._durable = False
        self._timer: threading.Timer | None = None
        self._leisure: Callable[[sqlite_utils.Database], bool] | None = None
        self._at_work = False

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
        with _sorted_errors(self._path):
            if not self._mode and not self._read_only:
                self._open_writable()
            if not self._mode:
                self._mode = _readable_mode(self._path)
        return self._writing is not None

    def _open_writable(self) -> None:
        with suppress(OSError):  # SQLite finds the same reason, and has a code for it
            if not self._path.exists():
                self._path.touch(mode=0o600)
        db = None
        try:
            db = _connect(self._path, "mode=rw")
            self._bring_up_to_date(db)
        except Exception as error:
            if db is not None:
                db.close()
            if _code(error) in _UNWRITABLE and self._path.exists():
                return
            raise
        self._writing, self._mode = db, "mode=rw"
        self._plan_checkpoint()

    def _bring_up_to_date(self, db: "sqlite_utils.Database") -> None:
        from app.storage.migrations import apply, refuse_newer

        refuse_newer(db)
        _enable_wal(db)
        with _transaction(db):
            apply(db)
            # Changes nothing, and fails where nothing can be changed: BEGIN IMMEDIATE does not.
            db.execute("DELETE FROM _sqlite_migrations WHERE false")

    def _write(
        self,
        fn: "Callable[[sqlite_utils.Database], _T]",
        durable: bool,
        committed: Callable[[_T], None] | None,
    ) -> _T:
        self._open()
        if self._writing is None:
            raise _read_only(self._path)
        with _sorted_errors(self._path):
            self._set_durable(durable)
            with _transaction(self._writing):
                result = fn(self._writing)
        self._plan_checkpoint()
        if committed is not None:
            committed(result)
        return result

    def _alone(self, fn: "Callable[[sqlite_utils.Database], _T]") -> _T:
        self._open()
        if self._writing is None:
            raise _read_only(self._path)
        with _sorted_errors(self._path):
            return fn(self._writing)

    def _set_durable(self, durable: bool) -> None:
        if self._writing is not None and durable != self._durable:
            self._writing.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._writing.execute(f"PRAGMA fullfsync={'ON' if durable else 'OFF'}")
            self._durable = durable

    def _plan_checkpoint(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(_CHECKPOINT_SECONDS, self._ask_for_checkpoint)
            self._timer.daemon = True
            with suppress(RuntimeError):  # Python is ending, and starts no thread any more
                self._timer.start()

    def _ask_for_checkpoint(self) -> None:
        with suppress(RuntimeError):  # closed meanwhile, which makes one too
            self._writer.submit(self._rest)

    def _rest(self) -> None:
        self._checkpoint()
        if not self._at_work:
            self._work_at_leisure()

    def _work_at_leisure(self) -> None:
        self._at_work = False
        if self._writing is None or self._leisure is None:
            return
        before = self._writing.conn.total_changes
        try:
            with _transaction(self._writing):
                self._at_work = self._leisure(self._writing)
        except Exception as error:
            if _code(error) is None:
                raise
            _log.info("What was to be done at leisure waits: %s", error)
        if self._at_work:
            with suppress(RuntimeError):  # closed meanwhile
                self._writer.submit(self._work_at_leisure)
        elif self._writing.conn.total_changes != before:
            self._plan_checkpoint()

    def _checkpoint(self) -> None:
        self._timer = None
        if self._writing is None:
            return
        # Waits for no reader: what cannot be moved now is moved after the next write.
        self._writing.execute("PRAGMA busy_timeout=0")
        try:
            self._writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except Exception as error:
            if _code(error) is None:
                raise
            _log.info("The write-ahead log stays as it is: %s", error)  # nothing is lost by that
        finally:
            self._writing.execute(f"PRAGMA busy_timeout={int(_BUSY_SECONDS * 1000)}")

    def _close_writer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            self._checkpoint()
            self._writing.close()
            self._writing = None

    # On the reader's thread.

    def _read(self, fn: "Callable[[sqlite_utils.Database], _T]") -> _T:
        if self._reading is None:
            if not self._mode:
                self.open().result()
            with _sorted_errors(self._path):
                self._reading = _connect(self._path, self._mode)
                self._reading.execute("PRAGMA query_only=ON")
        with _sorted_errors(self._path), _transaction(self._reading, "DEFERRED"):
            return fn(self._reading)

    def _close_reader(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None


def _connect(path: Path, mode: str) -> "sqlite_utils.Database":
    import pysqlite3
    import sqlite_utils

    connection: sqlite3.Connection = pysqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None
    )
    try:
        # A damaged byte in a text must not make its whole table unreadable.
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first look into the file
    except BaseException:
        connection.close()
        raise
    return sqlite_utils.Database(connection, recursive_triggers=False, execute_plugins=False)


def _enable_wal(db: "sqlite_utils.Database") -> None:
    # Two processes that open a new file at once would wait for each other, so SQLite refuses both
    # without waiting. The next try finds it done.
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL").fetchone()
        except Exception as error:
            if _code(error) != _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def _transaction(db: "sqlite_utils.Database", kind: str = "IMMEDIATE") -> Iterator[None]:
    # sqlite_utils opens a transaction only where there is none, and savepoints inside of one.
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()  # does nothing where SQLite has done so itself, as for a full disk
        raise


def _readable_mode(path: Path) -> str:
    """Return how to open a file that is only to be read.

    SQLite wants to write beside a database in WAL mode, unless it is told that nobody else has it
    open. Where that cannot be, it may be told so if the log holds nothing that would be overlooked.
    """
    from app.storage.migrations import require_current

    log = path.with_name(path.name + "-wal")
    try:
        mode = "mode=ro"
        db = _connect(path, mode)
    except Exception as error:
        if _code(error) not in _UNWRITABLE or (log.exists() and log.stat().st_size):
            raise
        mode = "mode=ro&immutable=1"
        db = _connect(path, mode)
    try:
        require_current(db, path)
    finally:
        db.close()
    return mode


@contextmanager
def _sorted_errors(path: Path) -> Iterator[None]:
    """Raise what a person can do something about as a UserError, and let all else, a bug, pass."""
    try:
        yield
    except Exception as error:
        told = _told(_code(error), path)
        if told is None:
            raise
        raise told from error


def _code(error: BaseException) -> int | None:
    """Return the primary result code of an error of SQLite, None for any other error."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _told(code: int | None, path: Path) -> UserError | None:
    if code in {_IOERR, _CANTOPEN} and _is_full(path):
        code = _FULL
    if code == _FULL:
        return UserError(
            _("Your disk is full, so Fireside cannot save your chats."),
            _("Free some space on the disk, then try again."),
        )
    if code == _READONLY:
        return _read_only(path)
    if code == _CANTOPEN:
        return UserError(
            _("Fireside cannot open your chats in {folder}.").format(folder=path.parent),
            _("Check that this folder exists and that you may write in it."),
        )
    if code in {_BUSY, _LOCKED}:
        return UserError(
            _("Another program is using your chats, so Fireside cannot use them now."),
            _("Wait until that program, for example a backup, has finished, then try again."),
        )
    if code in {_CORRUPT, _NOTADB}:
        return UserError(
            _("The file {path} is damaged, so Fireside cannot read your chats.").format(path=path),
            _("Fireside has not changed the file. Replace it with a copy from a backup."),
        )
    if code == _IOERR:
        return UserError(
            _("Your disk reported a fault while Fireside was using your chats."),
            _("Check that the disk is connected and healthy, then try again."),
        )
    return None


def _read_only(path: Path) -> UserError:
    return UserError(
        _("Fireside can read your chats but not change them: the folder {folder} is write-protected.").format(
            folder=path.parent
        ),
        _("Make this folder writable, then start Fireside again."),
    )


def _is_full(path: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM
    return False
