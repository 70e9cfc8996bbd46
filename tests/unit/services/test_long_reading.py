"""A test of long reading is followed, stopped, kept with its model and found again."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest
from lora_files import encode, random_weights
from tiny_models import tiny

from app.domain.changes import Changes
from app.domain.errors import UserError
from app.domain.loading import LoadOptions, rope_options
from app.domain.long_reading import Fact, LongReading
from app.domain.model import Model, Origin
from app.engine.worker import Engine
from app.services.long_reading import FOLDER, LongReadings
from app.ui.assets import asset

pytestmark = pytest.mark.real_model

SHA = "ab" * 32
FOUND = LongReading(
    context=12288, tokens=12288, trained=8192, scaling="yarn", factor=2.0, freq_base=10_000.0, step=512,
    scaled=(30.0,) * 24, unscaled=(30.0,) * 16 + (90.0,) * 8, tail=2048, tail_scaled=31.0,
    tail_unscaled=90.0, tail_inside=30.0, facts=(Fact(0.1, "1", "1", True), Fact(0.5, "2", "", False)),
    seconds=1.0,
)  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Model:
    path = tmp_path / "Small.gguf"
    path.write_bytes(encode(tiny(), random_weights()))
    return Model(path, "Small", Origin.LINKED, path.stat().st_size)


@pytest.fixture
def readings(tmp_path: Path) -> Iterator[LongReadings]:
    engine = Engine(Changes(lambda call: call()), folder=tmp_path / "data")

    def identified(model: Model) -> "Future[Model]":
        done: Future[Model] = Future()
        done.set_result(replace(model, sha256=SHA))
        return done

    made = LongReadings(engine, identified, tmp_path / "data", asset("reading/time-machine.txt"))
    yield made
    made.close()
    engine.close()


def test_what_was_measured_is_found_again_for_its_context_and_scaling(readings, small, tmp_path):
    usual, ntk = LoadOptions(), LoadOptions(rope=rope_options("ntk"))
    known = replace(small, sha256=SHA)
    assert readings.kept(known, 1024, usual).result(10) is None
    test = readings.begin(small, None, usual)
    found = test.result.result(60)
    assert (found.context, found.trained, found.scaling) == (
        1024,
        512,
        "yarn",
    )  # twice what it was trained for
    assert test.done == pytest.approx(1, abs=0.2)
    other = readings.begin(small, 1024, ntk).result.result(60)
    assert other.scaling == "ntk"
    assert readings.kept(known, 1024, usual).result(10) == found
    assert readings.kept(known, 1024, ntk).result(10) == other
    assert readings.kept(known, 512, usual).result(10) == other  # the newest, where there is none of its own
    assert readings.kept(small, 1024, usual).result(10) is None  # nobody knows yet which file it is
    # A damaged file is passed over.
    (tmp_path / "data" / FOLDER / f"{SHA}.json").write_text('{"a": {"facts": 3}, "b": 1}')
    assert readings.kept(known, 1024, usual).result(10) is None


def test_it_is_stopped_before_and_while_it_runs(readings, small):
    options = LoadOptions(rope=rope_options("linear", factor=32))
    first, second = readings.begin(small, 16384, options), readings.begin(small, 16384, options)
    second.stop()
    deadline = time.monotonic() + 30
    while not first.done:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    first.stop()
    assert first.result.result(10) is None
    assert second.result.result(10) is None
    assert second.done == 0


@pytest.mark.parametrize(("context", "words"), [(10**12, "too far beyond"), (2**20, "too far beyond")])
def test_what_cannot_be_is_said(readings, small, context, words):
    with pytest.raises(UserError, match=words):
        readings.begin(small, context, LoadOptions()).result.result(10)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "It reads 12,288 tokens as well as the 8,192 it was trained for."),
        ({"tail_scaled": 36.0}, "a little less well"),
        ({"tail_scaled": 50.0}, "clearly worse"),
        ({"tail_scaled": 90.0}, "hardly understands"),
        ({"trained": 0}, "nothing to compare with"),
        ({"trained": 32768, "unscaled": (), "tail_unscaled": None, "tail_inside": None}, "nothing is scaled"),
        (
            {"trained": 32768, "context": 65536, "tail_unscaled": 30.5, "tail_inside": None},
            "as well as without",
        ),
        (
            {"trained": 32768, "context": 65536, "tail_unscaled": 20.0, "tail_inside": None},
            "worse than without",
        ),
    ],
)
def test_the_verdict_is_one_sentence(changes, words):
    found = replace(FOUND, **changes)
    assert words in found.verdict
    assert found.verdict.count(".") == 1
    assert found.facts_sentence == "It found 1 of 2 facts planted in the text."
    assert LongReading.from_json(found.to_json()) == found
