"""Several answers at once, one batch for each step; nothing here depends on the clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_driver import NO_END, Steps, Watched, write_small
from lora_files import random_lora

from app.domain.generation import StopReason, Turn
from app.domain.loading import Adapter
from app.domain.settings import Settings

pytestmark = pytest.mark.real_model

GREEDY = Settings(temperature=0, max_tokens=12, context=2048, speculation=False)
# The model is sure of these answers. Elsewhere two tokens are often all but equally likely, and sums in
# another order, as they are in a batch of several answers, take the other one.
QUESTIONS = (
    "Repeat exactly: one two three four five six seven eight nine ten",
    "Count from 1 to 20.",
    "Repeat exactly: the quick brown fox jumps over the lazy dog",
)
LONG = Settings(temperature=0, context=2048, speculation=False, max_tokens=400)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def shared() -> Iterator[Steps]:
    steps = Steps()
    yield steps
    steps.close()


@pytest.fixture
def steps(shared: Steps) -> Iterator[Steps]:
    yield shared
    left = list(shared.runtime._begun)
    for each in left:
        each.job.cancel()
    if left:
        shared.step()
    assert not shared.runtime.busy


def until_written(steps: Steps, asked: Watched, pieces: int = 3) -> None:
    for _step in range(200):
        asked.look()
        if asked.pieces >= pieces:
            return
        steps.step()
    pytest.fail("nothing is written")


def test_answers_side_by_side_are_those_that_each_would_be_alone(steps: Steps, smollm2: Path) -> None:
    alone = [steps.answer(smollm2, Turn("user", text), settings=GREEDY)[0] for text in QUESTIONS]
    steps.answer(
        smollm2, Turn("user", "Something else."), settings=Settings(seed=1, max_tokens=1, context=2048)
    )
    asked = [steps.ask(smollm2, Turn("user", text), settings=GREEDY) for text in QUESTIONS]
    count = steps.run(*asked)
    assert [each.text for each in asked] == alone
    assert len(set(alone)) == len(alone)
    # The seed has emptied the cache: all was read again, and in not many more steps than one answer takes.
    assert all(each.end.reused_tokens < each.end.prompt_tokens - 1 for each in asked)
    assert count < 2 * GREEDY.max_tokens < sum(each.end.generated_tokens for each in asked)


def test_another_version_asked_for_while_the_first_is_written_reads_one_token(
    steps: Steps, smollm2: Path
) -> None:
    prompt = Turn("user", "Tell me about a fox that lives in the forest. " * 4)
    settings = Settings(temperature=1, max_tokens=12, context=2048)
    first = steps.ask(smollm2, prompt, settings=settings)
    until_written(steps, first)
    others = [steps.ask(smollm2, prompt, settings=settings) for _version in range(2)]
    steps.run(first, *others)
    for each in others:
        assert each.end.prompt_tokens - each.end.reused_tokens == 1
        assert each.end.generated_tokens > 1
    assert len({first.text, *(each.text for each in others)}) == 3


def test_three_versions_asked_for_at_once_read_the_prompt_once(steps: Steps, smollm2: Path) -> None:
    prompt = Turn("user", "What does a heron eat when the lake is frozen? " * 4)
    asked = [
        steps.ask(smollm2, prompt, settings=Settings(temperature=1, max_tokens=8, context=2048))
        for _version in range(3)
    ]
    steps.run(*asked)
    for each in asked[1:]:
        assert each.end.prompt_tokens - each.end.reused_tokens == 1


def test_a_background_answer_gets_its_share_and_the_other_keeps_every_batch(
    steps: Steps, smollm2: Path
) -> None:
    front = steps.ask(smollm2, Turn("user", "Count from 1 to 300."), settings=LONG)
    until_written(steps, front)
    behind = steps.ask(smollm2, Turn("user", "Count from 1 to 300, slowly."), settings=LONG, background=True)
    until_written(steps, behind, 1)
    answers = {each.job: each for each in steps.runtime._begun}

    def written(asked: Watched) -> int:
        return len(answers[asked.job].written)

    before = written(front), written(behind)
    for _step in range(30):
        steps.step()
    gained = written(front) - before[0], written(behind) - before[1]
    assert gained[0] == 30
    # Half of the batches by the clock that counts the debt, a little more or less on a busy computer.
    assert 6 <= gained[1] <= 24
    front.job.cancel()
    steps.step()
    assert front.ended
    before_alone = written(behind)
    for _step in range(5):
        steps.step()
    assert written(behind) == before_alone + 5


def test_a_background_answer_ends_beside_one_that_goes_on(steps: Steps, smollm2: Path) -> None:
    front = steps.ask(smollm2, Turn("user", "Count from 1 to 200."), settings=LONG)
    until_written(steps, front)
    behind = steps.ask(smollm2, Turn("user", QUESTIONS[1]), settings=GREEDY, background=True)
    while not behind.ended:
        steps.step()
        assert not front.ended
    assert behind.end.stop_reason is StopReason.LENGTH
    assert behind.text.startswith("1")


def test_cancelling_one_of_two_stops_only_that_one_and_at_once(steps: Steps, smollm2: Path) -> None:
    alone, _stats = steps.answer(smollm2, Turn("user", QUESTIONS[0]), settings=GREEDY)
    stopped = steps.ask(smollm2, Turn("user", "Count from 1 to 500."), settings=LONG)
    until_written(steps, stopped)
    kept = steps.ask(smollm2, Turn("user", QUESTIONS[0]), settings=GREEDY)
    until_written(steps, kept, 2)
    stopped.look()
    pieces = stopped.pieces
    stopped.job.cancel()
    steps.step()
    assert stopped.ended
    assert stopped.end.stop_reason is StopReason.CANCELLED
    assert stopped.pieces <= pieces + 1
    steps.run(kept)
    assert kept.text == alone
    assert kept.end.stop_reason is StopReason.LENGTH


def test_a_cancel_in_the_middle_of_a_batch_costs_the_others_nothing(steps: Steps, smollm2: Path) -> None:
    """The flag that aborts llama.cpp is set after the step has begun, as another thread does it."""
    alone, _stats = steps.answer(smollm2, Turn("user", QUESTIONS[2]), settings=GREEDY)
    kept = steps.ask(smollm2, Turn("user", QUESTIONS[2]), settings=GREEDY)
    until_written(steps, kept, 2)
    context = steps.load(smollm2, 2048).context
    decode = context.decode

    def interrupted(parts):
        steps.interrupt[0] = 1
        decode(parts)

    for _batch in range(3):
        context.decode = interrupted
        steps.step()
        context.decode = decode
        steps.step()
    steps.run(kept)
    assert kept.text == alone


def test_a_request_for_another_context_ends_the_background_and_waits_for_the_others(
    steps: Steps, smollm2: Path
) -> None:
    front = steps.ask(smollm2, Turn("user", QUESTIONS[1]), settings=GREEDY)
    behind = steps.ask(smollm2, Turn("user", "Count from 1 to 500."), settings=LONG, background=True)
    until_written(steps, front, 1)
    other = steps.ask(
        smollm2, Turn("user", QUESTIONS[1]), settings=Settings(temperature=0, max_tokens=12, context=1024)
    )
    steps.run(behind, most=3)
    assert behind.end.stop_reason is StopReason.CANCELLED
    assert not other.ended
    steps.run(front, other)
    assert front.end.stop_reason is StopReason.LENGTH
    assert (front.end.context, other.end.context) == (2048, 1024)
    assert other.text == front.text


def test_a_background_request_takes_the_context_that_is_there(steps: Steps, smollm2: Path) -> None:
    front = steps.ask(smollm2, Turn("user", QUESTIONS[1]), settings=GREEDY)
    steps.step()
    behind = steps.ask(
        smollm2,
        Turn("user", QUESTIONS[2]),
        settings=Settings(temperature=0, max_tokens=3, context=512),
        background=True,
    )
    steps.run(front, behind)
    assert behind.end.context == 2048


def test_an_answer_for_which_the_context_is_too_small_waits_and_goes_on_where_it_was(
    steps: Steps, small: Path
) -> None:
    settings = Settings(temperature=0, max_tokens=70, context=256, logit_bias=NO_END)
    count = Turn("user", "Count up to one hundred.")
    alone, _stats = steps.answer(small, count, settings=settings)
    first = steps.ask(small, Turn("user", "Anna likes apples. " * 6), settings=settings)
    until_written(steps, first, 1)
    second = steps.ask(small, count, settings=settings)
    scheduler = steps.load(small, 256).scheduler
    suspended: list[int] = []
    for _step in range(300):
        steps.step()
        if scheduler._suspended:
            suspended.append(len(next(iter(scheduler._suspended)).written))
        if all([first.ended, second.ended]):
            break
    assert first.end.prompt_tokens + second.end.prompt_tokens + 140 > 256
    assert 0 < suspended[0] == suspended[-1] < 70
    assert first.end.generated_tokens == second.end.generated_tokens == 70
    assert second.end.stop_reason is StopReason.LENGTH
    assert second.text == alone


def test_answers_without_an_end_all_end_with_the_context(steps: Steps, small: Path) -> None:
    settings = Settings(temperature=0, context=256, logit_bias=NO_END)
    asked = [
        steps.ask(small, Turn("user", f"{name} likes apples and plums. " * 4), settings=settings)
        for name in ("Anna", "Bert", "Carl")
    ]
    steps.run(*asked)
    for each in asked:
        assert each.end.stop_reason is StopReason.LENGTH
        assert each.end.prompt_tokens + each.end.generated_tokens == 257  # the last one is not read any more


def test_a_background_answer_is_the_one_that_gives_way(steps: Steps, small: Path) -> None:
    settings = Settings(temperature=0, max_tokens=70, context=256, logit_bias=NO_END)
    steps.load(small, 256)  # a background answer takes the context that is there
    behind = steps.ask(small, Turn("user", "Bert likes apples. " * 6), settings=settings, background=True)
    until_written(steps, behind, 1)
    front = steps.ask(small, Turn("user", "Anna likes apples. " * 4), settings=settings)
    steps.run(front)
    assert not behind.ended
    steps.run(behind)
    assert front.end.generated_tokens == behind.end.generated_tokens == 70


def test_more_answers_than_sequences_take_turns(steps: Steps, small: Path) -> None:
    sequences = steps.load(small, 512).context.layout.sequences
    settings = Settings(temperature=0, max_tokens=3, context=512, logit_bias=NO_END)
    asked = [
        steps.ask(small, Turn("user", f"Say {number}."), settings=settings) for number in range(sequences + 3)
    ]
    steps.run(*asked)
    assert all(each.end.generated_tokens == 3 for each in asked)


def test_a_given_seed_gives_the_same_bytes_whatever_happened_before_and_beside(
    steps: Steps, smollm2: Path
) -> None:
    seeded = Settings(temperature=1.2, seed=77, max_tokens=10, context=2048)
    question = Turn("user", "Tell me something about the sea and the wind.")
    first, stats = steps.answer(smollm2, question, settings=seeded)
    for number in range(2):
        other = Turn("user", f"{number} times the sea. " * 9)
        steps.answer(smollm2, other, settings=Settings(temperature=1, max_tokens=1, context=2048))
    running = steps.ask(smollm2, Turn("user", QUESTIONS[0]), settings=GREEDY)
    until_written(steps, running)
    again = steps.ask(smollm2, question, settings=seeded)
    queued = [
        steps.ask(smollm2, question, settings=Settings(temperature=1, max_tokens=4, context=2048)),
        steps.ask(smollm2, Turn("user", QUESTIONS[1]), settings=GREEDY, background=True),
        steps.ask(smollm2, question, settings=seeded),
    ]
    steps.run(running, again, *queued)
    assert again.text == first == queued[2].text
    assert (again.end.reused_tokens, again.end.seed) == (0, 77)
    assert again.end.generated_tokens == stats.generated_tokens


def test_answers_through_different_adapters_do_not_mix(steps: Steps, smollm2: Path, tmp_path: Path) -> None:
    shapes = {f"blk.{layer}.attn_q.weight": (576, 576) for layer in range(0, 30, 2)}
    path = random_lora(shapes, seed=3).write(tmp_path / "lora.gguf")
    adapters = (Adapter(path, 2.0),)
    question = Turn("user", QUESTIONS[0])
    plain, _stats = steps.answer(smollm2, question, settings=GREEDY)
    changed, stats = steps.answer(smollm2, question, settings=GREEDY, adapters=adapters)
    assert changed != plain
    assert stats.reused_tokens == 0
    asked = [steps.ask(smollm2, question, settings=GREEDY, adapters=chosen) for chosen in (adapters, ())]
    steps.run(*asked)
    assert [each.text for each in asked] == [changed, plain]
    assert all(each.end.prompt_tokens - each.end.reused_tokens == 1 for each in asked)


def test_loading_what_is_loaded_disturbs_no_answer(small: Path, tmp_path: Path) -> None:
    steps = Steps(tmp_path)
    settings = Settings(temperature=0, max_tokens=20, context=512, logit_bias=NO_END)
    try:
        asked = [steps.ask(small, Turn("user", f"Say {number}."), settings=settings) for number in range(8)]
        for _step in range(3):
            steps.step()
        steps.load(small, 512)
        steps.run(*asked)
        assert [each.end.generated_tokens for each in asked] == [20] * 8
    finally:
        steps.close()


def test_a_background_answer_with_a_seed_keeps_nobody_waiting(steps: Steps, small: Path) -> None:
    settings = Settings(temperature=0, max_tokens=100, context=512, logit_bias=NO_END, seed=1)
    steps.load(small, 512)  # a background answer takes the context that is there
    behind = steps.ask(small, Turn("user", "Bert."), settings=settings, background=True)
    for _step in range(3):
        steps.step()
    front = steps.ask(
        small,
        Turn("user", "Anna."),
        settings=Settings(temperature=0, max_tokens=10, context=512, logit_bias=NO_END),
    )
    steps.run(front)
    ended = behind.ended
    behind.job.cancel()
    steps.run(behind)
    assert not ended
