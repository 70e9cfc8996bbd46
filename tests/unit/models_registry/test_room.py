"""What fits into a given memory: the largest context, and what comes nearest to one that does not fit."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_fit import header

from models_registry.fit import CELL_STEP
from models_registry.gguf import read_header
from models_registry.room import KV_TYPES, UBATCHES, Cost, Room, Way

WAYS = st.builds(
    Way,
    st.sampled_from(KV_TYPES),
    st.sampled_from([*UBATCHES, 1024, 7]),
    st.sampled_from([None, True]),
    st.booleans(),
)
HEADERS = {
    "plain": header(),
    "windowed": header("gemma3", attention__sliding_window=512),
    "recurrent": header("mamba", ssm__inner_size=64, ssm__state_size=16, attention__head_count=0),
    "odd": header(attention__key_length=80, attention__value_length=80),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(HEADERS)), st.integers(50_000_000, 2_000_000_000), WAYS, st.booleans())
def test_the_largest_that_fits_is_the_largest(name, available, way, gpu):
    room, most = Room(HEADERS[name], available, gpu=gpu), 65536
    largest = room.largest(most, way)
    assert largest % CELL_STEP == 0
    if largest:
        assert room.taken(largest, way).fits
    for more in range(largest + CELL_STEP, most + 1, 29 * CELL_STEP):
        assert not room.taken(more, way).fits
    if largest + CELL_STEP <= most:
        assert not room.taken(largest + CELL_STEP, way).fits


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(HEADERS)),
    st.integers(0, 2_000_000_000),
    st.integers(1, 300_000),
    WAYS,
    st.booleans(),
)
def test_there_is_always_an_answer_and_it_is_true(name, available, context, way, gpu):
    room = Room(HEADERS[name], available, gpu=gpu)
    wanted, found = room.taken(context, way), room.nearest(context, way)
    assert found.fits == (found.memory.total <= available) == (not found.missing)
    if wanted.fits:
        assert (found.layout, found.costs) == (wanted.layout, ())
    elif found.fits:
        assert found.costs
        assert found.layout.context <= wanted.layout.context
    else:
        assert found.layout.context == CELL_STEP  # nothing takes less
        assert not any(room.largest(CELL_STEP, Way(kind, ubatch)) for kind in KV_TYPES for ubatch in UBATCHES)
    assert (Cost.SHORTER_CONTEXT in found.costs) == (found.layout.context < wanted.layout.context)


def test_what_costs_only_time_goes_before_what_costs_exactness_and_that_before_tokens(smollm2):
    file, seen = read_header(smollm2), []
    for available in range(620_000_000, 120_000_000, -2_000_000):
        costs = Room(file, available).nearest(8192).costs
        if costs not in seen:
            seen.append(costs)
    grave = (Cost.SMALLER_CACHE, Cost.SMALLEST_CACHE, Cost.SHORTER_CONTEXT)
    order = [max((grave.index(cost) + 1 for cost in costs if cost in grave), default=0) for costs in seen]
    assert seen[0] == ()
    assert order == sorted(order)
    assert {*order} == {0, 1, 2, 3}


def test_smaller_types_and_fewer_tokens_at_once_leave_room_for_more(smollm2):
    contexts = Room(read_header(smollm2), 400_000_000).contexts(1 << 20)
    for ubatch in UBATCHES:
        assert all(a < b for a, b in pairwise(contexts[kind, ubatch] for kind in KV_TYPES))
    for kind in KV_TYPES:
        assert all(a <= b for a, b in pairwise(contexts[kind, ubatch] for ubatch in UBATCHES))


@pytest.mark.parametrize("most", [0, 1, 255, 256])
def test_the_smallest_context_is_one_step(most, smollm2):
    assert Room(read_header(smollm2), 10**9).largest(most) == CELL_STEP
