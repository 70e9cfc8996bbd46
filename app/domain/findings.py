"""What a look at the file of the chats has found."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong with a file; nothing where all is well.

    Attributes:
        file: What SQLite says of the file itself, in its words.
        index: What it says of the index of words.
        changed: The messages whose text is not what was said, as (id, title of the chat).
        orphans: Rows that belong to nothing, as (table, how many).
        chats: How many there are.
        messages: How many there are.
    """

    file: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    changed: tuple[tuple[int, str], ...] = ()
    orphans: dict[str, int] = field(default_factory=dict)
    chats: int = 0
    messages: int = 0

    @property
    def is_well(self) -> bool:
        """Return whether nothing is wrong."""
        return not (self.file or self.index or self.changed or self.orphans)

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {
            "ok": self.is_well,
            "file": list(self.file),
            "index": list(self.index),
            "changed_messages": [{"id": each, "chat": title} for each, title in self.changed],
            "orphans": self.orphans,
            "chats": self.chats,
            "messages": self.messages,
        }
