"""What is known of a model on this computer, as people read it."""

from datetime import UTC, datetime

from app.domain.language import _
from app.domain.model import Model, Origin, Use
from app.services.model_facts import Facts
from app.ui.hub.words import age_words

_DIGITS = 12  # of a sha256, in short


def used_text(use: Use | None) -> str:
    """Return when a model answered last."""
    if use is None:
        return _("not used yet")
    return _("used {when}").format(when=age_words(datetime.fromtimestamp(use.used_at, UTC)))


def source_text(model: Model, facts: Facts) -> str:
    """Return where a model came from, in a few words."""
    if model.origin is Origin.STARTER:
        return _("came with Fireside")
    if model.repository:
        return model.repository
    if facts.app:
        return _("in {app}, used in place").format(app=facts.app)
    if model.origin is Origin.LINKED:
        return _("in {folder}, used in place").format(folder=model.path.parent.name)
    return _("in Fireside's own folder")


def trouble(model: Model) -> str:
    """Return what is wrong with a model's file; nothing when nothing is."""
    if model.problem:
        return model.problem
    if not model.changed:
        return ""
    if model.commit:
        return _("Its bytes are not the ones that were downloaded. Remove it, then download it again.")
    return _("The file has changed since Fireside first read it. Check it, or get it anew.")


def short_sum(sha256: str) -> str:
    """Return the beginning of a sha256."""
    return f"{sha256[:_DIGITS]}…" if sha256 else ""
