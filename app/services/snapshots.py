"""What the engine keeps on disk of chats, so as not to read them again: how much it is, and an end to it."""

from dataclasses import asdict, dataclass
from typing import Any

from app.storage.folders import Folders


@dataclass(frozen=True, slots=True)
class Usage:
    """How many snapshots of the KV cache there are, and the bytes they take."""

    count: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)


def usage(folders: Folders) -> Usage:
    """Return what is there now."""
    from app.engine import loaded, snapshots

    return Usage(*snapshots.usage(folders.data / loaded.SNAPSHOTS))


def clear(folders: Folders) -> Usage:
    """Delete all of them, and return what could not be deleted. No chat loses a word; it is read again."""
    from app.engine import loaded, snapshots

    snapshots.forget(folders.data / loaded.SNAPSHOTS)
    return usage(folders)
