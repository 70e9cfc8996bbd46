"""Backups in words."""

from app.domain.backup import Reason
from app.domain.language import _, plural


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


def lost_words(lost: int | None) -> str:
    """Return what is not in a backup that is brought back, and where it stays."""
    if lost is None:
        return _("What was written since then is not in it. Fireside keeps the damaged file.")
    if lost == 0:
        return _("Nothing was written since then.")
    return plural(
        "{count} message was written since then and is not in it; it is kept in a backup of its own.",
        "{count} messages were written since then and are not in it; they are kept in a backup of their own.",
        lost,
    ).format(count=lost)
