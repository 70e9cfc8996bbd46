"""The sampler chain: llama.cpp's samplers, built in the order of `app.domain.sampler_order`."""

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from llama_cpp import llama_cpp as api

from app.domain.errors import UserError
from app.domain.language import _
from app.domain.settings import FILE_KEYS, Settings
from app.engine.model import LoadedModel

_MIROSTAT_TOKENS = 100  # the paper's m: how many of the likeliest tokens it estimates the distribution from
_AT_LEAST = 1  # tokens that no sampler goes below


def build(names: tuple[str, ...], settings: Settings, seed: int, model: LoadedModel) -> "api.llama_sampler_p":
    """Return a new chain of the samplers `names`; the caller frees it.

    Args:
        names: Of `sampler_order.order`.
        settings: Resolved.
        seed: For those that draw.
        model: Whose tokens are drawn.

    Raises:
        UserError: When the logit bias names a token that the model does not have.
    """
    samplers = [(name, _MAKERS[name](settings, seed, model)) for name in names]
    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    for name, sampler in samplers:
        if not sampler:  # a null pointer in the chain would end the process
            raise RuntimeError(f"llama.cpp refused the sampler {name}")
        api.llama_sampler_chain_add(chain, sampler)
    return chain


def biases(settings: Settings, model: LoadedModel) -> dict[int, float]:
    """Return what is added to which token's logit; tokens that the model must never write get -inf.

    Raises:
        UserError: When a token is named that the model does not have.
    """
    found: dict[int, float] = {}
    for named, bias in settings.logit_bias:
        tokens = [named] if isinstance(named, int) else model.tokenize(named, special=True)
        for token in tokens:
            if token >= model.vocabulary_size:
                raise UserError(_("This model has no token with the number {token}.").format(token=token))
            found[token] = found.get(token, 0.0) + bias
    count = ctypes.c_int32()
    suppressed = api.llama_vocab_get_suppress_tokens(model.vocab, ctypes.byref(count))
    return found | {suppressed[i]: float("-inf") for i in range(count.value)}


def file_defaults(model: LoadedModel) -> dict[str, float]:
    """Return the samplers' values that the model's file recommends, as `Settings.resolved` wants them."""
    found = {}
    for key in FILE_KEYS:
        buffer = ctypes.create_string_buffer(64)
        if api.llama_model_meta_val_str(model.handle, key.encode(), buffer, len(buffer)) > 0:
            try:
                found[key] = float(buffer.value)
            except ValueError:  # a file may say anything
                continue
    return found


def _logit_bias(s: Any, _seed: int, model: LoadedModel) -> Any:
    pairs = biases(s, model)
    array = (api.llama_logit_bias * len(pairs))(*(api.llama_logit_bias(*pair) for pair in pairs.items()))
    return api.llama_sampler_init_logit_bias(model.vocabulary_size, len(pairs), array)


def _penalties(s: Any, _seed: int, model: LoadedModel) -> Any:
    return api.llama_sampler_init_penalties(
        model.vocabulary_size, s.repeat_last_n, s.repeat_penalty, s.frequency_penalty, s.presence_penalty
    )


def _dry(s: Any, _seed: int, model: LoadedModel) -> Any:
    texts = [text.encode("utf-8", "replace") for text in s.dry_breakers]
    breakers = (ctypes.c_char_p * len(texts))(*texts)
    return api.llama_sampler_init_dry(
        model.vocab, s.dry_multiplier, s.dry_base, s.dry_allowed_length, s.dry_last_n, breakers, len(breakers)
    )


def _mirostat(s: Any, seed: int, model: LoadedModel) -> Any:
    if s.mirostat == 1:
        return api.llama_sampler_init_mirostat(
            model.vocabulary_size, seed, s.mirostat_tau, s.mirostat_eta, _MIROSTAT_TOKENS
        )
    return api.llama_sampler_init_mirostat_v2(seed, s.mirostat_tau, s.mirostat_eta)


def _temperature(s: Any, _seed: int, _model: LoadedModel) -> Any:
    return api.llama_sampler_init_temp_ext(
        s.temperature, 0.0 if s.mirostat else s.dynamic_range, s.dynamic_exponent
    )


_MAKERS: Mapping[str, Callable[[Any, int, LoadedModel], Any]] = {
    "logit_bias": _logit_bias,
    "penalties": _penalties,
    "dry": _dry,
    "top_n_sigma": lambda s, _seed, _model: api.llama_sampler_init_top_n_sigma(s.top_n_sigma),
    "top_k": lambda s, _seed, _model: api.llama_sampler_init_top_k(s.top_k),
    "typical_p": lambda s, _seed, _model: api.llama_sampler_init_typical(s.typical_p, _AT_LEAST),
    "top_p": lambda s, _seed, _model: api.llama_sampler_init_top_p(s.top_p, _AT_LEAST),
    "min_p": lambda s, _seed, _model: api.llama_sampler_init_min_p(s.min_p, _AT_LEAST),
    "xtc": lambda s, seed, _model: api.llama_sampler_init_xtc(
        s.xtc_probability, s.xtc_threshold, _AT_LEAST, seed
    ),
    "temperature": _temperature,
    "greedy": lambda _s, _seed, _model: api.llama_sampler_init_greedy(),
    "draw": lambda _s, seed, _model: api.llama_sampler_init_dist(seed),
    "mirostat": _mirostat,
    "adaptive_target": lambda s, seed, _model: api.llama_sampler_init_adaptive_p(
        s.adaptive_target, s.adaptive_decay, seed
    ),
}
