"""The samplers against llama.cpp's own chain, on logits of a real model and on made-up ones."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as rounds
from hypothesis import strategies as st
from llama_cpp import llama_cpp as api

from app.domain import sampler_order
from app.domain.errors import UserError
from app.domain.settings import SAMPLERS, Settings
from app.engine import chain
from app.engine.context import Context, Part
from app.engine.grammar import Grammar
from app.engine.logits import Candidates, likeliest, view
from app.engine.narrowing import Narrowing
from app.engine.sampler import Sampler
from models_registry.fit import choose
from models_registry.gguf import read_header

pytestmark = pytest.mark.real_model

TEXT = (
    "The history of the city begins in the year of the king, and the history of the city ends in the year of"
)
KINDS = {
    "greedy": Settings(temperature=0),
    "usual": Settings(),
    "everything kept": Settings(top_k=0, top_p=1.0, min_p=0.0),
    "no top-k": Settings(top_k=0),
    "typical": Settings(typical_p=0.5),
    "xtc": Settings(xtc_probability=0.7, xtc_threshold=0.02, temperature=1.3),
    "sigma": Settings(top_n_sigma=1.0),
    "penalties": Settings(repeat_penalty=1.3, frequency_penalty=0.3, presence_penalty=-0.2, repeat_last_n=9),
    "dry": Settings(dry_multiplier=0.8, dry_allowed_length=1, temperature=0),
    "bias": Settings(logit_bias=((" king", 4.0), (5, -3.0)), temperature=1.2),
    "moving temperature": Settings(dynamic_range=0.5, dynamic_exponent=1.5),
    "mirostat 1": Settings(mirostat=1, mirostat_tau=3.0),
    "mirostat 2": Settings(mirostat=2, mirostat_eta=0.3),
    "adaptive": Settings(adaptive_target=0.3, temperature=1.0),
}


@pytest.fixture(scope="module")
def prompt(model):
    return model.tokenize(TEXT, special=False)


@pytest.fixture(scope="module")
def context(smollm2, model, prompt):
    """A context that has read the prompt, with logits of its last two tokens."""
    context = Context(model, choose(read_header(smollm2), 256), 1)
    context.decode([Part(0, 0, prompt, 2)])
    yield context
    context.close()


def whole_chain(settings, seed, model, prompt):
    """Return what llama.cpp's tools would build: one chain, over the whole vocabulary."""
    resolved = settings.resolved({})
    built = chain.build(sampler_order.order(settings), resolved, seed, model)
    for token in prompt[-max(resolved.repeat_last_n, resolved.dry_last_n) :]:
        api.llama_sampler_accept(built, token)
    return built


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_are_those_of_llama_cpp_s_chain(kind, model, context, prompt):
    raw = view(context, -1, model.vocabulary_size).copy()
    sampler, whole = Sampler(KINDS[kind], 7, model, prompt), whole_chain(KINDS[kind], 7, model, prompt)
    drawn = [
        (sampler.sample(context), api.llama_sampler_sample(whole, context.handle, -1)) for _ in range(12)
    ]
    sampler.close()
    api.llama_sampler_free(whole)
    assert all(ours == theirs for ours, theirs in drawn), drawn
    assert (view(context, -1, model.vocabulary_size) == raw).all()


def test_each_output_of_a_batch_can_be_sampled(model, context, prompt):
    sampler = Sampler(Settings(temperature=0), 0, model, prompt)
    count = len(prompt)
    tokens = [sampler.sample(context, index) for index in (count - 2, count - 1, -1)]
    assert tokens == [
        int(view(context, i, model.vocabulary_size).argmax()) for i in (count - 2, count - 1, -1)
    ]
    with pytest.raises(RuntimeError):
        sampler.sample(context, 0)
    sampler.close()


def test_what_was_just_written_counts(model, context, prompt):
    """With a heavy penalty greedy sampling never writes a token twice."""
    sampler = Sampler(Settings(temperature=0, presence_penalty=2.0, repeat_penalty=5.0), 0, model, prompt)
    tokens = [sampler.sample(context) for _ in range(20)]
    sampler.close()
    assert len(set(tokens)) == 20
    assert not set(tokens) & set(prompt)


def test_the_order_is_llama_cpp_s_and_says_what_runs():
    everything = Settings(
        repeat_penalty=1.1, dry_multiplier=1.0, top_n_sigma=1.0, typical_p=0.9, xtc_probability=0.5,
        logit_bias=(("a", 1.0),),
    )  # fmt: skip
    assert sampler_order.order(everything) == (
        "logit_bias", "penalties", "dry", "top_n_sigma", "top_k", "typical_p", "top_p", "min_p", "xtc",
        "temperature", "draw",
    )  # fmt: skip
    assert sampler_order.order(Settings(temperature=0, repeat_penalty=1.1)) == ("penalties", "greedy")
    assert sampler_order.order(Settings(mirostat=2, repeat_penalty=1.1)) == ("temperature", "mirostat")
    assert sampler_order.order(Settings(adaptive_target=0.5))[-1] == "adaptive_target"


def test_a_token_that_the_model_lacks_is_named(model, prompt):
    with pytest.raises(UserError, match="49152"):
        Sampler(Settings(logit_bias=((49152, 1.0),)), 0, model, prompt)


def test_logits_that_are_no_numbers_are_told(model, context, prompt):
    logits = view(context, -1, model.vocabulary_size)
    raw = logits.copy()
    sampler = Sampler(Settings(), 0, model, prompt)
    try:
        for broken in (np.nan, -np.inf, np.inf):
            logits[:] = broken
            with pytest.raises(UserError, match="probabilities"):
                sampler.sample(context)
    finally:
        logits[:] = raw
        sampler.close()


class Only:
    """Stands for a grammar: allows the tokens it is given, whatever came before."""

    def __init__(self, tokens):
        self.tokens = set(tokens)
        self.asked = 0
        self.written = []

    def allows(self, token):
        return token in self.tokens

    def restrict(self, candidates):
        self.asked += candidates.size
        for i in range(candidates.size):
            if candidates.data[i].id not in self.tokens:
                candidates.data[i].logit = -np.inf

    def accept(self, token):
        assert token in self.tokens
        self.written.append(token)

    def close(self):
        self.tokens = set()


SAMPLING = st.builds(
    Settings,
    top_k=st.sampled_from([0, 1, 5, 40, 700]),
    top_p=st.sampled_from([0.0, 0.3, 0.95, 1.0]),
    min_p=st.sampled_from([0.0, 0.05, 0.5]),
    typical_p=st.sampled_from([1.0, 1.0, 0.5]),
    top_n_sigma=st.sampled_from([0.0, 0.0, 1.5]),
    xtc_probability=st.sampled_from([0.0, 1.0]),
    xtc_threshold=st.just(0.01),
    temperature=st.sampled_from([0, 0.7, 1.5]),
    dynamic_range=st.sampled_from([0.0, 0.5]),
).map(lambda settings: settings.resolved({}))


def left(candidates, settings, model):
    """Return what the samplers leave of `candidates` for the draw, with the logits."""
    names = sampler_order.choosing(settings)
    built = chain.build(names if names == ("greedy",) else names[:-1], settings, 3, model)
    candidates.apply(built)
    api.llama_sampler_free(built)
    if names == ("greedy",):
        return {candidates.chosen: 0.0}
    array = candidates.array
    found = ((array.data[i].id, array.data[i].logit) for i in range(array.size))
    return {token: logit for token, logit in found if logit > -np.inf}


@rounds(max_examples=300, deadline=None)
@given(
    SAMPLING,
    st.integers(0, 2**32 - 1),
    st.sampled_from([1.0, 3.0, 9.0]),
    st.sampled_from([1, 3, 60, 2000, 4000]),
)
def test_the_likeliest_tokens_are_enough(model, settings, seed, spread, count):
    """What is left for the draw is the same as when every allowed token had been looked at."""
    random = np.random.default_rng(seed)
    logits = (random.standard_normal(4000) * spread).astype(np.float32)
    some = np.sort(random.choice(4000, count, replace=False)).astype(np.int32)
    narrowing = Narrowing(settings)
    whole = Candidates(some, logits[some])
    few = narrowing.among_allowed(logits, Only(some.tolist()))
    assert left(few, settings, model) == pytest.approx(left(whole, settings, model), abs=1e-5)
    every = Candidates(np.arange(4000, dtype=np.int32), logits)
    assert left(narrowing.among_all(logits), settings, model) == pytest.approx(
        left(every, settings, model), abs=1e-5
    )


@given(st.integers(0, 2**32 - 1), st.integers(1, 5000))
def test_the_likeliest_are_likelier_than_the_rest(seed, count):
    logits = np.random.default_rng(seed).standard_normal(3000).astype(np.float32)
    logits[:7] = -np.inf
    found = likeliest(logits, count)
    rest = np.setdiff1d(np.arange(3000), found)
    assert len(found)
    assert (logits[found] > -np.inf).all()
    assert not len(rest) or logits[rest].max() < logits[found].min()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "everything kept"])
def test_only_allowed_tokens_are_written(kind, model, context, prompt):
    grammar = Only([40000, 12, 13, 700, 90])
    sampler = Sampler(KINDS[kind], 7, model, prompt, grammar)
    tokens = [sampler.sample(context) for _ in range(8)]
    assert tokens == grammar.written
    sampler.close()
    assert not grammar.tokens


def test_greedy_takes_the_likeliest_allowed_token_and_asks_about_few(model, context, prompt):
    logits = view(context, -1, model.vocabulary_size)
    order = np.argsort(-logits, kind="stable")
    grammar = Only(order[100:200].tolist())
    sampler = Sampler(Settings(temperature=0), 0, model, prompt, grammar)
    assert sampler.sample(context) == order[100]
    assert grammar.asked < 1000
    sampler.close()


def test_a_grammar_that_allows_only_the_end_comes_to_it(model, context, prompt):
    for settings in (Settings(temperature=0), Settings(), Settings(mirostat=2)):
        grammar = Grammar(model, 'root ::= ""')
        sampler = Sampler(settings, 0, model, prompt, grammar)
        assert model.is_end(sampler.sample(context))
        sampler.close()


def test_a_grammar_without_a_way_on_is_told(model, context, prompt):
    sampler = Sampler(Settings(), 0, model, prompt, Only([]))
    with pytest.raises(UserError, match="no token"):
        sampler.sample(context)
    sampler.close()


def test_a_rejected_draw_leaves_no_trace(model, context):
    best = int(view(context, -1, model.vocabulary_size).argmax())
    grammar = Only({40000})
    sampler = Sampler(
        Settings(temperature=0, presence_penalty=2.0, repeat_penalty=5.0), 0, model, [], grammar
    )
    assert [sampler.sample(context) for _ in range(5)] == [40000] * 5
    grammar.tokens.add(best)
    assert sampler.sample(context) == best  # it was drawn five times, and never written
    sampler.close()


def test_what_the_file_recommends_is_used_where_nobody_chose(model, prompt, monkeypatch):
    def answered(_model, key, buffer, _size):
        said = {b"general.sampling.temp": b"0.25", b"general.sampling.top_k": b"many"}.get(key)
        if said is None:
            return -1
        ctypes.memmove(buffer, said + b"\0", len(said) + 1)
        return len(said)

    monkeypatch.setattr(api, "llama_model_meta_val_str", answered)
    assert chain.file_defaults(model) == {"general.sampling.temp": 0.25}
    sampler = Sampler(Settings(top_p=0.5), 0, model, prompt)
    sampler.close()
    assert (sampler.settings.temperature, sampler.settings.top_p) == (0.25, 0.5)
    assert sampler.settings.top_k == SAMPLERS["top_k"].default
