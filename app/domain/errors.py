"""What may be shown to a person when something cannot be done."""

from app.domain.language import joined


class UserError(Exception):
    """A sentence for the user; everything that is not a UserError is a bug.

    Attributes:
        message: What happened, as a sentence in the user's language.
        hint: What to do about it, or empty.
        action: The name of at most one thing the window can offer to do at once, or empty.
            Known: "choose-model", "new-chat", "retry-save", "context-full".
    """

    def __init__(self, message: str, hint: str = "", action: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.action = action

    def __str__(self) -> str:
        return joined(self.message, self.hint)
