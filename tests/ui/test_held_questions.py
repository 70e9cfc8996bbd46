"""What is sent before there is a model waits for it, in sight, and is never lost."""

import pytest
from loopback_hub import LoopbackHub
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.services.hubs import HubSettings
from app.ui.transcript.view import TranscriptView


@pytest.fixture
def bare(start, monkeypatch):
    """A start on a computer without any model."""
    monkeypatch.setattr("models_registry.library.find_starter", lambda: None)
    return begin(start)


def begin(start):
    fireside = start().show(models=False)
    fireside.models.refresh().result(10)
    fireside.settle()
    return fireside


def send(fireside, text):
    fireside.composer.fill(text, text)
    fireside.composer.submit()
    fireside.settle()


def on_screen(fireside):
    return [row.message.text for row in fireside.page.findChild(TranscriptView)._rows]


def activity(fireside):
    view = fireside.page.findChild(TranscriptView)
    return view._live.answer(-1)._waiting.text if view._live.answer(-1) else None


def offers(fireside):
    return {
        button.text(): button
        for button in fireside.composer.strip.findChildren(QPushButton)
        if button.isVisible()
    }


def test_it_is_shown_waiting_and_sent_when_a_model_is_there(bare, second_model, qtbot):
    send(bare, "Hello")
    assert on_screen(bare) == ["Hello", ""]
    assert bare.composer.text == ""
    assert activity(bare) == "Your message will be sent once there is a model."
    assert bare.composer.button.stops
    assert bare.engine.plays == []
    bare.models.add(second_model).result(10)
    qtbot.waitUntil(lambda: [play.request.turns[-1].text for play in bare.engine.plays] == ["Hello"])
    bare.settle()
    qtbot.waitUntil(lambda: bare.shown() == ["Hello", "Hello there."])
    assert on_screen(bare) == bare.shown()
    assert bare.composer.text == ""
    assert bare.preferences.new_chat_draft().result(10) == ""


def test_what_is_written_meanwhile_stays(bare, second_model, qtbot):
    send(bare, "Hello")
    qtbot.keyClicks(bare.composer.focusProxy(), "And then")
    bare.models.add(second_model).result(10)
    qtbot.waitUntil(lambda: len(bare.engine.plays) == 1)
    bare.settle()
    assert bare.engine.plays[0].request.turns[-1].text == "Hello"
    assert bare.composer.text == "And then"


@pytest.mark.parametrize("how", ["stop", "escape", "edit"])
def test_it_can_be_taken_back(bare, how, qtbot):
    send(bare, "Hello")
    qtbot.keyClicks(bare.composer.focusProxy(), "World")
    match how:
        case "stop":
            qtbot.mouseClick(bare.composer.button, Qt.MouseButton.LeftButton)
        case "escape":
            qtbot.keyClick(bare.window, Qt.Key.Key_Escape)
        case "edit":
            bare.page.findChild(TranscriptView).asked.emit("edit", -2)
    bare.settle()
    assert bare.composer.text == "Hello\n\nWorld"
    assert on_screen(bare) == []
    assert not bare.composer.button.stops
    assert bare.preferences.new_chat_draft().result(10) == "Hello\n\nWorld"


def test_one_at_a_time(bare):
    send(bare, "Hello")
    send(bare, "World")
    assert on_screen(bare) == ["Hello", ""]
    assert bare.composer.text == "World"


def test_the_next_start_has_the_words(bare, start):
    send(bare, "Hello")
    bare.close()
    assert begin(start).composer.text == "Hello"


def test_without_a_download_there_are_ways_to_a_model(bare, qtbot):
    qtbot.waitUntil(lambda: bare.window.first_run.isVisible())
    send(bare, "Hello")
    assert bare.composer.strip.text == "There is no model on this computer yet."
    assert next(iter(offers(bare))).startswith("Download ")
    offers(bare)["Choose a model"].click()
    assert bare.window._desk.picker.isVisible()


def test_the_first_download_answers_it(bare, second_model, monkeypatch, qtbot):
    monkeypatch.setattr("models_registry.transfer.KEPT_FREE", 0)
    qtbot.waitUntil(lambda: bare.window.first_run.isVisible())
    with LoopbackHub() as hub:
        bare.hubs.set_settings(HubSettings(endpoint=hub.endpoint))
        bare.downloads.begin()
        one = bare.window.first_run._first
        hub.add(one.repository, {f"{one.repository.split('/')[1]}-{one.quantization}.gguf": second_model})
        send(bare, "Hello")
        next(iter(offers(bare).values())).click()
        qtbot.waitUntil(lambda: not bare.composer.strip.isVisible())
        qtbot.waitUntil(lambda: len(bare.engine.plays) == 1, timeout=15_000)
        qtbot.waitUntil(lambda: bare.shown() == ["Hello", "Hello there."])


def test_a_download_that_fails_brings_the_words_back_and_says_why(bare, qtbot):
    qtbot.waitUntil(lambda: bare.window.first_run.isVisible())
    with LoopbackHub() as hub:
        bare.hubs.set_settings(HubSettings(endpoint=hub.endpoint))
        hub.go_dark()
        send(bare, "Hello")
        next(iter(offers(bare).values())).click()
        qtbot.waitUntil(lambda: bare.composer.text == "Hello", timeout=15_000)
        assert on_screen(bare) == []
        assert any("cannot be reached" in notice.error for notice in bare.page.notices._notices())
        assert bare.window.first_run.button.isVisible()
        assert bare.preferences.new_chat_draft().result(10) == "Hello"
