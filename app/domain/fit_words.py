"""What fits into memory, in words."""

from app.domain.language import _
from models_registry.room import Cost


def cost_sentence(cost: Cost) -> str:
    """Return what one gives up for memory, as a sentence."""
    match cost:
        case Cost.SLOWER_WRITING:
            return _("It writes more slowly.")
        case Cost.SLOWER_READING:
            return _("It reads more slowly.")
        case Cost.SMALLER_CACHE:
            return _("What it has read is kept less exactly, which is hardly noticed.")
        case Cost.SMALLEST_CACHE:
            return _("What it has read is kept much less exactly, which can be noticed.")
        case Cost.NO_ROLLING_BACK:
            return _("After an edit far back it reads more again.")
    return _("It sees fewer tokens at once.")
