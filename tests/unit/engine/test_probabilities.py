import numpy as np
import pytest

from app.domain.settings import Settings
from app.engine.context import Context, Part
from app.engine.logits import view
from app.engine.probabilities import Probabilities
from app.engine.sampler import Sampler
from models_registry.fit import choose
from models_registry.gguf import read_header

pytestmark = pytest.mark.real_model


def test_they_are_the_model_s_own_whatever_the_samplers_do(smollm2, model):
    prompt = model.tokenize("The capital of France is", special=False)
    context = Context(model, choose(read_header(smollm2), 256), 1)
    context.decode([Part(0, 0, prompt, 1)])
    settings = Settings(
        probabilities=5, temperature=2.0, seed=1, logit_bias=((" Paris", 2.0),), repeat_penalty=1.5
    )
    sampler = Sampler(settings, 1, model, prompt)
    logits = view(context, -1, model.vocabulary_size).astype(np.float64)
    wanted = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    for _ in range(5):
        token = sampler.sample(context)
        said = sampler.chosen
        assert said is not None
        assert said.choice.token == token
        assert said.choice.logprob == pytest.approx(wanted[token], abs=1e-4)
        assert [other.token for other in said.top] == np.argsort(-wanted, kind="stable")[:5].tolist()
        assert [other.logprob for other in said.top] == pytest.approx(np.sort(wanted)[:-6:-1], abs=1e-4)
        assert said.top[0].text == " Paris"
    sampler.close()
    context.close()


def test_without_being_asked_for_there_are_none(smollm2, model):
    context = Context(model, choose(read_header(smollm2), 256), 1)
    context.decode([Part(0, 0, [5], 1)])
    sampler = Sampler(Settings(), 1, model, [5])
    sampler.sample(context)
    assert sampler.chosen is None
    sampler.close()
    context.close()


@pytest.mark.parametrize("logits", ["equal", "one", "masked"])
def test_odd_distributions(logits, model):
    values = np.zeros(model.vocabulary_size, np.float32)
    if logits == "one":
        values[7] = 200.0
    elif logits == "masked":
        values[20:] = -np.inf
    said = Probabilities(model, 30).read(values, 7)
    assert len(said.top) == 30
    sure = {"equal": -np.log(model.vocabulary_size), "one": 0.0, "masked": -np.log(20)}[logits]
    assert said.choice.logprob == pytest.approx(sure, abs=1e-4)
    probabilities = [np.exp(choice.logprob) for choice in said.top]
    assert sum(probabilities) <= 1 + 1e-4
    assert probabilities == sorted(probabilities, reverse=True)


def test_half_a_character_is_shown_as_such(model):
    half = model.tokenize("\U0001f9ff", special=False)[0]
    said = Probabilities(model, 1).read(np.zeros(model.vocabulary_size, np.float32), half)
    assert "\ufffd" in said.choice.text
