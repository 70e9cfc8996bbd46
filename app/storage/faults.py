"""What SQLite reports, as what a person can do something about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.domain.errors import UserError
from app.domain.language import _

# Primary result codes, https://sqlite.org/rescode.html
BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
UNWRITABLE = {_READONLY, _CANTOPEN}
# Bytes. With less, what SQLite calls a fault of the disk is a file that cannot grow.
_LEAST_ROOM = 256 * 1024


@contextmanager
def sorted_errors(path: Path) -> Iterator[None]:
    """Raise what a person can do something about as a UserError, and let all else, a bug, pass."""
    try:
        yield
    except Exception as error:
        told = _told(code_of(error), path)
        if told is None:
            raise
        raise told from error


def code_of(error: BaseException) -> int | None:
    """Return the primary result code of an error of SQLite, None for any other error."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_damage(error: BaseException | None) -> bool:
    """Return whether `error` says that the file itself is damaged, not only its index of words."""
    return error is not None and code_of(error) in {_CORRUPT, _NOTADB} and not concerns_index(str(error))


def concerns_index(said: str) -> bool:
    """Return whether something that SQLite says is about the index of words, which can be made anew."""
    return "fts5" in said.lower()


def _told(code: int | None, path: Path) -> UserError | None:
    if code in {_IOERR, _CANTOPEN} and is_full(path):
        code = _FULL
    if code == _FULL:
        return UserError(
            _("Your disk is full, so Fireside cannot save your chats."),
            _("Free some space on the disk, then try again."),
        )
    if code == _READONLY:
        return read_only(path)
    if code == _CANTOPEN:
        return UserError(
            _("Fireside cannot open your chats in {folder}.").format(folder=path.parent),
            _("Check that this folder exists and that you may write in it."),
        )
    if code in {BUSY, _LOCKED}:
        return UserError(
            _("Another program is using your chats, so Fireside cannot use them now."),
            _("Wait until that program, for example a backup, has finished, then try again."),
        )
    if code in {_CORRUPT, _NOTADB}:
        return unreadable(path)
    if code == _IOERR:
        return UserError(
            _("Your disk reported a fault while Fireside was using your chats."),
            _("Check that the disk is connected and healthy, then try again."),
        )
    return None


def read_only(path: Path) -> UserError:
    """Return what is said when something is to be written where nothing can be."""
    return UserError(
        _("Fireside can read your chats but not change them: the folder {folder} is write-protected.").format(
            folder=path.parent
        ),
        _("Make this folder writable, then start Fireside again."),
    )


def unreadable(path: Path) -> UserError:
    """Return what is said of a file that is no database any more, or of a part of one."""
    return UserError(
        _("The file {path} is damaged, so Fireside cannot read your chats.").format(path=path),
        _("Fireside has not changed the file. Restore a backup: in the settings or with “fireside restore”."),
    )


def damaged(path: Path) -> UserError:
    """Return what is said when something is to be written to a file that is damaged."""
    return UserError(
        _("The file {path} is damaged, so Fireside reads your chats but does not change them.").format(
            path=path
        ),
        _("Restore a backup: in the settings or with “fireside restore”."),
    )


def is_full(path: Path) -> bool:
    """Return whether the disk on which `path` lies has no room left."""
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM
    return False
