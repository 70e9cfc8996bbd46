"""Summaries of the older messages of long chats."""

import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from app.domain.budget import Summary
from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.undo import Act
from app.storage.database import Database
from app.storage.in_memory import by_id
from app.storage.rows import require, storable
from app.storage.undo import UndoLog

if TYPE_CHECKING:
    import sqlite_utils


class Summaries:
    """The summaries of one database. A new one never takes the place of an older one, which answers refer to.

    `Changed(SUMMARIES)` with the chat's id is published after each commit.

    Attributes:
        beside: Those of the incognito chats.
    """

    beside: "Summaries | None" = None

    def __init__(self, database: Database, changes: Changes, undo: UndoLog) -> None:
        self._database = database
        self._changes = changes
        self._undo = undo

    @by_id
    def of(self, chat_id: int) -> "Future[list[Summary]]":
        """Return the summaries of a chat, oldest first."""
        return self._database.read(lambda db: read_summaries(db, chat_id))

    @by_id
    def add(self, chat_id: int, until_id: int, text: str, kept: str = "") -> "Future[Summary]":
        """Store what stands for the messages up to `until_id`; it begins with `kept`, a person's words."""
        return self._database.write(
            lambda db: _add(db, chat_id, until_id, storable(text), storable(kept)),
            committed=lambda summary: self._publish(summary.chat_id),
        )

    @by_id
    def edit(self, summary: Summary, text: str, kept: str | None = None) -> "Future[None]":
        """Change what a summary says; it begins with `kept`, a person's words, and without is all theirs.

        Raises:
            UserError: For an empty text, and through the future when the summary is not there.
        """
        if not text.strip():
            raise UserError(_("A summary cannot be empty."), _("Write what the model should remember."))
        sql = "UPDATE summaries SET text = :text, kept = :kept WHERE id = :id"
        own = text.strip() if kept is None else kept
        words = {"text": storable(text.strip()), "kept": storable(own), "id": summary.id}
        gone = UserError(_("This summary no longer exists."))
        return self._undo.write(
            Act.EDIT_SUMMARY,
            lambda db: require(db.execute(sql, words).rowcount, gone),
            durable=True,
            committed=lambda done: self._publish(summary.chat_id),
        )

    def _publish(self, chat_id: int) -> None:
        self._changes.publish(Changed(Kind.SUMMARIES, (chat_id,)))


def read_summaries(db: "sqlite_utils.Database", chat_id: int) -> list[Summary]:
    """Return the summaries of a chat, oldest first, but for those that tell of deleted messages."""
    return _read(db, "WHERE chat_id = ? AND deleted_at IS NULL ORDER BY id", [chat_id])


def _add(db: "sqlite_utils.Database", chat_id: int, until_id: int, text: str, kept: str) -> Summary:
    row = {"chat_id": chat_id, "until_id": until_id, "text": text, "kept": kept, "created_at": time.time()}
    return _read(db, "WHERE id = ?", [db.table("summaries").insert(row).last_pk])[0]


def _read(db: "sqlite_utils.Database", rest: str, parameters: Iterable[Any]) -> list[Summary]:
    sql = f"SELECT id, chat_id, until_id, text, kept, created_at FROM summaries {rest}"  # noqa: S608 -- no outside text
    return [Summary(*row) for row in db.execute(sql, list(parameters)).fetchall()]
