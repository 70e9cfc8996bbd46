"""The chat in the window: its messages as a tree, and the path of them that is shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from app.domain.chat import Chat, Message, Role, Status, Tree
from app.domain.generation import Failed, Finished
from app.services.live import Live


@dataclass(frozen=True, slots=True)
class OpenChat:
    """One state of the chat; a change makes the next one.

    Attributes:
        chat: None while nothing has been said yet.
        tree: All its messages, those of other versions too.
    """

    chat: Chat | None = None
    tree: Tree = field(default_factory=lambda: Tree({}))

    @property
    def id(self) -> int | None:
        """Return the chat's id; None while nothing has been said yet."""
        return self.chat.id if self.chat else None

    @property
    def tip(self) -> int | None:
        """Return the last message that is shown; what is said next follows it."""
        return self.chat.tip_id if self.chat else None

    def with_changes(self, chat: Chat, messages: Iterable[Message]) -> "OpenChat":
        """Return the chat after `messages` were added or changed."""
        merged = {**self.tree.messages, **{message.id: message for message in messages}}
        return OpenChat(chat, Tree.of(merged[number] for number in sorted(merged)))

    def path(self, lives: Mapping[int, Live]) -> list[Message]:
        """Return the messages that are shown, those that are being written as far as they have come."""
        shown = self.tree.path(self.tip)
        return [with_progress(message, lives.get(message.id)) for message in shown]

    def last(self, role: Role) -> Message | None:
        """Return the last message of one role that is shown."""
        return next((message for message in reversed(self.tree.path(self.tip)) if message.role is role), None)

    def used_context(self) -> tuple[int, int]:
        """Return the tokens that the last answer and all before it took, and the size of its context."""
        answer = self.last(Role.ASSISTANT)
        if answer is None or answer.stats is None:
            return 0, 0
        stats = answer.stats
        return stats.prompt_tokens + stats.generated_tokens, stats.context


def with_progress(message: Message, live: Live | None) -> Message:
    """Return `message` with what its answer has come to by now, if `live` writes it."""
    if live is None:
        return message
    progress = replace(
        message, text=live.text, reasoning=live.reasoning, reasoning_seconds=live.reasoning_seconds
    )
    if live.ending is None:
        return replace(progress, status=Status.WRITING, error="")
    status, event = live.ending
    return replace(
        progress,
        status=status,
        stats=event.stats if isinstance(event, Finished) else None,
        error=str(event.error) if isinstance(event, Failed) else "",
    )
