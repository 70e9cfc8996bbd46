"""Tests how well the model reads a text as long as its context, and shows what came of it."""

from functools import partial
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.domain.errors import UserError
from app.domain.language import _, joined
from app.domain.long_reading import LongReading
from app.services.long_reading import Test
from app.ui.appearance import Appearance
from app.ui.controls import announce, label
from app.ui.downloads.words import left_text
from app.ui.inspector.desk import Desk
from app.ui.inspector.fields import small
from app.ui.inspector.reading_chart import ReadingChart
from app.ui.inspector.section import Section

_LOOK = 300  # ms


class LongTexts(Section):
    """A button that begins the test, how far it is, and the newest result.

    Attributes:
        button: Begins it, or stops it.
        progress: How far it is, in words.
        verdict: What came of it, in a sentence.
        chart: The same, drawn.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__(appearance, _("Long texts"))
        self._desk = desk
        self._test: Test | None = None
        self._asked: tuple[Any, ...] = ()
        self.button = QPushButton()
        self.button.setProperty("measure", "small")
        self.button.clicked.connect(self._press)
        self.progress = label("", tone="soft", measure="small")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.button)
        row.addWidget(self.progress, 1)
        self.column.addWidget(
            small(
                _(
                    "Fireside can test how well this model understands a text as long as its context. "
                    "That takes some minutes; you can go on chatting."
                )
            )
        )
        self.column.addLayout(row)
        self._problem = small("", "bad")
        self._problem.hide()
        self.column.addWidget(self._problem)
        self._result = self._make_result(appearance)
        self.column.addWidget(self._result)
        self._clock = QTimer(self, interval=_LOOK)
        self._clock.timeout.connect(self._tell)
        self._dress()

    def _make_result(self, appearance: Appearance) -> QWidget:
        self.verdict, self._facts = small("", "ink"), small("")
        self._about, self._legend = small(""), small("")
        self.chart = ReadingChart(appearance)
        result = QWidget()
        column = QVBoxLayout(result)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for part in (self.verdict, self.chart, self._legend, self._facts, self._about):
            column.addWidget(part)
        result.hide()
        return result

    def refresh(self) -> None:
        """Look up what is known of the model and the context that are set."""
        model = self._desk.model
        if model is None:
            return
        asked = (model.path, model.sha256, self._desk.chat.context_of(model), self._desk.choices.options)
        if asked != self._asked:
            if self._asked[:1] != asked[:1]:
                self._result.hide()
                self._problem.hide()
            self._asked = asked
            self._desk.look_up_reading(partial(self._see, asked))

    def _press(self) -> None:
        if self._test is not None:
            self._test.stop()
        else:
            self._problem.hide()
            self._test = self._desk.test_reading(self._finish, self._fail)
            self._clock.start()
        self._dress()
        self._tell()

    def _tell(self) -> None:
        test = self._test
        if test is None:
            self.progress.setText("")
            return
        left = test.seconds_left
        percent = _("{percent} %").format(percent=int(100 * test.done))
        self.progress.setText(percent if left is None else f"{percent} · {left_text(left)}")

    def _finish(self, reading: LongReading | None) -> None:
        test, model = self._test, self._desk.model
        self._end()
        if reading is not None and test and model and model.path == test.model.path:
            self._show(reading)
            announce(self, joined(reading.verdict, reading.facts_sentence))

    def _fail(self, problem: UserError) -> None:
        self._end()
        self._problem.setText(str(problem))
        self._problem.show()
        announce(self, str(problem))

    def _end(self) -> None:
        self._test = None
        self._clock.stop()
        self._dress()
        self._tell()

    def _see(self, asked: tuple[Any, ...], reading: LongReading | None) -> None:
        if asked == self._asked:
            if reading is None:
                self._result.hide()
            else:
                self._show(reading)

    def _show(self, reading: LongReading) -> None:
        self.verdict.setText(reading.verdict)
        self._facts.setText(joined(reading.facts_sentence, _("Each dot is one of them, where it stood.")))
        self._about.setText(
            _("Tested with {tokens} tokens, position scaling: {scaling}.").format(
                tokens=f"{reading.tokens:,}", scaling=reading.scaling_word
            )
        )
        self._legend.setText(
            _("How unsure it was of the next word. Line: as set. Dashes: without scaling.")
            if reading.unscaled
            else _("How unsure it was of the next word; lower is better.")
        )
        self.chart.show_reading(reading)
        self._result.show()

    def _dress(self) -> None:
        running = self._test is not None
        self.button.setText(_("Stop") if running else _("Test long reading"))
        self.button.setAccessibleName(_("Stop the test") if running else _("Test long reading"))
