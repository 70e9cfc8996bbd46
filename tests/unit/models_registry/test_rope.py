"""How positions are scaled, as headers declare it."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.rope_words import explain, quality_word, scaling_word, shown
from models_registry.header import Header, Tensor
from models_registry.rope import STEPS, Note, Quality, Rope, Told, choose, declared, most, reach
from models_registry.rope_options import METHODS, RANGES, RopeError, RopeOptions, RopeProblem
from models_registry.tensor_types import TENSOR_TYPES

NUMBERS = {
    "general.architecture": "llama",
    "llama.context_length": 8192,
    "llama.block_count": 2,
    "llama.embedding_length": 512,
    "llama.attention.head_count": 8,
}


def header(**keys):
    metadata = {f"llama.{name.replace('__', '.')}": value for name, value in keys.items()}
    metadata = NUMBERS | metadata
    return Header(Path("a.gguf"), (Path("a.gguf"),), 1, 3, metadata, ())


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, Rope("none", 1.0, 10_000.0, 1.0, 8192)),
        ({"rope__freq_base": 1e6}, Rope("none", 1.0, 1e6, 1.0, 8192)),
        ({"rope__scaling__factor": 4.0}, Rope("linear", 4.0, 10_000.0, 0.25, 8192)),
        ({"rope__scale_linear": 2.0}, Rope("linear", 2.0, 10_000.0, 0.5, 8192)),
        ({"rope__scaling__type": "none", "rope__scaling__factor": 4.0},
         Rope("none", 1.0, 10_000.0, 1.0, 8192)),
        ({"rope__scaling__type": "yarn", "rope__scaling__factor": 4.0,
          "rope__scaling__original_context_length": 2048},
         Rope("yarn", 4.0, 10_000.0, 0.25, 2048)),
        ({"rope__scaling__type": "longrope"}, Rope("longrope", 1.0, 10_000.0, 1.0, 8192)),
        ({"rope__scaling__factor": float("nan"), "rope__freq_base": -1.0},
         Rope("none", 1.0, 10_000.0, 1.0, 8192)),
    ],
)  # fmt: skip
def test_what_a_header_leaves_out_is_as_llama_cpp_takes_it(keys, wanted):
    found = declared(header(**keys))
    names = ("type", "factor", "freq_base", "freq_scale", "original_context")
    assert [getattr(found, name) for name in names] == [getattr(wanted, name) for name in names]


def chosen(context, keys=None, tensors=(), **options):
    found = header(**(keys or {}))
    found = replace(found, tensors=tuple(Tensor(name, (8,), TENSOR_TYPES[0], 0, 32) for name in tensors))
    return choose(found, context, RopeOptions(**options))


YARN = {
    "rope__scaling__type": "yarn",
    "rope__scaling__factor": 4.0,
    "rope__scaling__original_context_length": 8192,
}


@pytest.mark.parametrize(
    ("context", "factor", "quality"),
    [
        (1, 1, Quality.AS_TRAINED),
        (8192, 1, Quality.AS_TRAINED),
        (8193, 2, Quality.USUALLY_FINE),
        (16384, 2, Quality.USUALLY_FINE),
        (16640, 4, Quality.USUALLY_FINE),
        (32768, 4, Quality.USUALLY_FINE),
        (32769, 8, Quality.EXPECT_LOSS),
        (65536, 8, Quality.EXPECT_LOSS),
    ],
)
def test_the_smallest_step_that_covers_the_context_is_taken(context, factor, quality):
    rope = chosen(context)
    assert (rope.factor, rope.quality) == (factor, quality)
    if factor == 1:
        assert (rope.type, rope.from_file) == ("none", True)
    else:
        assert rope.told == Told("yarn", None, 1 / factor, 8192, 1.0)


@given(st.integers(1, 65536), st.integers(64, 100_000))
def test_whatever_is_chosen_covers_the_context_with_one_of_the_steps(context, trained):
    file = header(context_length=trained)
    if context > most(file):
        context = most(file)
    rope = choose(file, context)
    assert rope.factor in STEPS
    assert context <= -(-int(trained * rope.factor) // 256) * 256
    assert rope.factor == 1 or context > trained * rope.factor / 2


def test_what_the_file_declares_is_left_alone_as_far_as_it_goes():
    for keys in (YARN, YARN | {"context_length": 32768}):  # stated as the original length, or as the product
        assert reach(header(**keys)) == 32768
        for context in (256, 8192, 32768):
            rope = chosen(context, keys)
            assert (rope.type, rope.factor, rope.from_file) == ("yarn", 4.0, True)
            assert rope.quality is Quality.AS_TRAINED
        beyond = chosen(65536, keys)
        assert (beyond.told.freq_scale, beyond.told.original_context) == (1 / 8, 8192)  # not 1 / 4 / 2
        assert beyond.quality is Quality.EXPECT_LOSS
        with pytest.raises(RopeError) as refused:
            chosen(65537 + 256, keys)
        assert (refused.value.problem, refused.value.most) == (RopeProblem.TOO_LONG, 65536)


def test_a_file_that_reaches_further_than_every_step_says_so():
    deepseek = YARN | {"rope__scaling__factor": 40.0, "context_length": 163840}
    deepseek |= {"rope__scaling__original_context_length": 4096}
    assert chosen(163840, deepseek).from_file
    with pytest.raises(RopeError) as refused:
        chosen(200_000, deepseek)
    assert refused.value.most == most(header(**deepseek)) == 163840


def test_linear_in_the_file_stays_linear_beyond_it():
    tuned = {"rope__scaling__type": "linear", "rope__scaling__factor": 2.0}  # 8,192 with it
    assert chosen(8192, tuned).from_file
    rope = chosen(16384, tuned)
    assert (rope.type, rope.told.freq_scale, rope.quality) == ("linear", 1 / 4, Quality.EXPECT_LOSS)


def test_scaling_of_the_file_can_be_left_out():
    rope = chosen(4096, YARN, method="none")
    assert rope.told == Told("none", ext_factor=0.0)
    assert (rope.type, rope.quality) == ("none", Quality.AS_TRAINED)
    assert chosen(20000, YARN, method="none").quality is Quality.EXPECT_LOSS
    assert chosen(20000, method="none").from_file


def test_ntk_takes_the_base_from_the_paper_and_a_step_more_than_the_length():
    rope = chosen(12000, {"rope__dimension_count": 64}, method="ntk")
    assert rope.told.freq_base == pytest.approx(10_000 * 2 ** (64 / 62))
    assert (rope.factor, rope.quality, rope.told.freq_scale) == (2, Quality.USUALLY_FINE, 1.0)
    assert chosen(16384, method="ntk").factor == 4


def test_positions_that_cannot_be_scaled():
    learned = {"tensors": ["position_embd.weight"]}
    assert chosen(8192, **learned).from_file
    for context, options, problem in (
        (16384, {}, RopeProblem.LEARNED_POSITIONS),
        (4096, {"method": "yarn"}, RopeProblem.NOT_ROTATED),
    ):
        with pytest.raises(RopeError) as refused:
            chosen(context, **learned, **options)
        assert refused.value.problem is problem
    longrope = {"rope__scaling__type": "longrope", "rope__scaling__original_context_length": 4096}
    assert chosen(8192, longrope).key != chosen(4096, longrope).key
    assert chosen(16384, longrope).quality is Quality.EXPECT_LOSS
    with pytest.raises(RopeError) as refused:
        chosen(8192, longrope, factor=2.0)
    assert refused.value.problem is RopeProblem.OWN_FACTORS


def test_a_given_original_context_that_is_long_enough_needs_no_scaling():
    assert chosen(16384, original_context=16384).from_file
    assert chosen(8192, YARN, original_context=8192).type == "none"


def test_what_a_file_brings_is_noted():
    assert chosen(4096, tensors=["rope_freqs.weight"]).notes == (Note.FREQUENCY_FACTORS,)
    assert chosen(4096, tensors=["rope_factors_long.weight"]).notes == (Note.LONG_FACTORS,)
    assert chosen(4096).notes == ()


def test_without_a_trained_length_nothing_is_scaled_unless_it_is_given():
    unknown = {"context_length": 0}
    assert chosen(100_000, unknown).quality is Quality.UNKNOWN
    assert chosen(16384, unknown, original_context=8192).factor == 2
    with pytest.raises(RopeError) as refused:
        chosen(16384, unknown, method="yarn")
    assert refused.value.problem is RopeProblem.UNKNOWN_TRAINING


NUMBERS_OF = st.fixed_dictionaries(
    {},
    optional={
        name: st.integers(1, 200_000) if name == "original_context" else st.floats(allow_nan=True)
        for name in RANGES
    },
)


def rotation_or_reason(method, numbers, context, keys):
    try:
        return chosen(context, keys, method=method, **numbers)
    except RopeError as error:
        return error


@given(st.sampled_from(METHODS), NUMBERS_OF, st.integers(1, 10**12), st.sampled_from([{}, YARN]))
def test_whatever_is_given_there_is_a_rotation_or_a_reason(method, numbers, context, keys):
    found = rotation_or_reason(method, numbers, context, keys)
    if isinstance(found, RopeError):
        assert explain(found).message
        return
    assert 1 / 64 <= found.freq_scale <= 1
    assert 0 < found.freq_base < 1e15
    assert quality_word(found.quality)
    assert scaling_word(found)
    if found.type == "none" and not numbers and not keys:
        assert found.from_file


IN_RANGE = st.fixed_dictionaries(
    {}, optional={name: st.floats(float(low), min(float(high), 1e6)) for name, (low, high) in RANGES.items()}
)


@given(st.sampled_from(METHODS), IN_RANGE)
def test_a_number_without_effect_is_refused_by_its_name(method, numbers):
    found = rotation_or_reason(method, numbers, 4096, {})
    if isinstance(found, RopeError):
        assert {*found.names} <= {*RANGES}
        assert all(shown(name) in explain(found).message for name in found.names)
        return
    allowed = {"none": {"freq_base"}, "ntk": {"factor", "original_context"}}.get(method, {*RANGES})
    assert numbers.keys() <= allowed
