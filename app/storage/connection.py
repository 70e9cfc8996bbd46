"""Connections to the file of the chats, and transactions on them.

The settings follow https://sqlite.org/security.html and
https://sqlite.org/pragma.html#pragma_synchronous: with WAL, NORMAL survives the death of the process
at any moment, and FULL that of the computer as well.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from app.storage.faults import BUSY, UNWRITABLE, code_of

if TYPE_CHECKING:
    import sqlite3  # pysqlite3 has no types of its own, and these fit

    import sqlite_utils

BUSY_SECONDS = 5.0
_PRAGMAS = (
    "page_size=8192",  # of a new file: in pages of 4096 bytes, two answers leave a tenth of the room unused
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "mmap_size=0",
    "secure_delete=FAST",
    "temp_store=MEMORY",  # what can be undone was perhaps deleted: it goes into no other file
    "synchronous=NORMAL",
    "wal_autocheckpoint=0",  # the writer makes them after its commits, not within
    "checkpoint_fullfsync=ON",  # with fullfsync, macOS alone has it: its fsync leaves the disk's cache
)


def connect(path: Path, mode: str) -> "sqlite_utils.Database":
    """Open a file, as `mode` (https://sqlite.org/uri.html) says, and look into it for the first time."""
    return _opened(f"{path.absolute().as_uri()}?{mode}")


def connect_in_memory() -> "sqlite_utils.Database":
    """Open a database that lies in memory alone, with all that SQLite keeps beside it."""
    return _opened(":memory:")


def _opened(address: str) -> "sqlite_utils.Database":
    import pysqlite3
    import sqlite_utils

    connection: sqlite3.Connection = pysqlite3.connect(
        address, uri=True, timeout=BUSY_SECONDS, isolation_level=None
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


def enable_wal(db: "sqlite_utils.Database") -> None:
    """Have what is written go to a log first."""
    # Two processes that open a new file at once would wait for each other, so SQLite refuses both
    # without waiting. The next try finds it done.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL").fetchone()
        except Exception as error:
            if code_of(error) != BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


@contextmanager
def transaction(db: "sqlite_utils.Database", kind: str = "IMMEDIATE") -> Iterator[None]:
    """Do all of it or nothing."""
    # sqlite_utils opens a transaction only where there is none, and savepoints inside of one.
    db.execute(f"BEGIN {kind}")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        db.rollback()  # does nothing where SQLite has done so itself, as for a full disk
        raise


def readable_mode(path: Path) -> str:
    """Return how to open a file that is only to be read.

    SQLite wants to write beside a database in WAL mode, unless it is told that nobody else has it
    open. Where that cannot be, it may be told so if the log holds nothing that would be overlooked.
    """
    from app.storage.migrations import require_current

    log = path.with_name(path.name + "-wal")
    try:
        mode = "mode=ro"
        db = connect(path, mode)
    except Exception as error:
        if code_of(error) not in UNWRITABLE or (log.exists() and log.stat().st_size):
            raise
        mode = "mode=ro&immutable=1"
        db = connect(path, mode)
    try:
        require_current(db, path)
    finally:
        db.close()
    return mode
