"""What is set for a model survives being written, and nothing that was written breaks what reads it."""

from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as rounds
from hypothesis import strategies as st

from app.domain.choices import Choices
from app.domain.errors import UserError
from app.domain.loading import KV_TYPES, WHOLE, Adapter, LoadOptions
from app.domain.settings import SAMPLERS, Settings
from models_registry.rope_options import RopeOptions

NUMBERS = {
    name: st.none()
    | (st.integers(int(b.low), int(b.high)) if b.whole else st.floats(float(b.low), float(b.high)))
    for name, b in SAMPLERS.items()
    if name not in {"mirostat", "adaptive_target"}  # those contradict others
}
SETTINGS = st.builds(
    Settings,
    **NUMBERS,
    seed=st.none() | st.integers(0, 2**32 - 2),
    max_tokens=st.none() | st.integers(1, 1000),
    context=st.none() | st.integers(256, 10**6),
    grammar=st.text(),
    probabilities=st.integers(0, 100),
    speculation=st.booleans(),
    logit_bias=st.lists(
        st.tuples(st.text(min_size=1) | st.integers(0, 2**31 - 1), st.floats(-1000, 1000)), max_size=3
    ).map(tuple),
    dry_breakers=st.lists(st.text("ab\n", min_size=1, max_size=5), max_size=3).map(tuple),
    template_variables=st.dictionaries(st.text(), st.booleans() | st.text(), max_size=2),
)
OPTIONS = st.builds(
    LoadOptions,
    kv_type=st.sampled_from(KV_TYPES),
    flash_attention=st.sampled_from([None, True]),
    mmap=st.booleans(),
    mlock=st.booleans(),
    gentle=st.booleans(),
    threads=st.none() | st.integers(*WHOLE["threads"]),
    gpu_layers=st.none() | st.integers(*WHOLE["gpu_layers"]),
    draft=st.sampled_from([None, Path("small.gguf")]),
    rope=st.builds(RopeOptions)
    | st.builds(RopeOptions, st.just("yarn"), factor=st.floats(1, 64), beta_fast=st.floats(2, 64))
    | st.builds(RopeOptions, original_context=st.integers(1, 10**6), ext_factor=st.floats(0, 1)),
)
ADAPTERS = st.lists(st.builds(Adapter, st.just(Path("fox.gguf")), st.floats(-10, 10)), max_size=2).map(tuple)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*asdict(Settings()), *asdict(LoadOptions()), "unknown"])


@rounds(max_examples=60)
@given(st.builds(Choices, SETTINGS, OPTIONS, ADAPTERS))
def test_what_is_set_is_read_again(choices):
    assert Choices.from_json(choices.to_json()) == (choices, ())


def test_only_what_is_set_is_written():
    assert Choices().to_json() == {}
    some = Choices(Settings(temperature=0.0), LoadOptions(mmap=False), (Adapter(Path("a.gguf"), 0.5),))
    assert some.to_json() == {
        "settings": {"temperature": 0.0},
        "options": {"mmap": False},
        "adapters": [{"path": "a.gguf", "scale": 0.5}],
    }


@rounds(max_examples=150)
@given(
    JSON
    | st.fixed_dictionaries(
        {},
        optional={
            "settings": JSON | st.dictionaries(NAMES, JSON, max_size=4),
            "options": JSON | st.dictionaries(NAMES, JSON, max_size=4),
            "adapters": JSON | st.lists(st.fixed_dictionaries({"path": JSON, "scale": JSON}), max_size=2),
        },
    )
)
def test_whatever_was_written_what_is_read_is_valid(written):
    choices, _dropped = Choices.from_json(written)
    choices.checked()
    assert Choices.from_json(choices.to_json())[0] == choices


def test_what_is_not_valid_is_dropped_and_named():
    choices, dropped = Choices.from_json(
        {
            "settings": {"temperature": 99, "top_k": 7, "top_p": "much", "new_sampler": 1, "mirostat": 2},
            "options": {"threads": 4, "kv_type": "q3", "flash_attention": False},
            "adapters": [{"path": "a.gguf", "scale": 1}, {"path": 3}],
        }
    )
    assert choices.settings == Settings(top_k=7, mirostat=2)
    assert choices.options == LoadOptions(threads=4, flash_attention=False)
    assert choices.adapters == (Adapter(Path("a.gguf"), 1.0),)
    assert dropped == ("temperature", "top_p", "new_sampler", "kv_type", "adapters")


def test_of_how_positions_are_scaled_only_what_is_set_is_written_and_only_what_can_be_is_read():
    chosen = Choices(options=LoadOptions(rope=RopeOptions("yarn", factor=2.0)))
    assert chosen.to_json() == {"options": {"rope": {"method": "yarn", "factor": 2.0}}}
    for bad in (
        3, {"method": "dynamic"}, {"method": 1}, {"factor": 0}, {"factor": float("nan")}, {"factor": "2"},
        {"original_context": 5.5}, {"new": 1}, {"method": "linear", "beta_fast": 2}, {"freq_base": True},
    ):  # fmt: skip
        assert Choices.from_json({"options": {"rope": bad, "threads": 2}}) == (
            Choices(options=LoadOptions(threads=2)),
            ("rope",),
        )


def test_of_two_that_contradict_each_other_the_first_stays():
    written = {"settings": {"mirostat": 2, "adaptive_target": 0.5}}
    assert Choices.from_json(written) == (Choices(Settings(mirostat=2)), ("adaptive_target",))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (LoadOptions(threads=0), "threads must be between 1 and 512"),
        (LoadOptions(gpu_layers=-1), "gpu-layers must be between"),
        (LoadOptions(kv_type="q8_0", flash_attention=False), "needs flash attention"),
        (LoadOptions(rope=RopeOptions("none", factor=2.0)), "rope-factor has no effect"),
    ],
)
def test_options_that_cannot_be_say_so(options, words):
    with pytest.raises(UserError, match=words):
        Choices(options=options).checked()
