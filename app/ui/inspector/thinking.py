"""Whether the model thinks before it answers, where it can be told."""

from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.inspector.desk import Desk
from app.ui.inspector.section import Section
from app.ui.inspector.switch import SwitchField


class ThinkingFirst(Section):
    """A switch, for models whose chat template knows one.

    Attributes:
        field: The switch.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("Reasoning"))
        self._desk = desk
        self.field = SwitchField(
            appearance,
            _("Think before answering"),
            self._set,
            _("Slower, and often better with questions that have one right answer."),
        )
        self.column.addWidget(self.field)

    @property
    def wanted(self) -> bool:
        """Return whether the model can be told."""
        return self._desk.thinking is not None

    def refresh(self) -> None:
        """Show whether it thinks."""
        if thinking := self._desk.thinking:
            given = self._desk.choices.settings.template_variables.get(thinking.variable)
            self.field.show_value(thinking.usual if given is None else given != thinking.off)

    def _set(self, on: bool) -> None:
        thinking = self._desk.thinking
        if thinking is None:
            return
        variables = dict(self._desk.choices.settings.template_variables)
        variables.pop(thinking.variable, None)
        if on != thinking.usual:
            variables[thinking.variable] = thinking.on if on else thinking.off
        self._desk.set_settings(template_variables=variables)
