"""What of a chat is written for people: the version that is shown, and who speaks."""

from collections.abc import Sequence
from datetime import datetime

from app.domain.chat import Message, Role, Tree
from app.domain.language import _
from app.domain.whole_chat import WholeChat


def title_of(whole: WholeChat) -> str:
    """Return what a chat is called, on one line."""
    return " ".join(whole.chat.title.split()) or _("New chat")


def shown(whole: WholeChat) -> Sequence[Message]:
    """Return the messages of the version that is shown, oldest first."""
    return Tree.of(whole.messages).path(whole.chat.tip_id)


def versions(whole: WholeChat) -> list[Sequence[Message]]:
    """Return every version of a chat: the way to each message that nothing follows."""
    tree = Tree.of(whole.messages)
    return [tree.path(message_id) for message_id in tree.messages if not tree.children.get(message_id)]


def speaker(message: Message) -> str:
    """Return who says a message."""
    if message.role is Role.USER:
        return _("You")
    return message.model.name if message.model and message.model.name else _("Model")


def when(seconds: float) -> str:
    """Return a moment in local time, in the order of ISO 8601."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M") if seconds else ""
