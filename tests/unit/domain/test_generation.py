import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import UserError
from app.domain.generation import Job, Piece, Stats, StopReason
from app.domain.settings import Settings

STATS = Stats(StopReason.END, 10, 4, 21, 0.5, 2.0, 0.5, 7, 8192)


@given(st.builds(Settings, temperature=st.floats(0, 5), seed=st.none() | st.integers(0, 2**32 - 2)))
def test_settings_survive_json(settings: Settings) -> None:
    assert Settings.from_json(settings.to_json()) == settings


def test_what_an_older_or_newer_fireside_wrote_can_be_read() -> None:
    assert Settings.from_json({"temperature": 1.5, "not yet invented": 3}) == Settings(temperature=1.5)
    assert Stats.from_json({**STATS.to_json(), "not yet invented": 3}) == STATS
    told = replace(STATS, samplers=("top_k", "draw"))
    assert Stats.from_json(json.loads(json.dumps(told.to_json()))) == told


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", -0.1), ("temperature", math.nan), ("top_p", 1.01), ("seed", -1), ("seed", 2**32 - 1),
     ("max_tokens", 0), ("context", 255), ("context", 10**12), ("repeat_penalty", 0)],
)  # fmt: skip
def test_values_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(UserError, match=name.replace("_", "-")):
        Settings(**{name: value}).checked()  # type: ignore[arg-type]


def test_speed_counts_from_the_first_token() -> None:
    assert STATS.tokens_per_second == 10
    assert Stats(StopReason.END, 10, 4, 1, 0.5, 0.0, 0.5, 7, 8192).tokens_per_second == 0


def test_a_job_gives_out_its_events_once_and_in_order() -> None:
    interrupt = bytearray(2)
    job = Job(interrupt)
    assert job.wait(0) == []
    job.put(Piece("a"))
    job.put(Piece("b"))
    assert job.wait() == [Piece("a"), Piece("b")]
    assert job.drain() == []
    assert not job.cancelled
    job.cancel()
    assert job.cancelled
    assert interrupt == b"\x01\x00"
