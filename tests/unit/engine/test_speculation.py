"""Guessing ahead changes how fast an answer comes, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_driver import NO_END, Steps, write_small
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.generation import Turn
from app.domain.loading import LoadOptions
from app.domain.settings import Settings
from app.engine.speculation import MOST, Pace, PromptLookup

TEXTS = st.lists(st.integers(0, 3), max_size=60)


def stood_before(tokens: list[int], count: int, guess: list[int]) -> bool:
    """Return whether the last `count` tokens stood somewhere before, with `guess` behind them."""
    sought = tokens[len(tokens) - count :] + guess
    return any(tokens[at : at + len(sought)] == sought for at in range(len(tokens) - len(sought) + 1))


@given(TEXTS, st.integers(0, 20))
def test_a_guess_is_what_followed_the_same_words_before(tokens: list[int], most: int) -> None:
    guess = PromptLookup().draft(tokens, most)
    assert len(guess) <= most
    assert not guess or stood_before(tokens, 2, guess)


@given(TEXTS.filter(lambda tokens: len(tokens) > 3), st.integers(1, 20))
def test_whatever_stood_before_is_found(tokens: list[int], most: int) -> None:
    before_the_end = any(tokens[at : at + 3] == tokens[-3:] for at in range(len(tokens) - 3))
    assert PromptLookup().draft(tokens, most) or not before_the_end


@given(TEXTS, st.lists(st.integers(1, 7)))
def test_a_text_that_grows_gives_the_guesses_of_one_that_is_there_at_once(
    tokens: list[int], steps: list[int]
) -> None:
    growing, length = PromptLookup(), 0
    for step in steps:
        length = min(len(tokens), length + step)
        guess, fresh = growing.draft(tokens[:length], 9), PromptLookup().draft(tokens[:length], 9)
        shorter = min(len(guess), len(fresh))  # one has seen how far such guesses go
        assert guess[:shorter] == fresh[:shorter]
        assert fresh or not guess


def written_with_guesses(tokens: list[int], begun: int) -> tuple[int, int, int]:
    """Return the steps that write all behind the first `begun`, what was guessed, and how much right."""
    lookup, pace, steps = PromptLookup(), Pace(), 0
    while begun < len(tokens):
        guess = lookup.draft(tokens[:begun], pace.most) if pace.most else []
        right = 0
        while right < len(guess) and guess[right : right + 1] == tokens[begun + right : begun + right + 1]:
            right += 1
        pace.count(len(guess), right)
        begun, steps = begun + right + 1, steps + 1
    return steps, pace.drafted, pace.accepted


def test_guesses_go_as_far_as_those_before_came_true() -> None:
    numbers = [int(digit) for number in range(100, 500) for digit in f"{number}"]
    text = [token for at in range(0, len(numbers), 3) for token in (*numbers[at : at + 3], 10, 11)]
    steps, drafted, accepted = written_with_guesses(text, 50)  # "100, 101, 102, …", a token each sign
    assert steps < 0.75 * (len(text) - 50)
    assert accepted > 0.55 * drafted


def test_the_longer_the_match_the_longer_the_guess() -> None:
    beginning = list(range(100, 140))
    lengths = []
    for match in range(3, 25):
        guess = PromptLookup().draft([*beginning, 7, *beginning[:match]], MOST)
        assert guess == beginning[match : match + len(guess)]
        lengths.append(len(guess))
    assert lengths == sorted(lengths)
    assert 0 < lengths[0] < lengths[-1] == MOST


@given(st.lists(st.tuples(st.integers(0, MOST), st.integers(0, MOST)), max_size=60))
def test_a_pace_stays_in_its_bounds_and_counts_right(counts: list[tuple[int, int]]) -> None:
    pace, same = Pace(), Pace()
    for drafted, accepted in counts:
        pace.count(drafted, min(drafted, accepted))
        same.count(drafted, min(drafted, accepted))
        assert 0 <= pace.most <= MOST
        assert pace.most == same.most  # nothing but the counts decides
    assert pace.drafted == sum(drafted for drafted, _accepted in counts)
    assert pace.accepted == sum(min(pair) for pair in counts)


def test_guessing_ends_where_it_does_not_pay_and_is_tried_again_later() -> None:
    pace = Pace()
    wrong = 0
    while pace.most:
        pace.count(pace.most, 0)
        wrong += 1
        assert wrong < 5
    waited = 0
    while not pace.most:
        pace.count(0, 0)
        waited += 1
        assert waited < 1000
    assert waited > 10
    for _time in range(20):
        pace.count(pace.most, pace.most)
    assert pace.most == MOST


LINES = "apple = 1\nbanana = 2\ncherry = 3\ndate = 4\nelder = 5\n"
REPEAT = Turn("user", f"Repeat this exactly:\n{LINES}")


def greedy(count: int, **fields) -> Settings:
    return Settings(temperature=0, max_tokens=count, context=512, **fields)


@pytest.fixture(scope="module")
def steps() -> Iterator[Steps]:
    steps = Steps()
    yield steps
    steps.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small(tmp_path_factory.mktemp("model"))


@pytest.mark.real_model
def test_a_repeated_text_is_written_in_fewer_steps_and_stays_the_same(steps: Steps, smollm2: Path) -> None:
    turns = (REPEAT, Turn("assistant", LINES), Turn("user", "Once more, please, exactly the same."))
    plain = steps.ask(smollm2, *turns, settings=greedy(32, speculation=False))
    usual = steps.run(plain)
    guessed = steps.ask(smollm2, *turns, settings=greedy(32))
    fewer = steps.run(guessed)
    assert guessed.text == plain.text
    assert (plain.end.drafted_tokens, plain.end.accepted_tokens) == (0, 0)
    assert 0 < guessed.end.accepted_tokens <= guessed.end.drafted_tokens
    assert fewer < usual - 4
    assert guessed.end.generated_tokens == plain.end.generated_tokens


@settings(max_examples=12, deadline=None)
@given(st.text("abc ", min_size=1, max_size=6), st.integers(1, 40))
def test_guesses_of_a_model_that_repeats_itself_change_nothing(
    steps: Steps, small: Path, word: str, count: int
) -> None:
    question = Turn("user", word * 8)
    plain, plain_stats = steps.answer(small, question, settings=greedy(count, speculation=False))
    guessed, stats = steps.answer(small, question, settings=greedy(count))
    assert guessed == plain
    assert stats.generated_tokens == plain_stats.generated_tokens <= count
    assert stats.stop_reason == plain_stats.stop_reason


def test_several_answers_guess_side_by_side(steps: Steps, small: Path) -> None:
    questions = [Turn("user", word * 12) for word in ("ab ", "cab ", "bbc ")]
    settings = greedy(60, logit_bias=NO_END)
    plain = [
        steps.answer(small, question, settings=greedy(60, logit_bias=NO_END, speculation=False))[0]
        for question in questions
    ]
    asked = [steps.ask(small, question, settings=settings) for question in questions]
    steps.run(*asked)
    assert [each.text for each in asked] == plain
    assert sum(each.end.accepted_tokens for each in asked)


def test_a_given_seed_and_a_limit_of_one_token_guess_nothing(steps: Steps, small: Path) -> None:
    for chosen in (greedy(30, seed=3, logit_bias=NO_END), greedy(1, logit_bias=NO_END)):
        _text, stats = steps.answer(small, Turn("user", "ab " * 20), settings=chosen)
        assert stats.drafted_tokens == 0


def test_guesses_do_not_go_beyond_the_context(steps: Steps, small: Path) -> None:
    settings = Settings(temperature=0, context=256, logit_bias=NO_END)
    _text, stats = steps.answer(small, Turn("user", "ab " * 40), settings=settings)
    assert stats.accepted_tokens
    assert stats.prompt_tokens + stats.generated_tokens == 257


@pytest.mark.real_model
def test_a_model_that_guesses_for_itself_is_nearly_always_right(steps: Steps, smollm2: Path) -> None:
    question = Turn("user", "Count from 1 to 20.")
    plain, _stats = steps.answer(smollm2, question, settings=greedy(16, speculation=False))
    asked = steps.ask(smollm2, question, settings=greedy(16), options=LoadOptions(draft=smollm2))
    count = steps.run(asked)
    assert asked.text == plain
    assert asked.end.accepted_tokens >= 0.8 * asked.end.drafted_tokens > 4
    assert count < 12


def test_a_draft_model_reads_each_of_several_answers_once(steps: Steps, small: Path) -> None:
    questions = [Turn("user", f"{name} likes apples. " * 3) for name in ("Anna", "Bert", "Carl")]
    options, chosen = LoadOptions(draft=small), greedy(24, logit_bias=NO_END)
    alone = [steps.answer(small, question, settings=chosen)[0] for question in questions]
    draft = steps.load(small, 512, options).draft
    assert draft
    decode, computed = draft._context.decode, 0

    def count(parts):
        nonlocal computed
        computed += sum(len(part.tokens) for part in parts)
        decode(parts)

    draft._context.decode = count
    versions = [*questions, questions[0]]
    asked = [steps.ask(small, question, settings=chosen, options=options) for question in versions]
    steps.run(*asked)
    assert [each.text for each in asked] == [*alone, alone[0]]
    for each in asked:
        assert each.end.accepted_tokens >= 0.8 * each.end.drafted_tokens > 4
    assert computed < 1.5 * sum(each.end.prompt_tokens + 24 for each in asked)


def test_a_draft_model_without_room_for_all_answers_still_guesses_for_each(steps: Steps, small: Path) -> None:
    questions = [Turn("user", f"{name} likes apples. " * 10) for name in ("Anna", "Bert", "Carl")]
    options, chosen = (
        LoadOptions(draft=small),
        Settings(temperature=0, max_tokens=12, context=256, logit_bias=NO_END),
    )
    for question in questions * 2:
        _text, stats = steps.answer(small, question, settings=chosen, options=options)
        assert stats.generated_tokens == 12
        assert stats.accepted_tokens > 4


@pytest.mark.real_model
def test_a_model_with_another_vocabulary_is_refused_in_words(
    steps: Steps, smollm2: Path, gemma: Path
) -> None:
    asked = steps.ask(smollm2, Turn("user", "Hi."), settings=greedy(2), options=LoadOptions(draft=gemma))
    steps.run(asked, most=2)
    assert "different vocabularies" in asked.error
    assert gemma.name in asked.error
    assert steps.answer(smollm2, Turn("user", "Hi."), settings=greedy(2))[0]
