"""What was deleted and can still be brought back."""

from dataclasses import dataclass

from app.domain.chat import Chat, Message

DAYS = 30
"""How long what was deleted rests before it goes by itself."""


@dataclass(frozen=True, slots=True)
class DeletedMessages:
    """Messages of one chat, which is there, that were deleted at once; oldest first."""

    chat: Chat
    deleted_at: float
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Trash:
    """All that was deleted, the last deleted first. The messages of a deleted chat go with it.

    Attributes:
        backups: The names of the backups that may hold it, too, the newest first.
    """

    chats: tuple[Chat, ...] = ()
    messages: tuple[DeletedMessages, ...] = ()
    backups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.chats or self.messages)


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone for good.

    Attributes:
        chats: The ids of chats.
        messages: The ids of messages of chats that are still there.
        trees: The ids of those chats.
    """

    chats: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()
    trees: tuple[int, ...] = ()
