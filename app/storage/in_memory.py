"""Chats that lie in memory alone: nothing of them is ever on a disk.

They have the schema and the code of all others. What tells them apart is their ids, which begin at
`app.domain.chat.INCOGNITO`: a store that has such chats `beside` it hands over to them whatever concerns
one. A call that reached the wrong store would find no such row, and write nothing.
"""

from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from app.domain.chat import INCOGNITO, is_incognito
from app.storage.connection import connect_in_memory, transaction
from app.storage.database import Database

if TYPE_CHECKING:
    import sqlite_utils

_T = TypeVar("_T")
_Method = TypeVar("_Method", bound=Callable[..., Any])


def by_id(method: _Method) -> _Method:
    """Have the store `beside` this one do it, where the first argument says that it is an incognito chat's.

    That is the id of a chat or a message, or something with a `chat_id`.
    """

    @wraps(method)
    def call(self: Any, whose: Any, *rest: Any, **named: Any) -> Any:
        incognito = self.beside is not None and is_incognito(getattr(whose, "chat_id", whose))
        return method(self.beside if incognito else self, whose, *rest, **named)

    return cast("_Method", call)


class MemoryDatabase(Database):
    """A database of incognito chats; it is empty after `forget`, and gone with the process.

    One thread reads and writes: what lies in memory has but one connection.
    """

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))
        self._last = (INCOGNITO, INCOGNITO)  # the ids of the last chat and the last message

    def read(self, fn: "Callable[[sqlite_utils.Database], _T]") -> "Future[_T]":
        """Run `fn`, which writes nothing."""
        return self._writer.submit(self._write, fn, False, None)

    def at_leisure(self, work: "Callable[[sqlite_utils.Database], bool]") -> None:
        """Do nothing of the kind: chats that end with their window need no index for a search."""

    def forget(self) -> "Future[None]":
        """End all chats. Their ids never come again, so that what comes late for one finds nothing."""
        return self._writer.submit(self._forget)

    # On the writer's thread.

    def _open(self) -> bool:
        if self._writing is None:
            self._writing = _made(*self._last)
        return True

    def _plan_checkpoint(self) -> None:
        pass  # there is no log

    def _forget(self) -> None:
        if self._writing is not None:
            last = [self._writing.execute(f"SELECT max(id) FROM {name}").fetchone()[0] for name in _TABLES]  # noqa: S608 -- no outside text
            self._last = last[0], last[1]
            self._writing.close()
            self._writing = None


_TABLES = ("chats", "messages")


def _made(chat_id: int, message_id: int) -> "sqlite_utils.Database":
    """Return an empty database, whose ids go on behind those of a deleted chat and a deleted message."""
    from app.storage import digests
    from app.storage.migrations import apply

    db = connect_in_memory()
    with transaction(db):
        apply(db)
        db.execute(
            "INSERT INTO chats (id, created_at, updated_at, deleted_at) VALUES (?, 0, 0, 0)", [chat_id]
        )
        db.execute(
            "INSERT INTO messages (id, chat_id, role, status, created_at, deleted_at)"
            " VALUES (?, ?, 'user', 'complete', 0, 0)",
            [message_id, chat_id],
        )
        digests.follow(db)
    return db
