"""What was deleted, in words: how long it rests, and what is asked before it is erased."""

import math
import time
from typing import NamedTuple

from app.domain.chat import Chat
from app.domain.language import _, joined, plural
from app.domain.trash import DAYS, DeletedMessages, Trash

_MOST_NAMED = 5
_DAY = 24 * 60 * 60


class Question(NamedTuple):
    """What is asked, and what belongs to it."""

    text: str
    details: str


def rest_words(deleted_at: float, now: float | None = None) -> str:
    """Return how long something rests that was deleted at `deleted_at`, in seconds since the epoch."""
    passed = max((time.time() if now is None else now) - deleted_at, 0)
    days = max(math.ceil(DAYS - passed / _DAY), 0)
    return plural("{count} day left", "{count} days left", days).format(count=days)


def messages_words(deleted: DeletedMessages) -> str:
    """Return what is said of deleted messages of one chat."""
    count = len(deleted.messages)
    return plural("{count} message from “{title}”", "{count} messages from “{title}”", count).format(
        count=count, title=_title(deleted.chat)
    )


def erase_question(trash: Trash) -> Question:
    """Return what is asked before `trash` is erased: it names all that goes, and the backups that stay."""
    named = [f"“{_title(chat)}”" for chat in trash.chats]
    named += [messages_words(each) for each in trash.messages]
    more = len(named) - _MOST_NAMED
    if more > 1:
        named = [*named[:_MOST_NAMED], _("{count} more").format(count=more)]
    text = _("Erase this for good?") + "\n" + "\n".join(named)
    cannot = _("It cannot be brought back, and nothing that was done before can be undone.")
    kept = ""
    if trash.backups:
        count = len(trash.backups)
        kept = plural(
            "{count} backup may still hold it: {names}.", "{count} backups may still hold it: {names}.", count
        ).format(count=count, names=", ".join(trash.backups))
    return Question(text, joined(cannot, kept))


def _title(chat: Chat) -> str:
    return chat.title or _("New chat")
