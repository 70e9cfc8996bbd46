"""A turn in the database, step by step, each inside of one transaction.

What always holds:
- A message belongs to one chat, and its parent to the same one. Only the text of an answer that is
  being written, or carried on, ever changes; an edit or a new version is a new message.
- What is being written lies in `chunks` until it is finished, and then in the message.
- Only a turn moves a chat up the list.

Everything raises UserError when a chat or message is not there, or deleted.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from app.domain.chat import CONTINUABLE, Chat, Message, ModelIdentity, Role, Started, Status, title_from
from app.domain.errors import UserError
from app.domain.generation import Chosen, Stats
from app.domain.language import _
from app.domain.settings import Settings
from app.storage import probabilities, uses
from app.storage.rows import compact, read_chats, read_messages, read_path, require, storable
from app.storage.summaries import read_summaries
from app.storage.writers import is_alive, this_process

if TYPE_CHECKING:
    from sqlite_utils import Database

TICK = 0.001  # seconds between two turns where the clock stands still or goes back


def start(
    db: "Database",
    chat_id: int | None,
    parent_id: int | None,
    text: str,
    model: ModelIdentity,
    settings: Settings,
    system_prompt: str = "",
) -> Started:
    """Insert what a person says, without `chat_id` in a new chat with `system_prompt`, and an answer."""
    if chat_id is None:
        now = time.time()
        chat_id = _insert(db, "chats", {"created_at": now, "updated_at": now, "system_prompt": system_prompt})
    else:
        living_chat(db, chat_id)
    if parent_id is not None:
        living_message(db, chat_id, parent_id)
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
    return answer(db, chat_id, said_id, model, [settings])[0]


def answer(
    db: "Database",
    chat_id: int,
    parent_id: int | None,
    model: ModelIdentity,
    settings: Sequence[Settings],
) -> list[Started]:
    """Insert an empty answer for each of `settings`; the first of them is the one that is shown."""
    living_chat(db, chat_id)
    if parent_id is None:
        raise UserError(_("The question to this answer was deleted."), _("Bring it back, or ask again."))
    if living_message(db, chat_id, parent_id).role is not Role.USER:
        raise UserError(_("Only your own messages can be answered."))
    replies = [
        _insert(
            db,
            "messages",
            {
                "chat_id": chat_id,
                "parent_id": parent_id,
                "role": Role.ASSISTANT.value,
                "created_at": time.time(),
                **_being_written(model, each),
            },
        )
        for each in settings
    ]
    db.execute("UPDATE chats SET tip_message_id = ? WHERE id = ?", [replies[0], chat_id])
    return _started(db, chat_id, replies, model)


def resume(db: "Database", message_id: int, model: ModelIdentity, settings: Settings) -> Started:
    """Make an answer that broke off one that is being written."""
    found = read_messages(db, "WHERE id = ? AND deleted_at IS NULL", [message_id])
    require(len(found), no_message())
    living_chat(db, found[0].chat_id)
    if found[0].role is not Role.ASSISTANT or found[0].status not in CONTINUABLE:
        raise UserError(_("This answer cannot be continued: it is already complete, or still being written."))
    changes = {**_being_written(model, settings), "stats": None, "error": ""}
    db.table("messages").update(message_id, changes)
    return _started(db, found[0].chat_id, [message_id], model)[0]


def append(
    db: "Database",
    message_id: int,
    text: str,
    reasoning: str,
    reasoning_seconds: float,
    chosen: Sequence[Chosen],
) -> None:
    """Add to an answer that is being written; for one that is no longer, do nothing."""
    if text or reasoning:
        db.execute(
            "INSERT INTO chunks (message_id, number, text, reasoning, reasoning_seconds)"
            " SELECT id, (SELECT coalesce(max(number), 0) + 1 FROM chunks WHERE message_id = messages.id),"
            " ?, ?, ? FROM messages WHERE id = ? AND status = 'writing'",
            [text, reasoning, reasoning_seconds, message_id],
        )
    if chosen:
        probabilities.add(db, message_id, chosen)


def finish(
    db: "Database",
    message_id: int,
    text: str,
    status: Status,
    stats: Stats | None,
    error: str,
    reasoning: str,
    reasoning_seconds: float,
) -> None:
    """End an answer with all of it, and let its chunks go."""
    found = db.execute(
        "UPDATE messages SET text = ?, status = ?, stats = ?, error = ?, reasoning = ?,"
        " reasoning_seconds = ?, writer = NULL WHERE id = ?",
        [
            text,
            status.value,
            None if stats is None else compact(stats),
            error,
            reasoning,
            reasoning_seconds,
            message_id,
        ],
    ).rowcount
    require(found, no_message())
    db.execute("DELETE FROM chunks WHERE message_id = ?", [message_id])
    if stats is not None:
        uses.learn(db, message_id, stats, time.time())


def recover(db: "Database") -> list[int]:
    """End as interrupted the answers whose process has died; return their ids."""
    rows = db.execute("SELECT id, writer FROM messages WHERE status = 'writing'").fetchall()
    left = [message_id for message_id, writer in rows if not is_alive(writer)]
    for message_id in left:
        (found,) = read_messages(db, "WHERE id = ?", [message_id])
        thought = found.reasoning, found.reasoning_seconds
        finish(db, message_id, found.text, Status.INTERRUPTED, None, "", *thought)
    return left


def living_chat(db: "Database", chat_id: int) -> Chat:
    """Return a chat that is not deleted."""
    found = read_chats(db, "WHERE id = ? AND deleted_at IS NULL", [chat_id])
    require(len(found), no_chat())
    return found[0]


def living_message(db: "Database", chat_id: int, message_id: int | None) -> Message:
    """Return a message of a chat that is not deleted."""
    found = read_messages(db, "WHERE id = ? AND chat_id = ? AND deleted_at IS NULL", [message_id, chat_id])
    require(len(found), no_message())
    return found[0]


def no_chat() -> UserError:
    """Return what is said of a chat that is gone."""
    return UserError(_("This chat no longer exists."))


def no_message() -> UserError:
    """Return what is said of a message that is gone."""
    return UserError(_("This message no longer exists."))


def _being_written(model: ModelIdentity, settings: Settings) -> dict[str, Any]:
    return {
        "status": Status.WRITING.value,
        "writer": this_process(),
        "model_name": storable(model.name),
        "model_sha256": model.sha256,
        "model_path": storable(model.path),
        "settings": compact(settings),
    }


def _started(db: "Database", chat_id: int, replies: Sequence[int], model: ModelIdentity) -> list[Started]:
    db.execute(
        "UPDATE chats SET model_path = ?, updated_at = max(?, (SELECT max(updated_at) FROM chats) + ?)"
        " WHERE id = ?",
        [storable(model.path), time.time(), TICK, chat_id],
    )
    chat = living_chat(db, chat_id)
    *path, first = read_path(db, replies[0])
    others = [living_message(db, chat_id, reply_id) for reply_id in replies[1:]]
    summaries = tuple(read_summaries(db, chat_id))
    return [Started(chat, path, reply, summaries) for reply in (first, *others)]


def _insert(db: "Database", table: str, row: dict[str, Any]) -> int:
    return cast("int", db.table(table).insert(row).last_pk)
