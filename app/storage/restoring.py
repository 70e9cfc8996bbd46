"""A backup takes the place of what is there, all of it or nothing, however it ends.

First everything is prepared in a file beside the database: the backup, in the schema of this Fireside, with
what is set and downloaded now. Then a database that is whole takes all pages of it in one transaction. One
that is damaged is kept among the backups as it is, and the new file gets its name.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.backup import Backup, Prospect, Reason, Restored
from app.domain.errors import UserError
from app.domain.language import _
from app.storage.backups import ALONE, copy_database, copy_pages, is_whole, keep_damaged, make_backup, settle
from app.storage.connection import connect, readable_mode, transaction
from app.storage.database import Database
from app.storage.faults import code_of, is_damage

if TYPE_CHECKING:
    from sqlite_utils import Database as Connection

_NEW = "-restoring"
_LOG, _INDEX = "-wal", "-shm"  # that SQLite has beside a file
_STAYS = ("preferences", "downloads", "model_uses")  # what is not the history


def prospect(database: Path, backup: Backup) -> Prospect:
    """Return what bringing back a backup would mean."""
    try:
        db = connect(database, readable_mode(database))
    except Exception as error:
        if code_of(error) is None and not isinstance(error, UserError):
            raise
        return Prospect(backup, None)
    try:
        sql = "SELECT count(*) FROM messages WHERE id > ?"
        return Prospect(backup, int(db.execute(sql, [backup.last_message]).fetchone()[0]))
    except Exception as error:
        if not is_damage(error):
            raise
        return Prospect(backup, None)
    finally:
        db.close()


def restore(database: Database, backup: Backup) -> Restored:
    """Put a backup in the place of what is there, which is kept as a backup first.

    Must not be called on a thread of `database`.

    Raises:
        UserError: When the backup is damaged, from a newer Fireside, or cannot be put there; nothing has
            changed then.
    """
    if not is_whole(backup.path):
        raise UserError(_("This backup is damaged, so it cannot be restored."), _("Choose another backup."))
    try:
        whole = database.open().result()
    except UserError:
        if not database.is_damaged:
            raise
        whole = False
    if not whole and not database.is_damaged:
        raise UserError(
            _("The folder {folder} is write-protected, so nothing can be restored.").format(
                folder=database.path.parent
            ),
            _("Make this folder writable, then start Fireside again."),
        )
    if whole:
        _refuse_while_writing(database)
    clear_remains(database.path)
    new = database.path.with_name(database.path.name + _NEW)
    try:
        _prepare(backup.path, new, database.path)
        if whole:
            before = make_backup(database.path, Reason.RESTORE).path
            database.alone(lambda db: _overwrite(db, new)).result()
        else:
            before = database.replace(lambda: _put(new, database.path)).result()
    except OSError as error:
        raise UserError(
            _("The backup could not be restored: {reason}.").format(
                reason=error.strerror or type(error).__name__
            ),
            _("Your chats are as they were. Free some space on the disk, then try again."),
        ) from error
    finally:
        clear_remains(database.path)
    return Restored(backup, before)


def clear_remains(database: Path) -> None:
    """Take away what was prepared to be restored, by a process that is no more."""
    for path in database.parent.glob(f"{database.name}{_NEW}*"):
        with suppress(OSError):
            path.unlink()


def _refuse_while_writing(database: Database) -> None:
    sql = "SELECT count(*) FROM messages WHERE status = 'writing'"
    if database.read(lambda db: db.execute(sql).fetchone()[0]).result():
        raise UserError(
            _("An answer is still being written."), _("Wait until it is finished, or stop it first.")
        )


def _prepare(backup: Path, new: Path, database: Path) -> None:
    """Make the file that is to take the place of the database."""
    from app.storage.migrations import apply, refuse_newer

    copy_database(backup, new)
    db = connect(new, "mode=rw")
    try:
        refuse_newer(db)
        with transaction(db):
            apply(db)
        _take_over(db, database)
    finally:
        db.close()


def _take_over(db: "Connection", database: Path) -> None:
    """Keep what is set and downloaded, where the database can be read."""
    try:
        mode = readable_mode(database)
    except Exception as error:
        if not (is_damage(error) or isinstance(error, UserError)):
            raise
        return
    db.execute("ATTACH ? AS now", [f"{database.absolute().as_uri()}?{mode}"])
    for table in _STAYS:
        try:
            with transaction(db):
                db.execute(f"DELETE FROM main.{table}")  # noqa: S608 -- no outside text
                db.execute(f"INSERT INTO main.{table} SELECT * FROM now.{table}")  # noqa: S608 -- no outside text
        except Exception as error:
            if not is_damage(error):
                raise


def _overwrite(db: "Connection", new: Path) -> None:
    """Write all pages of `new` over those of the database, in one transaction."""
    source = connect(new, ALONE)
    try:
        copy_pages(source.conn, db.conn)
    finally:
        source.close()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # waits for the disk


def _put(new: Path, database: Path) -> Path:
    """Keep a damaged database, and give its name to `new`; return where it is kept.

    Its log goes before it does: a log would be taken for that of the new file.
    """
    kept = keep_damaged(database)
    for suffix in (_LOG, _INDEX):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    new.replace(database)
    settle(database.parent)
    return kept
