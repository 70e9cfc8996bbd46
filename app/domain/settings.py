"""How an answer is written: the samplers, and what else shapes it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple, Self

from app.domain.errors import UserError
from app.domain.language import _

MAX_SEED = 2**32 - 2  # 2**32 - 1 asks llama.cpp for a random one
MAX_BIAS = 1000.0
MAX_BREAKER_BYTES = 40  # llama.cpp cuts longer ones off
_MAX_BREAKERS = 64


class Range(NamedTuple):
    """What a sampler's value is when neither a person nor the model's file says it, and its bounds."""

    default: float
    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Return whether the value is a whole number."""
        return isinstance(self.default, int)


# In the order in which the samplers follow each other.
SAMPLERS: Mapping[str, Range] = {
    "repeat_last_n": Range(64, 0, 1_000_000),
    "repeat_penalty": Range(1.0, 0.1, 5),
    "frequency_penalty": Range(0.0, -2, 2),
    "presence_penalty": Range(0.0, -2, 2),
    "dry_multiplier": Range(0.0, 0, 10),
    "dry_base": Range(1.75, 1, 10),
    "dry_allowed_length": Range(2, 0, 1000),
    "dry_last_n": Range(1024, 0, 1_000_000),
    "top_n_sigma": Range(0.0, 0, 100),
    "top_k": Range(40, 0, 1_000_000),
    "typical_p": Range(1.0, 0, 1),
    "top_p": Range(0.95, 0, 1),
    "min_p": Range(0.05, 0, 1),
    "xtc_probability": Range(0.0, 0, 1),
    "xtc_threshold": Range(0.1, 0, 1),
    "temperature": Range(0.7, 0, 5),
    "dynamic_range": Range(0.0, 0, 5),
    "dynamic_exponent": Range(1.0, 0.01, 10),
    "adaptive_target": Range(0.0, 0, 1),
    "adaptive_decay": Range(0.9, 0, 0.99),
    "mirostat": Range(0, 0, 2),
    "mirostat_tau": Range(5.0, 0.01, 20),
    "mirostat_eta": Range(0.1, 0, 1),
}

_OTHERS: Mapping[str, Range] = {
    "seed": Range(0, 0, MAX_SEED),
    "max_tokens": Range(0, 1, 100_000_000),
    "context": Range(0, 256, 100_000_000),
    "probabilities": Range(0, 0, 100),
}

DRY_BREAKERS = ("\n", ":", '"', "*")

# Where the header of a GGUF file recommends values:
# https://github.com/ggml-org/llama.cpp/blob/master/gguf-py/gguf/constants.py
FILE_KEYS: Mapping[str, str] = {
    "general.sampling.top_k": "top_k",
    "general.sampling.top_p": "top_p",
    "general.sampling.min_p": "min_p",
    "general.sampling.xtc_probability": "xtc_probability",
    "general.sampling.xtc_threshold": "xtc_threshold",
    "general.sampling.temp": "temperature",
    "general.sampling.penalty_last_n": "repeat_last_n",
    "general.sampling.penalty_repeat": "repeat_penalty",
    "general.sampling.mirostat": "mirostat",
    "general.sampling.mirostat_tau": "mirostat_tau",
    "general.sampling.mirostat_eta": "mirostat_eta",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How an answer is sampled, in llama.cpp's terms; neutral values switch a sampler off.

    None leaves a sampler's value to what the model's file recommends, else to `SAMPLERS`. Temperature 0
    takes the likeliest token: then nothing that only narrows the choice has any effect. Mirostat narrows
    the choice itself: only the logit bias and the temperature come before it.

    Attributes:
        temperature: 0 takes the likeliest token; above 0 flattens (> 1) or sharpens (< 1).
        dynamic_range: How far the temperature moves up and down with the model's doubt; 0 leaves it.
        dynamic_exponent: Bends the way from the lowest to the highest temperature; 1 is straight.
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the likeliest tokens that together reach this probability; 1 keeps all.
        min_p: Keep tokens at least this fraction as likely as the likeliest; 0 keeps all.
        typical_p: Keep the tokens whose surprise is closest to what is expected until together they reach
            this probability; 1 keeps all. https://arxiv.org/abs/2202.00666
        xtc_probability: How often all of the likely tokens but the least likely of them are dropped; 0 never.
        xtc_threshold: From which probability a token counts as likely there; above 0.5 none does.
        top_n_sigma: Keep tokens within this many standard deviations of the highest logit; 0 keeps all.
            https://arxiv.org/abs/2411.07641
        mirostat: Hold the surprise of the text at `mirostat_tau`: 1 or 2 for that version, 0 for not.
            https://arxiv.org/abs/2007.14966
        mirostat_tau: The surprise, in bits a token.
        mirostat_eta: How fast it is corrected.
        repeat_penalty: Divide the logits of tokens among the last `repeat_last_n`; 1 is none.
        repeat_last_n: How far back the three penalties look; 0 switches them off.
        frequency_penalty: Taken off a token's logit for each time it is there; 0 is none.
        presence_penalty: Taken off the logit of a token that is there; 0 is none.
        dry_multiplier: Weight of the penalty on going on with a sequence that stood there before; 0 is none.
        dry_base: It grows with this to the power of the length beyond `dry_allowed_length`.
        dry_allowed_length: Sequences up to this length are free.
        dry_last_n: How many tokens are searched for them.
        dry_breakers: Texts across which no sequence is followed.
        logit_bias: What is added to the logits of tokens: each by its number, or by a text, whose tokens
            all get it. Negative numbers make them rarer.
        adaptive_target: Prefer tokens of about this probability, on average over the last ones; 0 is off.
        adaptive_decay: How much of that average each new token leaves.
        seed: None draws a fresh one; the one that was used is in `Stats.seed`.
        max_tokens: The most tokens to write; None stops only at the end of the context.
        context: Tokens the model can see at once; None leaves the choice to the engine.
        grammar: GBNF that the answer follows, from the rule "root"; empty for none.
        json_schema: JSON Schema, as JSON, that the answer is valid against; empty for none.
        probabilities: How many of the likeliest tokens to report with every token that is written.
        speculation: Guess ahead and let the model check several tokens at once: faster, and the same in
            distribution; near-ties may fall differently, see `app.engine.speculation`. A given seed switches
            it off.
        template_variables: What the chat template is given beside the messages, such as
            `enable_thinking`; names to JSON values.
    """

    temperature: float | None = None
    dynamic_range: float | None = None
    dynamic_exponent: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    xtc_probability: float | None = None
    xtc_threshold: float | None = None
    top_n_sigma: float | None = None
    mirostat: int | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    repeat_penalty: float | None = None
    repeat_last_n: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    dry_last_n: int | None = None
    dry_breakers: tuple[str, ...] = DRY_BREAKERS
    logit_bias: tuple[tuple[str | int, float], ...] = ()
    adaptive_target: float | None = None
    adaptive_decay: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    context: int | None = None
    grammar: str = ""
    json_schema: str = ""
    probabilities: int = 0
    speculation: bool = True
    template_variables: Mapping[str, Any] = field(default_factory=dict)

    def checked(self) -> Self:
        """Return self when every value is in range and none contradicts another.

        Raises:
            UserError: Naming the first value that is not, and its range.
        """
        for name, bounds in {**SAMPLERS, **_OTHERS}.items():
            value = getattr(self, name)
            if value is not None:
                _check(name, value, bounds)
        _check_breakers(self.dry_breakers)
        for token, bias in self.logit_bias:
            _check_bias(token, bias)
        self._check_together()
        return self

    def _check_together(self) -> None:
        if self.mirostat and self.adaptive_target:
            raise UserError(_("mirostat and adaptive-target cannot be used together: set one of them to 0."))
        itself = "mirostat" if self.mirostat else "adaptive_target" if self.adaptive_target else ""
        if self.temperature == 0 and itself and (self.mirostat or not self.dynamic_range):
            raise UserError(
                _("At temperature 0 the likeliest token is always taken, so {name} cannot work.").format(
                    name=_shown(itself)
                ),
                _("Set temperature above 0, or set {name} to 0.").format(name=_shown(itself)),
            )
        if self.grammar and self.json_schema:
            raise UserError(
                _("An answer can follow a grammar or a JSON Schema, not both; leave one of them out.")
            )

    def resolved(self, defaults: Mapping[str, float]) -> Self:
        """Return the same with a number for every sampler.

        Args:
            defaults: What the model's file recommends, by the names of `FILE_KEYS`. Other names, and
                values that are out of range here, are left out: a file may be from anywhere.
        """
        found: dict[str, float] = {}
        for key, name in FILE_KEYS.items():
            value, bounds = defaults.get(key), SAMPLERS[name]
            if value is not None and bounds.low <= value <= bounds.high:
                found[name] = int(value) if bounds.whole else value
        # What the file recommends gives way where it contradicts what a person chose.
        if self.mirostat or self.adaptive_target:
            found.pop("mirostat", None)
            if found.get("temperature") == 0:
                del found["temperature"]
        elif (found.get("temperature") if self.temperature is None else self.temperature) == 0:
            found.pop("mirostat", None)
        missing: dict[str, Any] = {
            name: found.get(name, bounds.default)
            for name, bounds in SAMPLERS.items()
            if getattr(self, name) is None
        }
        return replace(self, **missing)

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote, also by an older or newer Fireside: unknown names are left out.

        Raises:
            TypeError, ValueError: When a value has another shape.
        """
        known = {name: value for name, value in values.items() if name in _settings_names}
        if "dry_breakers" in known:
            known["dry_breakers"] = tuple(known["dry_breakers"])
        if "logit_bias" in known:
            known["logit_bias"] = tuple((token, bias) for token, bias in known["logit_bias"])
        return replace(cls(), **known)


# Computed once: opening a long chat asks for it thousands of times.
_settings_names = frozenset(f.name for f in fields(Settings))


def _shown(name: str) -> str:
    return name.replace("_", "-")


def _check(name: str, value: float, bounds: Range) -> None:
    if not bounds.low <= value <= bounds.high:  # also refuses NaN
        raise UserError(
            _("{name} must be between {low} and {high}; {value} is not.").format(
                name=_shown(name), low=bounds.low, high=bounds.high, value=value
            )
        )
    if bounds.whole and not isinstance(value, int):
        raise UserError(
            _("{name} must be a whole number; {value} is not.").format(name=_shown(name), value=value)
        )


def _check_breakers(breakers: tuple[str, ...]) -> None:
    if len(breakers) > _MAX_BREAKERS:
        raise UserError(_("There can be at most {count} dry-breakers.").format(count=_MAX_BREAKERS))
    for breaker in breakers:
        if "\0" in breaker or not 0 < len(breaker.encode("utf-8", "replace")) <= MAX_BREAKER_BYTES:
            raise UserError(
                _("“{text}” cannot be a dry-breaker: one has 1 to {count} bytes, and no NUL.").format(
                    text=breaker, count=MAX_BREAKER_BYTES
                )
            )


def _check_bias(token: str | int, bias: float) -> None:
    if token == "" or (isinstance(token, int) and not 0 <= token < 2**31):
        raise UserError(
            _("logit-bias needs the text or the number of a token; “{token}” is neither.").format(token=token)
        )
    if not math.isfinite(bias) or abs(bias) > MAX_BIAS:
        raise UserError(
            _("{name} must be between {low} and {high}; {value} is not.").format(
                name="logit-bias", low=-MAX_BIAS, high=MAX_BIAS, value=bias
            )
        )
