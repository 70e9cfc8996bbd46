"""How well a model reads a long text is measured beside its answers, and leaves everything as it was."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine_driver import NO_END, answer, outcome, write_small
from tiny_models import windowed

from app.domain.changes import Changes
from app.domain.generation import Failed, Finished, Reading, Request, Turn
from app.domain.loading import LoadOptions, rope_options
from app.domain.long_reading import Examination, Fact, LongReading, ReadingJob
from app.domain.settings import Settings
from app.engine.model import LoadedModel
from app.engine.planted_facts import DEPTHS, ask, judged
from app.engine.worker import Engine
from app.ui.assets import asset

pytestmark = pytest.mark.real_model

TEXT = asset("reading/time-machine.txt").read_text(encoding="utf-8")
BRIEF = Settings(temperature=0, max_tokens=4, context=512)
LONG = Settings(temperature=0, max_tokens=300, context=512, logit_bias=NO_END, speculation=False)
NAMES = ("blue", "green", "white", "black", "yellow")
HELLO = Turn("user", "Bert likes apples.")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine(Changes(lambda call: call()), folder=tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_small(tmp_path)


def ended(job: ReadingJob, timeout: float = 60) -> tuple[list[Reading], Finished | Failed]:
    told: list[Reading] = []
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for event in job.wait(0.1):
            match event:
                case Reading():
                    told.append(event)
                case Finished() | Failed():
                    assert not job.events
                    return told, event
    pytest.fail("no end came")


def until(condition: Callable[[], bool], timeout: float = 30) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def read(engine: Engine, model: Path, context: int, text: str = TEXT) -> LongReading:
    job = engine.examine(Examination(model, context, LoadOptions(), text))
    told, end = ended(job)
    assert isinstance(end, Finished), end
    assert job.reading
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert told[-1].done <= told[-1].total < told[-1].done + 200  # the rest is kept for answers
    return job.reading


def test_a_real_model_foresees_prose_and_is_asked_for_facts(engine: Engine, smollm2: Path) -> None:
    found = read(engine, smollm2, 256)
    assert (found.context, found.tokens, found.trained, found.tail) == (256, 256, 8192, 64)
    assert (found.scaling, found.factor) == ("none", 1)
    assert len(found.scaled) == 256 // found.step
    assert all(5 < each < 500 for each in found.scaled)
    assert [fact.depth for fact in found.facts] == [0.1, 0.3, 0.5, 0.7, 0.9]
    for fact in found.facts:
        assert fact.said
        assert not fact.found or fact.code in fact.said
    assert any(fact.found for fact in found.facts)
    assert LongReading.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("70952", True),
        (" The code of the green gate is 70,952.\nThe", True),
        ("70953", False),
        ("It is 48213 or 70952.", False),
        ("709521", False),
        ("", False),
    ],
)
def test_an_answer_is_right_when_it_is_the_code_alone(model: LoadedModel, said: str, found: bool) -> None:
    written = model.tokenize(said, special=False)
    assert judged(model, 1, written) == Fact(0.3, "70952", said.strip(), found)


def test_the_facts_stand_where_they_should_and_all_fits(model: LoadedModel) -> None:
    tokens = model.tokenize(TEXT, special=False)
    for size in (300, 1000, 4000):
        questions = ask(model, tokens[:size], size)
        lengths = [len(prompt) + questions.answer for prompt in questions.prompts]
        assert max(lengths) <= size
        assert size < 400 or max(lengths) > 0.85 * size
        text = b"".join(map(model.piece, questions.prompts[0])).decode()
        places = [text.index(f"The code of the {name} gate is") / len(text) for name in NAMES]
        assert size < 400 or places == pytest.approx(DEPTHS, abs=0.06)
        assert len({tuple(prompt[: questions.shared]) for prompt in questions.prompts}) == 1
        assert len(questions.prompts[0]) - questions.shared < 30


def test_the_figures_are_those_of_the_tokens_one_by_one(engine: Engine, small: Path) -> None:
    within = read(engine, small, 512)
    assert (within.tokens, within.trained, within.unscaled) == (512, 512, ())
    assert (within.tail_unscaled, within.tail_inside, within.cost) == (None, None, None)
    twice = read(engine, small, 1024)
    assert (twice.scaling, twice.factor, twice.beyond) == ("yarn", 2, True)
    # Up to 512 tokens nothing is other without scaling than it was there.
    assert twice.unscaled[:8] == pytest.approx(within.scaled[: 8 * twice.step // within.step], rel=0.02)
    assert twice.scaled[4] != pytest.approx(twice.unscaled[4], rel=1e-4)
    assert twice.cost == twice.tail_scaled / twice.tail_inside  # type: ignore[operator]


def test_inside_is_the_end_of_the_text_read_by_itself(engine: Engine, small: Path) -> None:
    # Without an a each byte is a token, after one that begins and a space.
    text = TEXT.replace("a", "e")
    space = text.index(" ", 511)
    twice = read(engine, small, 1024, text[space - 511 :])
    alone = read(engine, small, 512, text[space + 1 :])
    assert twice.tail == alone.tail == 128
    assert twice.tail_inside == pytest.approx(alone.tail_scaled, rel=1e-4)
    assert twice.tail_inside != pytest.approx(twice.tail_unscaled, rel=1e-4)


def test_windows_and_answers_in_between_do_not_change_the_figures(engine: Engine, tmp_path: Path) -> None:
    model = write_small(tmp_path, windowed())
    alone = read(engine, model, 512)
    before, _stats = answer(engine, model, HELLO, settings=BRIEF)
    status = engine.status
    job = engine.examine(Examination(model, 512, LoadOptions(), TEXT))
    until(lambda: bool(job.events))
    for _time in range(5):
        text, stats = answer(engine, model, HELLO, settings=BRIEF)
        assert text == before
        assert stats.reused_tokens == stats.prompt_tokens - 1  # its own context is as it was
    ended(job)
    assert job.reading
    assert job.reading.scaled == pytest.approx(alone.scaled, rel=1e-3)
    assert engine.status == status


def test_it_waits_while_answers_run_and_stops_at_once(engine: Engine, smollm2: Path) -> None:
    job = engine.examine(Examination(smollm2, 8192, LoadOptions(), TEXT))
    until(lambda: bool(job.events))
    asked = time.monotonic()
    running = engine.submit(Request(smollm2, (HELLO,), BRIEF))
    _text, stats = outcome(running)
    assert stats.prompt_tokens  # type: ignore[union-attr]
    stopped = time.monotonic()
    engine.cancel(job)
    _told, end = ended(job)
    took = time.monotonic() - stopped
    assert end == Finished(None)
    assert job.reading is None
    assert took < 1  # 0.1 on a computer that has nothing else to do
    assert stopped - asked < 10


def test_a_model_that_was_not_in_memory_is_given_back(engine: Engine, small: Path, tmp_path: Path) -> None:
    read(engine, small, 512)
    assert engine.status.model is None
    answer(engine, small, HELLO, settings=BRIEF)
    read(engine, small, 512)
    assert (engine.status.model, engine.status.context) == (small, 512)


def test_a_model_that_has_to_go_ends_its_test(engine: Engine, small: Path) -> None:
    engine.load(small, 512)
    job = engine.examine(Examination(small, 16384, LoadOptions(rope=rope_options("linear", factor=32)), TEXT))
    until(lambda: bool(job.events))
    engine.unload()
    _told, end = ended(job)
    assert isinstance(end, Failed)
    assert "given back" in str(end.error)
    assert engine.status.model is None


@pytest.mark.parametrize(
    ("context", "method", "words"),
    [
        (255, "auto", ""),
        (100, "auto", "too small"),
        (10**9, "auto", "too far beyond"),
        (10**9, "none", "memory"),
    ],
)
def test_what_cannot_be_is_refused_in_words(engine: Engine, small: Path, context, method, words) -> None:
    text = TEXT if words != "too small" else TEXT[:100]
    options = LoadOptions(rope=rope_options(method))
    job = engine.examine(Examination(small, context, options, text))
    _told, end = ended(job)
    if words:
        assert isinstance(end, Failed)
        assert words in str(end.error)
    else:
        assert job.reading
