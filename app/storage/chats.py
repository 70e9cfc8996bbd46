"""Chats and their trees of messages in the database.

What always holds:
- A message belongs to one chat, and its parent to the same one. Only the text of an answer that is
  being written, or carried on, ever changes; an edit or a new version is a new message.
- What is being written lies in `chunks` until it is finished, and then in the message.
- Only a turn moves a chat up the list.
"""

import json
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import CONTINUABLE, Chat, Message, ModelIdentity, Role, Started, Status, Tree, title_from
from app.domain.errors import UserError
from app.domain.generation import Stats
from app.domain.language import _
from app.domain.settings import Settings
from app.storage.database import Database
from app.storage.rows import read_chats, read_messages, read_path, storable
from app.storage.writers import is_alive, this_process

if TYPE_CHECKING:
    import sqlite_utils

_TICK = 0.001  # seconds between two turns where the clock stands still or goes back


class ChatFields(TypedDict, total=False):
    """What of a chat may be changed by itself."""

    title: str
    pinned: bool
    system_prompt: str
    draft: str
    tip_id: int
    model_path: str


class ChatStore:
    """The chats of one database. Everything returns at once; futures resolve after the commit.

    `Changed` is published after each commit and before its future resolves, but not for chunks
    and drafts: who writes those has them already.

    Futures fail with a UserError when a chat or message is not there, or deleted.
    """

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def start_turn(
        self, chat_id: int | None, parent_id: int | None, text: str, model: ModelIdentity, settings: Settings
    ) -> "Future[Started]":
        """Store what a person says below `parent_id` (None: first in the chat), and an empty answer to it.

        Without a `chat_id` a new chat is made and named after `text`.
        """
        return self._start(lambda db: _start_turn(db, chat_id, parent_id, storable(text), model, settings))

    def start_reply(
        self, chat_id: int, parent_id: int | None, model: ModelIdentity, settings: Settings
    ) -> "Future[Started]":
        """Store an empty answer, one more version, to the person's message `parent_id`."""
        return self._start(lambda db: _start_reply(db, chat_id, parent_id, model, settings))

    def resume_reply(self, message_id: int, model: ModelIdentity, settings: Settings) -> "Future[Started]":
        """Make an answer that broke off one that is being written again; its text so far stays."""
        return self._start(lambda db: _resume_reply(db, message_id, model, settings))

    def append_chunk(self, message_id: int, text: str) -> "Future[None]":
        """Add to an answer that is being written; for one that is no longer, do nothing."""
        return self._database.write(lambda db: _append_chunk(db, message_id, storable(text)))

    def finish(
        self, message_id: int, text: str, status: Status, stats: Stats | None, error: str
    ) -> "Future[None]":
        """End an answer: `text` is all of it and takes the place of what `append_chunk` has stored."""
        return self._database.write(
            lambda db: _finish(db, message_id, storable(text), status, stats, storable(error)),
            durable=True,
            committed=lambda done: self._publish(Kind.MESSAGES, message_id),
        )

    def recover(self) -> "Future[list[int]]":
        """End as interrupted, with all they have, the answers whose process has died; returns their ids."""
        return self._database.write(
            _recover, durable=True, committed=lambda ids: self._publish(Kind.MESSAGES, *ids)
        )

    def chats(self) -> "Future[list[Chat]]":
        """Return the chats that are not deleted, pinned ones first, then the last used first."""
        rest = "WHERE deleted_at IS NULL ORDER BY pinned DESC, updated_at DESC, id DESC"
        return self._database.read(lambda db: read_chats(db, rest))

    def chat(self, chat_id: int) -> "Future[tuple[Chat, Tree]]":
        """Return a chat with all its messages."""
        return self._database.read(
            lambda db: (
                _living_chat(db, chat_id),
                Tree.of(read_messages(db, "WHERE chat_id = ? ORDER BY id", [chat_id])),
            )
        )

    def changed(self, chat_id: int, ids: tuple[int, ...]) -> "Future[tuple[Chat, list[Message]]]":
        """Return a chat, and those of its messages that are among `ids`, in the order of their ids."""
        rest = "WHERE id IN (SELECT value FROM json_each(?)) AND chat_id = ? ORDER BY id"
        return self._database.read(
            lambda db: (_living_chat(db, chat_id), read_messages(db, rest, [json.dumps(ids), chat_id]))
        )

    def update_chat(self, chat_id: int, **fields: Unpack[ChatFields]) -> "Future[None]":
        """Change fields of a chat; an empty title stands for that of its first message."""
        return self._database.write(
            lambda db: _update_chat(db, chat_id, fields),
            committed=lambda done: None if fields.keys() == {"draft"} else self._publish(Kind.CHATS, chat_id),
        )

    def delete_chat(self, chat_id: int) -> "Future[None]":
        """Take a chat off the list, keeping all of it for `restore_chat`."""
        return self._mark_deleted(chat_id, time.time())

    def restore_chat(self, chat_id: int) -> "Future[None]":
        """Undo `delete_chat`."""
        return self._mark_deleted(chat_id, None)

    def fill_sha256(self, path: str, sha256: str) -> "Future[list[int]]":
        """Complete the answers that the file `path` wrote before its hash was known; returns their ids."""
        return self._database.write(
            lambda db: _fill_sha256(db, storable(path), sha256),
            committed=lambda ids: self._publish(Kind.MESSAGES, *ids),
        )

    def _start(self, fn: "Callable[[sqlite_utils.Database], Started]") -> "Future[Started]":
        def publish(started: Started) -> None:
            self._publish(Kind.CHATS, started.chat.id)
            self._publish(Kind.MESSAGES, *(message.id for message in started.path[-1:]), started.reply.id)

        return self._database.write(fn, durable=True, committed=publish)

    def _mark_deleted(self, chat_id: int, when: float | None) -> "Future[None]":
        sql = "UPDATE chats SET deleted_at = ? WHERE id = ?"
        return self._database.write(
            lambda db: _require(db.execute(sql, [when, chat_id]).rowcount, _no_chat()),
            committed=lambda done: self._publish(Kind.CHATS, chat_id),
        )

    def _publish(self, kind: Kind, *ids: int) -> None:
        if ids:
            self._changes.publish(Changed(kind, ids))


def _start_turn(
    db: "sqlite_utils.Database",
    chat_id: int | None,
    parent_id: int | None,
    text: str,
    model: ModelIdentity,
    settings: Settings,
) -> Started:
    if chat_id is None:
        now = time.time()
        chat_id = _insert(db, "chats", {"created_at": now, "updated_at": now})
    else:
        _living_chat(db, chat_id)
    if parent_id is not None:
        _living_message(db, chat_id, parent_id)
    said = {
        "chat_id": chat_id,
        "parent_id": parent_id,
        "role": Role.USER.value,
        "status": Status.COMPLETE.value,
        "created_at": time.time(),
        "text": text,
    }
    said_id = _insert(db, "messages", said)
    db.execute("UPDATE chats SET draft = '' WHERE id = ?", [chat_id])
    db.execute("UPDATE chats SET title = ? WHERE id = ? AND title = ''", [title_from(text), chat_id])
    return _start_reply(db, chat_id, said_id, model, settings)


def _start_reply(
    db: "sqlite_utils.Database",
    chat_id: int,
    parent_id: int | None,
    model: ModelIdentity,
    settings: Settings,
) -> Started:
    _living_chat(db, chat_id)
    if _living_message(db, chat_id, parent_id).role is not Role.USER:
        raise UserError(_("Only what you have said yourself can be answered."))
    reply = {
        "chat_id": chat_id,
        "parent_id": parent_id,
        "role": Role.ASSISTANT.value,
        "created_at": time.time(),
        **_being_written(model, settings),
    }
    reply_id = _insert(db, "messages", reply)
    db.execute("UPDATE chats SET tip_message_id = ? WHERE id = ?", [reply_id, chat_id])
    return _started(db, chat_id, reply_id, model)


def _resume_reply(
    db: "sqlite_utils.Database", message_id: int, model: ModelIdentity, settings: Settings
) -> Started:
    found = read_messages(db, "WHERE id = ?", [message_id])
    _require(len(found), _no_message())
    _living_chat(db, found[0].chat_id)
    if found[0].role is not Role.ASSISTANT or found[0].status not in CONTINUABLE:
        raise UserError(_("This answer cannot be continued: it is whole, or on its way already."))
    changes = {**_being_written(model, settings), "stats": None, "error": ""}
    db.table("messages").update(message_id, changes)
    return _started(db, found[0].chat_id, message_id, model)


def _being_written(model: ModelIdentity, settings: Settings) -> dict[str, Any]:
    return {
        "status": Status.WRITING.value,
        "writer": this_process(),
        "model_name": storable(model.name),
        "model_sha256": model.sha256,
        "model_path": storable(model.path),
        "settings": json.dumps(settings.to_json()),
    }


def _started(db: "sqlite_utils.Database", chat_id: int, reply_id: int, model: ModelIdentity) -> Started:
    db.execute(
        "UPDATE chats SET model_path = ?, updated_at = max(?, (SELECT max(updated_at) FROM chats) + ?)"
        " WHERE id = ?",
        [storable(model.path), time.time(), _TICK, chat_id],
    )
    *path, reply = read_path(db, reply_id)
    return Started(_living_chat(db, chat_id), path, reply)


def _append_chunk(db: "sqlite_utils.Database", message_id: int, text: str) -> None:
    db.execute(
        "INSERT INTO chunks (message_id, number, text)"
        " SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM chunks WHERE message_id = messages.id), ?"
        " FROM messages WHERE id = ? AND status = 'writing'",
        [text, message_id],
    )


def _finish(
    db: "sqlite_utils.Database", message_id: int, text: str, status: Status, stats: Stats | None, error: str
) -> None:
    found = db.execute(
        "UPDATE messages SET text = ?, status = ?, stats = ?, error = ?, writer = NULL WHERE id = ?",
        [text, status.value, None if stats is None else json.dumps(stats.to_json()), error, message_id],
    ).rowcount
    _require(found, _no_message())
    db.execute("DELETE FROM chunks WHERE message_id = ?", [message_id])


def _recover(db: "sqlite_utils.Database") -> list[int]:
    rows = db.execute("SELECT id, writer FROM messages WHERE status = 'writing'").fetchall()
    left = [message_id for message_id, writer in rows if not is_alive(writer)]
    for message_id in left:
        (message,) = read_messages(db, "WHERE id = ?", [message_id])
        _finish(db, message_id, message.text, Status.INTERRUPTED, None, "")
    return left


def _update_chat(db: "sqlite_utils.Database", chat_id: int, fields: ChatFields) -> None:
    columns: dict[str, Any] = {
        name: storable(value) if isinstance(value, str) else value for name, value in fields.items()
    }
    if "tip_id" in columns:
        columns["tip_message_id"] = columns.pop("tip_id")
        _living_message(db, chat_id, columns["tip_message_id"])
    if columns.get("title") == "":
        first = read_messages(db, "WHERE chat_id = ? AND parent_id IS NULL ORDER BY id LIMIT 1", [chat_id])
        columns["title"] = title_from(first[0].text) if first else ""
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    found = db.execute(f"UPDATE chats SET {sets} WHERE id = :id", {**columns, "id": chat_id}).rowcount  # noqa: S608
    _require(found, _no_chat())


def _fill_sha256(db: "sqlite_utils.Database", path: str, sha256: str) -> list[int]:
    sql = "UPDATE messages SET model_sha256 = ? WHERE model_path = ? AND model_sha256 = '' RETURNING id"
    return [row[0] for row in db.execute(sql, [sha256, path]).fetchall()]


def _insert(db: "sqlite_utils.Database", table: str, row: dict[str, Any]) -> int:
    return cast("int", db.table(table).insert(row).last_pk)


def _living_chat(db: "sqlite_utils.Database", chat_id: int) -> Chat:
    found = read_chats(db, "WHERE id = ? AND deleted_at IS NULL", [chat_id])
    _require(len(found), _no_chat())
    return found[0]


def _living_message(db: "sqlite_utils.Database", chat_id: int, message_id: int | None) -> Message:
    found = read_messages(db, "WHERE id = ? AND chat_id = ?", [message_id, chat_id])
    _require(len(found), _no_message())
    return found[0]


def _require(found: int, otherwise: UserError) -> None:
    if not found:
        raise otherwise


def _no_chat() -> UserError:
    return UserError(_("This chat is no longer there."))


def _no_message() -> UserError:
    return UserError(_("This message is no longer there."))
