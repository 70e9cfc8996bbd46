"""The whole window over real services: what a person does, from the first word to the next start."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QToolButton

from app.domain.changes import Changed, Kind
from app.domain.chat import Role, Status
from app.domain.errors import UserError
from app.domain.model import EngineStatus
from app.ui.empty_state import Starter
from app.ui.frame import NARROW
from app.ui.links import ask_to_open
from app.ui.notices import Notice
from app.ui.sidebar.chats import ChatRole
from app.ui.transcript.view import TranscriptView

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def notices(fireside) -> list[str]:
    return [notice.error for notice in fireside.window.findChildren(Notice) if not notice.closed]


def press(fireside, key, modifiers=Qt.KeyboardModifier.NoModifier) -> None:
    fireside.qtbot.keyClick(fireside.window, key, modifiers)


def words_on(widget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def transcript(fireside) -> TranscriptView:
    return fireside.window.findChild(TranscriptView)


def done(fireside) -> None:
    fireside.qtbot.waitUntil(lambda: not fireside.conversation.live)
    fireside.settle()


# ---- the first start


def test_the_first_start_greets_and_the_starter_answers(fireside, qtbot):
    qtbot.waitUntil(fireside.window.first_run.isVisible)
    words = words_on(fireside.page)
    assert "A model of your own" in words
    assert "the small model that came with Fireside answers" in words
    assert fireside.titles() == []
    fireside.say("Hello")
    done(fireside)
    assert fireside.shown() == ["Hello", "Hello there."]
    assert fireside.titles() == ["Today", "Hello"]
    assert fireside.window.windowTitle().startswith("Hello")


def test_starters_fill_the_composer(fireside, qtbot):
    starters = fireside.page.findChildren(Starter)
    assert len(starters) == 4
    for starter in starters:
        qtbot.mouseClick(starter, Qt.MouseButton.LeftButton)
        before = fireside.composer.text
        qtbot.keyClicks(fireside.composer.focusProxy(), "x")
        assert fireside.composer.text.startswith(before[: before.index("[")])
        assert "[" not in fireside.composer.text


def test_without_a_model_it_says_so(start, monkeypatch):
    monkeypatch.setattr("models_registry.library.find_starter", lambda: None)
    fireside = start().show(models=False)
    fireside.models.refresh().result(10)
    fireside.settle()
    assert "There is no model on this computer yet." in words_on(fireside.page)
    assert any(button.isVisible() for button in fireside.page.findChildren(QPushButton))


def test_before_the_models_are_known_nothing_is_said_about_them(start):
    fireside = start()
    fireside.window.show()
    assert "no model" not in words_on(fireside.page)


# ---- a turn


def test_an_answer_streams_in_and_can_be_stopped(fireside, qtbot):
    fireside.engine.hold = True
    fireside.engine.script[0] = "One two three four five"
    fireside.say("Count")
    assert fireside.composer.button.stops
    fireside.engine.plays[0].step(3)
    qtbot.waitUntil(lambda: fireside.shown() == ["Count", "One two three"])
    press(fireside, Qt.Key.Key_Escape)
    fireside.engine.plays[0].step()
    done(fireside)
    answer = fireside.chat.last(Role.ASSISTANT)
    assert (answer.text, answer.status) == ("One two three", Status.STOPPED)
    assert not fireside.composer.button.stops


def test_a_stopped_answer_goes_on(fireside, qtbot):
    fireside.engine.hold = True
    fireside.engine.script[:2] = ["One two", " three four"]
    fireside.say("Count")
    fireside.engine.plays[0].step(1)
    qtbot.waitUntil(lambda: fireside.shown()[-1] == "One")
    fireside.composer.stop_requested.emit()
    fireside.engine.plays[0].step()
    done(fireside)
    transcript(fireside).asked.emit("continue", fireside.chat.last(Role.ASSISTANT).id)
    qtbot.waitUntil(lambda: len(fireside.engine.plays) == 2)
    assert fireside.engine.plays[1].request.continues
    fireside.engine.plays[1].rest()
    done(fireside)
    assert fireside.shown() == ["Count", "One three four"]


def test_the_clock_ticks_only_while_an_answer_is_on_its_way(fireside, qtbot):
    assert not fireside.window.pump.running
    fireside.engine.hold = True
    fireside.say("Hello")
    assert fireside.window.pump.running
    fireside.engine.plays[0].rest()
    done(fireside)
    qtbot.waitUntil(lambda: not fireside.window.pump.running)


def test_a_failed_answer_says_why(fireside):
    fireside.engine.script[0] = UserError("The model needs more memory.", "Choose a smaller one.")
    fireside.say("Hello")
    done(fireside)
    answer = fireside.chat.last(Role.ASSISTANT)
    assert answer.status is Status.FAILED
    assert answer.error == "The model needs more memory. Choose a smaller one."


def test_words_that_could_not_be_stored_stay(fireside, qtbot):
    fireside.say("Hello")
    done(fireside)
    fireside.history.organising.delete([fireside.chat.id]).result(10)  # as another Fireside would
    fireside.composer.fill("More", "More")
    fireside.composer.submit()
    qtbot.waitUntil(lambda: len(notices(fireside)) == 1)
    assert fireside.composer.text == "More"


def test_return_while_answering_keeps_the_words_and_says_why(fireside):
    fireside.engine.hold = True
    fireside.say("Hello")
    fireside.composer.fill("Next", "Next")
    fireside.composer.submit()
    assert fireside.composer.text == "Next"
    assert "still being written" in words_on(fireside.composer)
    fireside.engine.plays[0].rest()
    done(fireside)
    assert "still being written" not in words_on(fireside.composer)


def test_an_answer_goes_on_while_another_chat_is_shown(fireside, qtbot):
    fireside.engine.hold = True
    fireside.engine.script[0] = "One two three four"
    fireside.say("Count")
    counting = fireside.chat.id
    fireside.engine.plays[0].step(1)
    press(fireside, Qt.Key.Key_N, CTRL)
    assert fireside.shown() == []
    assert not fireside.composer.button.stops
    fireside.say("Other")
    fireside.engine.plays[0].step(2)
    qtbot.waitUntil(lambda: fireside.conversation.lives(counting)[0].text == "One two three")
    assert fireside.shown() == ["Other", ""]
    fireside.window.sidebar.view.open_requested.emit(counting)
    qtbot.waitUntil(lambda: fireside.shown() == ["Count", "One two three"])
    assert fireside.composer.button.stops
    fireside.engine.plays[0].rest()
    fireside.engine.plays[1].rest()
    done(fireside)
    assert fireside.shown() == ["Count", "One two three four"]
    assert transcript(fireside).copy_text(fireside.chat.last(Role.ASSISTANT).id) == "One two three four"


def test_answering_again_makes_a_version_that_can_be_left(fireside, qtbot):
    fireside.engine.script[:2] = ["First.", "Second."]
    fireside.say("Hello")
    done(fireside)
    first = fireside.chat.last(Role.ASSISTANT).id
    press(fireside, Qt.Key.Key_R, CTRL)
    qtbot.waitUntil(lambda: fireside.shown() == ["Hello", "Second."])
    done(fireside)
    transcript(fireside).version_requested.emit(first)
    qtbot.waitUntil(lambda: fireside.shown() == ["Hello", "First."])


def test_what_is_pressed_twice_answers_once(fireside, qtbot):
    fireside.say("Hello")
    done(fireside)
    for _ in range(2):
        press(fireside, Qt.Key.Key_R, CTRL)
    qtbot.waitUntil(lambda: len(fireside.engine.plays) == 2)
    done(fireside)
    fireside.settle()
    assert len(fireside.engine.plays) == 2
    assert len(fireside.chat.state.tree.versions(fireside.chat.last(Role.ASSISTANT).id)) == 2


def test_editing_the_last_message_keeps_the_old_one_as_a_version(fireside, qtbot):
    fireside.say("Helo")
    done(fireside)
    qtbot.keyClick(fireside.composer.focusProxy(), Qt.Key.Key_Up)
    assert fireside.composer.text == "Helo"
    fireside.composer.fill("Hello", "Hello")
    fireside.composer.submit()
    qtbot.waitUntil(lambda: fireside.shown()[:1] == ["Hello"])
    done(fireside)
    tree = fireside.chat.state.tree
    assert [tree.messages[number].text for number in tree.children[None]] == ["Helo", "Hello"]
    assert not fireside.composer.editing


def test_escape_leaves_an_edit(fireside, qtbot):
    fireside.say("Hello")
    done(fireside)
    qtbot.keyClicks(fireside.composer.focusProxy(), "draft")
    fireside.page.edit_last()
    press(fireside, Qt.Key.Key_Escape)
    assert fireside.composer.text == "draft"


def test_copying_the_last_answer(fireside):
    fireside.engine.script[0] = "**Bold** words"
    fireside.say("Hello")
    done(fireside)
    press(fireside, Qt.Key.Key_C, CTRL | SHIFT)
    assert QGuiApplication.clipboard().text() == "**Bold** words"


def test_what_the_disk_would_not_take_is_tried_again(fireside, qtbot, monkeypatch):
    real = fireside.store.finish
    full = UserError("The disk is full.", "Free some space.")

    def refuse(*arguments, **more):
        return fireside.database.read(lambda db: _raise(full))

    monkeypatch.setattr(fireside.store, "finish", refuse)
    fireside.say("Hello")
    qtbot.waitUntil(lambda: notices(fireside) == ["The disk is full. Free some space."])
    qtbot.waitUntil(lambda: not fireside.window.pump.running)
    assert not fireside.chats.row_of(fireside.chat.id).data(ChatRole.LIVE)
    fireside.poster.report(full)  # as when the draft cannot be kept either: it offers nothing
    fireside.composer.fill("More", "More")
    fireside.composer.submit()
    assert notices(fireside)[1:] == [
        "The last answer in this chat is not saved yet. Save that answer first; your message stays here."
    ]
    assert fireside.composer.text == "More"
    monkeypatch.setattr(fireside.store, "finish", real)
    retry = next(b for b in fireside.window.findChildren(QPushButton) if b.text() == "Try again")
    qtbot.mouseClick(retry, Qt.MouseButton.LeftButton)
    done(fireside)
    assert fireside.chat.last(Role.ASSISTANT).status is Status.COMPLETE


def _raise(error):
    raise error


# ---- chats


def test_drafts_belong_to_their_chats(fireside, qtbot):
    fireside.say("First")
    done(fireside)
    first = fireside.chat.id
    qtbot.keyClicks(fireside.composer.focusProxy(), "for the first")
    press(fireside, Qt.Key.Key_N, CTRL)
    assert fireside.composer.text == ""
    qtbot.keyClicks(fireside.composer.focusProxy(), "for a new one")
    fireside.window.sidebar.view.open_requested.emit(first)
    qtbot.waitUntil(lambda: fireside.composer.text == "for the first")
    press(fireside, Qt.Key.Key_N, CTRL)
    assert fireside.composer.text == "for a new one"


def test_the_next_start_has_the_chat_and_the_draft(start, qtbot):
    first = start().show()
    first.say("Hello")
    done(first)
    qtbot.keyClicks(first.composer.focusProxy(), "unsent")
    first.close()
    second = start().show()
    qtbot.waitUntil(lambda: second.shown() == ["Hello", "Hello there."])
    assert second.composer.text == "unsent"


def test_the_next_start_has_the_draft_of_a_new_chat(start, qtbot):
    first = start().show()
    qtbot.keyClicks(first.composer.focusProxy(), "unsent")
    first.close()
    second = start().show()
    qtbot.waitUntil(lambda: second.composer.text == "unsent")
    second.say("sent")
    done(second)
    second.close()
    third = start().show()
    press(third, Qt.Key.Key_N, CTRL)
    assert third.composer.text == ""


def test_deleting_and_undoing(fireside, qtbot):
    fireside.say("Hello")
    done(fireside)
    chat_id = fireside.chat.id
    fireside.window.sidebar.view.asked.emit("delete", [chat_id], None)
    qtbot.waitUntil(lambda: fireside.titles() == ["Recently deleted"])
    assert fireside.shown() == []
    assert notices(fireside) == ["The chat was deleted."]
    undo = next(b for b in fireside.window.findChildren(QPushButton) if b.text() == "Undo")
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: fireside.titles() == ["Today", "Hello"])
    qtbot.waitUntil(lambda: fireside.shown() == ["Hello", "Hello there."])


def test_renaming_and_pinning(fireside, qtbot):
    fireside.say("Hello")
    done(fireside)
    fireside.chats.setData(fireside.chats.row_of(fireside.chat.id), "Another title")
    fireside.window.sidebar.view.asked.emit("pin", [fireside.chat.id], True)
    qtbot.waitUntil(lambda: fireside.titles() == ["Pinned", "Another title"])
    fireside.settle()
    assert fireside.history.chats().result(10)[0].title == "Another title"
    assert fireside.window.windowTitle().startswith("Another title")
    fireside.chats.setData(fireside.chats.row_of(fireside.chat.id), " ")
    qtbot.waitUntil(lambda: fireside.titles() == ["Pinned", "Hello"])


def test_stepping_through_the_chats(fireside, qtbot):
    for text in ("One", "Two"):
        press(fireside, Qt.Key.Key_N, CTRL)
        fireside.say(text)
        done(fireside)
    press(fireside, Qt.Key.Key_BracketRight, CTRL | SHIFT)
    qtbot.waitUntil(lambda: fireside.shown()[:1] == ["One"])
    press(fireside, Qt.Key.Key_BracketLeft, CTRL | SHIFT)
    qtbot.waitUntil(lambda: fireside.shown()[:1] == ["Two"])


def test_after_the_first_chat_a_new_one_is_greeted_as_such(fireside):
    assert "A model of your own" in words_on(fireside.page)
    fireside.say("Hello")
    done(fireside)
    press(fireside, Qt.Key.Key_N, CTRL)
    assert "A model of your own" not in words_on(fireside.page)
    assert "What is on your mind?" in words_on(fireside.page)


def test_words_sent_while_another_chat_is_read_stay_in_their_own(fireside, qtbot):
    fireside.say("One")
    done(fireside)
    first = fireside.chat.id
    press(fireside, Qt.Key.Key_N, CTRL)
    fireside.say("Two")
    done(fireside)
    second = fireside.chat.id
    fireside.composer.fill("Three", "Three")
    fireside.window.sidebar.view.open_requested.emit(first)
    fireside.composer.submit()
    qtbot.waitUntil(lambda: len(fireside.engine.plays) == 3)
    done(fireside)
    assert fireside.chat.id == first
    assert fireside.shown() == ["One", "Hello there."]
    assert fireside.composer.text == ""
    fireside.window.sidebar.view.open_requested.emit(second)
    qtbot.waitUntil(lambda: fireside.chat.id == second)
    assert fireside.shown() == ["Two", "Hello there.", "Three", "Hello there."]
    assert fireside.composer.text == ""


def test_a_chat_that_waits_for_another_model_says_so(fireside, second_model, model_of, qtbot):
    waiting = "Waiting for an answer in another chat to finish…"
    fireside.models.add(second_model).result(10)
    fireside.settle()
    fireside.engine.hold = True
    fireside.say("One")
    assert fireside.chat.answering
    said = []
    activity = transcript(fireside).set_activity
    transcript(fireside).set_activity = lambda id_, text: (said.append(text), activity(id_, text))
    press(fireside, Qt.Key.Key_N, CTRL)
    fireside.say("Two")
    assert waiting not in said  # the same model answers both side by side
    press(fireside, Qt.Key.Key_N, CTRL)
    fireside.chat.choose(model_of(fireside, "Second"))
    said.clear()
    fireside.say("Three")
    assert said[0] == waiting
    for play in fireside.engine.plays:
        play.rest()
    qtbot.waitUntil(lambda: not fireside.chat.waiting)
    done(fireside)
    assert fireside.shown() == ["Three", "Hello there."]


# ---- models


def test_choosing_a_model_loads_it_and_leaves_the_history_alone(fireside, second_model, qtbot):
    fireside.say("Hello")
    done(fireside)
    fireside.models.add(second_model).result(10)
    fireside.settle()
    press(fireside, Qt.Key.Key_M, CTRL)
    qtbot.keyClicks(QApplication.focusWidget(), "second")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert fireside.chat.model.path == second_model
    qtbot.waitUntil(lambda: fireside.engine.status.model == second_model)
    assert fireside.shown() == ["Hello", "Hello there."]
    fireside.say("And now?")
    done(fireside)
    assert fireside.engine.plays[-1].request.model == second_model
    fireside.models.refresh().result(10)
    press(fireside, Qt.Key.Key_N, CTRL)
    fireside.window.sidebar.view.open_requested.emit(fireside.chats.neighbour(None, 1))
    qtbot.waitUntil(lambda: fireside.shown() != [])
    assert fireside.chat.model.path == second_model


def drop(window, path) -> bool:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(500, 300), copy, mime, left, none)
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(window, QDropEvent(QPointF(500, 300), copy, mime, left, none))
    return enter.isAccepted()


def test_a_dropped_file_is_added_and_chosen(fireside, second_model, qtbot):
    assert drop(fireside.window, second_model)
    qtbot.waitUntil(lambda: fireside.chat.model.path == second_model)
    assert second_model in [model.path for model in fireside.models.known]


def test_a_dropped_file_that_is_no_model_is_explained(fireside, tmp_path, qtbot):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"not a model")
    before = fireside.chat.model
    assert drop(fireside.window, path)
    qtbot.waitUntil(lambda: len(notices(fireside)) == 1)
    assert "broken.gguf" in notices(fireside)[0]
    assert fireside.chat.model == before


def test_other_files_are_not_taken(fireside, tmp_path):
    assert not drop(fireside.window, tmp_path / "letter.txt")


def test_a_base_model_is_said_to_ramble(fireside, gemma, qtbot):
    assert "base model" not in words_on(fireside.composer)
    assert drop(fireside.window, gemma)
    qtbot.waitUntil(lambda: "base model" in words_on(fireside.composer))


def test_the_starter_is_loaded_before_the_first_word(fireside, smollm2):
    assert fireside.engine.status.model == smollm2


# ---- the frame


def test_a_narrow_window_puts_the_sidebar_away(fireside, qtbot):
    window, sidebar = fireside.window, fireside.window.sidebar
    assert sidebar.isVisible()
    window.resize(NARROW - 1, 480)
    qtbot.waitUntil(lambda: not sidebar.isVisible())
    assert fireside.page.width() == NARROW - 1
    press(fireside, Qt.Key.Key_Backslash, CTRL)
    qtbot.waitUntil(lambda: sidebar.isVisible() and sidebar.x() == 0)
    assert fireside.page.width() == NARROW - 1
    press(fireside, Qt.Key.Key_N, CTRL)
    qtbot.waitUntil(lambda: not sidebar.isVisible())
    window.resize(1180, 780)
    qtbot.waitUntil(lambda: sidebar.isVisible() and fireside.page.x() == sidebar.width())


def test_the_sidebar_goes_and_comes(fireside, qtbot):
    press(fireside, Qt.Key.Key_Backslash, CTRL)
    qtbot.waitUntil(lambda: not fireside.window.sidebar.isVisible())
    assert fireside.page.width() == fireside.window.width()
    press(fireside, Qt.Key.Key_F, CTRL | SHIFT)
    qtbot.waitUntil(lambda: fireside.window.sidebar.isVisible())
    assert fireside.window.sidebar.isAncestorOf(QApplication.focusWidget())


def test_the_smallest_window_holds_everything(fireside, qtbot):
    fireside.window.resize(640, 480)
    fireside.settle()
    for widget in (fireside.composer, fireside.page.bar):
        corner = widget.mapTo(fireside.window, widget.rect().bottomRight())
        assert fireside.window.rect().contains(corner)


def test_tab_visits_everything_once_also_what_has_just_come(fireside, qtbot):
    fireside.say("Hello")
    done(fireside)
    qtbot.waitActive(fireside.window)
    fireside.composer.setFocus()
    visited = [QApplication.focusWidget()]
    for _press in range(40):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        if QApplication.focusWidget() is visited[0]:
            break
        visited.append(QApplication.focusWidget())
    names = [widget.accessibleName() for widget in visited]
    assert len(set(visited)) == len(visited)
    assert fireside.page.bar.pill in visited
    assert names.index("You, message 1 of 2") < names.index("Answer 2 of 2")
    assert visited.index(fireside.page.bar.pill) < names.index("Conversation") < names.index("Answer 2 of 2")


def test_zoom(fireside):
    press(fireside, Qt.Key.Key_Plus, CTRL)
    press(fireside, Qt.Key.Key_Equal, CTRL)
    assert fireside.window.appearance.zoom == pytest.approx(1.21)
    press(fireside, Qt.Key.Key_Minus, CTRL)
    assert fireside.window.appearance.zoom == pytest.approx(1.1)
    press(fireside, Qt.Key.Key_0, CTRL)
    assert fireside.window.appearance.zoom == 1.0


def test_the_next_start_has_the_same_place_zoom_and_sidebar(start):
    first = start().show()
    first.window.resize(780, 700)  # the screen of the tests has 800 pixels
    press(first, Qt.Key.Key_Plus, CTRL)
    press(first, Qt.Key.Key_Backslash, CTRL)
    first.close()
    second = start().show()
    assert (second.window.width(), second.window.height()) == (780, 700)
    assert second.window.appearance.zoom == pytest.approx(1.1)
    assert not second.window.sidebar.isVisible()


def test_everything_that_can_be_pressed_has_a_name(fireside):
    fireside.say("Hello")
    done(fireside)
    buttons = [
        button
        for button in fireside.window.findChildren(QPushButton)
        + fireside.window.findChildren(type(fireside.composer.button))
        if button.isVisible()
    ]
    assert buttons
    assert [button for button in buttons if not (button.accessibleName() or button.text())] == []


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.org/a?b=c", "example.org"),
        ("https://раураl.com/login", "xn--"),
        ("https://bank.example@evil.test/", "evil.test"),
        ("mailto:someone@example.org", "someone@example.org"),
    ],
)
def test_a_link_is_opened_only_after_its_real_host_was_seen(fireside, qtbot, address, shown):
    box = ask_to_open(address, fireside.window)
    assert isinstance(box, QMessageBox)
    assert shown in box.text()
    assert box.defaultButton().text() == "Cancel"
    box.reject()
    qtbot.wait(5)


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:alert(1)", "smb://host/x", "", "/etc"])
def test_other_links_are_never_opened(fireside, address):
    assert ask_to_open(address, fireside.window) is None


def test_a_model_that_cannot_be_loaded_is_explained_once(fireside):
    status = replace(fireside.engine.status, error="The file is damaged.")
    for _ in range(2):
        fireside.engine.status = status
        fireside.changes.publish(Changed(Kind.ENGINE))
        fireside.settle()
    assert notices(fireside) == ["The file is damaged."]


def test_loading_shows_in_the_pill_and_can_be_stopped(fireside, smollm2, qtbot):
    fireside.engine.status = EngineStatus(smollm2, loading=0.4)
    fireside.changes.publish(Changed(Kind.ENGINE))
    fireside.settle()
    assert fireside.page.bar.pill.loading == 0.4
    assert "40 %" in fireside.page.bar.pill.accessibleName()
    cross = next(
        button
        for button in fireside.page.bar.findChildren(QToolButton)
        if button.accessibleName() == "Stop loading the model"
    )
    assert cross.isVisible()
    with qtbot.waitSignal(fireside.page.bar.cancel_requested):
        qtbot.mouseClick(cross, Qt.MouseButton.LeftButton)


def test_stopping_to_load_stops_the_answer_that_wants_it(fireside, smollm2, qtbot):
    fireside.engine.hold = True
    fireside.say("Hello")
    fireside.engine.status = EngineStatus(smollm2, loading=0.4)
    fireside.page.bar.cancel_requested.emit()
    assert fireside.engine.plays[0].job.cancelled
    fireside.engine.plays[0].rest()
    done(fireside)


def test_escape_takes_the_sidebar_off_a_narrow_window(fireside, qtbot):
    fireside.window.resize(NARROW - 60, 480)
    press(fireside, Qt.Key.Key_Backslash, CTRL)
    qtbot.waitUntil(lambda: fireside.window.sidebar.x() == 0)
    press(fireside, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not fireside.window.sidebar.isVisible())
