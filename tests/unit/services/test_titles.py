"""Titles that a model makes up, with the real store and a scripted engine."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from scripted_engine import ScriptedEngine

from app.cli.loop import Loop
from app.domain.changes import Changes
from app.domain.generation import Finished, Piece, Stats, StopReason
from app.domain.model import EngineStatus, Model, Origin
from app.domain.settings import Settings
from app.services.conversation import Conversation
from app.services.preferences import Preferences
from app.services.titles import Titles, title_in
from app.storage.chats import ChatStore
from app.storage.database import Database
from app.storage.preferences import PreferenceStore

MODEL = Model(Path("/models/fox.gguf"), "Fox", Origin.OWN, 1)
STATS = Stats(StopReason.END, 1, 0, 1, 0.1, 0.1, 0.1, 1, 512)


class Desk:
    """A conversation that names its chats."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        changes = Changes(self.loop.post)
        self.database = Database(folder / "chats.db")
        self.store = ChatStore(self.database, changes)
        self.engine = ScriptedEngine(changes)
        self.preferences = Preferences(PreferenceStore(self.database))
        titles = Titles(self.store, self.engine, self.loop.post, self.preferences.name_chats)
        self.conversation = Conversation(self.store, self.engine, self.loop.post, print, titles)

    def say(self, text: str, chat_id: int | None = None, parent_id: int | None = None):
        sent = self.conversation.send(chat_id, parent_id, text, MODEL, Settings())
        reply = self.loop.result(sent).reply
        self.pump_until(lambda: reply.id not in self.conversation.live)
        self.settle()
        return reply

    def pump_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.conversation.pump()
            self.loop.tick()

    def settle(self) -> None:
        """Let the question about the preference, the answer of the engine and the title arrive."""
        self.result(self.preferences.name_chats())
        self.pump_until(lambda: not self.conversation.busy)
        self.result(self.database.write(lambda db: None))

    def result(self, future: "Future"):
        return self.loop.result(future)

    def title(self, chat_id: int) -> str:
        return self.result(self.store.chat(chat_id))[0].title


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.conversation.close()
    desk.database.close()


def test_a_model_that_only_stays_in_memory_names_its_chat_and_one_that_does_not_is_not_loaded_for_it(
    desk: Desk,
) -> None:
    desk.engine.hold = True
    other = Path("/models/other.gguf")
    titles = []
    for kept, title in (((EngineStatus(MODEL.path),), "Cooking rice"), ((), "Cooking more rice")):
        desk.engine.titles = [title]
        sent = desk.conversation.send(None, None, "How do I cook rice?", MODEL, Settings())
        reply = desk.loop.result(sent).reply
        desk.engine.status = EngineStatus(other, context=512, kept=kept)
        desk.engine.plays[-1].rest()
        desk.pump_until(lambda: not desk.conversation.live)
        desk.result(desk.preferences.name_chats())
        desk.loop.tick()
        for play in desk.engine.background:
            play.rest()
        desk.settle()
        titles.append(desk.title(reply.chat_id))
    assert titles == ["Cooking rice", "How do I cook rice?"]


def test_the_first_answer_names_the_chat(desk: Desk) -> None:
    desk.engine.titles = ['"Cooking rice."', "Cooking something else"]
    reply = desk.say("How do I cook rice?")
    assert desk.title(reply.chat_id) == "Cooking rice"
    request = desk.engine.background[0].request
    assert (request.background, request.chat, request.settings.temperature) == (True, None, 0)
    assert [turn.text for turn in request.turns[:2]] == ["How do I cook rice?", "Hello there."]
    desk.say("And how do I cook beans?", reply.chat_id, reply.id)
    assert desk.title(reply.chat_id) == "Cooking rice"
    assert len(desk.engine.background) == 1


def test_a_name_that_a_person_gave_stays(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.titles = ["Cooking rice"]
    sent = desk.conversation.send(None, None, "How do I cook rice?", MODEL, Settings())
    reply = desk.result(sent).reply
    desk.engine.plays[0].rest()
    desk.pump_until(lambda: bool(desk.engine.background))
    desk.result(desk.store.update_chat(reply.chat_id, title="Dinner"))
    desk.engine.background[0].rest()
    desk.settle()
    assert desk.title(reply.chat_id) == "Dinner"


def test_nothing_is_asked_when_nobody_wants_it_or_the_model_cannot(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.result(desk.preferences.set_name_chats(False))
    desk.say("How do I cook rice?")
    desk.result(desk.preferences.set_name_chats(True))

    def plain(model: Path) -> None:
        desk.engine.status = type(desk.engine.status)(model=model, context=8192, has_template=False)

    monkeypatch.setattr(desk.engine, "_ready", plain)
    desk.say("How do I cook beans?")
    assert desk.engine.background == []


def test_closing_stops_it(desk: Desk) -> None:
    desk.engine.hold = True
    desk.engine.titles = ["Cooking rice"]
    sent = desk.conversation.send(None, None, "How do I cook rice?", MODEL, Settings())
    desk.result(sent)
    desk.engine.plays[0].rest()
    desk.pump_until(lambda: bool(desk.engine.background))
    desk.conversation.close()
    assert desk.engine.background[0].job.cancelled


# Most of these are what SmolLM2 135M wrote when it was asked for a title.
WRITTEN = [
    ("**Binary Search: A Simple Explanation**", "Explain binary search to a beginner.", "Binary Search"),
    ("Cooking Rice: A Simple Recipe for a Life of Wonder", "How do I cook rice?", "Cooking Rice"),
    ("The Sky of Blue: A Natural Phenomenon\n\nThe Sky", "Why is the sky blue?", "The Sky of Blue"),
    ('Title: "Why the sky is blue."', "Why is the sky blue?", "Why the sky is blue"),
    ("Here's a title:\n\n“Sky colours”", "Why is the sky blue?", "Sky colours"),
    ("《三道素菜的晚饭》。", "晚饭做什么：三个素菜", "三道素菜的晚饭"),
    ("Apfel: Birne", "Was ist der Unterschied zwischen Apfel und Birne?", "Apfel: Birne"),
    ("A campfire is a fun and creative way to enjoy a warm meal.", "What is a campfire?", ""),
    ("The Art of Persuasion: A Guide to Persuasive Writing", "Hi", ""),
    ("This is a two-to-five-word sentence.", "hello, how are you?", ""),
    ("晚饭做什么－\ufffd", "晚饭做什么：三个素菜", ""),
    ("Three meatless dishes", "晚饭做什么：三个素菜", ""),
    ("Why is the sky blue?", "Why is the sky blue?", ""),
    ("", "Why is the sky blue?", ""),
    ("sky " * 20, "Why is the sky blue?", ""),
]


@pytest.mark.parametrize(("written", "question", "title"), WRITTEN)
def test_what_is_taken_for_a_title(written: str, question: str, title: str) -> None:
    pieces = [Piece("Let me think of a title.", reasoning=True), *map(Piece, written)]
    assert title_in([*pieces, Finished(STATS)], question) == title


def test_a_title_that_was_cut_off_is_none() -> None:
    cut = Finished(Stats(StopReason.LENGTH, 1, 0, 16, 0.1, 0.1, 0.1, 1, 512))
    assert title_in([Piece("The Unterschied zwischen Birn"), cut], "Der Unterschied") == ""
    assert title_in([Piece("Binary search: A fundamental"), cut], "Explain binary search") == "Binary search"
