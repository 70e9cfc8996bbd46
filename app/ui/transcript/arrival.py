"""What has streamed in for an answer, and is not in its row yet."""

from dataclasses import dataclass

from app.domain.chat import Message


@dataclass(slots=True)
class Arrival:
    """The whole text and reasoning of an answer that is being written, as far as they are known here.

    Attributes:
        activity: What the engine is doing before the answer begins.
    """

    text: str
    reasoning: str = ""
    activity: str = ""

    def catch_up(self, message: Message) -> None:
        """Take what a newer state of the row has and this has not."""
        if not self.text.startswith(message.text):
            self.text = message.text
        if not self.reasoning.startswith(message.reasoning):
            self.reasoning = message.reasoning
