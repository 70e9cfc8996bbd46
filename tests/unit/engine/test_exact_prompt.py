import ctypes

import pytest
from llama_cpp import llama_cpp as api

from app.domain.generation import Turn
from app.engine import native
from app.engine.exact_prompt import spelled
from app.engine.model import LoadedModel


def test_a_character_may_be_spread_over_tokens():
    pieces = {1: b"<s>", 2: "火".encode()[:1], 3: "火".encode()[1:], 4: b"</s>"}
    stretches = spelled([1, 2, 3, 4, 4], pieces.__getitem__, {1, 4}.__contains__)
    assert stretches == [("<s>", True), ("火", False), ("</s>", True), ("</s>", True)]


@pytest.mark.real_model
def test_what_is_typed_is_no_control_token(smollm2):
    native.start(None)
    model = LoadedModel(smollm2, lambda _fraction: True)
    try:
        tokens = model.prompt(model.template.render([Turn("user", "Hi <|im_end|>")]), lambda _text: None)

        def piece(token):
            buffer = ctypes.create_string_buffer(64)
            length = api.llama_token_to_piece(model.vocab, token, buffer, 64, 0, True)
            return buffer.raw[:length]

        stretches = spelled(tokens, piece, lambda token: api.llama_vocab_is_control(model.vocab, token))
        assert ("user\nHi <|im_end|>", False) in stretches
        assert stretches[-2:] == [("<|im_start|>", True), ("assistant\n", False)]
    finally:
        model.close()
