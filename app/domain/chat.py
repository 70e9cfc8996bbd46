"""Chats as trees of messages: a reply's versions are siblings, and nothing is ever overwritten."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.budget import Policy, Summary
from app.domain.generation import Stats
from app.domain.settings import Settings


class Role(StrEnum):
    """Who speaks, in the words of chat templates."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Status(StrEnum):
    """How far a message has come."""

    WRITING = "writing"  # the engine is at it
    COMPLETE = "complete"  # the model ended it, or a person wrote it
    CUT = "cut"  # the limit of tokens, or the end of the context, ended it
    STOPPED = "stopped"  # a person stopped it
    INTERRUPTED = "interrupted"  # the app ended in the middle of it
    FAILED = "failed"  # the engine could not go on


INCOGNITO = 1 << 30
"""From here on ids are those of incognito chats and their messages, which no file has so many of."""

CONTINUABLE = frozenset({Status.CUT, Status.STOPPED, Status.INTERRUPTED, Status.FAILED})


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which file wrote an answer; `sha256` is empty while it has not been computed yet."""

    name: str
    sha256: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        parent_id: The message it answers or follows; None for the first of a chat.
        created_at: Seconds since the epoch.
        model, settings, stats: Who wrote an answer, how, and at what cost; None for a person's message.
        error: For a failed answer, the sentence that says why.
        reasoning: What the model thought before it answered.
        reasoning_seconds: How long it thought.
        pinned: The model always sees it, however long the chat becomes.
        seen_from: For an answer, the first message from which on its model saw the chat; None for all of it,
            unless an answer before it has one.
        summary_id: The summary that stood for the messages before that one; None for none.
        deleted_at: When it was deleted, in seconds since the epoch; None for what is in the tree of its chat.
    """

    id: int
    chat_id: int
    parent_id: int | None
    role: Role
    text: str
    status: Status = Status.COMPLETE
    created_at: float = 0.0
    model: ModelIdentity | None = None
    settings: Settings | None = None
    stats: Stats | None = None
    error: str = ""
    reasoning: str = ""
    reasoning_seconds: float = 0.0
    pinned: bool = False
    seen_from: int | None = None
    summary_id: int | None = None
    deleted_at: float | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A place for chats; a chat lies in one, or in none."""

    id: int
    name: str
    created_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Chat:
    """One conversation, without its messages.

    Attributes:
        title: Empty until the first message names it.
        tip_id: The last message of the version that is shown, or None when empty.
        model_path: The file that answers in this chat, or empty.
        draft: What stands unsent in the composer.
        created_at, updated_at: Seconds since the epoch; `updated_at` orders the sidebar.
        policy: What happens when it outgrows its context; None while nobody has chosen.
        context: Tokens that the model sees at once in this chat, chosen for it or extended to; else None.
        folder_id: The folder it lies in; None for none.
        archived: Out of the way, but found by a search.
        tags: In the order of their names.
        deleted_at: When it was deleted, in seconds since the epoch; None for one that is not.
    """

    id: int
    title: str = ""
    tip_id: int | None = None
    model_path: str = ""
    system_prompt: str = ""
    draft: str = ""
    pinned: bool = False
    created_at: float = 0.0
    updated_at: float = 0.0
    policy: Policy | None = None
    context: int | None = None
    folder_id: int | None = None
    archived: bool = False
    tags: tuple[str, ...] = ()
    deleted_at: float | None = None

    @property
    def incognito(self) -> bool:
        """Return whether nothing may be kept of it."""
        return is_incognito(self.id)


@dataclass(frozen=True, slots=True)
class Tree:
    """The messages of one chat by id, with the children of each in the order they were made."""

    messages: dict[int, Message]
    children: dict[int | None, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, messages: Iterable[Message]) -> "Tree":
        """Build the tree from `messages`, which come in the order of their ids."""
        by_id = {message.id: message for message in messages}
        children: dict[int | None, list[int]] = {}
        for message in by_id.values():
            children.setdefault(message.parent_id, []).append(message.id)
        return cls(by_id, children)

    def path(self, tip_id: int | None) -> list[Message]:
        """Return the messages from the first to `tip_id`: what is shown, and what the model reads."""
        found: list[Message] = []
        while tip_id is not None and len(found) < len(self.messages):
            message = self.messages.get(tip_id)
            if message is None:
                break
            found.append(message)
            tip_id = message.parent_id
        return found[::-1]

    def versions(self, message_id: int) -> list[int]:
        """Return the ids of a message and its siblings, oldest first.

        They need not be of one role: where a message was deleted, what followed it has taken its place.
        """
        return list(self.children[self.messages[message_id].parent_id])

    def newest_leaf(self, message_id: int) -> int:
        """Return the end of the newest branch below a message: where a switch of versions leads."""
        while below := self.children.get(message_id):
            message_id = below[-1]
        return message_id


@dataclass(frozen=True, slots=True)
class Started:
    """A turn that is safe on disk.

    Attributes:
        chat: As the turn has left it.
        path: What the model reads: the messages before the reply, oldest first.
        reply: The answer to be written, holding what a continued one has so far.
        summaries: Those of the chat, oldest first.
    """

    chat: Chat
    path: list[Message]
    reply: Message
    summaries: tuple[Summary, ...] = ()


def is_incognito(chat_id: int | None) -> bool:
    """Return whether nothing may be kept of the chat, or message, of this id."""
    return chat_id is not None and chat_id >= INCOGNITO


TITLE_LENGTH = 60


def title_from(text: str) -> str:
    """Name a chat after its first message: the first line, cut at a word where there is one."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    line = line.lstrip("#>*- ").strip() or line
    if len(line) <= TITLE_LENGTH:
        return line
    cut = line[:TITLE_LENGTH]
    return (cut.rsplit(" ", 1)[0] if " " in cut[TITLE_LENGTH // 2 :] else cut).rstrip() + "…"
