"""Models that cannot go back by themselves: what they reuse is right to the token."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from engine_driver import Steps, Watched, write_small
from tiny_models import recurrent, windowed

from app.domain.generation import Stats, Turn
from app.domain.loading import LoadOptions
from app.domain.settings import Settings

KINDS = {"windowed": windowed, "recurrent": recurrent}
TEMPLATE = (
    "{% for message in messages %}[{{ message.role }}] {{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)
# Letters and digits alone, which come out as the same tokens when their text is read.
PLAIN = tuple((token, -1000.0) for token in range(263) if not 51 <= token < 130 or token in (100, 101))
# Steps so small that cells beyond the window of 16 are given up all the time.
OPTIONS = LoadOptions(ubatch=32)
GREEDY = Settings(temperature=0, max_tokens=24, context=1024, logit_bias=PLAIN)


class Small:
    """A tiny model of one kind, and a second engine that reads every prompt from the start."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind = kind
        file = KINDS[kind]()
        file.metadata["tokenizer.chat_template"] = ("str", TEMPLATE)
        file.metadata["tokenizer.ggml.add_space_prefix"] = ("bool", False)
        self.path = write_small(folder, file)
        self.steps, self._cold = Steps(), Steps()
        loaded = self.steps.load(self.path, 1024, OPTIONS)
        assert loaded.cache.needs_checkpoints
        assert loaded.context.rolls_back == (kind == "windowed")
        assert loaded.context.window == (16 if kind == "windowed" else 0)

    def ask(self, *turns: Turn, settings: Settings = GREEDY, **fields) -> Watched:
        return self.steps.ask(self.path, *turns, settings=settings, options=OPTIONS, **fields)

    def answer(self, *turns: Turn, settings: Settings = GREEDY) -> tuple[str, Stats]:
        return self.steps.answer(self.path, *turns, settings=settings, options=OPTIONS)

    def cold(self, *turns: Turn, settings: Settings = GREEDY) -> str:
        text, stats = self._cold.answer(
            self.path, *turns, settings=replace(settings, seed=1), options=OPTIONS
        )
        assert stats.reused_tokens == 0
        return text

    def fill(self) -> None:
        """Have another text read, so that cells beyond the window are needed for something else."""
        self.answer(Turn("user", "kestrel " * 24), settings=replace(GREEDY, max_tokens=1))

    def close(self) -> None:
        self.steps.close()
        self._cold.close()


@pytest.fixture(params=list(KINDS))
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Small]:
    small = Small(tmp_path, request.param)
    yield small
    small.close()


QUESTION = Turn("user", "The heron waits for the fish in the shallow water. " * 5)


def test_answering_again_reads_one_token_however_long_the_answer_was(small: Small) -> None:
    long = replace(GREEDY, max_tokens=300)
    first, _stats = small.answer(QUESTION, settings=long)
    assert first == small.cold(QUESTION, settings=long)
    small.fill()
    again, stats = small.answer(QUESTION)
    assert stats.prompt_tokens - stats.reused_tokens == 1
    assert again == small.cold(QUESTION)


def test_an_earlier_turn_is_edited_and_only_what_follows_is_read(small: Small) -> None:
    first, stats = small.answer(QUESTION)
    known = stats.prompt_tokens + stats.generated_tokens - 1
    history = (QUESTION, Turn("assistant", first))
    small.answer(*history, Turn("user", "And what does it do in winter, when the lake is frozen? " * 3))
    small.fill()
    edited = (*history, Turn("user", "And what do its young eat? " * 3))
    text, stats = small.answer(*edited)
    assert stats.reused_tokens >= known
    assert text == small.cold(*edited)


def test_a_second_version_beside_the_first_is_right(small: Small) -> None:
    first = small.ask(QUESTION)
    while not first.pieces:
        small.steps.step()
        first.look()
    second = small.ask(QUESTION)
    small.steps.run(first, second)
    assert second.end.prompt_tokens - second.end.reused_tokens == 1
    assert first.text == second.text == small.cold(QUESTION)


def test_a_changed_end_is_never_answered_from_the_wrong_past(small: Small) -> None:
    small.answer(QUESTION)
    small.fill()
    for end in ("Why?", "Where?", "the heron."):
        changed = Turn("user", QUESTION.text[:-10] + end)
        text, _stats = small.answer(changed)
        assert text == small.cold(changed)


def test_a_stop_in_the_middle_of_reading_leaves_nothing_wrong(small: Small) -> None:
    kept = small.ask(QUESTION)
    while not kept.pieces:
        small.steps.step()
        kept.look()
    stopped = small.ask(Turn("user", "A very different story of an osprey. " * 8))
    for _step in range(2):
        small.steps.step()
    stopped.job.cancel()
    small.steps.run(kept, stopped)
    assert kept.text == small.cold(QUESTION)
    again = Turn("user", "A very different story of an osprey. " * 8)
    text, _stats = small.answer(again)
    assert text == small.cold(again)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_person_does_answers_are_those_of_a_model_that_reads_everything(
    seed: int, small: Small
) -> None:
    chance = random.Random(seed)
    words = ("heron ", "osprey ", "kestrel ", "why? ", "where? ")
    chats: list[tuple[Turn, ...]] = [()]
    reused = 0
    for _turn in range(14):
        chat = chance.choice(chats)
        keep = chance.choice([len(chat), len(chat), max(0, len(chat) - 2), 0])
        said = "".join(chance.choices(words, k=chance.randint(1, 12)))
        turns = (*chat[:keep], Turn("user", said))
        if chance.random() < 0.2 and len(chat) >= 2:
            turns = chat[:-1]  # the same again
        text, stats = small.answer(*turns, settings=replace(GREEDY, max_tokens=chance.randint(1, 40)))
        cold = small.cold(*turns, settings=replace(GREEDY, max_tokens=stats.generated_tokens))
        assert text == cold
        reused += stats.reused_tokens
        if len(turns) < 8:
            chats.append((*turns, Turn("assistant", text)))
    assert reused > 300


def test_a_chat_goes_on_after_a_restart(small: Small, tmp_path: Path) -> None:
    history, known = (QUESTION,), 0
    for _restart in range(3):
        steps = Steps(tmp_path)
        text, stats = steps.answer(small.path, *history, settings=GREEDY, options=OPTIONS, chat=7)
        steps.close()
        assert text == small.cold(*history)
        assert stats.reused_tokens == known
        known = stats.prompt_tokens + stats.generated_tokens - 1
        history = (*history, Turn("assistant", text), Turn("user", "And what does it eat in winter? " * 3))


@pytest.mark.real_model
def test_gemma_goes_back_to_where_a_turn_began(gemma: Path) -> None:
    """With its usual, windowed cache and texts longer than its window of 512."""
    steps = Steps()
    settings = Settings(temperature=0, max_tokens=8, context=2048, speculation=False)
    story = "The heron waited for the fish in the shallow water of the lake, and the fish knew it. " * 28
    question, changed = Turn("user", story + "The heron"), Turn("user", story + "The fish")
    try:
        assert steps.load(gemma, 2048).context.window == 512
        first, stats = steps.answer(gemma, question, settings=settings)
        known = stats.prompt_tokens
        assert known > 560
        steps.answer(gemma, question, Turn("assistant", first), Turn("user", "Why?"), settings=settings)
        again, stats = steps.answer(gemma, question, settings=settings)
        assert again == first
        assert stats.prompt_tokens - stats.reused_tokens == 1
        other, stats = steps.answer(gemma, changed, settings=settings)
        assert stats.reused_tokens > known - 8
        cold, stats = steps.answer(gemma, changed, settings=replace(settings, seed=1))
        assert stats.reused_tokens == 0
        assert other == cold
    finally:
        steps.close()
