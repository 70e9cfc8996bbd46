"""Chats and their trees of messages in the database: see `app.storage.turns` for what always holds."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from app.domain.budget import Summary
from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Chat, Message, ModelIdentity, Started, Status, Tree, title_from
from app.domain.generation import Chosen, Stats
from app.domain.settings import Settings
from app.domain.undo import Act
from app.storage import probabilities, turns, uses
from app.storage.database import Database
from app.storage.in_memory import by_id
from app.storage.organising import Organiser
from app.storage.rows import read_chats, read_messages, read_path, require, storable
from app.storage.search import SearchStore
from app.storage.summaries import Summaries, read_summaries
from app.storage.trash import TrashStore
from app.storage.trees import Trees
from app.storage.turns import living_chat, living_message, no_chat, no_message
from app.storage.undo import UndoLog

if TYPE_CHECKING:
    import sqlite_utils


class ChatFields(TypedDict, total=False):
    """What of a chat may be changed by itself."""

    title: str
    pinned: bool
    system_prompt: str
    draft: str
    tip_id: int
    model_path: str
    policy: str | None
    context: int | None


_ACTS: dict[str, Callable[[Any], Act]] = {
    "title": lambda title: Act.RENAME,
    "pinned": lambda pinned: Act.PIN if pinned else Act.UNPIN,
    "tip_id": lambda tip: Act.SHOW_VERSION,
}
"""What of a chat can be undone when it was changed."""


class ChatStore:
    """The chats of one database. Everything returns at once; futures resolve after the commit.

    `Changed` is published after each commit and before its future resolves, but not for chunks
    and drafts: who writes those has them already.

    Futures fail with a UserError when a chat or message is not there, or deleted.

    Attributes:
        undo: The steps that can be taken back; every write of a person goes through it.
        organiser: Puts chats in order, and among the deleted ones.
        trash: What was deleted, and its end.
        trees: Takes messages out of chats, and makes chats of parts of others.
        summaries: What stands for the older messages of long chats.
        search: Finds messages by their words.
        beside: The store of the incognito chats, which does what concerns one of them.
    """

    beside: "ChatStore | None" = None

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self.undo = UndoLog(database, changes)
        self.trees = Trees(database, self.undo, changes)
        self.organiser = Organiser(database, changes, self.undo)
        self.trash = TrashStore(database, changes, self.undo)
        self.summaries = Summaries(database, changes, self.undo)
        self.search = SearchStore(database)

    @by_id
    def start_turn(
        self,
        chat_id: int | None,
        parent_id: int | None,
        text: str,
        model: ModelIdentity,
        settings: Settings,
        *,
        system_prompt: str = "",
        act: Act = Act.SEND,
    ) -> "Future[Started]":
        """Store what a person says below `parent_id` (None: first in the chat), and an empty answer to it.

        Without a `chat_id` a new chat is made, named after `text` and with `system_prompt`.
        """
        said, system = storable(text), storable(system_prompt)
        return self.undo.write(
            act,
            lambda db: turns.start(db, chat_id, parent_id, said, model, settings, system),
            durable=True,
            committed=self._publish_turn,
        )

    @by_id
    def start_reply(
        self, chat_id: int, parent_id: int | None, model: ModelIdentity, settings: Settings
    ) -> "Future[Started]":
        """Store an empty answer, one more version, to the person's message `parent_id`."""
        return self.undo.write(
            Act.REGENERATE,
            lambda db: turns.answer(db, chat_id, parent_id, model, [settings])[0],
            durable=True,
            committed=self._publish_turn,
        )

    @by_id
    def start_replies(
        self, chat_id: int, parent_id: int | None, model: ModelIdentity, settings: Sequence[Settings]
    ) -> "Future[list[Started]]":
        """Store an empty answer to the person's message `parent_id` for each of `settings`, as versions.

        The first of them becomes the one that is shown.
        """
        return self.undo.write(
            Act.REGENERATE,
            lambda db: turns.answer(db, chat_id, parent_id, model, settings),
            durable=True,
            committed=lambda started: self._publish_turn(*started),
        )

    @by_id
    def resume_reply(self, message_id: int, model: ModelIdentity, settings: Settings) -> "Future[Started]":
        """Make an answer that broke off one that is being written again; its text so far stays."""
        return self.undo.write(
            Act.CONTINUE,
            lambda db: turns.resume(db, message_id, model, settings),
            durable=True,
            committed=self._publish_turn,
        )

    @by_id
    def append_chunk(
        self,
        message_id: int,
        text: str,
        *,
        reasoning: str = "",
        reasoning_seconds: float = 0.0,
        chosen: Sequence[Chosen] = (),
    ) -> "Future[None]":
        """Add to an answer that is being written; for one that is no longer, do nothing.

        Args:
            message_id: The answer.
            text: What comes behind its text.
            reasoning: What comes behind its reasoning.
            reasoning_seconds: How long the model has thought by now, from its beginning.
            chosen: The tokens that were written, where their probabilities were asked for.
        """
        return self._database.write(
            lambda db: turns.append(
                db, message_id, storable(text), storable(reasoning), reasoning_seconds, chosen
            )
        )

    @by_id
    def finish(
        self,
        message_id: int,
        text: str,
        status: Status,
        stats: Stats | None,
        error: str,
        *,
        reasoning: str = "",
        reasoning_seconds: float = 0.0,
    ) -> "Future[None]":
        """End an answer: `text` and `reasoning` take the place of what `append_chunk` has stored."""
        words = storable(text), status, stats, storable(error), storable(reasoning), reasoning_seconds
        return self._database.write(
            lambda db: turns.finish(db, message_id, *words),
            durable=True,
            committed=lambda done: self._publish(Kind.MESSAGES, message_id),
        )

    def recover(self) -> "Future[list[int]]":
        """End as interrupted, with all they have, the answers whose process has died; returns their ids."""
        return self._database.write(
            turns.recover, durable=True, committed=lambda ids: self._publish(Kind.MESSAGES, *ids)
        )

    @by_id
    def probabilities(self, message_id: int) -> "Future[list[Chosen]]":
        """Return how likely each token of an answer was; empty when that was not asked for."""
        return self._database.read(lambda db: probabilities.read(db, message_id))

    @by_id
    def path(self, chat_id: int, tip_id: int | None) -> "Future[tuple[Chat, list[Message]]]":
        """Return a chat, and its messages from the first to `tip_id`."""
        return self._database.read(lambda db: (living_chat(db, chat_id), read_path(db, tip_id)))

    @by_id
    def summarised_path(
        self, chat_id: int, tip_id: int | None
    ) -> "Future[tuple[Chat, list[Message], list[Summary]]]":
        """Return what `path` does, and the summaries of the chat."""
        return self._database.read(
            lambda db: (living_chat(db, chat_id), read_path(db, tip_id), read_summaries(db, chat_id))
        )

    def chats(self) -> "Future[list[Chat]]":
        """Return the chats that are not deleted, pinned ones first, then the last used first."""
        rest = "WHERE deleted_at IS NULL ORDER BY pinned DESC, updated_at DESC, id DESC"
        return self._database.read(lambda db: read_chats(db, rest))

    @by_id
    def chat(self, chat_id: int) -> "Future[tuple[Chat, Tree]]":
        """Return a chat with all its messages that are not deleted."""
        return self._database.read(
            lambda db: (
                living_chat(db, chat_id),
                Tree.of(read_messages(db, "WHERE chat_id = ? AND deleted_at IS NULL ORDER BY id", [chat_id])),
            )
        )

    @by_id
    def changed(self, chat_id: int, ids: tuple[int, ...]) -> "Future[tuple[Chat, list[Message]]]":
        """Return a chat, and those of its messages that are among `ids`, in the order of their ids."""
        rest = (
            "WHERE id IN (SELECT value FROM json_each(?)) AND chat_id = ? AND deleted_at IS NULL ORDER BY id"
        )
        return self._database.read(
            lambda db: (living_chat(db, chat_id), read_messages(db, rest, [json.dumps(ids), chat_id]))
        )

    @by_id
    def update_chat(self, chat_id: int, **fields: Unpack[ChatFields]) -> "Future[None]":
        """Change fields of a chat; an empty title stands for that of its first message."""
        act = next((_ACTS[name](value) for name, value in fields.items() if name in _ACTS), None)

        def write(db: "sqlite_utils.Database") -> None:
            _update_chat(db, chat_id, fields)

        def told(_done: None) -> None:
            if fields.keys() != {"draft"}:
                self._publish(Kind.CHATS, chat_id)

        if act is None:
            return self._database.write(write, committed=told)
        return self.undo.write(act, write, committed=told)

    @by_id
    def pin_message(self, message_id: int, pinned: bool) -> "Future[None]":
        """Have the model always see a message, or no longer."""
        sql = "UPDATE messages SET pinned = ? WHERE id = ?"
        return self.undo.write(
            Act.PIN_MESSAGE if pinned else Act.UNPIN_MESSAGE,
            lambda db: require(db.execute(sql, [pinned, message_id]).rowcount, no_message()),
            committed=lambda done: self._publish(Kind.MESSAGES, message_id),
        )

    @by_id
    def mark_seen(self, message_id: int, seen_from: int, summary_id: int | None) -> "Future[None]":
        """Remember from which message on the model of an answer saw the chat, and with which summary."""
        sql = "UPDATE messages SET seen_from = ?, summary_id = ? WHERE id = ?"
        return self._database.write(
            lambda db: require(db.execute(sql, [seen_from, summary_id, message_id]).rowcount, no_message()),
            committed=lambda done: self._publish(Kind.MESSAGES, message_id),
        )

    @by_id
    def name_chat(self, chat_id: int, title: str, *, instead_of: str) -> "Future[bool]":
        """Give a chat a title, if it still has the one `instead_of`; return whether it had."""
        sql = "UPDATE chats SET title = ? WHERE id = ? AND title = ?"
        return self._database.write(
            lambda db: bool(db.execute(sql, [storable(title), chat_id, storable(instead_of)]).rowcount),
            committed=lambda named: self._publish(Kind.CHATS, *[chat_id] * named),
        )

    def delete_chat(self, chat_id: int) -> "Future[None]":
        """Take a chat off the list, keeping all of it for `restore_chat`."""
        return self.organiser.delete([chat_id])

    def restore_chat(self, chat_id: int) -> "Future[None]":
        """Undo `delete_chat`."""
        return self.organiser.restore([chat_id])

    def fill_sha256(self, path: str, sha256: str) -> "Future[list[int]]":
        """Complete the answers that the file `path` wrote before its hash was known; returns their ids."""
        return self._database.write(
            lambda db: _fill_sha256(db, storable(path), sha256),
            committed=lambda ids: self._publish(Kind.MESSAGES, *ids),
        )

    def _publish_turn(self, *started: Started) -> None:
        self._publish(Kind.CHATS, started[0].chat.id)
        asked = [message.id for message in started[0].path[-1:]]
        self._publish(Kind.MESSAGES, *asked, *(each.reply.id for each in started))

    def _publish(self, kind: Kind, *ids: int) -> None:
        if ids:
            self._changes.publish(Changed(kind, ids))


def _update_chat(db: "sqlite_utils.Database", chat_id: int, fields: ChatFields) -> None:
    columns: dict[str, Any] = {
        name: storable(value) if isinstance(value, str) else value for name, value in fields.items()
    }
    if "tip_id" in columns:
        columns["tip_message_id"] = columns.pop("tip_id")
        living_message(db, chat_id, columns["tip_message_id"])
    if columns.get("title") == "":
        first = read_messages(db, "WHERE chat_id = ? AND deleted_at IS NULL ORDER BY id LIMIT 1", [chat_id])
        columns["title"] = title_from(first[0].text) if first else ""
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    found = db.execute(f"UPDATE chats SET {sets} WHERE id = :id", {**columns, "id": chat_id}).rowcount  # noqa: S608
    require(found, no_chat())


def _fill_sha256(db: "sqlite_utils.Database", path: str, sha256: str) -> list[int]:
    uses.identify(db, path, sha256)
    sql = "UPDATE messages SET model_sha256 = ? WHERE model_path = ? AND model_sha256 = '' RETURNING id"
    return [row[0] for row in db.execute(sql, [sha256, path]).fetchall()]
