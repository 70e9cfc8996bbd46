"""Two models in memory: which stays, which gives way, and who has the next turn."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from engine_driver import NO_END, Steps, answer, outcome, write_small

from app.domain.changes import Changes
from app.domain.generation import Finished, Loading, Request, Stats, StopReason, Turn
from app.domain.loading import LoadOptions
from app.domain.model import EngineStatus
from app.domain.retention import Retention
from app.domain.settings import Settings
from app.engine import residents, worker
from app.engine.worker import Engine

BRIEF = Settings(temperature=0, max_tokens=4, context=512)
LONG = Settings(temperature=0, max_tokens=60, context=512, logit_bias=NO_END, speculation=False)
HELLO = Turn("user", "Bert likes apples.")
EVERYTHING = 1 << 60


@pytest.fixture(autouse=True)
def busy_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other programs leave must do: these models are small."""
    monkeypatch.setattr(residents, "_KEPT_FREE", 0)


@pytest.fixture
def steps(tmp_path: Path) -> Iterator[Steps]:
    made = Steps(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / name for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir()
    return [write_small(folder) for folder in folders]


def paths(steps: Steps) -> tuple[Path, ...]:
    return steps.runtime._loader.residents.paths


def until(condition: Callable[[], bool], timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_model_before_stays_and_is_not_loaded_again(steps: Steps, models: list[Path]) -> None:
    one, two, _three = models
    before, _stats = steps.answer(one, HELLO, settings=BRIEF)
    steps.answer(two, HELLO, settings=BRIEF)
    assert paths(steps) == (two, one)
    asked = steps.ask(one, HELLO, settings=BRIEF)
    steps.step()
    assert not any(isinstance(event, Loading) for event in asked.job.events)
    steps.run(asked)
    assert asked.text == before
    assert asked.end.reused_tokens == asked.end.prompt_tokens - 1  # nothing is read again, either
    assert paths(steps) == (one, two)


def test_there_are_never_three(tmp_path: Path, models: list[Path]) -> None:
    steps = Steps()
    told: list[EngineStatus] = []
    steps.runtime._loader._tell = told.append
    for each in [*models, *models]:
        steps.answer(each, HELLO, settings=BRIEF)
        assert len(paths(steps)) <= 2
    steps.close()
    loading = [status for status in told if status.loading]
    assert loading
    assert all(len(status.kept) <= 1 for status in loading)
    assert paths(steps) == ()


def test_the_one_used_least_recently_gives_way(steps: Steps, models: list[Path]) -> None:
    one, two, three = models
    for each in (one, two, one, three):
        steps.answer(each, HELLO, settings=BRIEF)
    assert paths(steps) == (three, one)


def test_without_room_for_both_the_first_is_given_back_before_the_second_is_loaded(
    steps: Steps, models: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, _three = models
    steps.answer(one, HELLO, settings=BRIEF)
    monkeypatch.setattr(residents, "_KEPT_FREE", EVERYTHING)
    told: list[EngineStatus] = []
    steps.runtime._loader._tell = told.append
    steps.answer(two, HELLO, settings=BRIEF)
    assert paths(steps) == (two,)
    assert not any(status.kept for status in told[1:])


def test_another_context_makes_the_other_model_give_way_where_there_is_no_room(
    steps: Steps, models: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, _three = models
    for each in (one, two):
        steps.answer(each, HELLO, settings=BRIEF)
    monkeypatch.setattr(residents, "_KEPT_FREE", EVERYTHING)
    steps.load(two, 256)
    assert paths(steps) == (two,)


def test_other_options_replace_a_model_and_leave_the_other_one(steps: Steps, models: list[Path]) -> None:
    one, two, _three = models
    for each in (one, two):
        steps.answer(each, HELLO, settings=BRIEF)
    steps.load(two, 512, LoadOptions(mmap=False))
    assert paths(steps) == (two, one)


def test_a_person_may_want_one_only(steps: Steps, models: list[Path]) -> None:
    one, two, _three = models
    for each in (one, two):
        steps.answer(each, HELLO, settings=BRIEF)
    steps.runtime.retain(Retention(two=False))
    assert paths(steps) == (two,)
    steps.answer(one, HELLO, settings=BRIEF)
    assert paths(steps) == (one,)


def test_what_nobody_waits_for_needs_no_other_model(steps: Steps, models: list[Path]) -> None:
    one, two, three = models
    for each in (one, two):
        steps.answer(each, HELLO, settings=BRIEF)
    text, _stats = steps.answer(one, HELLO, settings=BRIEF, background=True)
    assert text
    assert paths(steps) == (two, one)  # it is not a reason to call it the current one
    text, stats = steps.answer(three, HELLO, settings=BRIEF, background=True)
    assert (text, stats.stop_reason) == ("", StopReason.CANCELLED)
    assert paths(steps) == (two, one)


def test_what_nobody_waits_for_goes_on_after_what_somebody_waits_for(
    steps: Steps, models: list[Path]
) -> None:
    one, two, _three = models
    for each in (one, two):
        steps.answer(each, HELLO, settings=BRIEF)
    behind = steps.ask(one, HELLO, settings=LONG, background=True)
    for _step in range(10):
        steps.step()
    behind.look()
    written = behind.pieces
    assert written
    first = steps.ask(two, HELLO, settings=LONG)
    while not first.ended:
        steps.step()
        behind.look()
        assert behind.pieces == written or first.ended
    steps.run(behind)
    assert behind.end.stop_reason is StopReason.LENGTH


def test_answers_of_two_models_come_one_after_the_other(steps: Steps, models: list[Path]) -> None:
    one, two, _three = models
    for each in (one, two):
        steps.answer(each, HELLO, settings=BRIEF)
    first, second = steps.ask(one, HELLO, settings=LONG), steps.ask(two, HELLO, settings=LONG)
    while not first.ended:
        assert not second.pieces
        steps.step()
        second.look()
    steps.run(second)
    assert second.end.generated_tokens == first.end.generated_tokens == 60


def test_stopping_what_waits_behind_another_model(steps: Steps, models: list[Path]) -> None:
    one, two, _three = models
    for each in (one, two):
        steps.answer(each, HELLO, settings=BRIEF)
    behind = steps.ask(one, HELLO, settings=LONG, background=True)
    steps.step()
    first = steps.ask(two, HELLO, settings=LONG)
    steps.step()
    behind.job.cancel()
    steps.run(first, behind)
    assert first.end.stop_reason is StopReason.LENGTH
    assert behind.end.stop_reason is StopReason.CANCELLED


@pytest.mark.real_model
def test_what_one_model_wrote_is_read_by_another_in_its_own_tokens(smollm2: Path, gemma: Path) -> None:
    settings = Settings(temperature=0, max_tokens=8, context=1024)
    asked = Turn("user", "Name three colours of the rainbow.")
    engine = Engine(Changes(lambda call: call()))
    said, _stats = answer(engine, gemma, asked, settings=settings)
    history = (asked, Turn("assistant", said), Turn("user", "Name one more."))
    after = answer(engine, smollm2, *history, settings=settings)[1]
    assert len(engine.status.in_memory) == 2
    engine.close()
    fresh = Engine(Changes(lambda call: call()))
    alone = answer(fresh, smollm2, *history, settings=settings)[1]
    fresh.close()
    assert after.prompt_tokens == alone.prompt_tokens


@pytest.mark.real_model
def test_an_idle_model_is_given_back_and_its_chat_kept(
    smollm2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_REST_AFTER", 0.05)
    settings = Settings(temperature=0, max_tokens=8, context=1024)
    asked = Turn("user", "Name three colours of the rainbow. " * 20)
    engine = Engine(Changes(lambda call: call()), folder=tmp_path)
    engine.retain(Retention(idle_minutes=0.005))
    said, _stats = answer(engine, smollm2, asked, settings=settings, chat=1)
    until(lambda: engine.status == EngineStatus())
    history = (asked, Turn("assistant", said), Turn("user", "Name one more."))
    job = engine.submit(Request(smollm2, history, settings, chat=1))
    text, end = outcome(job)
    assert text
    assert isinstance(end, Stats)
    assert end.reused_tokens > 100  # from the disk
    engine.retain(Retention(idle_minutes=None))
    until(lambda: engine.status.ready)
    time.sleep(0.5)
    assert engine.status.ready
    engine.close()


def test_unloading_waits_for_the_answer(models: list[Path]) -> None:
    engine = Engine(Changes(lambda call: call()))
    writing = engine.submit(Request(models[0], (HELLO,), LONG))
    unloading = engine.unload()
    _text, end = outcome(writing)
    assert isinstance(end, Stats)
    assert end.generated_tokens == 60
    until(lambda: bool(unloading.events))
    assert unloading.drain() == [Finished(None)]
    assert engine.status == EngineStatus()
    engine.close()
