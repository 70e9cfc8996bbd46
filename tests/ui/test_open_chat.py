"""The chat in the window as plain data."""

import pytest

from app.domain.chat import Chat, Message, Role, Status
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Stats, StopReason
from app.services.conversation import Live
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
    assert (new.id, new.tip, new.path(None), new.last(Role.USER)) == (None, None, [], None)
    assert new.used_context() == (0, 0)


def test_the_tip_decides_what_is_shown(opened):
    assert opened.path(None) == [QUESTION, ANSWER]
    other = opened.with_changes(Chat(1, tip_id=3), [])
    assert other.path(None) == [QUESTION, REPLY]
    assert other.last(Role.ASSISTANT) == REPLY


def test_changed_messages_take_the_place_of_the_old(opened):
    changed = opened.with_changes(opened.chat, [Message(2, 1, 1, Role.ASSISTANT, "Because so.")])
    assert [message.text for message in changed.path(None)] == ["Why?", "Because so."]
    assert opened.path(None)[1].text == "Because."


def test_context_that_is_used(opened):
    assert opened.used_context() == (700, 16_384)


def test_a_live_answer_shows_what_has_come():
    live = Live(REPLY, Job(), ["Be", "cause"])
    assert with_progress(REPLY, live).text == "Because"
    assert with_progress(REPLY, live).status is Status.WRITING
    assert with_progress(ANSWER, live) == ANSWER
    assert with_progress(REPLY, None) == REPLY


def test_an_answer_that_has_ended_shows_how():
    live = Live(REPLY, Job(), ["Because"], ending=(Status.COMPLETE, Finished(STATS)))
    done = with_progress(REPLY, live)
    assert (done.status, done.stats, done.error) == (Status.COMPLETE, STATS, "")
    failure = Failed(UserError("Out of memory.", "Choose a smaller model."))
    live = Live(REPLY, Job(), [], ending=(Status.FAILED, failure))
    assert with_progress(REPLY, live).error == "Out of memory. Choose a smaller model."
