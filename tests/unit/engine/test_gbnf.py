"""Grammars that are refused, with place and reason; all others load in llama.cpp and can be followed."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import UserError
from app.engine import gbnf
from app.engine.grammar import Grammar
from app.engine.model import LoadedModel

GOOD = (
    'root ::= "a"',
    'root ::= ("x" | "y" root)? # both\n',
    'root ::= item ("," ws item)*\nitem ::= [^,\\x00-\\x1F"]{1,20}\nws ::= " "?\n',
    "root ::=\n  expr |\n  [0-9]+\r\nexpr ::= [a-z] ( [-+*/]\n expr )?\r\n",
    'root ::= "\\u00e9\\x41\\U0001F600\\"\\n" . [\\]\\-a-z-]{2,}',
    'root ::= "" | "é"{0,3}',
)
BAD = (
    ("", 1, 1, "“root” is missing"),
    ('start ::= "a"', 1, 1, "“root” is missing"),
    ('root ::= "a', 1, 10, "no closing quote"),
    ("root ::= (", 1, 10, "not closed"),
    ('root ::= "a" )', 1, 14, "not expected"),
    ('root ::= "a"\n  | "b"', 2, 3, "line above"),
    ('root ::= "a"\nroot ::= "b"', 2, 1, "defined twice"),
    ("root ::= missing", 1, 10, "“missing” is used here but not defined"),
    ('root ::= root "a" | "b"', 1, 1, "start with itself"),
    ('root ::= x root "b" | "c"\nx ::= y\ny ::= | "a"', 1, 1, "start with itself"),
    ('root ::= "a" root', 1, 1, "can never end"),
    ('root ::= ("a"?)*', 1, 16, "can be empty"),
    ("root ::= *", 1, 10, "nothing before this"),
    ('root ::= "a"{3,2}', 1, 13, "upper limit"),
    ('root ::= "a"{0,2001}', 1, 13, "at most 2,000 times"),
    ('root ::= ("a"{0,100}){100}', 1, 22, "at most 2,000 times"),
    ('root ::= "a"{1', 1, 13, "{2} (twice), {2,} (twice or more) or {2,5} (2 to 5 times)"),
    ("root ::= [z-a]", 1, 11, "comes after its last"),
    ("root ::= []", 1, 10, "matches nothing"),
    ("root ::= [^\\x00-\\U0010FFFF]", 1, 10, "matches nothing"),
    ('root ::= "\\q"', 1, 11, "must be followed by"),
    ('root ::= "\\ud800"', 1, 11, "half a surrogate pair"),
    ("root ::= <think>", 1, 10, "angle brackets"),
    ("root = 1", 1, 6, "“::=” must follow"),
    ("root ::= " + "(" * 101 + '"a"' + ")" * 101, 1, 110, "at most 100 deep"),
    ("root ::= " + '"' + "a" * 1000 + '"{2000}', 1, 1012, "too large"),
    (
        "\n".join(f'r{i} ::= r{i + 1} "x" | r{i + 1} "y"' for i in range(30)) + '\nr30 ::= "a"\nroot ::= r0',
        19,
        1,
        "too many ways",
    ),
)


@pytest.mark.parametrize("text", GOOD)
def test_a_good_grammar_loads(model: LoadedModel, text: str) -> None:
    Grammar(model, text).close()


@pytest.mark.parametrize(("text", "line", "column", "reason"), BAD)
def test_a_bad_grammar_is_refused_with_its_place(text: str, line: int, column: int, reason: str) -> None:
    with pytest.raises(UserError) as refused:
        gbnf.check(text)
    assert f"line {line}, column {column}." in refused.value.message
    assert reason in refused.value.hint


@st.composite
def mutated(draw) -> str:
    text = draw(st.sampled_from(GOOD))
    piece = st.sampled_from(
        ["(", ")", "|", "*", "+", "?", "{2}", "{0,}", '"', "[", "]", "^", "\\", "root", "\n"]
    )
    for _step in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 3))
        text = text[:at] + draw(piece | st.sampled_from(GOOD) | st.text(max_size=3)) + text[at + cut :]
    return text


@pytest.mark.real_model
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=mutated() | st.text(max_size=30))
def test_any_text_is_refused_in_words_or_loads_and_can_be_followed(model: LoadedModel, text: str) -> None:
    try:
        grammar = Grammar(model, text)
    except UserError:
        return
    token = 0
    for _step in range(8):
        token = next((t for t in range(token + 1, token + 400) if grammar.allows(t)), 0)
        if not token:
            break
        grammar.accept(token)
    grammar.close()
