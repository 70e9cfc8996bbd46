"""Chats with all that belongs to them, read as one and written as one."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Role, Status
from app.domain.undo import Act
from app.domain.whole_chat import WholeChat, mark, marks
from app.storage import probabilities
from app.storage.database import Database
from app.storage.in_memory import by_id
from app.storage.rows import compact, read_messages, storable
from app.storage.summaries import read_summaries
from app.storage.trash import moment
from app.storage.turns import living_chat
from app.storage.undo import UndoLog
from app.storage.writers import is_alive, this_process

if TYPE_CHECKING:
    import sqlite_utils

_MESSAGES = """
    INSERT INTO messages (
        id, chat_id, parent_id, role, status, created_at, model_name, model_sha256, model_path,
        settings, stats, error, text, reasoning_seconds, reasoning, pinned, seen_from, summary_id
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_CHATS = """
    INSERT INTO chats (
        id, pinned, created_at, updated_at, title, model_path, system_prompt, draft,
        policy, context, folder_id, archived, deleted_at
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


_ARRIVING = "arriving:"  # keys of preferences: the ids of chats that a process is bringing in


class WholeChats:
    """The chats of one database, each with its whole tree. What is deleted is not read.

    Chats that come in are stored in steps, each of which is committed, but rest among the deleted ones
    until `show` brings them all at once. If this process dies before that, `left_behind` names them at the
    next start, and `erase` takes them away: what comes in is there whole, or not at all.

    Attributes:
        beside: The incognito chats.
    """

    beside: "WholeChats | None" = None

    def __init__(self, database: Database, changes: Changes, undo: UndoLog) -> None:
        self._database = database
        self._changes = changes
        self._undo = undo

    def ids(self) -> "Future[list[int]]":
        """Return the ids of all chats, those that were used last first."""
        sql = "SELECT id FROM chats WHERE deleted_at IS NULL ORDER BY updated_at DESC, id DESC"
        return self._database.read(lambda db: [row[0] for row in db.execute(sql)])

    @by_id
    def read(self, chat_id: int) -> "Future[WholeChat]":
        """Return a chat with all of it; an answer that is being written is one that was interrupted.

        Raises:
            UserError: Through the future, when it is not there, or deleted.
        """
        return self._database.read(lambda db: _read(db, chat_id))

    def beginnings(self) -> "Future[dict[bytes, list[int]]]":
        """Return the marks of first messages, each with the chats that begin so: see `domain.whole_chat`."""
        return self._database.read(_beginnings)

    def marks(self, chat_id: int) -> "Future[frozenset[bytes]]":
        """Return the marks of all messages of a chat."""
        rest = "WHERE chat_id = ? AND deleted_at IS NULL ORDER BY id"
        return self._database.read(lambda db: frozenset(marks(read_messages(db, rest, [chat_id]))))

    def insert(self, chats: Sequence[WholeChat]) -> "Future[list[int]]":
        """Store chats in one transaction, all of them or none, unseen as yet; return their ids.

        Folders are found by their names, and made where there is none of the name.
        """
        return self._database.write(lambda db: _arrive(db, chats))

    def add(self, chat: WholeChat) -> "Future[int]":
        """Store one chat, in one step that can be undone; returns its id."""
        return self._undo.write(
            Act.KEEP, lambda db: _add(db, chat), durable=True, committed=lambda added: self._publish([added])
        )

    def show(self) -> "Future[list[int]]":
        """Show all that this process has inserted, in one step that can be undone; return the ids."""
        return self._undo.write(Act.IMPORT, _show, durable=True, committed=self._publish)

    def left_behind(self) -> "Future[list[int]]":
        """Return what was inserted and never shown, by this process or by one that has died."""
        return self._database.read(_left_behind)

    def erase(self, ids: Sequence[int]) -> "Future[None]":
        """Take chats away that were inserted and never shown."""
        return self._database.write(lambda db: _erase(db, ids))

    def _publish(self, ids: Sequence[int]) -> None:
        if ids:
            self._changes.publish(Changed(Kind.FOLDERS))
            self._changes.publish(Changed(Kind.CHATS, tuple(ids)))


def _read(db: "sqlite_utils.Database", chat_id: int) -> WholeChat:
    chat = living_chat(db, chat_id)
    found = read_messages(db, "WHERE chat_id = ? AND deleted_at IS NULL ORDER BY id", [chat_id])
    messages = tuple(
        replace(each, status=Status.INTERRUPTED) if each.status is Status.WRITING else each for each in found
    )
    ids = {message.id for message in messages}
    if messages and chat.tip_id not in ids:
        chat = replace(chat, tip_id=messages[-1].id)
    summaries = tuple(each for each in read_summaries(db, chat_id) if each.until_id in ids)
    folder = db.execute("SELECT name FROM folders WHERE id = ?", [chat.folder_id]).fetchone()
    chosen = {
        message_id: tokens for message_id, tokens in probabilities.read_chat(db, chat_id) if message_id in ids
    }
    return WholeChat(replace(chat, folder_id=None), messages, summaries, folder[0] if folder else "", chosen)


def _beginnings(db: "sqlite_utils.Database") -> dict[bytes, list[int]]:
    rows = db.execute(
        "SELECT messages.chat_id, role, text FROM messages JOIN chats ON chats.id = messages.chat_id"
        " WHERE parent_id IS NULL AND messages.deleted_at IS NULL AND chats.deleted_at IS NULL"
    )
    found: dict[bytes, list[int]] = {}
    for chat_id, role, text in rows:
        found.setdefault(mark(b"", Role(role), text), []).append(chat_id)
    return found


def _insert(db: "sqlite_utils.Database", chats: Iterable[WholeChat]) -> list[int]:
    folders = dict(db.execute("SELECT name, max(id) FROM folders GROUP BY name").fetchall())
    next_chat, next_message, next_summary = (
        db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()[0]  # noqa: S608 -- no outside text
        for table in ("chats", "messages", "summaries")
    )
    placed = []
    for whole in chats:
        messages = {message.id: number for number, message in enumerate(whole.messages, next_message)}
        summaries = {summary.id: number for number, summary in enumerate(whole.summaries, next_summary)}
        placed.append(_Placed(whole, next_chat, messages, summaries))
        next_chat += 1
        next_message += len(messages)
        next_summary += len(summaries)
    connection, when = db.conn, moment(db)
    connection.executemany(
        _CHATS, [(*each.chat_row(_folder(db, folders, each.whole.folder)), when) for each in placed]
    )
    connection.executemany(_MESSAGES, (row for each in placed for row in each.message_rows()))
    tips = [(each.messages.get(each.whole.chat.tip_id or 0), each.chat_id) for each in placed]
    connection.executemany("UPDATE chats SET tip_message_id = ? WHERE id = ?", tips)
    connection.executemany(
        "INSERT INTO summaries (id, chat_id, until_id, created_at, kept, text) VALUES (?, ?, ?, ?, ?, ?)",
        [row for each in placed for row in each.summary_rows()],
    )
    connection.executemany(
        "INSERT INTO chat_tags (chat_id, name) VALUES (?, ?)",
        [(each.chat_id, tag) for each in placed for tag in {storable(tag) for tag in each.whole.chat.tags}],
    )
    for each in placed:
        for message_id, chosen in each.whole.probabilities.items():
            probabilities.insert(db, each.messages[message_id], chosen)
    return [each.chat_id for each in placed]


def _arrive(db: "sqlite_utils.Database", chats: Iterable[WholeChat]) -> list[int]:
    ids, key = _insert(db, chats), _ARRIVING + this_process()
    _remember(db, key, [*_arriving(db).get(key, []), *ids])
    return ids


def _add(db: "sqlite_utils.Database", chat: WholeChat) -> int:
    (chat_id,) = _insert(db, [chat])
    db.execute("UPDATE chats SET deleted_at = NULL WHERE id = ?", [chat_id])
    return chat_id


def _show(db: "sqlite_utils.Database") -> list[int]:
    key = _ARRIVING + this_process()
    ids = _arriving(db).get(key, [])
    _remember(db, key, [])
    sql = (
        "UPDATE chats SET deleted_at = NULL WHERE deleted_at IS NOT NULL"
        " AND id IN (SELECT value FROM json_each(?)) RETURNING id"
    )
    return [row[0] for row in db.execute(sql, [json.dumps(ids)]).fetchall()]


def _left_behind(db: "sqlite_utils.Database") -> list[int]:
    found = []
    for key, ids in _arriving(db).items():
        process = key.removeprefix(_ARRIVING)
        if process == this_process() or not is_alive(process):
            found += ids
    return found


def _erase(db: "sqlite_utils.Database", ids: Sequence[int]) -> None:
    """Erase those of `ids` that are still hidden; whatever they were, they are not on their way any more."""
    gone = set(ids)
    for key, arriving in _arriving(db).items():
        if mine := gone.intersection(arriving):
            sql = "DELETE FROM chats WHERE deleted_at IS NOT NULL AND id IN (SELECT value FROM json_each(?))"
            db.execute(sql, [json.dumps(sorted(mine))])
            _remember(db, key, [chat_id for chat_id in arriving if chat_id not in mine])


def _arriving(db: "sqlite_utils.Database") -> dict[str, list[int]]:
    rows = db.execute(
        "SELECT key, value FROM preferences WHERE key >= ? AND key < ?", [_ARRIVING, "arriving;"]
    )
    return {key: json.loads(value) for key, value in rows.fetchall()}


def _remember(db: "sqlite_utils.Database", key: str, ids: Sequence[int]) -> None:
    if ids:
        db.execute("INSERT OR REPLACE INTO preferences VALUES (?, ?)", [key, json.dumps(list(ids))])
    else:
        db.execute("DELETE FROM preferences WHERE key = ?", [key])


def _folder(db: "sqlite_utils.Database", known: dict[str, int], name: str) -> int | None:
    name = storable(name)
    if name and name not in known:
        row = {"name": name, "created_at": time.time()}
        known[name] = cast("int", db.table("folders").insert(row).last_pk)
    return known.get(name)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A chat with the ids that it gets: its own, and those of its messages and summaries by the old ones."""

    whole: WholeChat
    chat_id: int
    messages: dict[int, int]
    summaries: dict[int, int]

    def chat_row(self, folder_id: int | None) -> tuple[Any, ...]:
        chat = self.whole.chat
        return (
            self.chat_id,
            chat.pinned,
            chat.created_at,
            chat.updated_at,
            storable(chat.title),
            storable(chat.model_path),
            storable(chat.system_prompt),
            storable(chat.draft),
            chat.policy,
            chat.context,
            folder_id,
            chat.archived,
        )

    def message_rows(self) -> Iterator[tuple[Any, ...]]:
        new, told = self.messages, self.summaries
        for message in self.whole.messages:
            model, settings, stats = message.model, message.settings, message.stats
            yield (
                new[message.id],
                self.chat_id,
                None if message.parent_id is None else new.get(message.parent_id),
                message.role.value,
                message.status.value,
                message.created_at,
                None if model is None else storable(model.name),
                None if model is None else storable(model.sha256),
                None if model is None else storable(model.path),
                None if settings is None else storable(compact(settings)),
                None if stats is None else storable(compact(stats)),
                storable(message.error),
                storable(message.text),
                message.reasoning_seconds,
                storable(message.reasoning),
                message.pinned,
                None if message.seen_from is None else new.get(message.seen_from),
                None if message.summary_id is None else told.get(message.summary_id),
            )

    def summary_rows(self) -> Iterator[tuple[Any, ...]]:
        for each in self.whole.summaries:
            number, until = self.summaries[each.id], self.messages[each.until_id]
            yield number, self.chat_id, until, each.created_at, storable(each.kept), storable(each.text)
