"""The incognito chats beside those of the file: how one begins, is kept after all, and ends."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, cast

from app.domain.changes import Changes
from app.domain.whole_chat import WholeChat
from app.storage.chats import ChatStore
from app.storage.in_memory import MemoryDatabase
from app.storage.whole_chats import WholeChats

if TYPE_CHECKING:
    import sqlite_utils


class IncognitoStore:
    """Chats in memory alone. No list has them, and no search; whoever knows the id of one can do the rest.

    Attributes:
        chats: The store that has them, for what concerns none of them alone.
    """

    def __init__(self, chats: ChatStore, whole: WholeChats, changes: Changes) -> None:
        """Have `chats` and `whole` hand over what concerns an incognito chat."""
        self._database = MemoryDatabase()
        self.chats = ChatStore(self._database, changes)
        self._whole = whole
        chats.beside = self.chats
        chats.trees.beside, chats.summaries.beside = self.chats.trees, self.chats.summaries
        whole.beside = WholeChats(self._database, changes, self.chats.undo)

    def begin(self) -> "Future[int]":
        """Make a chat in which nothing has been said; returns its id."""
        return self._database.write(_begin)

    def keep(self, chat_id: int) -> "Future[int]":
        """Copy a chat, with all that belongs to it, to those of the file; returns its id there."""
        kept: Future[int] = Future()

        def read(reading: "Future[WholeChat]") -> None:
            _follow(reading, kept, lambda chat: self._whole.add(chat).add_done_callback(added))

        def added(adding: "Future[int]") -> None:
            _follow(adding, kept, kept.set_result)

        self._whole.read(chat_id).add_done_callback(read)
        return kept

    def forget(self) -> "Future[None]":
        """End all of them."""
        return self._database.forget()

    def close(self) -> None:
        """End the thread, and with it what is left."""
        self._database.close()


def _follow(done: "Future[Any]", failed: "Future[Any]", go_on: Callable[[Any], object]) -> None:
    if (error := done.exception()) is not None:
        failed.set_exception(error)
    else:
        go_on(done.result())


def _begin(db: "sqlite_utils.Database") -> int:
    now = time.time()
    return cast("int", db.table("chats").insert({"created_at": now, "updated_at": now}).last_pk)
