"""How much the model sees at once, and what each size takes."""

from app.domain.language import _, joined
from app.ui.appearance import Appearance
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import small
from app.ui.inspector.section import Section
from app.ui.inspector.segments import Segments
from app.ui.quantities import context_text, size_text


class ContextSize(Section):
    """The sizes to choose from, each with its memory.

    Attributes:
        sizes: The choice; its values are tokens.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("How much the model sees at once"))
        self._desk = desk
        self.sizes: Segments[int] = Segments(_("Context"), self._choose)
        self._words = small("")
        self.column.addWidget(self.sizes)
        self.column.addWidget(self._words)

    @property
    def wanted(self) -> bool:
        """Return whether the sizes are known."""
        return self._desk.outlook is not None

    def refresh(self) -> None:
        """Show the sizes of this model, and which one is set."""
        outlook = self._desk.outlook
        if outlook is None:
            return
        shown = {take.context: take for take in (*outlook.sizes, outlook.chosen)}
        self.sizes.offer(
            [(size, f"{context_text(size)}\n{size_text(shown[size].conversation)}") for size in sorted(shown)]
        )
        large = {size for size, take in shown.items() if take.total > outlook.available}
        self.sizes.warn(large, _("Too large for the memory there is now"))
        self.sizes.show_value(outlook.chosen.context)
        usual = _("Tokens that the model sees at once, and the memory that they take. {size} is usual.")
        trained = _("The model was trained for {size}.").format(size=context_text(outlook.trained))
        words = usual.format(size=context_text(outlook.usual))
        self._words.setText(joined(words, trained if outlook.trained else ""))

    def _choose(self, size: int) -> None:
        outlook = self._desk.outlook
        usual = outlook is not None and size == outlook.usual
        self._desk.set_settings(context=None if usual else size)
