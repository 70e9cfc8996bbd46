"""The first start: a recommended model, downloaded beside the composer, and the ways to others."""

import pytest
from loopback_hub import LoopbackHub
from PySide6.QtWidgets import QPushButton

from app.services.hubs import HubSettings


@pytest.fixture
def first_run(fireside, qtbot):
    qtbot.waitUntil(lambda: fireside.window.first_run.isVisible())
    return fireside.window.first_run


def test_two_clicks_to_a_model_of_ones_own(fireside, first_run, second_model, monkeypatch, qtbot):
    monkeypatch.setattr("models_registry.transfer.KEPT_FREE", 0)
    with LoopbackHub() as hub:
        fireside.hubs.set_settings(HubSettings(endpoint=hub.endpoint))
        fireside.downloads.begin()
        one = first_run._first
        hub.add(one.repository, {f"{one.repository.split('/')[1]}-{one.quantization}.gguf": second_model})
        assert first_run.button.text().startswith("Download ")
        assert "While it downloads" in first_run._machine.text()
        first_run.button.setFocus()
        first_run.button.click()
        first_run.button.click()  # asks no second time
        assert first_run.button.text() == "Asking the hub…"
        assert first_run.button.hasFocus()
        qtbot.waitUntil(lambda: first_run.button.text() == "Use it", timeout=15_000)
        assert first_run.isVisible()
        assert first_run.button.hasFocus()
        assert "While it downloads" not in first_run._machine.text()
        first_run.button.click()
        qtbot.waitUntil(lambda: one.repository.split("/")[0] in fireside.chat.model.path.parts)
        qtbot.waitUntil(lambda: not first_run.isVisible())


def test_no_network_is_told_in_the_card(fireside, first_run, qtbot):
    with LoopbackHub() as hub:
        fireside.hubs.set_settings(HubSettings(endpoint=hub.endpoint))
        hub.go_dark()
        first_run.button.click()
        qtbot.waitUntil(lambda: first_run.button.text() == "Try again", timeout=15_000)
        assert "cannot be reached" in first_run._problem.text()


def test_this_computer_is_told(first_run, qtbot):
    qtbot.waitUntil(lambda: "of memory" in first_run._machine.text())


def test_more_choices_opens_the_picker(fireside, first_run):
    buttons = {button.text(): button for button in first_run.findChildren(QPushButton)}
    buttons["More choices"].click()
    assert fireside.window._desk.picker.isVisible()


def test_it_leaves_with_the_first_message(fireside, first_run, qtbot):
    fireside.say("Hello")
    qtbot.waitUntil(lambda: not first_run.isVisible())
    fireside.window.actions_by_name["new-chat"].trigger()
    fireside.settle()
    assert not first_run.isVisible()
