"""How much the model reads at once: what each size takes and does, before anything is loaded."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.domain.language import _, joined
from app.domain.reading_words import duration_text
from app.ui.appearance import Appearance
from app.ui.controls import label
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import Field, small
from app.ui.inspector.memory_bar import MemoryUse, retone
from app.ui.inspector.scaling import Scaling
from app.ui.inspector.section import Section
from app.ui.inspector.steps import Steps
from app.ui.quantities import context_text, speed_text

if TYPE_CHECKING:
    from app.services.outlook import Outlook, Take


class ContextSize(Section):
    """The planner: a slider over sizes; what stands under the thumb is told, and set when it is confirmed.

    Attributes:
        steps: The sizes.
        use: The memory that the size under the thumb takes.
        here, always, back, instead: Set it for this chat or for this model; leave it; take what fits.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("How much should it read at once?"))
        self._desk = desk
        self._pending: int | None = None
        self._model: object = None
        self.tokens = label("")
        self.quality = label("", measure="small")
        head = QHBoxLayout()
        head.addWidget(self.tokens, 1)
        head.addWidget(self.quality)
        self.steps = Steps(appearance, _("How much should it read at once?"))
        self.steps.moved.connect(self._preview)
        self.words = small("")
        self.use = MemoryUse(appearance)
        self.speed = small("")
        self.field = Field()
        self.field.close_column()
        self.column.addLayout(head)
        self.column.addWidget(self.steps)
        self.column.addWidget(self.words)
        self.column.addWidget(self.use)
        self.column.addWidget(self.speed)
        self.column.addWidget(self._make_offer())
        self.column.addWidget(self._make_question())
        self.column.addWidget(self.field)
        self.scaling: Scaling | None = None
        self.advanced = self.add_fold(_("Advanced: how long texts are read"), self._fill)

    @property
    def wanted(self) -> bool:
        """Return whether the sizes are known."""
        return self._desk.outlook is not None

    def refresh(self) -> None:
        """Show the sizes of this model, and which one is set."""
        outlook = self._desk.outlook
        if outlook is None:
            return
        if (outlook.path, self._desk.chat.id) != self._model:
            self._model, self._pending = (outlook.path, self._desk.chat.id), None
        takes = _takes(outlook)
        if self._pending not in takes or self._pending == outlook.chosen.context:
            self._pending = None
        if not self.steps.slider.isSliderDown():
            large = frozenset(size for size, take in takes.items() if take.total > outlook.available)
            self.steps.offer(sorted(takes), outlook.trained, large)
            self.steps.show_size(self._pending or outlook.chosen.context)
            self._show(outlook, takes[self._pending or outlook.chosen.context])
        if self.scaling and self.advanced.open:
            self.scaling.refresh()

    def finish_edits(self) -> None:
        """Set the numbers that are being written."""
        if self.scaling:
            self.scaling.finish_edits()

    def _preview(self, size: int) -> None:
        outlook = self._desk.outlook
        if outlook is not None:
            self._pending = None if size == outlook.chosen.context else size
            self._show(outlook, _takes(outlook)[size])

    def _show(self, outlook: "Outlook", take: "Take") -> None:
        self.tokens.setText(_("{size} tokens").format(size=context_text(take.context)))
        self.quality.setText(take.quality)
        retone(self.quality, take.tone)
        self.words.setText(take.problem or take.meaning)
        self.use.show_take(take, outlook.available)
        speed = self._desk.reading_speed
        self.speed.setVisible(speed > 0)
        if speed > 0:
            words = _("It has read at {speed} here: at least {time} to read it full.")
            self.speed.setText(
                words.format(speed=speed_text(speed), time=duration_text(take.context / speed))
            )
        self._show_offer(take, outlook)
        self.question.setVisible(self._pending is not None)

    def _show_offer(self, take: "Take", outlook: "Outlook") -> None:
        fits, nearest = take.total <= outlook.available, take.nearest
        self.offer.setVisible(not fits)
        if fits:
            return
        text = _("There is not enough memory for this now; loading it may fail.")
        self.instead.setVisible(nearest is not None)
        if nearest is not None:
            self.instead.setText(_("Use {size} that fits").format(size=context_text(nearest.context)))
            text = joined(text, nearest.costs)
        self.lack.setText(text)

    def _make_offer(self) -> QWidget:
        self.offer, self.lack = QWidget(), small("", "bad")
        self.instead = _button(_("Use what fits"), "link", self._take_nearest)
        column = QVBoxLayout(self.offer)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.lack)
        column.addWidget(self.instead)
        self.offer.hide()
        return self.offer

    def _make_question(self) -> QWidget:
        self.question = QWidget()
        self.here = _button(_("Use in this chat"), "primary", lambda: self._set(for_all=False))
        self.always = _button(_("Use for this model from now on"), "quiet", lambda: self._set(for_all=True))
        self.back = _button(_("Leave it as it is"), "link", self._leave)
        column = QVBoxLayout(self.question)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(
            small(_("For this the model is loaded again, and reads the chat again with your next message."))
        )
        for button in (self.here, self.always, self.back):
            column.addWidget(button)
        self.question.hide()
        return self.question

    def _set(self, *, for_all: bool) -> None:
        size, self._pending = self._pending, None
        self.field.try_to(lambda: self._desk.set_size(size, for_all=for_all))
        self.question.hide()
        self.steps.slider.setFocus()

    def _leave(self) -> None:
        self._pending = None
        self.steps.slider.setFocus()
        self.refresh()

    def _take_nearest(self) -> None:
        outlook = self._desk.outlook
        take = _takes(outlook).get(self.steps.size_shown) if outlook else None
        if take is None or take.nearest is None:
            return
        nearest, self._pending = take.nearest, None
        self.field.try_to(lambda: self._desk.set_nearest(nearest))
        self.steps.slider.setFocus()

    def _fill(self, column: QVBoxLayout) -> Iterator[None]:
        self.scaling = Scaling(self._appearance, self._desk)
        column.addWidget(self.scaling)
        yield
        yield from self.scaling.fill()


def _takes(outlook: "Outlook") -> "dict[int, Take]":
    return {take.context: take for take in (*outlook.sizes, outlook.chosen)}


def _button(text: str, kind: str, press: object) -> QPushButton:
    made = QPushButton(text)
    made.setProperty("kind", kind)
    made.clicked.connect(press)
    made.ensurePolished()  # it is shown while the thumb is dragged
    return made
