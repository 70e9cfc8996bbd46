"""A chat whose model is not in memory, or gone; and what becomes of a model that was given back."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QPushButton

from app.domain.changes import Changed, Kind
from app.domain.model import EngineStatus


def offers(fireside):
    return {
        button.text(): button
        for button in fireside.composer.strip.findChildren(QPushButton)
        if button.isVisible()
    }


def tell(fireside, status):
    fireside.engine.status = status
    fireside.changes.publish(Changed(Kind.ENGINE))
    fireside.settle()


@pytest.fixture
def two_chats(fireside, second_model, model_of, qtbot):
    """One chat of the starter, and one of the second model, which is shown and loaded."""
    fireside.models.add(second_model).result(10)
    fireside.settle()
    fireside.say("One")
    fireside.first = fireside.chat.id
    fireside.window.actions_by_name["new-chat"].trigger()
    fireside.chat.choose(model_of(fireside, "Second"))
    fireside.say("Two")
    qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()
    return fireside


def open_first(fireside, qtbot):
    fireside.window.sidebar.view.open_requested.emit(fireside.first)
    qtbot.waitUntil(lambda: fireside.chat.id == fireside.first)
    fireside.settle()


def test_a_chat_can_be_answered_by_what_is_loaded(two_chats, smollm2, second_model, qtbot):
    assert not two_chats.composer.strip.isVisible()
    open_first(two_chats, qtbot)
    second = two_chats.models.status.model
    assert second.name == second_model.name
    assert "is not loaded" in two_chats.composer.strip.text
    qtbot.keyClicks(two_chats.composer.focusProxy(), "My draft")
    (button,) = offers(two_chats).values()
    assert button.text().startswith("Answer with ")
    button.click()
    two_chats.settle()
    assert not two_chats.composer.strip.isVisible()
    assert two_chats.composer.text == "My draft"
    assert two_chats.shown() == ["One", "Hello there."]
    assert two_chats.chat.model.path == second
    assert two_chats.store.chat(two_chats.first).result(10)[0].model_path == str(second)


def test_nothing_is_said_where_both_are_in_memory(two_chats, smollm2, qtbot):
    status = two_chats.engine.status
    tell(two_chats, replace(status, kept=(EngineStatus(smollm2),)))
    open_first(two_chats, qtbot)
    assert not two_chats.composer.strip.isVisible()
    assert two_chats.page.bar.pill._dot == "good"


def test_nothing_is_said_while_its_own_is_loaded(two_chats, smollm2, qtbot):
    open_first(two_chats, qtbot)
    tell(two_chats, EngineStatus(smollm2, loading=0.5, kept=(two_chats.models.status,)))
    assert not two_chats.composer.strip.isVisible()


def test_a_file_that_is_missing_is_told_and_another_model_can_be_chosen(
    start, second_model, model_of, smollm2, qtbot
):
    fireside = start().show()
    fireside.models.add(second_model).result(10)
    fireside.settle()
    fireside.chat.choose(model_of(fireside, "Second"))
    fireside.say("Two")
    qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.close()
    second_model.unlink()
    again = start().show()
    qtbot.waitUntil(lambda: bool(again.composer.strip.text))
    assert (
        again.composer.strip.text
        == "“Second-Model-Q4_1.gguf” cannot be found. Put the file back, or choose another one."
    )
    assert {text.split()[0] for text in offers(again)} == {"Answer", "Choose"}
    offers(again)["Choose a model"].click()
    assert again.window._desk.picker.isVisible()
    again.window._desk.picker.close_card()
    next(button for text, button in offers(again).items() if text.startswith("Answer")).click()
    again.settle()
    assert not again.composer.strip.isVisible()
    assert again.chat.model.path == smollm2
    assert again.shown() == ["Two", "Hello there."]


def test_a_model_that_was_removed_is_called_as_it_was(two_chats, second_model, model_of, smollm2, qtbot):
    name = two_chats.chat.model.name
    assert not two_chats.composer.strip.isVisible()
    two_chats.models.forget(two_chats.chat.model).result(10)
    tell(two_chats, EngineStatus(smollm2, context=8192))
    said = f"{name}, which answered here last, is no longer on this computer."
    qtbot.waitUntil(lambda: two_chats.composer.strip.text == said)
    assert two_chats.chat.model.path == smollm2


def test_what_was_given_back_is_loaded_again_with_the_next_word(fireside, smollm2, qtbot):
    loads = []
    load = fireside.engine.load
    fireside.engine.load = lambda *args: (loads.append(args[0]), load(*args))[1]
    assert fireside.models.status.ready
    fireside.window.actions_by_name["unload-model"].trigger()
    fireside.settle()
    assert fireside.models.status == EngineStatus()
    assert fireside.page.bar.pill._dot == "soft"
    fireside.models.refresh().result(10)
    fireside.settle()
    assert loads == []  # not by itself
    qtbot.keyClicks(fireside.composer.focusProxy(), "Hi")
    assert loads == [smollm2]
    assert fireside.models.status.ready


def test_loading_that_was_stopped_does_not_begin_again_with_the_next_word(fireside, smollm2, qtbot):
    tell(fireside, EngineStatus(smollm2, loading=0.5))
    tell(fireside, EngineStatus())
    qtbot.keyClicks(fireside.composer.focusProxy(), "Hi")
    assert fireside.models.status == EngineStatus()
