"""Which messages of a long chat are sent."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.budget import (
    TARGET,
    WATCH,
    Budget,
    Choice,
    Digest,
    Policy,
    Rules,
    Weight,
    horizon,
    least_room,
    room_to_answer,
    summary_size,
)

messages = st.lists(
    st.tuples(st.integers(1, 200), st.booleans()).flatmap(
        lambda turn: st.just((Weight(turn[0], True, turn[1]), Weight(turn[0] // 2 + 1, False)))
    ),
    min_size=1,
    max_size=30,
).map(lambda turns: [weight for turn in turns for weight in turn][:-1])


def tokens_of(fixed: int, weights: list[Weight], choice: Choice) -> int:
    sent = [w.tokens for n, w in enumerate(weights) if n >= choice.start or w.pinned]
    return fixed + sum(sent) + (choice.digest.tokens if choice.digest else 0)


@given(messages, st.integers(0, 100), st.integers(50, 2000), st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_sent_fits_and_holds_what_must_stay(weights, fixed, limit, data):
    since = data.draw(st.sampled_from([n for n, w in enumerate(weights) if w.asks]))
    held = data.draw(st.none() | st.builds(Digest, st.integers(1, len(weights)), st.integers(1, 80)))
    starts = [n for n, w in enumerate(weights) if w.asks and n]
    ahead = (
        data.draw(st.none() | st.builds(Digest, st.sampled_from(starts), st.integers(1, 80)))
        if starts
        else None
    )
    summarises = data.draw(st.booleans())
    rules = Rules(fixed, weights, limit)
    choice = rules.choose(since=since, held=held, ahead=ahead, summarises=summarises, most_summary=60)
    last = max(n for n, w in enumerate(weights) if w.asks)
    if choice is None:
        assert rules.cost(last) > limit
        return
    assert choice.start <= last
    assert weights[choice.start].asks or choice.start == 0
    assert choice.tokens <= limit
    assert choice.digest in {None, held, ahead}
    if choice.wanted is None:
        assert tokens_of(fixed, weights, choice) == choice.tokens
    else:
        assert summarises
        assert choice.wanted == choice.start > 0
    if choice.digest:
        assert choice.start > 0
        assert choice.digest.until <= choice.start


@given(messages, st.integers(300, 900))
@settings(max_examples=100, deadline=None)
def test_a_prompt_mostly_begins_as_the_one_before_and_never_goes_back(weights, limit):
    since, moves, given_up = 0, 0, 0
    for end in range(1, len(weights) + 1, 2):
        rules = Rules(20, [Weight(w.tokens, w.asks) for w in weights[:end]], limit)
        choice = rules.choose(since=since)
        assert choice
        assert choice.start >= since
        if choice.start > since:
            moves += 1
            given_up += rules.cost(since) - rules.cost(choice.start)
        since = choice.start
    everything = sum(w.tokens for w in weights)
    # Each move gives up a block; a turn has at most 301 tokens.
    assert moves * ((1 - TARGET) * limit - 301) <= given_up <= everything


@given(messages, st.integers(200, 2000))
@settings(max_examples=100, deadline=None)
def test_a_summary_is_written_ahead_from_three_quarters_on(weights, limit):
    rules = Rules(20, weights, limit)
    until = rules.ahead(since=0, held=0, most_summary=50)
    if rules.cost(0) < WATCH * limit:
        assert until is None
    elif len(weights) > 1:
        assert until is not None
        assert weights[until].asks
        assert until > 0


def test_a_chat_that_fits_again_is_seen_whole_again():
    weights = [Weight(100, True), Weight(50, False), Weight(100, True)]
    assert Rules(0, weights, 200).choose() == Choice(2, None, None, 100)
    assert Rules(0, weights, 300).choose(since=2) == Choice(2, None, None, 100)
    assert Rules(0, weights, 900).choose(since=2) == Choice(0, None, None, 250)


def test_a_summary_that_is_there_takes_the_place_of_what_it_covers():
    weights = [Weight(100, True), Weight(50, False), Weight(100, True), Weight(50, False), Weight(90, True)]
    rules = Rules(10, weights, 300)
    wanted = rules.choose(summarises=True, most_summary=30)
    assert wanted
    assert wanted.wanted == 4
    assert rules.choose(ahead=Digest(2, 20), summarises=True) == Choice(2, Digest(2, 20), None, 270)
    assert rules.choose(since=2, held=Digest(2, 20), summarises=True) == Choice(2, Digest(2, 20), None, 270)
    # One that is too long to be sent is not asked for again.
    assert rules.choose(ahead=Digest(4, 250), summarises=True, most_summary=30) == Choice(4, None, None, 100)


def test_readable_stretches_end_with_a_turn():
    weights = [Weight(100, True), Weight(50, False)] * 4
    rules = Rules(10, weights, 400)
    assert rules.readable(0, 8, 0) == 4
    assert rules.readable(4, 6, 0) == 6
    assert rules.readable(0, 8, 300) == 0


def test_there_is_room_to_answer():
    assert room_to_answer(8192, None) == 1024
    assert room_to_answer(512, None) == 128
    assert room_to_answer(512, 10) == 10
    assert room_to_answer(512, 5000) == 256
    assert least_room(512, None) == 32
    assert least_room(512, 10) == 10
    assert summary_size(256) == 48
    assert summary_size(1 << 20) == 512


def test_the_line_is_where_the_newest_answer_says():
    assert horizon([]) is None
    assert horizon([(1, None), (2, 1), (3, None)]) is None
    assert horizon([(1, None), (2, 1), (3, None), (4, 3)]) == 3
    assert horizon([(1, None), (2, 1), (3, None), (4, 3), (5, None), (6, 1)]) is None
    assert horizon([(1, None), (2, 9)]) is None


def test_a_budget_asks_once_when_the_context_is_nearly_full():
    near = Budget(1000, turns=700, draft=60, room=100)
    assert near.asks
    assert near.free == 140
    assert not Budget(1000, turns=600, room=100).asks
    assert not Budget(1000, policy=Policy.DROP, turns=700, draft=60, room=100).asks
