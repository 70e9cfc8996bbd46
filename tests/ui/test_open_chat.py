"""The chat in the window as plain data."""

from pathlib import Path

import pytest

from app.domain.chat import Chat, Message, Role, Started, Status
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Piece, Request, Stats, StopReason
from app.domain.model import Model, Origin
from app.domain.settings import Settings
from app.services.live import Live
from app.ui.open_chat import OpenChat, with_progress

STATS = Stats(StopReason.END, 600, 0, 100, 1, 1, 1, 7, 16_384)
QUESTION = Message(1, 1, None, Role.USER, "Why?")
ANSWER = Message(2, 1, 1, Role.ASSISTANT, "Because.", stats=STATS)
REPLY = Message(3, 1, 1, Role.ASSISTANT, "", Status.WRITING)


@pytest.fixture
def opened():
    return OpenChat().with_changes(Chat(1, tip_id=2), [QUESTION, ANSWER, REPLY])


def test_a_new_chat_is_empty():
    new = OpenChat()
    assert (new.id, new.tip, new.path({}), new.last(Role.USER)) == (None, None, [], None)
    assert new.used_context() == (0, 0)


def test_the_tip_decides_what_is_shown(opened):
    assert opened.path({}) == [QUESTION, ANSWER]
    other = opened.with_changes(Chat(1, tip_id=3), [])
    assert other.path({}) == [QUESTION, REPLY]
    assert other.last(Role.ASSISTANT) == REPLY


def test_changed_messages_take_the_place_of_the_old(opened):
    changed = opened.with_changes(opened.chat, [Message(2, 1, 1, Role.ASSISTANT, "Because so.")])
    assert [message.text for message in changed.path({})] == ["Why?", "Because so."]
    assert opened.path({})[1].text == "Because."


def test_context_that_is_used(opened):
    assert opened.used_context() == (700, 16_384)


def live_answer(*events, ending=None) -> Live:
    model = Model(Path("fox.gguf"), "Fox", Origin.OWN, 1)
    live = Live.of(Started(Chat(1), [QUESTION], REPLY), model, Job(), Request(model.path, (), Settings()))
    live.take(list(events))
    live.ending = ending
    return live


def test_a_live_answer_shows_what_has_come(opened):
    live = live_answer(Piece("Hm.", reasoning=True), Piece("Be"), Piece("cause"))
    shown = with_progress(REPLY, live)
    assert (shown.text, shown.reasoning, shown.status) == ("Because", "Hm.", Status.WRITING)
    assert with_progress(REPLY, None) == REPLY
    other = opened.with_changes(Chat(1, tip_id=3), [])
    assert other.path({3: live}) == [QUESTION, shown]
    assert opened.path({3: live}) == [QUESTION, ANSWER]


def test_an_answer_that_has_ended_shows_how():
    done = with_progress(REPLY, live_answer(Piece("Because"), ending=(Status.COMPLETE, Finished(STATS))))
    assert (done.status, done.stats, done.error) == (Status.COMPLETE, STATS, "")
    failure = Failed(UserError("Out of memory.", "Choose a smaller model."))
    failed = with_progress(REPLY, live_answer(ending=(Status.FAILED, failure)))
    assert failed.error == "Out of memory. Choose a smaller model."
