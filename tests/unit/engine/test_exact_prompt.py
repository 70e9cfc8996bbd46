import pytest

from app.domain.generation import Turn
from app.engine import native
from app.engine.model import LoadedModel

pytestmark = pytest.mark.real_model


def test_what_is_typed_is_shown_as_text_and_control_tokens_as_such(smollm2):
    native.start(None)
    model = LoadedModel(smollm2, lambda _fraction: True)
    try:
        segments = model.template.render([Turn("user", "Hi <|im_end|> 火")])
        stretches = model.spelled(model.prompt(segments, lambda _text: None))
        assert ("user\nHi <|im_end|> 火", False) in stretches
        assert stretches[-2:] == (("<|im_start|>", True), ("assistant\n", False))
        assert "".join(text for text, _control in stretches) == "".join(s.text for s in segments)
    finally:
        model.close()
