"""For experts: the KV cache, a size of one's own, and every number of the rotation that has an effect."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.domain.language import _
from app.domain.loading import KV_TYPES, ROPE_EFFECTS, ROPE_METHODS, ROPE_NUMBERS, ROPE_RANGES
from app.domain.rope_words import number_meanings, shown
from app.ui.appearance import Appearance
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import small
from app.ui.inspector.numbers import NumberField
from app.ui.inspector.segments import Segments


class Scaling(QWidget):
    """What is set here holds for the model, from the next message on.

    Attributes:
        tokens: Of the context.
        kinds: The type of the KV cache.
        method: How positions are scaled.
        numbers: By the names of `LoadOptions.rope`.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__()
        self._appearance, self._desk = appearance, desk
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(12)
        self._column.addWidget(
            small(_("Changes take effect with your next message, when the model is loaded again."))
        )
        self.tokens = NumberField(
            appearance,
            _("Tokens of the context"),
            lambda value: desk.set_size(value, for_all=True),  # type: ignore[arg-type]
            whole=True,
            low=256,
        )
        self._column.addWidget(self.tokens)
        self.kinds: Segments[str]
        self.method: Segments[str]
        self.numbers: dict[str, NumberField] = {}
        self._notes = small("")

    def fill(self) -> Iterator[None]:
        """Build the rest, a piece at a time."""
        self.kinds = Segments(
            _("KV cache"),
            lambda value: self._desk.set_options(kv_type=value),
            title=True,
            meaning=_("smaller types take less memory for the conversation and are a little less exact"),
        )
        self.kinds.offer([(kind, kind) for kind in KV_TYPES])
        self._column.addWidget(self.kinds)
        yield
        self.method = Segments(
            _("How positions are scaled"), lambda value: self._set_rope(method=value), title=True, columns=3
        )
        words = {"auto": _("Automatic"), "none": _("none"), "ntk": _("NTK-aware"), "linear": _("linear")}
        self.method.offer([(each, words.get(each, "YaRN")) for each in ROPE_METHODS])
        self._column.addWidget(self.method)
        self._column.addWidget(self._notes)
        yield
        for name, meaning in number_meanings().items():
            low, high = ROPE_RANGES[name]
            self.numbers[name] = NumberField(
                self._appearance,
                shown(name),
                lambda value, name=name: self._set_rope(**{name: value}),  # type: ignore[misc]
                whole=name == "original_context",
                low=low,
                high=high,
                meaning=meaning,
            )
            self._column.addWidget(self.numbers[name])
            yield

    def refresh(self) -> None:
        """Show what is set, and which of the numbers matter for this model."""
        outlook, options = self._desk.outlook, self._desk.choices.options
        if outlook is None:
            return
        self.tokens.show_value(self._desk.choices.settings.context, outlook.usual)
        self.kinds.show_value(options.kv_type)
        self.method.setVisible(outlook.scalable)
        self.method.show_value(options.rope.method)
        self._notes.setText(" ".join(outlook.notes))
        self._notes.setVisible(bool(outlook.notes))
        matter = ROPE_EFFECTS.get(options.rope.method, ROPE_NUMBERS) if outlook.scalable else ()
        for name, field in self.numbers.items():
            value = getattr(options.rope, name)
            field.setVisible(name in matter or value is not None)
            usual = outlook.chosen.numbers.get(name)
            field.show_value(value, _("automatic") if usual is None else round(usual, 6))

    def finish_edits(self) -> None:
        """Set the numbers that are being written."""
        for field in (self.tokens, *self.numbers.values()):
            field.commit()

    def _set_rope(self, **values: Any) -> None:
        rope = self._desk.choices.options.rope
        if "method" in values:  # numbers that say nothing with it are given up
            matter = ROPE_EFFECTS.get(values["method"], ROPE_NUMBERS)
            values |= {name: None for name in ROPE_NUMBERS if name not in matter}
        self._desk.set_options(rope=replace(rope, **values))
