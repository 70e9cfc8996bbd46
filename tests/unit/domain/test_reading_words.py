"""How far a prompt has been read, as it is told."""

import pytest

from app.domain.generation import Reading
from app.domain.reading_words import duration_text, reading_text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "1 s"), (7.2, "8 s"), (99, "99 s"), (100, "2 min"), (3500, "59 min"), (3700, "1 h 2 min")],
)
def test_a_time_is_rounded_up_and_the_more_roughly_the_longer_it_is(seconds: float, words: str) -> None:
    assert duration_text(seconds) == words


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading(0, 1000), "Reading… 0 %"),
        (Reading(10, 1000, 0.1), "Reading… 1 %"),  # too early to say how fast
        (Reading(500, 2000, 2.0), "Reading… 25 % · 250 tokens/s · 6 s left"),
        (Reading(999, 1000, 200.0), "Reading… 99 % · 5.0 tokens/s · 1 s left"),  # 100 % only at the end
        (Reading(1000, 1000, 4.0), "Reading… 100 %"),
        (Reading(0, 0), "Reading… 0 %"),
    ],
)
def test_percent_speed_and_time_left_are_told(reading: Reading, words: str) -> None:
    assert reading_text(reading) == words
