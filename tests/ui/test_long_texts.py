"""The test of long reading in the inspector: begun, followed, stopped, drawn, and shown again."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Reading
from app.domain.long_reading import Fact, LongReading, ReadingJob
from app.ui.inspector.long_reading import LongTexts
from app.ui.theme import DARK

FACTS = tuple(Fact(depth, "48213", "48213", depth < 0.6) for depth in (0.1, 0.3, 0.5, 0.7, 0.9))
FOUND = LongReading(
    context=12288, tokens=12288, trained=8192, scaling="yarn", factor=2.0, freq_base=10_000.0, step=512,
    scaled=tuple(33.0 - number * 0.2 for number in range(24)),
    unscaled=(31.0,) * 16 + tuple(35.0 + 10 * number for number in range(8)),
    tail=2048, tail_scaled=31.9, tail_unscaled=59.5, tail_inside=30.6, facts=FACTS, seconds=1.0,
)  # fmt: skip


@pytest.fixture
def jobs(fireside, monkeypatch) -> list[ReadingJob]:
    """What the section asks of the engine, which answers when the test says so."""
    asked: list[ReadingJob] = []

    def examine(examination):
        asked.append(ReadingJob())
        asked[-1].examination = examination
        return asked[-1]

    def cancel(job):
        job.cancel()
        job.put(Finished(None))

    monkeypatch.setattr(fireside.engine, "examine", examine, raising=False)
    monkeypatch.setattr(fireside.engine, "cancel", cancel)
    return asked


def section(fireside) -> LongTexts:
    fireside.window.resize(1180, 780)
    inspector = fireside.window.inspector
    if not inspector.isVisible():
        fireside.qtbot.keyClick(fireside.window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    fireside.qtbot.waitUntil(lambda: inspector.complete and bool(inspector.desk.outlook))
    QApplication.processEvents()
    fireside.qtbot.waitUntil(lambda: inspector.complete)
    return next(each for each in inspector.sections if isinstance(each, LongTexts))


def pressed(fireside, jobs) -> LongTexts:
    shown, before = section(fireside), len(jobs)
    shown.button.setFocus()
    fireside.qtbot.keyClick(shown.button, Qt.Key.Key_Space)
    fireside.qtbot.waitUntil(lambda: len(jobs) > before)
    return shown


def test_it_shows_how_far_it_is_then_the_result_and_shows_it_again(start, fireside, jobs):
    shown = pressed(fireside, jobs)
    assert jobs[0].examination.context == fireside.window.inspector.desk.outlook.usual
    assert shown.button.text() == "Stop"
    jobs[0].put(Reading(100, 1000))
    fireside.qtbot.waitUntil(lambda: shown.progress.text().startswith("10 %"))
    assert "left" in shown.progress.text()
    jobs[0].reading = FOUND
    jobs[0].put(Finished(None))
    fireside.qtbot.waitUntil(lambda: shown.chart.isVisible())
    assert shown.verdict.text() == "It reads 12,288 tokens as well as the 8,192 it was trained for."
    assert shown.button.text() == "Test long reading"
    assert shown.progress.text() == ""
    said = shown.chart.accessibleDescription()
    assert "31.9" in said
    assert "59.5" in said
    assert "10 %, 30 %, 50 %" in said
    # Kept with the model: there at the next start.
    fireside.qtbot.waitUntil(lambda: bool(fireside.models.known[0].sha256))
    fireside.close()
    again = start().show()
    again.qtbot.waitUntil(lambda: bool(again.models.known[0].sha256))
    shown = section(again)
    again.qtbot.waitUntil(lambda: shown.chart.isVisible())
    assert "8,192" in shown.verdict.text()


def test_it_can_be_stopped_and_says_what_cannot_be_done(fireside, jobs):
    shown = pressed(fireside, jobs)
    fireside.qtbot.keyClick(shown.button, Qt.Key.Key_Space)
    fireside.qtbot.waitUntil(lambda: shown.button.text() == "Test long reading")
    assert jobs[0].cancelled
    assert not shown.chart.isVisible()
    pressed(fireside, jobs)
    jobs[1].put(Failed(UserError("There is not enough memory.", "Close other programs.")))
    fireside.qtbot.waitUntil(lambda: "Close other programs." in shown._problem.text())
    assert shown._problem.isVisible()


@pytest.mark.parametrize(
    "reading",
    [
        FOUND,
        replace(FOUND, trained=32768, unscaled=(), tail_unscaled=None, tail_inside=None),
        replace(FOUND, trained=0, scaled=(5.0,), unscaled=(), facts=()),
        replace(FOUND, scaled=(1.0,) * 3, unscaled=(1.0, 1e300, 1.0)),
    ],
)
def test_every_reading_can_be_drawn(fireside, jobs, reading):
    shown = section(fireside)
    shown._show(reading)
    light = shown.chart.grab().toImage()
    fireside.window.appearance.use(DARK)
    dark = shown.chart.grab().toImage()
    assert light != dark
    assert shown.chart.accessibleName()
