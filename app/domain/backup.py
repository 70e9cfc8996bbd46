"""Backups of the chats, and what bringing one back would mean."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Reason(StrEnum):
    """Why a backup was made."""

    DAILY = "daily"
    ASKED = "asked"
    UPDATE = "before-update"  # of the schema, by a newer Fireside
    IMPORT = "before-import"
    RESTORE = "before-restore"


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy of the file of the chats that was opened and found whole when it was made.

    Attributes:
        path: Its file.
        number: Its place in the order in which they were made, whatever the clock said.
        made_at: When the clock said it was made, in seconds since the epoch.
        reason: Why it was made.
        size: Its bytes.
        chats: How many chats are in it that are not deleted.
        messages: How many messages are in it, deleted ones too.
        last_message: The greatest id of a message in it.
    """

    path: Path
    number: int
    made_at: float
    reason: Reason
    size: int
    chats: int
    messages: int
    last_message: int

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {
            "name": self.path.name,
            "path": str(self.path),
            "made_at": self.made_at,
            "reason": self.reason.value,
            "size": self.size,
            "chats": self.chats,
            "messages": self.messages,
        }


@dataclass(frozen=True, slots=True)
class Prospect:
    """What bringing back a backup would mean.

    Attributes:
        backup: The backup.
        lost: How many messages were written since, and would be gone; None where that cannot be told.
    """

    backup: Backup
    lost: int | None


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup that was brought back.

    Attributes:
        backup: The backup.
        before: Where what was there before is kept.
    """

    backup: Backup
    before: Path
