"""What the engine keeps on disk of chats, so as not to read them again: how much it is, and an end to it."""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import Any

from app.domain.errors import UserError
from app.domain.language import _
from app.services.threads import Threads
from app.storage.folders import Folders


@dataclass(frozen=True, slots=True)
class Usage:
    """How many snapshots of the KV cache there are, the bytes they take, and the bytes they may take."""

    count: int
    bytes: int
    budget: int

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)


def usage(folders: Folders) -> Usage:
    """Return what is there now."""
    from app.engine import loaded, snapshots

    folder = folders.data / loaded.SNAPSHOTS
    return Usage(*snapshots.usage(folder), snapshots.budget(folder))


def clear(folders: Folders) -> Usage:
    """Delete all of them, and return what could not be deleted. No chat loses a word; it is read again."""
    from app.engine import loaded, snapshots

    snapshots.forget(folders.data / loaded.SNAPSHOTS)
    return usage(folders)


def forget(folders: Folders, chat_ids: Iterable[int]) -> None:
    """Delete those of some chats."""
    from app.engine import loaded, snapshots

    for chat_id in chat_ids:
        snapshots.forget(folders.data / loaded.SNAPSHOTS, chat_id)


def set_budget(folders: Folders, size: int) -> Usage:
    """Let them take `size` bytes together, 0 for none; the least recently used beyond that are deleted.

    Raises:
        UserError: When that cannot be kept.
    """
    from app.engine import loaded, snapshots

    try:
        snapshots.set_budget(folders.data / loaded.SNAPSHOTS, size)
    except OSError as error:
        raise UserError(
            _("The limit for snapshots could not be saved: {reason}.").format(reason=error.strerror or error),
            _("Free some space on the disk, or set FIRESIDE_HOME to another folder."),
        ) from error
    return usage(folders)


class Snapshots:
    """The same on a thread of its own, for the window: everything returns a Future at once."""

    def __init__(self, folders: Folders) -> None:
        """Wire the service; nothing is looked at yet."""
        self._folders = folders
        self._thread = Threads(1, "snapshots")

    def usage(self) -> "Future[Usage]":
        """Return what is there now."""
        return self._thread.submit(usage, self._folders)

    def clear(self) -> "Future[Usage]":
        """Delete all of them, and return what could not be deleted."""
        return self._thread.submit(clear, self._folders)

    def forget(self, chat_ids: Iterable[int]) -> "Future[None]":
        """Delete those of some chats."""
        return self._thread.submit(forget, self._folders, tuple(chat_ids))

    def set_budget(self, size: int) -> "Future[Usage]":
        """Let them take `size` bytes together; fails with a UserError when that cannot be kept."""
        return self._thread.submit(set_budget, self._folders, size)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
