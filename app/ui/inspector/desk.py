"""What the sections of the inspector show and set: no widget, only what is so."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.domain import sampler_order
from app.domain.chat import Message, Role
from app.domain.choices import Choices
from app.domain.errors import UserError
from app.domain.loading import Adapter
from app.domain.long_reading import LongReading
from app.domain.model import EngineStatus, Model, Thinking
from app.domain.settings import FILE_KEYS, Settings
from app.services.choices import ModelChoices
from app.services.inspection import Inspection
from app.services.long_reading import LongReadings, Test
from app.services.model_facts import ModelFacts
from app.services.models import Models
from app.ui.current_chat import CurrentChat
from app.ui.post import Poster

if TYPE_CHECKING:
    from app.services.outlook import Nearest, Outlook
    from app.services.snapshots import Usage


class Desk(QObject):
    """The model that answers next in the current chat, and what is set for it.

    Attributes:
        chat: The current chat.
        outlook: What the model takes and recommends; None until it has been looked up.
        usage: What is kept on disk of what models have read; None until it has been looked up.

    Signals:
        changed: Any of it is another.
    """

    changed = Signal()

    def __init__(
        self,
        poster: Poster,
        chat: CurrentChat,
        models: Models,
        choices: ModelChoices,
        inspection: Inspection,
        facts: ModelFacts,
        long_readings: LongReadings,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._poster, self.chat, self._models = poster, chat, models
        self._choices, self._inspection, self._facts = choices, inspection, facts
        self._long_readings = long_readings
        self._asked: tuple[Any, ...] = ()
        self._awake = False
        self.outlook: Outlook | None = None
        self.usage: Usage | None = None
        for signal in (chat.opened, chat.begun, chat.grown, chat.changed, chat.model_changed):
            signal.connect(self.look)

    @property
    def known(self) -> bool:
        """Return whether there is a model, and what is set for it has been read."""
        return self.model is not None and self._choices.known

    @property
    def model(self) -> Model | None:
        """Return what answers next; None when there is nothing that could."""
        return self.chat.model

    @property
    def status(self) -> EngineStatus:
        """Return what the engine holds, if it is this model; else that it holds nothing."""
        return self._models.status.of(self.model.path) if self.model else EngineStatus()

    @property
    def choices(self) -> Choices:
        """Return what is set for the model."""
        return self._choices.of(self.model) if self.model else Choices()

    @property
    def reading_speed(self) -> float:
        """Return the tokens a second that the model has read on this computer; 0 when it never has."""
        use = self._facts.of(self.model).use if self.model else None
        return use.reading if use else 0.0

    @property
    def recommended(self) -> set[str]:
        """Return the names of the settings for which the model's file recommends a value."""
        return {FILE_KEYS[key] for key in self.outlook.recommended} if self.outlook else set()

    @property
    def thinking(self) -> Thinking | None:
        """Return how the model is told to think first; None when it cannot be told, or is not loaded."""
        return self.status.thinking

    def resolved(self, settings: Settings) -> Settings:
        """Return `settings` with a number for every sampler, as this model will have them."""
        return settings.resolved(self.outlook.recommended if self.outlook else {})

    def order(self, settings: Settings) -> tuple[str, ...]:
        """Return the names of the samplers that run for this model, first to last."""
        return sampler_order.order(self.resolved(settings))

    def answer(self) -> Message | None:
        """Return the newest answer of the chat that has ended and has its counts."""
        path = self.chat.state.path(self.chat.lives)
        return next((each for each in reversed(path) if each.role is Role.ASSISTANT and each.stats), None)

    def set_awake(self, awake: bool) -> None:
        """Look things up from now on, or no longer: nobody sees them."""
        self._awake = awake
        if awake:
            self._poster.when_done(
                self._facts.look(), lambda found: self.changed.emit(), lambda problem: None
            )
        self.look()

    def look(self) -> None:
        """Say that something is another, and look up what hangs on it."""
        if self._awake:
            self._look_up()
            self._poster.when_done(self._inspection.saved_reading(), self._count)
            self.changed.emit()

    def _look_up(self) -> None:
        model, choices = self.model, self.choices
        if model is not None:
            asked = (model.path, self.chat.context_of(model), choices.options)
            if asked != self._asked:
                if self.outlook and self.outlook.path != model.path:
                    self.outlook = None
                self._asked = asked
                looking = self._inspection.outlook(model, *asked[1:])
                self._poster.when_done(looking, partial(self._see, asked), lambda problem: None)

    def refresh(self) -> None:
        """Say that something is another: what is set, the engine's status, or which models there are."""
        if self._awake:
            self._look_up()
            self.changed.emit()

    def change(self, how: Callable[[Choices], Choices]) -> None:
        """Set for the model what `how` makes of what is set.

        Raises:
            UserError: When a value is out of range or contradicts another; nothing is changed then.
        """
        if self.model is not None:
            self._poster.when_done(self._choices.change(self.model, how), lambda kept: None)
            self.refresh()

    def set_settings(self, **values: Any) -> None:
        """Set how the model writes; raises as `change` does."""
        self.change(lambda choices: replace(choices, settings=replace(choices.settings, **values)))

    def set_options(self, **values: Any) -> None:
        """Set how the model is loaded; raises as `change` does."""
        self.change(lambda choices: replace(choices, options=replace(choices.options, **values)))

    def set_size(self, context: int | None, *, for_all: bool) -> None:
        """Set how much the model sees at once: in this chat, or whenever it answers; raises as `change` does.

        A model that is in memory is loaded again at once, unless it is writing.
        """
        outlook = self.outlook
        if for_all:
            usual = outlook is not None and context == outlook.usual
            self.set_settings(context=None if usual else context)
            self.chat.set_context(None)
        else:
            self.chat.set_context(context)
        self.refresh()
        if self.model is not None and self.status.ready and not self.chat.answering:
            self.chat.load(self.model)

    def set_nearest(self, nearest: "Nearest") -> None:
        """Set what fits in place of what does not; raises as `change` does."""
        self.change(lambda choices: replace(choices, options=nearest.options))
        self.set_size(nearest.context, for_all=True)

    def set_adapters(self, adapters: tuple[Adapter, ...]) -> None:
        """Set what is laid over the model."""
        self.change(lambda choices: replace(choices, adapters=adapters))

    def check_adapter(
        self, path: Path, fits: Callable[[Path], None], misfits: Callable[[UserError], None]
    ) -> None:
        """Call one of the two, as the file at `path` can be laid over the model or not."""
        if self.model is not None:
            self._poster.when_done(self._inspection.check_adapter(self.model, path), fits, misfits)

    def check_form(
        self, grammar: str, schema: str, good: Callable[[], None], bad: Callable[[UserError], None]
    ) -> None:
        """Call one of the two, as answers can follow the grammar, or be valid against the schema, or not."""
        checking = self._inspection.check_form(grammar, schema)
        self._poster.when_done(checking, lambda checked: good(), bad)

    def look_up_reading(self, on_result: Callable[[LongReading | None], None]) -> None:
        """Call with what the newest test of long reading found, of what is set if there was one."""
        model = self.model
        if model is not None:
            kept = self._long_readings.kept(model, self.chat.context_of(model), self.choices.options)
            self._poster.when_done(kept, on_result)

    def test_reading(
        self, on_result: Callable[[LongReading | None], None], on_error: Callable[[UserError], None]
    ) -> Test | None:
        """Test how well the model reads as it is set, and call one of the two in the end."""
        model = self.model
        if model is None:
            return None
        context = self.chat.context_of(model) or (self.outlook.usual if self.outlook else None)
        test = self._long_readings.begin(model, context, self.choices.options)
        self._poster.when_done(test.result, on_result, on_error)
        return test

    def clear_saved_reading(self) -> None:
        """Delete what is kept on disk of what models have read."""
        self._poster.when_done(self._inspection.clear_saved_reading(), self._count)

    def _see(self, asked: tuple[Any, ...], outlook: "Outlook") -> None:
        if asked == self._asked:
            self.outlook = outlook
            self.changed.emit()

    def _count(self, usage: "Usage") -> None:
        if usage != self.usage:
            self.usage = usage
            self.changed.emit()
