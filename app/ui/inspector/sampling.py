"""How the model writes: a few everyday things, and every sampler for those who want them."""

from collections.abc import Iterator
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout

from app.domain.language import _
from app.domain.sampler_words import meanings
from app.domain.settings import MAX_SEED, SAMPLERS, Settings
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.inspector.creativity import Creativity
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import small
from app.ui.inspector.form import Form
from app.ui.inspector.numbers import NumberField
from app.ui.inspector.section import Section
from app.ui.inspector.switch import SwitchField
from app.ui.inspector.words import groups, sampler_name

PROBABILITIES = 5
"""How many of the likeliest tokens are kept at each place when a person wants to see them."""


class Sampling(Section):
    """Everyday things first.

    Attributes:
        creativity: The temperature.
        length: The most tokens of an answer.
        sureness: Whether token probabilities are kept.
        samplers: Every value, once that part is unfolded.
        order: In which order the samplers run.
        form: What the answer must look like, once that part is unfolded.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("How it writes"))
        self._desk = desk
        self.creativity = Creativity(lambda value: desk.set_settings(temperature=value))
        self.length = NumberField(
            appearance,
            _("Length of the answer"),
            lambda value: desk.set_settings(max_tokens=value),
            whole=True,
            low=1,
            meaning=_("at most this many tokens; a word takes one or two"),
        )
        self.sureness = SwitchField(
            appearance,
            _("Show how sure the model was"),
            lambda on: desk.set_settings(probabilities=PROBABILITIES if on else 0),
            _("Each answer then also keeps the other likely words at each place."),
        )
        for field in (self.creativity, self.length, self.sureness):
            self.column.addWidget(field)
        self.samplers: dict[str, NumberField] = {}
        self.order = small("")
        self.form: Form | None = None
        self._seed: NumberField | None = None
        self._speculation: SwitchField | None = None
        self.advanced = self.add_fold(_("Advanced: all samplers and the seed"), self._fill_samplers)
        self.shape = self.add_fold(_("Advanced: form of the answer"), self._fill_form)

    def refresh(self) -> None:
        """Show what is set for the model, and what is so without."""
        settings = self._desk.choices.settings
        usual = self._desk.resolved(Settings())
        self.creativity.show_value(settings.temperature, usual.temperature or 0.0)
        self.length.show_value(settings.max_tokens, _("no limit"))
        self.sureness.show_value(settings.probabilities > 0)
        if self.advanced.open:
            self._show_samplers(settings, usual)
        if self.form and self.shape.open:
            self.form.refresh()

    def finish_edits(self) -> None:
        """Set what is being written."""
        for field in (self.length, self._seed, *self.samplers.values()):
            if field is not None:
                field.commit()
        if self.form:
            self.form.finish_edits()

    def reset(self) -> None:
        """Leave every sampler to the model's file and to Fireside."""
        self._desk.set_settings(**dict.fromkeys(SAMPLERS), seed=None, speculation=True)

    def _show_samplers(self, settings: Settings, usual: Settings) -> None:
        recommended = self._desk.recommended
        for name, field in self.samplers.items():
            note = _("from the model's file") if name in recommended else ""
            field.show_value(getattr(settings, name), getattr(usual, name), note)
        names = [sampler_name(name) for name in self._desk.order(settings)]
        self.order.setText(_("Order: {names}").format(names=" → ".join(names)))
        if self._seed and self._speculation:
            self._seed.show_value(settings.seed, _("random"))
            self._speculation.show_value(settings.speculation)

    def _fill_samplers(self, column: QVBoxLayout) -> Iterator[None]:
        look, desk = self._appearance, self._desk
        self._seed = NumberField(
            look,
            _("Seed"),
            lambda value: desk.set_settings(seed=value),
            whole=True,
            high=MAX_SEED,
            meaning=_("with a number here, the same question gets the same answer"),
        )
        self._speculation = SwitchField(
            look,
            _("Guess ahead"),
            lambda on: desk.set_settings(speculation=on),
            _("faster, with answers of the same quality; off while a seed is set"),
        )
        column.addWidget(self.order)
        column.addWidget(self._seed)
        column.addWidget(self._speculation)
        yield
        meaning = meanings()
        for title, names in groups():
            heading = label(title, measure="group")
            column.addWidget(heading)
            for number, name in enumerate(names):
                bounds = SAMPLERS[name]
                field = self.samplers[name] = NumberField(
                    look,
                    sampler_name(name),
                    partial(self._set, name),
                    whole=bounds.whole,
                    low=bounds.low,
                    high=bounds.high,
                    meaning=meaning[name],
                )
                column.addWidget(field)
                if number % 2:
                    yield
        reset = QPushButton(_("Back to the usual values"))
        reset.setProperty("kind", "link")
        reset.setProperty("measure", "small")
        reset.setProperty("flush", True)
        reset.clicked.connect(self.reset)
        row = QHBoxLayout()
        row.addWidget(reset)
        row.addStretch(1)
        column.addLayout(row)

    def _fill_form(self, column: QVBoxLayout) -> Iterator[None]:
        self.form = Form(self._appearance, self._desk)
        column.addWidget(self.form)
        yield

    def _set(self, name: str, value: float | None) -> None:
        self._desk.set_settings(**{name: value})
