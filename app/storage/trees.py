"""What is done to the tree of a chat beside saying something: taking messages out, and copying a path.

After each of these one path leads from the first message to the tip, or there is no message left.
Everything raises UserError when a chat or message is not there, or deleted.
"""

import re
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Message, Status, Tree
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.undo import Act
from app.storage.database import Database
from app.storage.in_memory import by_id
from app.storage.rows import columns, read_messages, read_path, require
from app.storage.trash import moment
from app.storage.turns import TICK, living_chat, living_message, no_message
from app.storage.undo import UndoLog

if TYPE_CHECKING:
    import sqlite_utils


class Trees:
    """Changes the trees of one database; each change can be undone. Futures resolve after the commit.

    Attributes:
        beside: Those of the incognito chats.
    """

    beside: "Trees | None" = None

    def __init__(self, database: Database, undo: UndoLog, changes: Changes) -> None:
        self._database, self._undo, self._changes = database, undo, changes

    @by_id
    def is_missing(self, answer: Message) -> "Future[bool]":
        """Return whether a message above `answer` was deleted after it was written."""
        return self._database.read(lambda db: _is_missing(db, answer))

    @by_id
    def delete_message(self, message_id: int) -> "Future[int]":
        """Delete one message: what follows it moves up to what it followed. Returns the chat's id."""
        return self._undo.write(
            Act.DELETE_MESSAGE,
            lambda db: _delete(db, message_id, branch=False),
            durable=True,
            committed=self._publish,
        )

    @by_id
    def delete_branch(self, message_id: int) -> "Future[int]":
        """Delete a message and all that follows it, in every version. Returns the chat's id."""
        return self._undo.write(
            Act.DELETE_BRANCH,
            lambda db: _delete(db, message_id, branch=True),
            durable=True,
            committed=self._publish,
        )

    def restore(self, message_ids: Sequence[int]) -> "Future[int]":
        """Bring deleted messages of one chat back to where they stood; returns the chat's id."""
        return self._undo.write(
            Act.RESTORE,
            lambda db: _restore(db, message_ids),
            durable=True,
            committed=self._publish,
        )

    @by_id
    def branch(self, message_id: int) -> "Future[int]":
        """Copy the messages up to this one into a new chat with the same settings; returns its id."""
        return self._undo.write(
            Act.BRANCH,
            lambda db: _branch(db, message_id),
            durable=True,
            committed=lambda chat_id: self._changes.publish(Changed(Kind.CHATS, (chat_id,))),
        )

    def _publish(self, chat_id: int) -> None:
        self._changes.publish(Changed(Kind.TREES, (chat_id,)))
        self._changes.publish(Changed(Kind.CHATS, (chat_id,)))


def _is_missing(db: "sqlite_utils.Database", answer: Message) -> bool:
    found = db.execute(
        """
        WITH RECURSIVE above(id, parent_id, deleted_at) AS (
            SELECT id, parent_id, NULL FROM messages WHERE id = ?
            UNION ALL
            SELECT messages.id, messages.parent_id, messages.deleted_at FROM above JOIN messages
            ON messages.id = above.parent_id AND messages.id < above.id
        ) SELECT 1 FROM above WHERE deleted_at > ? LIMIT 1
        """,
        [answer.id, answer.created_at],
    ).fetchone()
    return found is not None


def _delete(db: "sqlite_utils.Database", message_id: int, *, branch: bool) -> int:
    gone = _message(db, message_id)
    tree = _tree(db, gone.chat_id)
    below = _below(tree, message_id)
    ids = below if branch else [message_id]
    if any(tree.messages[each].status is Status.WRITING for each in ids):
        raise _still_written()
    tip = living_chat(db, gone.chat_id).tip_id
    db.execute(
        "UPDATE messages SET deleted_at = ? WHERE id IN (SELECT value FROM json_each(?))",
        [moment(db), _json(ids)],
    )
    # A summary tells of everything before its last message, and so of what is deleted.
    db.execute(
        "UPDATE summaries SET deleted_at = ? WHERE deleted_at IS NULL AND chat_id = ?"
        " AND until_id IN (SELECT value FROM json_each(?))",
        [moment(db), gone.chat_id, _json(below)],
    )
    if tip in ids:
        tip = _instead(tree, message_id)
        db.execute("UPDATE chats SET tip_message_id = ? WHERE id = ?", [tip, gone.chat_id])
    return gone.chat_id


def _instead(tree: Tree, message_id: int) -> int | None:
    """Return the tip when a path ends before `message_id`: that of another version, or what was before."""
    versions = tree.versions(message_id)
    place = versions.index(message_id)
    if others := versions[:place][::-1] + versions[place + 1 :]:
        return tree.newest_leaf(others[0])
    return tree.messages[message_id].parent_id


def _restore(db: "sqlite_utils.Database", message_ids: Sequence[int]) -> int:
    found = read_messages(
        db,
        "WHERE id IN (SELECT value FROM json_each(?)) AND deleted_at IS NOT NULL ORDER BY id",
        [_json(message_ids)],
    )
    require(len(found), no_message())
    chat_id = found[0].chat_id
    living_chat(db, chat_id)
    ids = [message.id for message in found if message.chat_id == chat_id]
    db.execute(
        "UPDATE messages SET deleted_at = NULL WHERE id IN (SELECT value FROM json_each(?))", [_json(ids)]
    )
    tip = _tree(db, chat_id).newest_leaf(ids[-1])
    db.execute("UPDATE chats SET tip_message_id = ? WHERE id = ?", [tip, chat_id])
    return chat_id


def _branch(db: "sqlite_utils.Database", message_id: int) -> int:
    source = _message(db, message_id)
    path = read_path(db, message_id)
    if any(message.status is Status.WRITING for message in path):
        raise _still_written()
    kept = ", ".join(
        name for name in columns(db, "chats") if name not in {*_NEW_CHAT, "id", "draft", "pinned", "archived"}
    )
    now = time.time()
    (chat_id,) = db.execute(
        f"INSERT INTO chats ({kept}, title, created_at, updated_at)"  # noqa: S608 -- no outside text
        f" SELECT {kept}, ?, ?, max(?, (SELECT max(updated_at) FROM chats) + ?) FROM chats WHERE id = ?"
        " RETURNING id",
        [_branch_title(db, living_chat(db, source.chat_id).title), now, now, TICK, source.chat_id],
    ).fetchone()
    db.execute(
        "INSERT INTO chat_tags (chat_id, name) SELECT ?, name FROM chat_tags WHERE chat_id = ?",
        [chat_id, source.chat_id],
    )
    new = _copy_messages(db, int(chat_id), path)
    db.execute("UPDATE chats SET tip_message_id = ? WHERE id = ?", [new[message_id], chat_id])
    return int(chat_id)


_NEW_CHAT = {"title", "created_at", "updated_at", "tip_message_id", "deleted_at"}
_NEW_MESSAGE = {"id", "chat_id", "parent_id", "seen_from", "summary_id", "deleted_at"}


def _copy_messages(db: "sqlite_utils.Database", chat_id: int, path: Sequence[Message]) -> dict[int, int]:
    """Copy a path with all that belongs to it; return the new id of each message."""
    kept = ", ".join(name for name in columns(db, "messages") if name not in _NEW_MESSAGE)
    new: dict[int, int] = {}
    parent: int | None = None
    for message in path:
        (parent,) = db.execute(
            f"INSERT INTO messages (chat_id, parent_id, seen_from, {kept})"  # noqa: S608 -- no outside text
            f" SELECT ?, ?, ?, {kept} FROM messages WHERE id = ? RETURNING id",
            [chat_id, parent, new.get(message.seen_from or 0), message.id],
        ).fetchone()
        new[message.id] = int(parent or 0)
        db.execute(
            "INSERT INTO probabilities (message_id, tokens)"
            " SELECT ?, tokens FROM probabilities WHERE message_id = ? ORDER BY id",
            [parent, message.id],
        )
    summaries = _copy_summaries(db, chat_id, path, new)
    for message in path:
        if message.summary_id in summaries:
            db.execute(
                "UPDATE messages SET summary_id = ? WHERE id = ?",
                [summaries[message.summary_id], new[message.id]],
            )
    return new


def _copy_summaries(
    db: "sqlite_utils.Database", chat_id: int, path: Sequence[Message], new: dict[int, int]
) -> dict[int, int]:
    """Copy the summaries of a path; return the new id of each."""
    copied: dict[int, int] = {}
    sql = "SELECT id, until_id FROM summaries WHERE chat_id = ? AND deleted_at IS NULL ORDER BY id"
    for summary_id, until_id in db.execute(sql, [path[0].chat_id]).fetchall():
        if until_id in new:
            (copied[summary_id],) = db.execute(
                "INSERT INTO summaries (chat_id, until_id, created_at, kept, text)"
                " SELECT ?, ?, created_at, kept, text FROM summaries WHERE id = ? RETURNING id",
                [chat_id, new[until_id], summary_id],
            ).fetchone()
    return copied


def _branch_title(db: "sqlite_utils.Database", title: str) -> str:
    """Return a title that no chat has yet, made of that of the chat that is left."""
    # Translators: the title of a chat that begins as a copy of another one, and of further copies.
    first, further = _("{title} (branch)"), _("{title} (branch {number})")
    for form in (first, further):
        pattern = re.escape(form).replace(r"\{title\}", "(.*)").replace(r"\{number\}", r"\d+")
        if match := re.fullmatch(pattern, title, re.DOTALL):
            title = match[1]
    wanted, number = first.format(title=title), 1
    while db.execute("SELECT 1 FROM chats WHERE title = ? AND deleted_at IS NULL", [wanted]).fetchone():
        number += 1
        wanted = further.format(title=title, number=number)
    return wanted


def _message(db: "sqlite_utils.Database", message_id: int) -> Message:
    """Return a message that is in a tree, of a chat that is not deleted."""
    row = db.execute("SELECT chat_id FROM messages WHERE id = ?", [message_id]).fetchone()
    if row is None:
        raise no_message()
    living_chat(db, row[0])
    return living_message(db, row[0], message_id)


def _tree(db: "sqlite_utils.Database", chat_id: int) -> Tree:
    return Tree.of(read_messages(db, "WHERE chat_id = ? AND deleted_at IS NULL ORDER BY id", [chat_id]))


def _below(tree: Tree, message_id: int) -> list[int]:
    """Return a message and all that follows it, in every version."""
    found, waiting = [], [message_id]
    while waiting:
        found.append(waiting.pop())
        waiting += tree.children.get(found[-1], [])
    return found


def _json(ids: Iterable[int]) -> str:
    return str(list(ids))


def _still_written() -> UserError:
    return UserError(
        _("An answer is still being written in this chat."),
        _("Wait until it is finished, or stop it first."),
    )
