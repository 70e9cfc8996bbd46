"""Chats that outgrow their context, with a real model: what it sees, what it does not, and that it is told."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.loop import Loop
from app.domain.budget import Policy, Summary, horizon
from app.domain.changes import Changed, Changes, Kind
from app.domain.chat import Chat, Message, Role, Status
from app.domain.errors import UserError
from app.domain.generation import Failed, Rendered
from app.domain.model import Model, Origin
from app.domain.settings import Settings
from app.engine.worker import Engine
from app.services.conversation import Conversation
from app.services.history import History
from app.storage.chats import ChatStore
from app.storage.database import Database

CONTEXT, ANSWER = 512, 5
SYSTEM = "You are the keeper of the lighthouse at Cape Nowhere. Answer in one short sentence."
SETTINGS = Settings(temperature=0, max_tokens=ANSWER, context=CONTEXT)
QUESTION = (
    "Entry {n}. On day {n} the lamp was lit at {n} minutes past six, the wind came from the north-west with "
    "a strength of {n}, three ships passed, and the oldest of them carried barrels of salted herring, rope, "
    "lamp oil and {n} sacks of flour to the island behind the reef, where my sister keeps bees and goats. "
    "The keeper before me left a note about the cracked window and the loose step on the stairs. "
    "What should I write into the log?"
)


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
        self.engine = Engine(self.changes)
        self.history = History(self.store)
        self.events: list[object] = []
        self.conversation = Conversation(self.store, self.engine, self.loop.post, self.events.append)
        self.model = Model(model, "SmolLM2", Origin.OWN, 1, sha256="5")

    def close(self) -> None:
        self.conversation.close()
        self.engine.close()
        self.database.close()

    def send(self, text: str, parent: Message | None = None, settings: Settings = SETTINGS) -> Message:
        chat_id, parent_id = (parent.chat_id, parent.id) if parent else (None, None)
        started = self.conversation.send(
            chat_id, parent_id, text, self.model, settings, system_prompt=SYSTEM
        )
        while not started.done():
            self.conversation.pump()
            self.tick()
        self.tick()  # what was posted before the future was done
        reply = started.result().reply
        self.finish()
        return self.message(reply)

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
        asked = self.conversation.prompt(answer)
        while not asked.done():
            self.conversation.pump()
            self.tick()
        rendered = asked.result()
        assert isinstance(rendered, Rendered)
        return "".join(text for text, _control in rendered.parts), rendered.tokens

    def begin(self, policy: Policy | None) -> Message:
        answer = self.send(QUESTION.format(n=1))
        self.loop.result(self.history.set_policy(answer.chat_id, policy))
        return answer


@pytest.fixture
def desk(tmp_path: Path, smollm2: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, smollm2)
    yield desk
    desk.close()


def drive(desk: Desk, answer: Message, times: int = 5) -> list[Message]:
    """Go on until the whole chat is `times` its context; return the answers."""
    answers = [answer]
    # The prompt of the first answer, without the system prompt, is what each turn takes.
    turn = (answer.stats.prompt_tokens if answer.stats else 0) - 20
    while len(answers) * turn < times * CONTEXT:
        answers.append(desk.send(QUESTION.format(n=len(answers) + 1), answers[-1]))
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
        line = horizon([(m.id, m.seen_from) for m in before + [answer]])
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
    assert answers[-1].seen_from and answers[-1].seen_from > answers[1].id
    print(read_again(answers))
    assert read_again(answers) < 2.5
    assert not any(isinstance(event, Failed) for event in desk.events)


def test_a_summary_stands_for_older_turns(desk: Desk) -> None:
    answers = drive(desk, desk.begin(None))
    check(desk, answers)
    summaries = desk.summaries(answers[0])
    assert answers[-1].summary_id in summaries
    assert any(change.kind is Kind.SUMMARIES for change in desk.published)
    print(read_again(answers))
    assert read_again(answers) < 3.5
    assert not any(isinstance(event, Failed) for event in desk.events)


def test_the_context_grows(desk: Desk) -> None:
    answers = drive(desk, desk.begin(Policy.EXTEND))
    check(desk, answers)
    chat, _path = desk.chat(answers[-1])
    assert chat.context == 4096
    assert all(answer.seen_from == desk.chat(answers[0])[1][0].id for answer in answers)


def test_nothing_is_sent_that_does_not_fit(desk: Desk) -> None:
    answer = desk.begin(Policy.ASK)
    said = 1
    with pytest.raises(UserError, match="outgrown") as refused:
        for said in range(2, 9):
            answer = desk.send(QUESTION.format(n=said), answer)
    assert refused.value.action == "context-full"
    assert 2 < said < 8
    _chat, path = desk.chat(answer)
    assert len(path) == 2 * (said - 1)  # nothing of it was stored
    desk.loop.result(desk.history.set_policy(answer.chat_id, Policy.DROP))
    check(desk, [answer, answer, desk.send(QUESTION.format(n=said), answer)])
