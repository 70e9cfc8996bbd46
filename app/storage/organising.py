"""Where chats lie: folders, tags, pins and the archive, for one chat or for many at once.

Everything raises UserError when a chat or folder is not there, or deleted, and then changes nothing.
"""

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Folder
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.names import folder_name, tag_name
from app.domain.undo import Act
from app.storage.database import Database
from app.storage.rows import require, storable
from app.storage.trash import moment
from app.storage.turns import no_chat
from app.storage.undo import UndoLog

if TYPE_CHECKING:
    import sqlite_utils


class Organiser:
    """Puts the chats of one database in order, so that it can be undone. Futures resolve after the commit."""

    def __init__(self, database: Database, changes: Changes, undo: UndoLog) -> None:
        self._database, self._changes, self._undo = database, changes, undo

    def folders(self) -> "Future[list[Folder]]":
        """Return all folders, in the order of their names."""
        return self._database.read(_folders)

    def tags(self) -> "Future[list[str]]":
        """Return the names of all tags that a chat bears which is not deleted, in their order."""
        sql = "SELECT DISTINCT name FROM chat_tags JOIN chats ON chats.id = chat_id WHERE deleted_at IS NULL"
        return self._database.read(
            lambda db: sorted((row[0] for row in db.execute(sql).fetchall()), key=str.casefold)
        )

    def new_folder(self, name: str, chat_ids: Sequence[int] = ()) -> "Future[Folder]":
        """Make a folder, and move chats into it."""
        wanted = folder_name(storable(name))

        def told(folder: Folder) -> None:
            self._publish(Kind.FOLDERS, folder.id)
            self._publish(Kind.CHATS, *chat_ids)

        return self._undo.write(Act.NEW_FOLDER, lambda db: _new_folder(db, wanted, chat_ids), committed=told)

    def rename_folder(self, folder_id: int, name: str) -> "Future[None]":
        """Give a folder another name."""
        wanted = folder_name(storable(name))
        return self._undo.write(
            Act.RENAME_FOLDER,
            lambda db: _rename_folder(db, folder_id, wanted),
            committed=lambda done: self._publish(Kind.FOLDERS, folder_id),
        )

    def delete_folder(self, folder_id: int) -> "Future[list[int]]":
        """Delete a folder; its chats lie in none afterwards. Returns their ids."""

        def told(chat_ids: list[int]) -> None:
            self._publish(Kind.FOLDERS, folder_id)
            self._publish(Kind.CHATS, *chat_ids)

        return self._undo.write(Act.DELETE_FOLDER, lambda db: _delete_folder(db, folder_id), committed=told)

    def move(self, chat_ids: Sequence[int], folder_id: int | None) -> "Future[None]":
        """Move chats into a folder; None takes them out of theirs."""

        def write(db: "sqlite_utils.Database") -> None:
            if folder_id is not None:
                _require_folder(db, folder_id)
            _set(db, chat_ids, "folder_id", folder_id)

        return self._write(Act.MOVE, chat_ids, write)

    def pin(self, chat_ids: Sequence[int], pinned: bool) -> "Future[None]":
        """Keep chats at the top, or no longer."""
        act = Act.PIN if pinned else Act.UNPIN
        return self._write(act, chat_ids, lambda db: _set(db, chat_ids, "pinned", pinned))

    def archive(self, chat_ids: Sequence[int], archived: bool) -> "Future[None]":
        """Put chats out of the way, or back."""
        act = Act.ARCHIVE if archived else Act.UNARCHIVE
        return self._write(act, chat_ids, lambda db: _set(db, chat_ids, "archived", archived))

    def tag(self, chat_ids: Sequence[int], name: str) -> "Future[None]":
        """Give chats a tag; one that differs from `name` only in its case is taken instead."""
        wanted = tag_name(storable(name))
        return self._write(Act.TAG, chat_ids, lambda db: _tag(db, chat_ids, wanted))

    def untag(self, chat_ids: Sequence[int], name: str) -> "Future[None]":
        """Take a tag off chats; those that do not bear it stay as they are."""
        wanted = tag_name(storable(name))
        return self._write(Act.UNTAG, chat_ids, lambda db: _untag(db, chat_ids, wanted))

    def delete(self, chat_ids: Sequence[int]) -> "Future[None]":
        """Take chats off the list, keeping all of them for `restore`."""
        return self._write(Act.DELETE_CHAT, chat_ids, lambda db: _set(db, chat_ids, "deleted_at", moment(db)))

    def restore(self, chat_ids: Sequence[int]) -> "Future[None]":
        """Undo `delete`."""
        return self._write(
            Act.RESTORE, chat_ids, lambda db: _set(db, chat_ids, "deleted_at", None, deleted=True)
        )

    def _write(self, act: Act, chat_ids: Sequence[int], fn: Any) -> "Future[None]":
        return self._undo.write(
            act, fn, durable=True, committed=lambda done: self._publish(Kind.CHATS, *chat_ids)
        )

    def _publish(self, kind: Kind, *ids: int) -> None:
        if ids:
            self._changes.publish(Changed(kind, ids))


_AMONG = "id IN (SELECT value FROM json_each(?))"


def _folders(db: "sqlite_utils.Database") -> list[Folder]:
    rows = db.execute("SELECT id, name, created_at FROM folders").fetchall()
    return sorted((Folder(*row) for row in rows), key=lambda folder: (folder.name.casefold(), folder.id))


def _new_folder(db: "sqlite_utils.Database", name: str, chat_ids: Sequence[int]) -> Folder:
    _refuse_taken(db, name)
    now = time.time()
    sql = "INSERT INTO folders (created_at, name) VALUES (?, ?) RETURNING id"
    (folder_id,) = db.execute(sql, [now, name]).fetchone()
    if chat_ids:
        _set(db, chat_ids, "folder_id", folder_id)
    return Folder(folder_id, name, now)


def _rename_folder(db: "sqlite_utils.Database", folder_id: int, name: str) -> None:
    _require_folder(db, folder_id)
    _refuse_taken(db, name, but=folder_id)
    db.execute("UPDATE folders SET name = ? WHERE id = ?", [name, folder_id])


def _delete_folder(db: "sqlite_utils.Database", folder_id: int) -> list[int]:
    _require_folder(db, folder_id)
    sql = "UPDATE chats SET folder_id = NULL WHERE folder_id = ? RETURNING id"
    chat_ids = [row[0] for row in db.execute(sql, [folder_id]).fetchall()]
    db.execute("DELETE FROM folders WHERE id = ?", [folder_id])
    return chat_ids


def _refuse_taken(db: "sqlite_utils.Database", name: str, but: int | None = None) -> None:
    for folder in _folders(db):
        if folder.name.casefold() == name.casefold() and folder.id != but:
            raise UserError(
                _("There is a folder “{name}” already.").format(name=folder.name),
                _("Choose another name."),
            )


def _require_folder(db: "sqlite_utils.Database", folder_id: int) -> None:
    found = db.execute("SELECT 1 FROM folders WHERE id = ?", [folder_id]).fetchall()
    require(len(found), UserError(_("This folder no longer exists.")))


def _set(
    db: "sqlite_utils.Database", chat_ids: Sequence[int], column: str, value: Any, *, deleted: bool = False
) -> None:
    _require_chats(db, chat_ids, deleted=deleted)
    sql = f"UPDATE chats SET {column} = ? WHERE {_AMONG} AND {column} IS NOT ?"  # noqa: S608 -- no outside text
    db.execute(sql, [value, json.dumps(list(chat_ids)), value])


def _require_chats(db: "sqlite_utils.Database", chat_ids: Sequence[int], *, deleted: bool = False) -> None:
    which = "" if deleted else " AND deleted_at IS NULL"
    sql = f"SELECT count(*) FROM chats WHERE {_AMONG}{which}"  # noqa: S608 -- no outside text
    (found,) = db.execute(sql, [json.dumps(list(chat_ids))]).fetchone()
    if not chat_ids or found < len(set(chat_ids)):
        raise no_chat()


def _tag(db: "sqlite_utils.Database", chat_ids: Sequence[int], name: str) -> None:
    _require_chats(db, chat_ids)
    known = _spelling(db, name)
    sql = "INSERT OR IGNORE INTO chat_tags (chat_id, name) VALUES (?, ?)"
    for chat_id in chat_ids:
        db.execute(sql, [chat_id, known or name])


def _untag(db: "sqlite_utils.Database", chat_ids: Sequence[int], name: str) -> None:
    _require_chats(db, chat_ids)
    known = _spelling(db, name)
    sql = "DELETE FROM chat_tags WHERE name = ? AND chat_id IN (SELECT value FROM json_each(?))"
    db.execute(sql, [known, json.dumps(list(chat_ids))])


def _spelling(db: "sqlite_utils.Database", name: str) -> str | None:
    """Return the tag that there is already, in whatever case it is written."""
    rows = db.execute("SELECT DISTINCT name FROM chat_tags").fetchall()
    known: list[str] = sorted(row[0] for row in rows)
    same = [each for each in known if each.casefold() == name.casefold()]
    return name if name in same else next(iter(same), None)
