"""Which model, what it takes in memory, how it is loaded, and what is kept of what it has read."""

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout

from app.domain.language import _
from app.domain.loading import WHOLE
from app.domain.model import EngineStatus, Model
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.inspector.adapters import AdapterList
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import small
from app.ui.inspector.numbers import NumberField
from app.ui.inspector.saved_reading import SavedReading
from app.ui.inspector.section import Section
from app.ui.inspector.segments import Segments
from app.ui.inspector.switch import SwitchField
from app.ui.quantities import size_text


class MemoryOfModel(Section):
    """The first section.

    Attributes:
        advanced: How the model is loaded.
        adapters: What is laid over it.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("Model and memory"), first=True)
        self._desk = desk
        self._name = label("")
        self._name.setWordWrap(True)
        self._name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._kind = small("")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._name)
        words.addWidget(self._kind)
        self.column.addLayout(words)
        self.loading: dict[str, Any] = {}
        self.saved = SavedReading(appearance, desk)
        self.adapters: AdapterList | None = None
        self.column.addWidget(self.saved)
        self.advanced = self.add_fold(_("Advanced: how it is loaded"), self._fill)
        self.overlays = self.add_fold(_("Adapters (LoRA)"), self._fill_adapters)

    def refresh(self) -> None:
        """Show the model that answers next."""
        desk = self._desk
        model = desk.model
        if model is None:
            return
        self._name.setText(model.name)
        self._kind.setText(_kind(model, desk.status))
        self.saved.refresh()
        if self.advanced.open:
            self._show_options()
        if self.adapters and self.overlays.open:
            self.adapters.refresh()

    def finish_edits(self) -> None:
        """Set the numbers that are being written."""
        for field in self.loading.values():
            if isinstance(field, NumberField):
                field.commit()

    def _fill(self, column: QVBoxLayout) -> Iterator[None]:
        look, set_options = self._appearance, self._desk.set_options
        attention: Segments[bool | None] = Segments(
            _("Flash attention"),
            lambda value: set_options(flash_attention=value),
            title=True,
            meaning=_("attention with less memory; usually best left to Fireside"),
        )
        attention.offer([(None, _("Automatic")), (True, _("On")), (False, _("Off"))])
        self.loading["flash_attention"] = attention
        column.addWidget(
            small(_("Changes take effect with your next message, when the model is loaded again."))
        )
        column.addWidget(attention)
        yield
        numbers = {"threads": _("CPU threads"), "gpu_layers": _("Layers on the GPU")}
        for name, words in numbers.items():
            low, high = WHOLE[name]
            field = NumberField(
                look,
                words,
                lambda value, name=name: set_options(**{name: value}),  # type: ignore[misc]
                whole=True,
                low=low,
                high=high,
            )
            self.loading[name] = field
            column.addWidget(field)
        yield
        switches = {
            "mmap": (
                _("Map the file (mmap)"),
                _("reads parts of the file as they are needed, shared with other programs"),
            ),
            "mlock": (_("Hold in memory (mlock)"), _("the system cannot move the model to the disk")),
            "gentle": (
                _("Go gently"),
                _("use fewer threads on battery, or while the computer is busy"),
            ),
        }
        for name, (words, meaning) in switches.items():
            switch = SwitchField(
                look,
                words,
                lambda on, name=name: set_options(**{name: on}),  # type: ignore[misc]
                meaning,
            )
            self.loading[name] = switch
            column.addWidget(switch)

    def _fill_adapters(self, column: QVBoxLayout) -> Iterator[None]:
        self.adapters = AdapterList(self._appearance, self._desk)
        column.addWidget(self.adapters)
        yield

    def _show_options(self) -> None:
        options, outlook = self._desk.choices.options, self._desk.outlook
        for name, field in self.loading.items():
            value = getattr(options, name)
            if isinstance(field, NumberField):
                field.show_value(value, _("automatic"))
            else:
                field.show_value(value)
        self.loading["gpu_layers"].setVisible(outlook is not None and outlook.gpu)


def _kind(model: Model, status: EngineStatus) -> str:
    if status.loading is not None:
        state = _("loading, {percent} %").format(percent=round(status.loading * 100))
    else:
        state = _("loaded") if status.ready else _("not loaded")
    return " · ".join(part for part in (model.quantization, size_text(model.size), state) if part)
