"""What is recommended for computers of all sizes."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.catalogue import Kind, load
from models_registry.recommendation import BEARABLE, GIB, Computer, Fit, Reason, assess, fitting, recommend

CATALOGUE = load()
SIZES = (4, 8, 16, 24, 32, 64, 128)


def computer(memory, *, card=None, unified=False, cores=8, free=0.7):
    return Computer(memory * GIB, int(memory * GIB * free), card and card * GIB, unified, cores)


@cache
def recommended(machine):
    return recommend(CATALOGUE, machine)


COMPUTERS = {
    **{f"mac-{size}": computer(size, unified=True) for size in SIZES},
    **{f"cpu-{size}": computer(size) for size in SIZES},
    **{f"old-cpu-{size}": computer(size, cores=4) for size in SIZES},
    **{f"{size}-card-{card}": computer(size, card=card) for size in (16, 32, 64) for card in (4, 8, 12, 24)},
}
each = pytest.mark.parametrize("machine", COMPUTERS.values(), ids=COMPUTERS)


@each
def test_the_first_choice_fits_writes_fast_enough_and_is_for_chat(machine):
    first = recommended(machine)[0]
    assert (first.fit, first.bearable) == (Fit.FITS, True)
    assert first.speed >= BEARABLE
    assert first.why[0] is Reason.BEST
    assert Kind.CHAT in first.entry.kinds
    assert Kind.HISTORICAL not in first.entry.kinds
    assert first.context >= 4096
    limit = machine.card if Reason.ON_GPU in first.why else machine.budget
    assert first.memory < limit < (machine.gpu_memory if Reason.ON_GPU in first.why else machine.memory_total)
    # A first choice that fills the computer to the brim is none, nor one far below what it can do.
    assert first.memory > 0.15 * min(machine.memory_total, 24 * GIB) or machine.cores <= 4


@each
def test_every_model_for_chat_is_listed_once_and_in_order(machine):
    found = recommended(machine)
    names = [one.entry.id for one in found]
    wanted = {e.id for e in CATALOGUE.entries if Kind.CHAT in e.kinds and Kind.HISTORICAL not in e.kinds}
    assert (len(names), set(names)) == (len(wanted), wanted)
    tiers = [(one.fit, not one.bearable if one.fit is Fit.FITS else False) for one in found]
    assert tiers == sorted(tiers)
    assert [one for one in found[1:] if Reason.BEST in one.why] == []
    assert recommend(CATALOGUE, machine, limit=3) == found[:3]
    for one in found:
        assert (Reason.SLOW in one.why) is not one.bearable
        assert one.quantization in one.entry.quantizations
        assert one.memory > one.quantization.size


@pytest.mark.parametrize(
    "family",
    [
        [computer(size, unified=True) for size in SIZES],
        [computer(size) for size in SIZES],
        [computer(size, cores=4) for size in SIZES],
        [computer(32, card=card) for card in (8, 12, 16, 24, 48)],
        [computer(size, card=12) for size in (16, 32, 64)],
        [computer(16, cores=cores) for cores in (2, 4, 6, 8, 16)],
    ],
    ids=["mac", "cpu", "old-cpu", "cards", "memory-beside-a-card", "cores"],
)
def test_a_better_computer_gets_an_answer_at_least_as_good(family):
    standings = [recommended(machine)[0].entry.standing for machine in family]
    assert standings == sorted(standings)


@pytest.mark.parametrize(
    ("machine", "least", "most"),
    [
        ("mac-4", 0.7e9, 2.5e9),
        ("mac-8", 2e9, 6e9),
        ("mac-16", 7e9, 16e9),
        ("mac-24", 10e9, 30e9),
        ("mac-32", 20e9, 40e9),
        ("mac-64", 25e9, 80e9),
        ("mac-128", 60e9, 130e9),
        ("cpu-4", 0.7e9, 2.5e9),
        ("cpu-8", 2e9, 6e9),
        ("cpu-16", 3e9, 9e9),
        ("cpu-32", 20e9, 40e9),
        ("32-card-8", 7e9, 10e9),
        ("32-card-12", 9e9, 16e9),
        ("32-card-24", 24e9, 40e9),
    ],
)
def test_the_size_of_the_first_choice_is_what_people_would_say(machine, least, most):
    assert least <= recommended(COMPUTERS[machine])[0].entry.parameters <= most


def test_without_a_graphics_card_active_parameters_decide():
    for size in (16, 32, 64, 128):
        first = recommended(computer(size))[0]
        assert first.entry.active_parameters <= 5.5e9
    dense = assess(CATALOGUE.entry("llama-3.3-70b"), computer(128))
    sparse = assess(CATALOGUE.entry("gpt-oss-120b"), computer(128))
    assert (dense.fit, sparse.fit) == (Fit.FITS, Fit.FITS)
    assert Reason.SLOW in dense.why
    assert Reason.FEW_ACTIVE in sparse.why
    assert sparse.speed > 5 * dense.speed


def test_a_card_goes_before_memory_where_the_model_fits_it():
    first = recommend(CATALOGUE, computer(32, card=12))[0]
    assert Reason.ON_GPU in first.why
    large = assess(CATALOGUE.entry("qwen3.6-27b"), computer(32, card=12))
    assert Reason.ON_GPU not in large.why
    whole = assess(CATALOGUE.entry("qwen3.6-27b"), computer(32, card=24))
    assert Reason.ON_GPU in whole.why
    assert whole.speed > 4 * large.speed


def test_small_models_get_more_bits_where_there_is_room():
    small = CATALOGUE.entry("qwen3.5-0.8b")
    assert assess(small, computer(16)).quantization.name == "Q8_0"
    assert Reason.BETTER_QUANTIZATION in assess(small, computer(16)).why
    assert assess(CATALOGUE.entry("qwen3.5-9b"), computer(64, card=24)).quantization.name == "Q4_K_M"


def test_fewer_bits_come_before_not_at_all():
    large = CATALOGUE.entry("gemma-4-26b-a4b")
    tight = assess(large, computer(24, unified=True))
    assert (tight.quantization.name, tight.fit) == ("Q3_K_M", Fit.FITS)
    assert Reason.SMALLER_QUANTIZATION in tight.why
    assert assess(large, computer(32, unified=True)).quantization.name == "Q4_K_M"


def test_what_is_free_now_counts_but_not_for_more_than_half():
    machine = computer(16, unified=True, free=0.9)
    busy = computer(16, unified=True, free=0.1)
    assert busy.room == busy.budget // 2 < machine.room
    model = CATALOGUE.entry("gemma-4-12b")
    assert assess(model, machine).fit is Fit.FITS
    assert assess(model, busy).fit is Fit.TIGHT
    assert Reason.CLOSE_PROGRAMS in assess(model, busy).why
    assert recommend(CATALOGUE, busy)[0].fit is Fit.FITS


def test_what_is_far_too_large_is_said_to_be():
    found = recommend(CATALOGUE, computer(8))
    assert [one.entry.id for one in found if one.fit is Fit.TOO_LARGE][-1] == "qwen3.5-122b-a10b"
    assert assess(CATALOGUE.entry("qwen3.5-122b-a10b"), computer(8)).fit is Fit.TOO_LARGE


@pytest.mark.parametrize("kind", list(Kind))
def test_models_for_one_purpose(kind):
    found = recommend(CATALOGUE, computer(32, unified=True), kind=kind)
    assert found
    assert all(kind in one.entry.kinds for one in found)


def test_a_computer_with_next_to_nothing_still_gets_a_list():
    found = recommend(CATALOGUE, Computer(GIB, GIB // 4, None, False, 1))
    assert found[0].fit is Fit.TOO_LARGE
    assert Reason.BEST not in found[0].why
    assert found[0].entry.id == "gemma-3-270m" or found[0].entry.id == "smollm2-135m"


@settings(max_examples=20, deadline=None, database=None)
@given(
    memory=st.integers(1, 512),
    share=st.floats(0, 1),
    card=st.none() | st.integers(1, 96),
    unified=st.booleans(),
    cores=st.integers(1, 64),
)
def test_any_computer_gets_an_order_that_holds(memory, share, card, unified, cores):
    machine = computer(memory, card=card, unified=unified, cores=cores, free=share)
    found = recommend(CATALOGUE, machine)
    fits = [one.fit for one in found]
    assert fits == sorted(fits)
    assert 0 <= machine.room <= machine.budget < machine.memory_total
    for one in found:
        assert one.fit is not Fit.FITS or one.memory <= max(machine.card, machine.room)


@each
def test_what_is_recommended_fits_by_its_memory(machine):
    for made in recommended(machine):
        if made.fit is Fit.FITS:
            assert fitting(made.memory, machine) is Fit.FITS
    assert fitting(1 << 50, machine) is Fit.TOO_LARGE
