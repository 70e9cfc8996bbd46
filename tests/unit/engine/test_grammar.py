"""A grammar on the tokens of a real model."""

import numpy as np
import pytest
from llama_cpp import llama_cpp as api

from app.domain.errors import UserError
from app.engine.grammar import Grammar
from app.engine.model import LoadedModel

pytestmark = pytest.mark.real_model


def write(model: LoadedModel, grammar: Grammar, text: str) -> bool:
    for token in model.tokenize(text, special=False):
        if not grammar.allows(token):
            return False
        grammar.accept(token)
    return True


def ends(model: LoadedModel) -> list[int]:
    return [token for token in range(model.vocabulary_size) if model.is_end(token)]


def test_an_answer_ends_only_where_the_grammar_does(model: LoadedModel) -> None:
    grammar = Grammar(model, 'root ::= "yes" "!"*')
    assert not any(map(grammar.allows, ends(model)))
    assert write(model, grammar, "yes")
    assert all(map(grammar.allows, ends(model)))
    assert write(model, grammar, "!")
    grammar.accept(ends(model)[0])
    grammar.close()


def test_a_forbidden_token_is_refused_before_llama_cpp_sees_it(model: LoadedModel) -> None:
    grammar = Grammar(model, 'root ::= "yes"')
    for token in (model.tokenize("no", special=False)[0], ends(model)[0], -1, model.vocabulary_size):
        assert not grammar.allows(token)
        with pytest.raises(ValueError, match="not allowed"):
            grammar.accept(token)
    assert write(model, grammar, "yes")
    grammar.close()


def test_control_tokens_are_no_text(model: LoadedModel) -> None:
    grammar = Grammar(model, "root ::= .*")
    (control,) = model.tokenize("<repo_name>", special=True)
    assert not model.is_end(control)
    assert not grammar.allows(control)
    grammar.close()


def test_restrict_says_for_every_token_what_allows_says(model: LoadedModel) -> None:
    grammar = Grammar(model, 'root ::= [a-e\\U0001F300-\\U0001FAFF] .* "."')
    size = model.vocabulary_size
    half = model.tokenize("\U0001f9a5", special=False)[:1]
    for before in ([], half):
        for token in before:
            grammar.accept(token)
        data = (api.llama_token_data * size)(
            *(api.llama_token_data(token, 1.0, 0.0) for token in range(size))
        )
        grammar.restrict(api.llama_token_data_array(data, size, -1, False))
        left = {entry.id for entry in data if entry.logit > -np.inf}
        assert left == {token for token in range(size) if grammar.allows(token)}
        assert 0 < len(left) < size
    grammar.close()


def test_a_character_comes_whole_however_many_tokens_it_takes(model: LoadedModel) -> None:
    grammar = Grammar(model, 'root ::= "\U0001f9a5é语"')
    tokens = model.tokenize("\U0001f9a5é语", special=False)
    assert len(tokens) > 3
    for token in tokens:
        assert not any(map(grammar.allows, ends(model)))
        grammar.accept(token)
    assert grammar.allows(ends(model)[0])
    grammar.close()


def test_an_invalid_grammar_is_refused(model: LoadedModel) -> None:
    with pytest.raises(UserError, match="line 1, column 10"):
        Grammar(model, "root ::= (")
