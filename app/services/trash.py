"""What was deleted: looked at, brought back, and erased for good."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace

from app.domain.trash import Erased, Trash
from app.engine.worker import Engine
from app.services.snapshots import Snapshots
from app.storage.chats import ChatStore


class TrashCan:
    """The deleted chats and messages on this computer. Everything returns a Future at once.

    Attributes:
        backups: Returns the names of all backups, the newest first.
    """

    def __init__(self, store: ChatStore, engine: Engine, snapshots: Snapshots) -> None:
        """Wire the service.

        Args:
            store: Where deleted things rest.
            engine: What may have read them, and holds that in memory.
            snapshots: What was read of them and lies on disk.
        """
        self._store, self._engine, self._snapshots = store, engine, snapshots
        self.backups: Callable[[], Sequence[str]] = tuple

    def read(self) -> "Future[Trash]":
        """Return what is deleted, the last deleted first."""
        found: Future[Trash] = Future()

        def read(reading: "Future[Trash]") -> None:  # on the database's thread: the backups lie on the disk
            try:
                found.set_result(replace(reading.result(), backups=tuple(self.backups())))
            except Exception as error:
                found.set_exception(error)

        self._store.trash.read().add_done_callback(read)
        return found

    def any(self) -> "Future[bool]":
        """Return whether something is deleted."""
        return self._store.trash.any()

    def restore_chats(self, chat_ids: Sequence[int]) -> "Future[None]":
        """Bring deleted chats back."""
        return self._store.organiser.restore(chat_ids)

    def restore_messages(self, message_ids: Sequence[int]) -> "Future[int]":
        """Bring deleted messages of one chat back to where they stood; returns the chat's id."""
        return self._store.trees.restore(message_ids)

    def erase(self, chat_ids: Sequence[int], message_ids: Sequence[int] = ()) -> "Future[Erased]":
        """End deleted chats and messages for good, and everything that was read of them.

        What is not deleted stays. Nothing that was done before can be undone afterwards.
        """
        return self._follow(self._store.trash.erase(chat_ids, message_ids))

    def expire(self) -> "Future[Erased]":
        """End what has rested for `app.domain.trash.DAYS` days."""
        return self._follow(self._store.trash.expire())

    def _follow(self, erasing: "Future[Erased]") -> "Future[Erased]":
        """Forget what the engine has read of what is erased; the future resolves once that is done."""
        ended: Future[Erased] = Future()

        def forgotten(erased: Erased, forgetting: "Future[None]") -> None:
            if (error := forgetting.exception()) is not None:
                ended.set_exception(error)
            else:
                ended.set_result(erased)

        def gone(done: "Future[Erased]") -> None:
            if (error := done.exception()) is not None:
                ended.set_exception(error)
                return
            erased = done.result()
            chats = (*erased.chats, *erased.trees)
            if not chats:
                ended.set_result(erased)
                return
            if self._engine.status.model is not None:
                for chat_id in chats:
                    self._engine.forget(chat_id)
            forgetting = self._snapshots.forget(chats)
            forgetting.add_done_callback(lambda each: forgotten(erased, each))

        erasing.add_done_callback(gone)
        return ended
