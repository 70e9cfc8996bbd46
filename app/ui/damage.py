"""What the window says when the file of the chats is damaged: it offers the newest backup that is whole."""

from app.domain.backup import Restored
from app.domain.backup_words import lost_words
from app.domain.errors import UserError
from app.domain.language import _
from app.services.backups import Backups
from app.ui.notices import Notices, Offer
from app.ui.post import Poster
from app.ui.quantities import moment_text


def tell_damage(poster: Poster, backups: Backups, notices: Notices) -> None:
    """Say that the file is only read now, and offer what can be restored."""
    offered = backups.offer
    message = _("The file of your chats is damaged. Fireside only reads it, and keeps it as it is.")
    if offered is None:
        notices.show_error(UserError(message, _("There is no backup that could be restored.")))
        return
    when = moment_text(offered.backup.made_at)

    def restored(_done: Restored) -> None:
        notices.show_offer(_("Your chats are as they were on {date}.").format(date=when))

    def restore() -> None:
        poster.when_done(backups.restore(offered.backup), restored)

    words = _("Restore the backup of {date}").format(date=when)
    notices.show_error(UserError(message, lost_words(offered.lost, damaged=True)), Offer(words, restore))
