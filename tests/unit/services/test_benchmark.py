"""What the measurement of a model says, with the real engine and the real model."""

import pytest

from app.domain.changes import Changes
from app.domain.errors import UserError
from app.domain.model import Model, Origin
from app.engine.worker import Engine
from app.services.benchmark import Benchmark


def benchmark(folder):
    return Benchmark(lambda kept: Engine(Changes(lambda call: call()), folder=kept), folder)


def subject(path):
    return Model(path, "SmolLM2", Origin.STARTER, path.stat().st_size)


@pytest.mark.real_model
def test_every_figure_is_there_and_nothing_stays_behind(smollm2, tmp_path):
    told = []
    speed = benchmark(tmp_path).measure(subject(smollm2), 1024, 1, told.append)
    assert list(speed.to_json()) == [
        "model", "threads", "context", "prefill_tokens_per_second", "decode_tokens_per_second",
        "first_token_seconds", "warm_first_token_seconds", "restored_first_token_seconds",
        "peak_memory_bytes",
    ]  # fmt: skip
    assert (speed.model, speed.context) == ("SmolLM2", 1024)
    assert speed.threads >= 1
    assert speed.prefill_tokens_per_second > speed.decode_tokens_per_second > 0
    # Both read about 30 new tokens where the first read about 500.
    assert 0 < speed.warm_first_token_seconds < speed.first_token_seconds
    assert 0 < speed.restored_first_token_seconds < speed.first_token_seconds
    assert speed.peak_memory_bytes > smollm2.stat().st_size / 2
    assert told == sorted(told)
    assert told[-1] == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real_model
def test_a_context_too_small_is_refused_and_nothing_stays_behind(smollm2, tmp_path):
    with pytest.raises(UserError, match="A context of 512 tokens is too small"):
        benchmark(tmp_path).measure(subject(smollm2), 512, 1, lambda fraction: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real_model
def test_an_interruption_ends_the_engine_and_clears_up(smollm2, tmp_path):
    def interrupt(fraction):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        benchmark(tmp_path).measure(subject(smollm2), 1024, 1, interrupt)
    assert list(tmp_path.iterdir()) == []
