"""Which samplers run for given settings, and in which order: known without the engine."""

from typing import Any

from app.domain.settings import Settings


def order(settings: Settings) -> tuple[str, ...]:
    """Return the names of the samplers that run, first to last: llama.cpp's own default order.

    The names are those of `app.domain.settings.SAMPLERS` where one value switches the sampler on; the
    last one chooses the token: "greedy", "draw", "mirostat" or "adaptive_target".
    """
    return adjusting(settings) + choosing(settings)


def adjusting(settings: Settings) -> tuple[str, ...]:
    """Return those that change the logits of a few tokens: named ones, and ones that were there before."""
    s: Any = settings.resolved({})
    names = ["logit_bias"] if s.logit_bias else []
    if s.mirostat:
        return tuple(names)
    penalties = s.repeat_penalty != 1 or s.frequency_penalty or s.presence_penalty
    if penalties and s.repeat_last_n:
        names.append("penalties")
    if s.dry_multiplier and s.dry_last_n:
        names.append("dry")
    return tuple(names)


def choosing(settings: Settings) -> tuple[str, ...]:
    """Return those that narrow the choice and make it."""
    s: Any = settings.resolved({})
    if greedy(s):
        return ("greedy",)
    if s.mirostat:
        return ("temperature", "mirostat")
    narrowing = {
        "top_n_sigma": s.top_n_sigma > 0,
        "top_k": s.top_k > 0,  # before what is slow on a whole vocabulary
        "typical_p": s.typical_p < 1,
        "top_p": s.top_p < 1,
        "min_p": s.min_p > 0,
        "xtc": s.xtc_probability > 0 and s.xtc_threshold <= 0.5,
        "temperature": s.temperature != 1 or s.dynamic_range > 0,
    }
    last = "adaptive_target" if s.adaptive_target else "draw"
    return (*(name for name, on in narrowing.items() if on), last)


def greedy(settings: Settings) -> bool:
    """Return whether the likeliest token is always taken; a temperature that moves from 0 does not."""
    return settings.temperature == 0 and not settings.dynamic_range
