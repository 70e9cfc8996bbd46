"""Copies of the file of the chats, each opened and found whole before it counts.

They lie in a folder beside it, under names such as `000042-20261124T140200Z-daily.db`. The number gives
their order: the clock may have been set back between two of them. A copy that is being made ends in
`.part`. SQLite's backup API reads one state of the database on a connection of its own, for which no
writer waits.
"""

import errno
import logging
import os
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.backup import Backup, Reason
from app.domain.errors import UserError
from app.domain.language import _
from app.storage.checks import quick_check
from app.storage.connection import connect, transaction
from app.storage.faults import code_of, is_full

if TYPE_CHECKING:
    import sqlite3  # pysqlite3 has no types of its own, and these fit

    from sqlite_utils import Database

KEPT = 7
ALONE = "mode=ro&immutable=1"
"""How a finished backup is opened: nobody writes to it, and nothing is written beside it."""

_FOLDER = "backups"
_DAY = 24 * 60 * 60.0
_NAME = re.compile(r"(\d{6,})-(\d{8}T\d{6}Z)-([a-z-]+)\.db")
_WHEN = "%Y%m%dT%H%M%SZ"
_log = logging.getLogger("fireside.backups")


def folder_of(database: Path) -> Path:
    """Return where the backups of a database lie."""
    return database.parent / _FOLDER


def backups(database: Path) -> list[Backup]:
    """Return the backups of a database that can be opened, the newest first."""
    found = (read_backup(path) for path in reversed(_paths(database)))
    return [backup for backup in found if backup is not None]


def names(database: Path) -> list[str]:
    """Return the names of the backups, the newest first, without opening them."""
    return [path.name for path in reversed(_paths(database))]


def read_backup(path: Path) -> Backup | None:
    """Return what lies in a file of chats; None for one that cannot be read, or is another thing."""
    named = _NAME.fullmatch(path.name)
    try:
        number, made_at, reason = _parsed(path) if named else (0, path.stat().st_mtime, Reason.ASKED)
        db = connect(path, ALONE)
        try:
            chats, messages, last = _counts(db)
        finally:
            db.close()
        return Backup(path, number, made_at, reason, path.stat().st_size, chats, messages, last)
    except Exception as error:
        if code_of(error) is None and not isinstance(error, OSError):
            raise
        _log.warning("The backup %s cannot be read: %s", path.name, error)
        return None


def newest_whole(database: Path) -> Backup | None:
    """Return the newest backup that still is whole, looking at all of it."""
    return next((each for each in backups(database) if is_whole(each.path)), None)


def is_whole(path: Path) -> bool:
    """Return whether a backup is, to the last page, what SQLite can read."""
    return not quick_check(path, ALONE)


def is_due(database: Path) -> bool:
    """Return whether the newest backup is a day old, or more than a day ahead: the clock was set back."""
    paths = _paths(database)
    return not paths or abs(time.time() - _parsed(paths[-1])[1]) >= _DAY


def make_backup(database: Path, reason: Reason) -> Backup:
    """Copy the database as it is now, check the copy, and let the oldest go.

    Raises:
        UserError: When there is no room for it, or it cannot be written or read.
    """
    folder = folder_of(database)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _tidy(folder)
        paths = _paths(database)
        number = _parsed(paths[-1])[0] + 1 if paths else 1
        when = datetime.now(UTC).strftime(_WHEN)
        backup = copy_database(database, folder / f"{number:06}-{when}-{reason.value}.db")
    except OSError as error:
        raise _not_made(error.strerror or type(error).__name__) from error
    _thin_out(database)
    return backup


def copy_database(database: Path, target: Path) -> Backup:
    """Copy the database as it is now to a file of its own, which appears once it is whole.

    Raises:
        UserError: When there is no room for it, or it cannot be written or read.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        expected = _copy(database, part)
        _require_like(part, expected)
        settle(part)
        part.replace(target)
        settle(target.parent)
    except OSError as error:
        raise _not_made(error.strerror or type(error).__name__) from error
    except Exception as error:
        if code_of(error) is None:
            raise
        reason = _("the disk is full") if is_full(target) else str(error)
        raise _not_made(reason) from error
    finally:
        for suffix in ("", "-journal", "-wal", "-shm"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)
    backup = read_backup(target)
    if backup is None:
        raise _not_made(_("the copy cannot be read"))
    return backup


def keep_damaged(database: Path) -> Path:
    """Copy the bytes of a file that is damaged, and of its log, to a folder among the backups; return it.

    Raises:
        OSError: When that cannot be done.
    """
    folder = folder_of(database)
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = folder / datetime.now(UTC).strftime(f"damaged-{_WHEN}-%f")
    kept.mkdir(mode=0o700)
    for path in (database, database.with_name(database.name + "-wal")):
        if path.exists():
            copy = kept / path.name
            copy.touch(mode=0o600)
            shutil.copyfile(path, copy)
            settle(copy)
    settle(kept)
    settle(folder)
    return kept


def copy_pages(source: "sqlite3.Connection", target: "sqlite3.Connection") -> None:
    """Write all pages of one database over those of another, in one transaction.

    Raises:
        OSError: When that cannot be done.
    """
    import pysqlite3

    try:
        source.backup(target)
    except pysqlite3.Error as error:  # without a code: it comes from neither connection
        raise OSError(errno.EIO, str(error)) from error


def _copy(database: Path, part: Path) -> tuple[int, int, int]:
    """Copy one state of the database; return what is to be found in it."""
    import pysqlite3

    part.touch(mode=0o600)
    source = connect(database, "mode=ro")
    target = pysqlite3.connect(part, isolation_level=None)
    try:
        with transaction(source, "DEFERRED"):
            expected = _counts(source)
            copy_pages(source.conn, target)
        target.execute("PRAGMA journal_mode=DELETE").fetchone()  # nothing beside it is needed then
    finally:
        target.close()
        source.close()
    return expected


def _require_like(part: Path, expected: tuple[int, int, int]) -> None:
    db = connect(part, ALONE)
    try:
        found = _counts(db)
    finally:
        db.close()
    if found != expected or not is_whole(part):
        raise _not_made(_("the copy is not like the original"))


def _counts(db: "Database") -> tuple[int, int, int]:
    (chats,) = db.execute("SELECT count(*) FROM chats WHERE deleted_at IS NULL").fetchone()
    messages, last = db.execute("SELECT count(*), coalesce(max(id), 0) FROM messages").fetchone()
    return int(chats), int(messages), int(last)


def _paths(database: Path) -> list[Path]:
    """Return the files of the backups, the oldest first."""
    try:
        found = [path for path in folder_of(database).iterdir() if _is_named(path)]
    except OSError:
        return []
    return sorted(found, key=lambda path: (_parsed(path)[0], path.name))


def _is_named(path: Path) -> bool:
    try:
        return bool(_NAME.fullmatch(path.name)) and _parsed(path) is not None
    except ValueError:
        return False


def _parsed(path: Path) -> tuple[int, float, Reason]:
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise ValueError(path.name)
    when = datetime.strptime(named[2], _WHEN).replace(tzinfo=UTC)
    return int(named[1]), when.timestamp(), Reason(named[3])


def _thin_out(database: Path) -> None:
    """Keep seven: of a day with several the oldest goes first, else the oldest of all."""
    paths = _paths(database)
    while len(paths) > KEPT:
        goes = _next_to_go(paths)
        with suppress(OSError):
            goes.unlink()
        paths.remove(goes)


def _next_to_go(paths: Sequence[Path]) -> Path:
    days = [datetime.fromtimestamp(_parsed(path)[1], tz=UTC).date() for path in paths]
    twice = (path for path, day in zip(paths, days, strict=True) if days.count(day) > 1)
    return next(twice, paths[0])


def _tidy(folder: Path) -> None:
    """Take away what a process that was killed has left of a copy."""
    import psutil

    for path in folder.glob("*.part*"):
        number = path.name.split(".part")[0].rpartition(".")[2]
        if not number.isdigit() or not psutil.pid_exists(int(number)):
            path.unlink(missing_ok=True)


def settle(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    with suppress(OSError):  # Windows opens no folder
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _not_made(reason: str) -> UserError:
    return UserError(
        _("A backup of your chats could not be made: {reason}.").format(reason=reason),
        _("Your chats are as they were. Free some space on the disk, then try again."),
    )
