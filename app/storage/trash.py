"""What was deleted and is not gone yet, and its end.

It rests for `DAYS` days, counted from when it was deleted, and then goes by itself. Of what a person erases
no byte is left: neither in a page of the file that is free, nor in the log, nor among the steps to undo.
"""

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.changes import Changed, Changes, Kind
from app.domain.trash import DAYS, DeletedMessages, Erased, Trash
from app.storage.connection import connect, transaction
from app.storage.database import Database
from app.storage.rows import read_chats, read_messages
from app.storage.search_index import work_off

if TYPE_CHECKING:
    import sqlite_utils

    from app.storage.undo import UndoLog

_DAY = 24 * 60 * 60.0
_BESIDE = "-anew.part"  # what is added to the name of the file that is written anew
_AMONG = "(SELECT value FROM json_each(?))"


class TrashStore:
    """The deleted chats and messages of one database. Futures resolve after the commit."""

    def __init__(self, database: Database, changes: Changes, undo: "UndoLog") -> None:
        self._database, self._changes, self._undo = database, changes, undo

    def read(self) -> "Future[Trash]":
        """Return what is deleted, the last deleted first."""
        return self._database.read(_read)

    def any(self) -> "Future[bool]":
        """Return whether something is deleted."""
        return self._database.read(_any)

    def erase(self, chat_ids: Sequence[int], message_ids: Sequence[int]) -> "Future[Erased]":
        """End deleted chats, and deleted messages of chats that are not; what is not deleted stays.

        No step can be undone afterwards. The file is written anew, which takes a while for a large one.
        """
        erasing = self._database.write(
            lambda db: _erase(db, chat_ids, message_ids), durable=True, committed=self._publish
        )
        forgetting = self._undo.forget()

        def clean(db: "sqlite_utils.Database") -> Erased:
            erased = erasing.result()  # both are done: they stand before this in the writer's queue
            forgetting.result()
            if erased.chats or erased.messages:
                _leave_no_trace(db)
            return erased

        return self._database.alone(clean)

    def expire(self) -> "Future[Erased]":
        """End what has rested long enough; called at the start, before anything can be erased."""
        return self._database.write(lambda db: _expire(db, time.time()), committed=self._publish)

    def _publish(self, erased: Erased) -> None:
        if erased.chats:
            self._changes.publish(Changed(Kind.CHATS, erased.chats))
        if erased.trees:
            self._changes.publish(Changed(Kind.TREES, erased.trees))


def moment(db: "sqlite_utils.Database") -> float:
    """Return the time of a deletion, in seconds since the epoch.

    It is never before what the database has seen already: else a clock that was set back, and then right
    again, would have what is deleted in between look as if it had been so for years.
    """
    (seen,) = db.execute(
        "SELECT max(coalesce((SELECT max(updated_at) FROM chats), 0),"
        " coalesce((SELECT max(deleted_at) FROM chats), 0),"
        " coalesce((SELECT max(deleted_at) FROM messages WHERE deleted_at IS NOT NULL), 0))"
    ).fetchone()
    return max(time.time(), float(seen))


def _read(db: "sqlite_utils.Database") -> Trash:
    chats = read_chats(db, "WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC")
    found = read_messages(
        db,
        "WHERE deleted_at IS NOT NULL AND chat_id IN (SELECT id FROM chats WHERE deleted_at IS NULL)"
        " ORDER BY deleted_at DESC, id",
    )
    groups: dict[tuple[int, float], DeletedMessages] = {}
    owners = {
        chat.id: chat
        for chat in read_chats(db, f"WHERE id IN {_AMONG}", [_json({each.chat_id for each in found})])
    }
    for each in found:
        when = each.deleted_at or 0.0
        before = groups.get((each.chat_id, when), DeletedMessages(owners[each.chat_id], when, ()))
        groups[each.chat_id, when] = DeletedMessages(before.chat, when, (*before.messages, each))
    return Trash(tuple(chats), tuple(groups.values()))


def _any(db: "sqlite_utils.Database") -> bool:
    (found,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM chats WHERE deleted_at IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM messages WHERE deleted_at IS NOT NULL)"
    ).fetchone()
    return bool(found)


def _expire(db: "sqlite_utils.Database", now: float) -> Erased:
    beside = _beside(db)
    if beside is not None:
        beside.unlink(missing_ok=True)  # Fireside ended while it was written
    before = [now - DAYS * _DAY]
    chats = db.execute("SELECT id FROM chats WHERE deleted_at < ?", before).fetchall()
    messages = db.execute("SELECT id FROM messages WHERE deleted_at < ?", before).fetchall()
    return _erase(db, [row[0] for row in chats], [row[0] for row in messages])


def _erase(db: "sqlite_utils.Database", chat_ids: Sequence[int], message_ids: Sequence[int]) -> Erased:
    sql = f"SELECT id FROM chats WHERE deleted_at IS NOT NULL AND id IN {_AMONG}"  # noqa: S608 -- no outside text
    chats = [row[0] for row in db.execute(sql, [_json(chat_ids)]).fetchall()]
    # A child is younger than its parent: from the youngest on, each finds where its own parent moved.
    sql = (
        "SELECT id, parent_id, chat_id FROM messages WHERE deleted_at IS NOT NULL"  # noqa: S608 -- no outside text
        f" AND id IN {_AMONG} AND chat_id NOT IN {_AMONG} ORDER BY id DESC"
    )
    messages = db.execute(sql, [_json(message_ids), _json(chats)]).fetchall()
    db.execute("PRAGMA secure_delete=ON")
    try:
        for message_id, parent_id, chat_id in messages:
            db.execute("UPDATE messages SET parent_id = ? WHERE parent_id = ?", [parent_id, message_id])
            db.execute(
                "UPDATE chats SET tip_message_id = ? WHERE id = ? AND tip_message_id = ?",
                [parent_id, chat_id, message_id],
            )
            db.execute("DELETE FROM messages WHERE id = ?", [message_id])
        among = [_json(chats)]
        db.execute(f"UPDATE chats SET tip_message_id = NULL WHERE id IN {_AMONG}", among)  # noqa: S608 -- no outside text
        db.execute(f"DELETE FROM messages WHERE chat_id IN {_AMONG}", among)  # noqa: S608 -- no outside text
        db.execute(f"DELETE FROM chats WHERE id IN {_AMONG}", among)  # noqa: S608 -- no outside text
    finally:
        db.execute("PRAGMA secure_delete=FAST")
    trees = sorted({chat_id for _id, _parent, chat_id in messages})
    return Erased(tuple(chats), tuple(row[0] for row in messages), tuple(trees))


def _leave_no_trace(db: "sqlite_utils.Database") -> None:
    """Write the file anew, without pages that are free or half empty, and empty the log.

    What is deleted is overwritten, but not what SQLite has moved before that from one page to another.
    VACUUM would do the same, with all of the file in memory.
    """
    more = True
    while more:  # the words leave the index
        with transaction(db):
            more = work_off(db)
    beside = _beside(db)
    if beside is None:
        return
    beside.unlink(missing_ok=True)
    try:
        beside.touch(mode=0o600)
        (size,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA page_size={size}")  # or the copy would have the size of new files
        db.execute("VACUUM INTO ?", [str(beside)])
        clean = connect(beside, "mode=ro")
        try:
            clean.conn.backup(db.conn)
        finally:
            clean.close()
    finally:
        beside.unlink(missing_ok=True)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _beside(db: "sqlite_utils.Database") -> Path | None:
    """Return where the file is written anew; None for a database in memory."""
    (file,) = db.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    return Path(file).with_name(Path(file).name + _BESIDE) if file else None


def _json(ids: Sequence[int] | set[int]) -> str:
    return json.dumps(sorted(ids))
