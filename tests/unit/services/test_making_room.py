"""Chats that outgrow their context: what the model sees, and that what it does not is told.

Where only what is sent matters the model is one that says nothing of sense, and computes in no time.
"""

import string
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from engine_driver import write_small
from scripted_engine import ScriptedEngine
from tiny_models import tiny

from app.cli.loop import Loop
from app.domain.budget import Budget, Policy, Summary, horizon
from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Chat, Message, Role, Status
from app.domain.errors import UserError
from app.domain.generation import (
    Failed,
    Finished,
    Fitted,
    Overflow,
    Rendered,
    WaitsForSummary,
    unread,
)
from app.domain.model import Model, Origin
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.budget import Budgets
from app.services.conversation import Conversation
from app.services.history import History
from app.services.windows import Writer
from app.storage.chats import ChatStore
from app.storage.database import Database

CONTEXT, ANSWER = 1024, 4
SYSTEM = "You keep the lighthouse."
SETTINGS = Settings(temperature=0, max_tokens=ANSWER, context=CONTEXT)
SENSIBLE = Settings(temperature=0, max_tokens=ANSWER, context=256)
QUESTION = (
    "Entry {n}. On day {n} the lamp was lit at six, the wind came from the north with a strength of {n}, "
    "three ships passed, and one carried {n} barrels of herring, rope and oil to the island. What do I note "
    "for whoever keeps the lighthouse when I am gone for the winter?"
)

T = TypeVar("T")


class Desk:
    """A conversation with a real engine, driven like a terminal drives it."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder = folder
        self.loop = Loop()
        self.changes = Changes(self.loop.post)
        self.published: list[Changed] = []
        self.changes.subscribe(self.published.append)
        self.database = Database(folder / "chats.db")
        self.store = ChatStore(self.database, self.changes)
        self.engine = Engine(self.changes, folder=folder)
        self.history = History(self.store)
        self.events: list[object] = []
        self.conversation = Conversation(self.store, self.engine, self.loop.post, self.events.append)
        self.model = Model(model, "SmolLM2", Origin.OWN, 1, sha256="5")

    def close(self) -> None:
        self.conversation.close()
        self.engine.close()
        self.database.close()

    def send(self, text: str, parent: Message | None = None, settings: Settings = SETTINGS) -> Message:
        reply = self.start(text, parent, settings)
        self.finish()
        return self.message(reply)

    def start(self, text: str, parent: Message | None, settings: Settings) -> Message:
        chat_id, parent_id = (parent.chat_id, parent.id) if parent else (None, None)
        started = self.conversation.send(chat_id, parent_id, text, self.model, settings, system_prompt=SYSTEM)
        return self.wait(started).reply

    def wait(self, asked: "Future[T]") -> T:
        while not asked.done():
            self.conversation.pump()
            self.tick()
        self.tick()  # what was posted before the future was done
        return asked.result()

    def finish(self) -> None:
        while self.conversation.live or self.conversation.busy:
            self.events += [update.event for update in self.conversation.pump()]
            self.tick()

    def tick(self) -> None:
        self.loop.post(lambda: None)
        self.loop.tick()
        time.sleep(0.002)

    def message(self, message: Message) -> Message:
        return self.loop.result(self.history.open(message.chat_id))[1].messages[message.id]

    def chat(self, message: Message) -> tuple[Chat, list[Message]]:
        chat, tree = self.loop.result(self.history.open(message.chat_id))
        return chat, tree.path(message.id)

    def summaries(self, message: Message) -> dict[int, Summary]:
        return {each.id: each for each in self.loop.result(self.history.summaries(message.chat_id))}

    def prompt(self, answer: Message) -> tuple[str, int]:
        rendered = self.wait(self.conversation.prompt(answer))
        assert isinstance(rendered, Rendered)
        return "".join(text for text, _control in rendered.parts), rendered.tokens

    def begin(self, policy: Policy | None, settings: Settings = SETTINGS) -> Message:
        answer = self.send(QUESTION.format(n=1), settings=settings)
        self.loop.result(self.history.set_policy(answer.chat_id, policy))
        return answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    file = tiny()
    file.metadata["llama.context_length"] = ("u32", 8 * CONTEXT)
    letters = {ord(letter) for letter in string.ascii_letters}
    unsaid = [0, 1, 2, *(3 + byte for byte in range(256) if byte not in letters)]
    desk = Desk(tmp_path, write_small(tmp_path, file, unsaid=unsaid))
    yield desk
    desk.close()


@pytest.fixture
def speaking(tmp_path: Path, smollm2: Path) -> Iterator[Desk]:
    """One whose model makes sense."""
    desk = Desk(tmp_path, smollm2)
    yield desk
    desk.close()


def drive(desk: Desk, answer: Message, settings: Settings = SETTINGS) -> list[Message]:
    """Go on until the whole chat is five times its context; return the answers."""
    answers = [answer]
    # The prompt of the first answer, without the system prompt, is what each turn takes.
    turn = (answer.stats.prompt_tokens if answer.stats else 0) - 12
    while len(answers) * turn < 5 * (settings.context or 0):
        answers.append(desk.send(QUESTION.format(n=len(answers) + 1), answers[-1], settings))
        if len(answers) == 2:
            desk.loop.result(desk.history.pin_message(desk.chat(answers[1])[1][2].id, True))
    return answers


def check(desk: Desk, answers: list[Message]) -> None:
    """Check each prompt: it fits and holds what it must, and every message is in it or above the line."""
    summaries = desk.summaries(answers[0])
    _chat, path = desk.chat(answers[-1])
    for answer in answers[2:]:
        assert answer.status in {Status.COMPLETE, Status.CUT}, answer.error
        assert answer.stats
        prompt, tokens = desk.prompt(answer)
        before = [message for message in path if message.id < answer.id]
        assert tokens == answer.stats.prompt_tokens
        assert tokens + ANSWER <= answer.stats.context
        assert SYSTEM in prompt
        assert before[-1].text in prompt
        line = horizon([(m.id, m.seen_from) for m in [*before, answer]])
        above = [m for m in before if line is not None and m.id < line]
        for message in before:
            if message not in above or message.pinned:
                assert message.text.strip() in prompt
            elif message.role is Role.USER:
                assert message.text not in prompt
        if answer.summary_id:
            assert summaries[answer.summary_id].text in prompt


def read_again(answers: list[Message]) -> float:
    """Return how many tokens were read for each that was new, over all answers after the first."""
    stats = [answer.stats for answer in answers if answer.stats]
    turn = stats[0].prompt_tokens
    return sum(each.prompt_tokens - each.reused_tokens for each in stats[1:]) / (turn * len(stats[1:]))


def test_the_oldest_turns_are_dropped(desk: Desk) -> None:
    answers = drive(desk, desk.begin(Policy.DROP))
    check(desk, answers)
    assert not desk.summaries(answers[0])
    assert answers[-1].summary_id is None
    assert answers[-1].seen_from
    assert answers[-1].seen_from > answers[1].id
    assert read_again(answers) < 1.3
    assert not any(isinstance(event, Failed) for event in desk.events)


def test_a_summary_stands_for_older_turns(desk: Desk) -> None:
    roomy = replace(SETTINGS, context=3 * CONTEXT // 2)
    answers = drive(desk, desk.begin(None, roomy), roomy)
    check(desk, answers)
    summaries = desk.summaries(answers[0])
    assert answers[-1].summary_id in summaries
    assert len(summaries) > 2
    assert any(change.kind is Kind.SUMMARIES for change in desk.published)
    assert read_again(answers) < 3.5  # a new summary is ready for each turn, and five turns fill the context
    assert not any(isinstance(event, Failed) for event in desk.events)


def test_the_context_grows(desk: Desk) -> None:
    answers = drive(desk, desk.begin(Policy.EXTEND))
    check(desk, answers)
    chat, _path = desk.chat(answers[-1])
    assert chat.context == 8 * CONTEXT
    assert read_again(answers) < 1.3
    assert {answer.seen_from for answer in answers} <= {None, desk.chat(answers[0])[1][0].id}


def test_nothing_is_sent_that_does_not_fit(desk: Desk) -> None:
    answer = desk.begin(Policy.ASK)
    said = 4
    answer = desk.send(QUESTION.format(n=2), answer)
    answer = desk.send(QUESTION.format(n=3), answer)
    with pytest.raises(UserError, match="outgrown") as refused:
        desk.send(QUESTION.format(n=said), answer)
    assert refused.value.action == "context-full"
    conversation, long = desk.conversation, replace(SETTINGS, max_tokens=CONTEXT // 2)
    for ask in (conversation.resume, conversation.regenerate, conversation.versions):
        assert answer.status is Status.CUT
        with pytest.raises(UserError, match="outgrown"):
            desk.wait(ask(answer, desk.model, long))
    chat, tree = desk.loop.result(desk.history.open(answer.chat_id))
    assert chat.tip_id == answer.id
    assert len(tree.messages) == 2 * (said - 1)  # nothing of it was stored
    assert not conversation.live
    desk.wait(conversation.resume(answer, desk.model, SETTINGS))
    desk.finish()
    assert desk.message(answer).text.startswith(answer.text)
    assert len(desk.message(answer).text) > len(answer.text)
    desk.loop.result(desk.history.set_policy(answer.chat_id, Policy.DROP))
    check(desk, [answer, answer, desk.send(QUESTION.format(n=said), answer)])


def test_a_real_model_summarises_beside_its_next_answer(speaking: Desk) -> None:
    first = speaking.send(QUESTION.format(n=1), settings=SENSIBLE)
    more = "And who was aboard of the third ship, where did it come from, and what did it bring?"
    second = speaking.start(f"{QUESTION.format(n=2)} {more}", first, SENSIBLE)
    while speaking.conversation.live:
        speaking.conversation.pump()
        speaking.tick()
    assert speaking.conversation.errands  # the summary has begun, and nobody waits for it
    third = speaking.start("Is it lit?", second, SENSIBLE)
    while speaking.conversation.live:
        speaking.conversation.pump()
        speaking.tick()
    assert speaking.conversation.errands  # it has given way to the answer
    third = speaking.message(third)
    assert third.status in {Status.COMPLETE, Status.CUT}
    assert third.seen_from is None
    speaking.finish()
    (summary,) = speaking.summaries(third).values()
    assert summary.until_id == first.id
    assert len(summary.text) > 20
    fourth = speaking.send(QUESTION.format(n=3), third, SENSIBLE)
    assert fourth.summary_id == summary.id
    assert (fourth.seen_from or 0) > first.id
    prompt, _tokens = speaking.prompt(fourth)
    assert summary.text in prompt
    assert QUESTION.format(n=1) not in prompt


def test_a_persons_words_stay_in_the_summary(desk: Desk) -> None:
    roomy = replace(SETTINGS, context=2 * CONTEXT)
    answer = desk.send(QUESTION.format(n=1), settings=roomy)
    for said in range(2, 8):
        answer = desk.send(QUESTION.format(n=said), answer, roomy)
        if desk.summaries(answer):
            break
    first = desk.summaries(answer).popitem()[1]
    assert first.text
    assert not first.edited
    desk.loop.result(desk.history.edit_summary(first, "The keeper is called Ingrid."))
    with pytest.raises(UserError, match="cannot be empty"):
        desk.history.edit_summary(first, "  ")
    for said in range(8, 16):
        answer = desk.send(QUESTION.format(n=said), answer, roomy)
        if (answer.summary_id or 0) > first.id:
            break
    newest = desk.summaries(answer)[answer.summary_id or 0]
    assert newest.until_id > first.until_id
    assert newest.text.startswith("The keeper is called Ingrid.\n\n")
    assert newest.edited
    assert "The keeper is called Ingrid." in desk.prompt(answer)[0]


def test_a_summary_is_written_anew_part_by_part_where_it_must(desk: Desk) -> None:
    roomy, ingrid = replace(SETTINGS, context=3 * CONTEXT), "The keeper is called Ingrid."
    answer = desk.send(QUESTION.format(n=1), settings=roomy)
    for said in range(2, 8):
        answer = desk.send(QUESTION.format(n=said), answer, roomy)
    path = desk.chat(answer)[1]

    def anew(summary: Summary) -> Summary:
        desk.wait(desk.conversation.rewriting.anew(summary, answer.id, SETTINGS, Writer(desk.model)))
        return desk.summaries(answer)[summary.id]

    def add(until: int, text: str) -> Summary:
        return desk.loop.result(desk.store.summaries.add(answer.chat_id, path[until].id, text, text))

    last = add(-3, "Old words.")
    again = anew(last)  # of more messages than the model can read at once
    assert again == replace(last, text=again.text, kept="")
    assert again.text not in {"", "Old words."}
    assert anew(last).text != again.text
    add(3, ingrid)
    again = anew(last)  # goes on from the one before it, which a person has written
    assert again.text.startswith(f"{ingrid}\n\n")
    assert again.kept == ingrid


def test_a_message_that_cannot_fit_is_refused_with_what_helps(desk: Desk) -> None:
    answer = desk.send(QUESTION.format(n=1) * 6)
    assert answer.status is Status.FAILED
    assert "the context holds only 1,024" in answer.error


def test_what_is_typed_is_counted_by_the_model(speaking: Desk) -> None:
    budgets = Budgets(
        speaking.store,
        speaking.engine,
        speaking.loop.post,
        speaking.conversation.errands,
        speaking.conversation.extensions,
    )

    def budget(answer: Message | None, draft: str) -> Budget:
        asked = budgets.of(
            answer and answer.chat_id,
            answer and answer.id,
            draft,
            speaking.model,
            SENSIBLE,
            system_prompt=SYSTEM,
        )
        return speaking.wait(asked)

    guess = budget(None, "How are you?")
    assert not guess.exact
    assert guess.draft > 0
    assert guess.system > 0
    answer = speaking.begin(None, SENSIBLE)
    assert answer.stats
    before = budget(answer, "")
    assert before.exact
    assert abs(before.used - answer.stats.prompt_tokens - answer.stats.generated_tokens) <= 8
    draft = QUESTION.format(n=2)
    full = budget(answer, draft)
    assert full.draft > 50
    assert full.turns == before.turns
    assert full.seen == (answer.id - 1, answer.id)
    assert not full.asks
    following = speaking.send(draft, answer, SENSIBLE)
    assert following.stats
    assert abs(full.used - following.stats.prompt_tokens) <= 8
    assert budget(following, QUESTION.format(n=3)).asks
    speaking.loop.result(speaking.history.set_policy(answer.chat_id, Policy.DROP))
    speaking.loop.result(speaking.history.pin_message(answer.id, True))
    dropped = budget(following, QUESTION.format(n=3) * 2)
    assert answer.id - 1 in dropped.unseen
    assert answer.id in dropped.seen
    assert dropped.pinned > 0
    assert not dropped.asks
    assert budget(following, QUESTION.format(n=3) * 9).too_long
    first = budgets.of(None, None, "a", speaking.model, SENSIBLE)
    second = budgets.of(None, None, "ab", speaking.model, SENSIBLE)
    assert first.cancelled()
    speaking.wait(second)
    larger = budgets.larger_context(speaking.model, None, dropped)
    assert larger.result() == 512


class Script:
    """A conversation with an engine that plays a script."""

    def __init__(self, folder: Path) -> None:
        self.loop = Loop()
        changes = Changes(self.loop.post)
        self.database = Database(folder / "chats.db")
        self.store = ChatStore(self.database, changes)
        self.engine = ScriptedEngine(changes, ["Yes.", "", "", "Yes, indeed."], hold=True)
        self.conversation = Conversation(self.store, self.engine, self.loop.post, print)  # type: ignore[arg-type]
        self.model = Model(Path("/models/fox.gguf"), "Fox", Origin.OWN, 1, sha256="f0")

    def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.conversation.pump()
            self.loop.tick()

    def overflow(self) -> int:
        """Send two questions, the second of which does not fit; return the id of its answer."""
        start = self.conversation.send(None, None, "Why?", self.model, Settings())
        first = self.loop.result(start).reply
        self.engine.plays[0].rest()
        self.until(lambda: not self.conversation.live)
        start = self.conversation.send(first.chat_id, first.id, "Really?", self.model, Settings())
        second = self.loop.result(start).reply
        job = self.engine.plays[1].job
        job.put(Overflow(300, 256, 2))
        job.put(Finished(unread(0)))
        self.until(lambda: len(self.engine.plays) == 3)
        return second.id

    def close(self) -> None:
        for play in self.engine.plays:
            play.rest()
        self.conversation.close()
        self.database.close()


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    script = Script(tmp_path)
    yield script
    script.close()


def test_the_oldest_turns_are_dropped_when_no_summary_can_be_written(script: Script) -> None:
    answer = script.overflow()
    summary = script.engine.plays[2]
    assert summary.request.summarising
    assert not summary.request.background
    assert summary.request.chat is None
    updates = []
    script.until(lambda: bool(updates.extend(script.conversation.pump()) or updates))
    assert updates[0].event == WaitsForSummary()
    summary.job.put(Failed(UserError("No.")))
    script.until(lambda: len(script.engine.plays) == 4)
    again = script.engine.plays[3]
    assert again.request.window
    assert again.request.window.gives_way
    again.job.put(Fitted(2, None))
    again.rest()
    script.until(lambda: not script.conversation.live)
    _chat, tree = script.loop.result(script.store.chat(1))
    assert tree.messages[answer].text == "Yes, indeed."
    assert tree.messages[answer].seen_from == answer - 1
    assert tree.messages[answer].summary_id is None


def test_an_answer_can_be_stopped_while_it_waits_for_a_summary(script: Script) -> None:
    answer = script.overflow()
    script.conversation.stop(1)
    script.engine.plays[2].rest()
    script.until(lambda: not script.conversation.live)
    _chat, tree = script.loop.result(script.store.chat(1))
    assert tree.messages[answer].status is Status.STOPPED
    assert len(script.engine.plays) == 3


@pytest.mark.parametrize("end", [Failed(UserError("No.")), Finished(unread(0))])
def test_a_summary_stays_when_the_model_writes_no_other(script: Script, end: Failed | Finished) -> None:
    start = script.conversation.send(None, None, "Why?", script.model, Settings())
    reply = script.loop.result(start).reply
    script.engine.plays[0].rest()
    script.until(lambda: not script.conversation.live)
    summary = script.loop.result(script.store.summaries.add(reply.chat_id, reply.id, "Old words."))
    anew = script.conversation.rewriting.anew(summary, reply.id, Settings(), Writer(script.model))
    script.until(lambda: len(script.engine.plays) == 2)
    asked = script.engine.plays[1].request
    assert asked.summarising
    assert asked.summarising.until == 2
    assert asked.settings.temperature
    script.engine.plays[1].job.put(end)
    script.until(anew.done)
    with pytest.raises(UserError, match=r"No\.|stays"):
        anew.result()
    assert script.loop.result(script.store.summaries.of(reply.chat_id)) == [summary]
