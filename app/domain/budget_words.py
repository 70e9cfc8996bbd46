"""What is said when a chat does not fit into its context."""

from app.domain.errors import UserError
from app.domain.language import _


def outgrown(tokens: int, context: int) -> UserError:
    """Return what is said when nothing may be left out of a chat that takes `tokens` with its answer."""
    return UserError(
        _(
            "This chat has outgrown its context: with room for an answer it takes {tokens:,} tokens, and "
            "the model sees {size:,} at once."
        ).format(tokens=tokens, size=context),
        _("Choose what is to happen with the oldest messages; your message has not been sent."),
        "context-full",
    )


def too_long(tokens: int, context: int) -> UserError:
    """Return what is said when the last message does not fit beside what must stay, `tokens` together."""
    return UserError(
        _(
            "The last message with what must stay (the system prompt and pinned messages) is {tokens:,} "
            "tokens long, but the context holds only {size:,}."
        ).format(tokens=tokens, size=context),
        _("Shorten the message, unpin some messages, or choose a larger context."),
        "new-chat",
    )
