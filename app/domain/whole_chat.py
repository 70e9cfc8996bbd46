"""A chat with all that belongs to it, apart from any database: what goes out, and what comes in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from app.domain.budget import Summary
from app.domain.chat import Chat, Message, Role
from app.domain.generation import Chosen

_MARK_BYTES = 16


@dataclass(frozen=True, slots=True)
class WholeChat:
    """One conversation with its tree.

    Ids hold among these messages and summaries alone. Messages come in the order of their ids, and a
    parent's id is smaller than its child's; siblings stand in the order in which they were made.

    Attributes:
        chat: Its row; `folder_id` is None, the folder is in `folder`.
        folder: The name of its folder, or empty.
        probabilities: How likely the tokens of an answer were, by the id of the answer, where that was kept.
    """

    chat: Chat
    messages: tuple[Message, ...]
    summaries: tuple[Summary, ...] = ()
    folder: str = ""
    probabilities: Mapping[int, tuple[Chosen, ...]] = field(default_factory=dict)


def marks(messages: Iterable[Message]) -> list[bytes]:
    """Return what tells each message from every other one: who said what, after all that was said before.

    Ids, times, titles and models do not count, so a conversation that comes twice is known again. Two chats
    of which one goes on where the other ends share the marks of their common part.
    """
    made: dict[int, bytes] = {}
    for message in messages:
        above = made.get(message.parent_id, b"") if message.parent_id is not None else b""
        made[message.id] = mark(above, message.role, message.text)
    return list(made.values())


def mark(above: bytes, role: Role, text: str) -> bytes:
    """Return the mark of a message below the one with the mark `above`, empty for a first one."""
    said = f"{role}\0{text.strip()}".encode("utf-8", "replace")
    return blake2b(above + said, digest_size=_MARK_BYTES).digest()
