"""How the model of this chat is told to behave."""

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.inspector.desk import Desk
from app.ui.inspector.section import Section
from app.ui.inspector.text_field import TextField


class SystemPrompt(Section):
    """What the model reads before everything else in this chat.

    Attributes:
        field: The words.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("System prompt"))
        self._desk = desk
        self.field = TextField(
            appearance,
            _("System prompt"),
            desk.chat.set_system_prompt,
            hint=_("You explain things to a curious beginner. Short sentences, one idea at a time."),
            meaning=_(
                "What the model is told before the conversation. Changes take effect with your next message."
            ),
            title=False,
            lines=(3, 12),
        )
        self.column.addWidget(self.field)
        desk.chat.leaving.connect(self.field.commit)

    def refresh(self) -> None:
        """Show that of the current chat."""
        self.field.show_value(self._desk.chat.system_prompt)

    def forget_edits(self) -> None:
        """Keep them: they belong to the chat, whichever model answers."""

    def finish_edits(self) -> None:
        """Set what is being written."""
        self.field.commit()
