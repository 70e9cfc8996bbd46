"""Backups in words."""

from app.domain.backup import Reason
from app.domain.language import _, joined, plural


def reason_words(reason: Reason) -> str:
    """Return why a backup was made."""
    return {
        Reason.DAILY: _("daily"),
        Reason.ASKED: _("asked for"),
        Reason.UPDATE: _("before an update"),
        Reason.IMPORT: _("before an import"),
        Reason.RESTORE: _("before restoring"),
    }[reason]


def chats_words(count: int) -> str:
    """Return how many chats there are."""
    return plural("{count} chat", "{count} chats", count).format(count=count)


def lost_words(lost: int | None, *, damaged: bool = False) -> str:
    """Return what is not in a backup that is brought back, and where it stays; `damaged` is what is there."""
    if lost == 0 and not damaged:
        return _("Nothing was written since then.")
    kept = _("Fireside keeps the damaged file.") if damaged else _("It stays in a backup of its own.")
    if not lost:
        return joined(_("What was written since then is not in it."), kept)
    text = plural(
        "{count} message was written since then and is not in it.",
        "{count} messages were written since then and are not in it.",
        lost,
    )
    return joined(text.format(count=lost), kept)
