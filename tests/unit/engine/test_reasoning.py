import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.engine.reasoning import FAMILIES, Markers, ReasoningStream, markers_in

THINK = Markers(("<think>",), ("</think>",))
HARMONY = FAMILIES[0]
GRANITE = next(family for family in FAMILIES if "<response>" in family.silent)


def told_apart(text, markers=THINK, opened=False, size=None):
    stream = ReasoningStream(markers, opened)
    size = size or max(1, len(text))
    pieces = [p for at in range(0, len(text), size) for p in stream.push(text[at : at + size])]
    pieces += stream.finish()
    assert all(text for text, _reasoning in pieces)
    return tuple("".join(t for t, reasoning in pieces if reasoning is which) for which in (True, False))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "opened", "reasoning", "answer"),
    [
        ("<think>\nHm.\n</think>\n\nYes.", False, "Hm.", "Yes."),
        ("Hm.\n</think>\n\nYes.", True, "Hm.", "Yes."),
        ("<think>Hm.</think>Yes.", True, "Hm.", "Yes."),  # opened by the prompt and by the model
        ("<think>\n\n</think>\n\nYes.", False, "", "Yes."),
        ("</think>\n\nYes.", True, "", "Yes."),
        ("Yes.", False, "", "Yes."),
        ("  Yes. \n", False, "", "  Yes. \n"),
        ("<thin ice>", False, "", "<thin ice>"),
        ("Say <think> and </think>.", False, "", "Say <think> and </think>."),
        ("<think>a </thin b\n\nc", False, "a </thin b\n\nc", ""),  # never closed
        ("<think>a\n", False, "a", ""),
        ("Yes. <thi", False, "", "Yes. <thi"),
        ("<thi", False, "", "<thi"),
        ("<think>a</thi", False, "a</thi", ""),
        (" \n", False, "", " \n"),
        ("", True, "", ""),
    ],
)
def test_reasoning_is_told_apart(text, opened, reasoning, answer, size):
    assert told_apart(text, opened=opened, size=size) == (reasoning, answer)


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_harmony(size):
    text = (
        "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary<|message|>I look. "
        "<|end|><|start|>assistant<|channel|>analysis<|message|>Aha.<|end|>"
        "<|start|>assistant<|channel|>final<|message|>Yes."
    )
    assert told_apart(text, HARMONY, size=size) == ("Hm.Aha.", "I look. Yes.")
    assert told_apart("<|channel|>final<|message|>Yes.", HARMONY, size=size) == ("", "Yes.")


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_markers_around_the_answer_are_shown_to_nobody(size):
    text = "<think>Hm.</think><response>Yes.</response>"
    assert told_apart(text, GRANITE, size=size) == ("Hm.", "Yes.")


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            ["<think>", "</think>", "<response>", "</response>", "<|end|>", "<|channel|>analysis<|message|>",
             "<|start|>assistant", "<|channel|>final<|message|>", "<", "</th", "a", " ", "\n", "火"]
        ), max_size=12,
    ).map("".join),
    st.lists(st.integers(1, 20), min_size=1, max_size=20),
    st.sampled_from([THINK, HARMONY, GRANITE, None]),
    st.booleans(),
)  # fmt: skip
@example("<think>a", [3], THINK, False)
def test_any_cut_gives_the_same(text, sizes, markers, opened):
    stream = ReasoningStream(markers, opened)
    pieces, at = [], 0
    for size in sizes:
        pieces += stream.push(text[at : at + size])
        at += size
    pieces += stream.push(text[at:])
    pieces += stream.finish()
    cut = tuple("".join(t for t, reasoning in pieces if reasoning is which) for which in (True, False))
    assert cut == told_apart(text, markers, opened)


def test_without_markers_all_is_the_answer():
    stream = ReasoningStream(None, opened=True)
    assert stream.push(" <think>") == [(" <think>", False)]
    assert stream.push("") == []
    assert stream.finish() == []
    assert not stream.open


def test_what_is_certain_is_given_out_at_once():
    stream = ReasoningStream(THINK)
    assert stream.push("<think>") == []
    assert stream.open
    assert stream.push("Hm") == [("Hm", True)]
    assert stream.push(" and</") == [(" and", True)]
    assert stream.push("b>") == [("</b>", True)]
    assert stream.push("</think>\n") == []
    assert not stream.open
    assert stream.push("Yes <thi") == [("Yes <thi", False)]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.start[-1])
def test_each_family_tells_apart_what_it_writes(family):
    text = f"{family.start[-1]}{family.gap}Hm.{family.closing}Yes."
    assert told_apart(text, family, size=1) == ("Hm.", "Yes.")
    assert family.opened(f"assistant{family.start[-1]}\n")
    assert not family.opened(f"assistant{family.start[-1]}{family.closing}")


def test_families_are_found_by_what_a_template_says():
    assert markers_in("x <think> y </think> z") == THINK
    assert markers_in("content.split('</think>')[-1]") == THINK
    assert markers_in("<think></think> and <response></response>") == GRANITE
    assert markers_in("<|user|>{{ content }}<|end|>") is None
    assert markers_in("", {"<think>", "</think>"}.__contains__) == THINK


def test_tags_that_may_be_control_tokens():
    assert THINK.tokens == ("<think>", "</think>")
    assert set(HARMONY.tokens) == {"<|start|>", "<|channel|>", "<|message|>", "<|end|>"}
