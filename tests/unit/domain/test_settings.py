import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import UserError
from app.domain.settings import DRY_BREAKERS, FILE_KEYS, MAX_BIAS, SAMPLERS, Settings

LIMITS = {
    "seed": (0, 2**32 - 2),
    "max_tokens": (1, 10**8),
    "context": (256, 10**8),
    "probabilities": (0, 100),
}


def number(name: str) -> st.SearchStrategy[float]:
    bounds = SAMPLERS[name]
    if bounds.whole:
        return st.integers(int(bounds.low), int(bounds.high))
    return st.floats(bounds.low, bounds.high)


# Any values in range that do not contradict each other.
VALID = st.builds(
    Settings,
    **{name: st.none() | number(name) for name in SAMPLERS if name not in ("mirostat", "adaptive_target")},
    dry_breakers=st.lists(
        st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=9), max_size=5
    ).map(tuple),
    logit_bias=st.lists(
        st.tuples(st.text(min_size=1) | st.integers(0, 2**31 - 1), st.floats(-MAX_BIAS, MAX_BIAS)), max_size=3
    ).map(tuple),
    template_variables=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()),
    **{name: st.integers(low, high) for name, (low, high) in LIMITS.items()},
)


@given(VALID)
def test_settings_survive_json(settings):
    assert settings.checked() == settings
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_what_was_stored_before_there_were_more_samplers_can_be_read():
    old = {
        "temperature": 0.7, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "repeat_penalty": 1.0,
        "repeat_last_n": 64, "seed": None, "max_tokens": 12, "context": None, "not yet invented": 3,
    }  # fmt: skip
    read = Settings.from_json(old).checked()
    assert (read.temperature, read.top_k, read.max_tokens, read.mirostat) == (0.7, 40, 12, None)


@pytest.mark.parametrize("wrong", [{"logit_bias": [1]}, {"logit_bias": None}, {"dry_breakers": 3}])
def test_stored_values_of_another_shape_are_refused(wrong):
    with pytest.raises((TypeError, ValueError)):
        Settings.from_json(wrong)


@pytest.mark.parametrize("name", [*SAMPLERS, *LIMITS])
def test_each_value_out_of_range_is_named_with_its_range(name):
    low, high = LIMITS.get(name) or SAMPLERS[name][1:]
    for value in (low - 1, high + 1, math.nan, math.inf):
        with pytest.raises(UserError, match=rf"{name.replace('_', '-')} must be between {low}"):
            Settings(**{name: value}).checked()
    for value in (low, high):
        chosen = (
            Settings(**{name: value}, temperature=1.0)
            if name != "temperature"
            else Settings(temperature=value)
        )
        assert chosen.checked() is chosen


@pytest.mark.parametrize("name", [name for name, bounds in SAMPLERS.items() if bounds.whole])
def test_half_a_token_is_refused(name):
    with pytest.raises(UserError, match="whole number"):
        Settings(**{name: 1.5}).checked()


@pytest.mark.parametrize(
    "wrong",
    [("", 1.0), (-1, 1.0), (2**31, 1.0), ("a", math.nan), ("a", math.inf), ("a", -MAX_BIAS - 1)],
)  # fmt: skip
def test_a_bias_that_means_nothing_is_refused(wrong):
    with pytest.raises(UserError, match="logit-bias"):
        Settings(logit_bias=(("fine", -2.0), wrong)).checked()


@pytest.mark.parametrize("wrong", [("",), ("a\0b",), ("é" * 21,), tuple("a" * 65)])
def test_a_breaker_that_llama_cpp_would_cut_is_refused(wrong):
    with pytest.raises(UserError, match="dry-breaker"):
        Settings(dry_breakers=wrong).checked()


@pytest.mark.parametrize(
    ("together", "named"),
    [
        ({"mirostat": 2, "adaptive_target": 0.5}, "adaptive-target"),
        ({"mirostat": 1, "temperature": 0}, "mirostat"),
        ({"adaptive_target": 0.5, "temperature": 0.0}, "adaptive-target"),
        ({"grammar": 'root ::= "a"', "json_schema": "{}"}, "JSON Schema"),
    ],
)
def test_what_contradicts_itself_is_refused(together, named):
    with pytest.raises(UserError, match=named):
        Settings(**together).checked()


def test_what_nobody_chose_comes_from_the_file_else_from_fireside():
    file = {"general.sampling.temp": 0.6, "general.sampling.top_k": 20.0, "general.sampling.top_p": 0.8}
    found = Settings(top_p=0.5).resolved(file)
    assert (found.temperature, found.top_k, found.top_p, found.min_p) == (
        0.6,
        20,
        0.5,
        SAMPLERS["min_p"].default,
    )
    assert isinstance(found.top_k, int)
    assert found.dry_breakers == DRY_BREAKERS
    assert found.checked().resolved({"general.sampling.temp": 2.0}) == found


@given(VALID, st.dictionaries(st.sampled_from(sorted(FILE_KEYS)), st.floats(), max_size=11), st.data())
def test_no_file_makes_good_settings_bad(settings, file, data):
    which = data.draw(st.sampled_from(["none", "mirostat", "adaptive_target"]))
    if which != "none" and settings.temperature != 0:
        settings = Settings(temperature=settings.temperature, **{which: 1})
    resolved = settings.checked().resolved(file).checked()
    for name in SAMPLERS:
        asked = getattr(settings, name)
        assert getattr(resolved, name) is not None
        assert asked is None or getattr(resolved, name) == asked
