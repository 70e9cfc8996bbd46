"""How a model's positions are rotated (RoPE): as its header declares it, and as a longer context needs it.

Keys and defaults as in llama.cpp's `llama-model.cpp` and `llama-context.cpp`. The ways to read beyond the
trained length: linear (position interpolation) https://arxiv.org/abs/2306.15595; NTK-aware and YaRN
https://arxiv.org/abs/2309.00071. A scaling holds for a whole context, as keys are cached after rotation, and
costs quality on short texts too, so the smallest step that covers the context is taken.
"""

import math
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from models_registry.header import Header
from models_registry.layers import shape_of
from models_registry.rope_options import RopeError, RopeOptions, RopeProblem, require_effect

STEPS = (1, 2, 4, 8)
"""How many times longer than the trained length a context may be."""

_USUAL_BASE = 10_000.0
_ROUNDING = 256  # llama.cpp rounds contexts up to a multiple of this
_FINE = {"yarn": 4, "ntk": 2}  # up to which factor a model that was not tuned for it usually reads well
# As in llama.cpp's llama_model_rope_type: their positions are not rotated.
_NOT_ROTATED = frozenset(
    {"gpt2", "gptj", "mpt", "refact", "bloom", "mamba", "mamba2", "jamba", "jais", "rwkv6", "rwkv6qwen2"}
    | {"rwkv7", "arwkv7", "nemotron_h", "nemotron_h_moe", "kimi-linear", "kimi-k3", "glm5-next", "starcoder"}
)
_LEARNED_POSITIONS = "position_embd.weight"


class Quality(StrEnum):
    """What a context does to what the model understands."""

    AS_TRAINED = "as_trained"
    USUALLY_FINE = "usually_fine"
    EXPECT_LOSS = "expect_loss"
    UNKNOWN = "unknown"


class Note(StrEnum):
    """What a person who sets numbers should know of a file."""

    WINDOWED_LAYERS = "windowed_layers"  # layers with a sliding window keep the rotation of the file
    FREQUENCY_FACTORS = "frequency_factors"  # those of Llama 3.1, which stay whatever is set
    LONG_FACTORS = "long_factors"  # LongRoPE: other factors for contexts beyond the original one
    NOT_ROTATED = "not_rotated"  # nothing can be set


FIXED = frozenset({Note.NOT_ROTATED, Note.LONG_FACTORS})
"""With one of these nothing can be set."""


@dataclass(frozen=True, slots=True)
class Told:
    """What llama.cpp is told of a context's rotation; None leaves a value to the file."""

    type: str | None = None
    freq_base: float | None = None
    freq_scale: float | None = None
    original_context: int | None = None
    ext_factor: float | None = None
    beta_fast: float | None = None
    beta_slow: float | None = None


@dataclass(frozen=True, slots=True)
class Rope:
    """The rotation of positions.

    Attributes:
        type: "none", or how positions are scaled: "linear", "yarn", "ntk", "longrope". "ntk" changes the
            base alone.
        factor: How many times longer than `original_context` the model may read; 1 for "none".
        freq_base: The base of the frequencies.
        freq_scale: What positions are multiplied with; 1 / `factor` but for "ntk".
        original_context: Tokens that it was trained for without scaling; 0 when unknown.
        ext_factor, beta_fast, beta_slow: See `RopeOptions`; without YaRN they say nothing.
        quality: What it does to what the model understands.
        notes: What a person who sets numbers should know.
        long_factors: The context is one for which LongRoPE has other factors.
        told: What must be set for it; nothing where the file says it all.
    """

    type: str
    factor: float
    freq_base: float
    freq_scale: float
    original_context: int
    ext_factor: float = 0.0
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    quality: Quality = Quality.AS_TRAINED
    notes: tuple[Note, ...] = ()
    long_factors: bool = False
    told: Told = Told()

    @property
    def from_file(self) -> bool:
        """Return whether everything is as the file declares it."""
        return self.told == Told()

    @property
    def key(self) -> tuple[Any, ...]:
        """Return what distinguishes it from others of the same file: keys cached under one need it again."""
        return (*(getattr(self.told, each.name) for each in fields(Told)), self.long_factors)

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types; those of YaRN only where it is used."""
        left_out = {"told", "long_factors"}
        if self.type != "yarn":
            left_out |= {"ext_factor", "beta_fast", "beta_slow"}
        found = {name: value for name, value in asdict(self).items() if name not in left_out}
        return found | {"notes": list(self.notes), "from_file": self.from_file}


def declared(header: Header) -> Rope:
    """Return what `header` says, with llama.cpp's defaults for what it leaves out."""
    factor = _number(header, "scaling.factor", "scale_linear") or 1.0
    scaling = str(header.metadata.get(f"{header.architecture}.rope.scaling.type", "linear"))
    if factor == 1 and scaling == "linear":
        scaling = "none"
    return Rope(
        type=scaling,
        factor=1.0 if scaling == "none" else factor,
        freq_base=_number(header, "freq_base") or _USUAL_BASE,
        freq_scale=1.0 if scaling == "none" else 1 / factor,
        original_context=int(_number(header, "scaling.original_context_length")) or header.context_length,
        ext_factor=float(scaling == "yarn"),
        beta_fast=_number(header, "scaling.yarn_beta_fast") or 32.0,
        beta_slow=_number(header, "scaling.yarn_beta_slow") or 1.0,
        notes=_notes(header, scaling),
    )


def reach(header: Header) -> int:
    """Return the tokens that the file itself is made for, its scaling included; 0 when unknown.

    A stated context length holds the factor already, unless it is the original length and no more: some
    files state both alike and leave the product to the reader.
    """
    original = int(_number(header, "scaling.original_context_length"))
    return max(header.context_length, int(original * declared(header).factor))


def most(header: Header) -> int:
    """Return the most tokens that `choose` finds a way for by itself; 0 when it knows no limit."""
    if _learned(header) or Note.LONG_FACTORS in _notes(header, declared(header).type):
        return reach(header)
    return max(reach(header), STEPS[-1] * _original(header))


def choose(header: Header, context: int, options: RopeOptions | None = None) -> Rope:
    """Return how a context of so many tokens is rotated.

    While the file reaches far enough, its own scaling is left alone, so that none is applied twice. Beyond
    that: YaRN over what the model was trained for, or more of the same where it was tuned for linear.

    Args:
        header: The model.
        context: Tokens; one that only llama.cpp's rounding carries beyond the trained length is none.
        options: What a person wants.

    Raises:
        RopeError: When the model cannot do it, or the options are at odds with each other or with the model.
    """
    options = (options or RopeOptions()).checked()
    file, known = declared(header), reach(header)
    if _learned(header) and known and context > _rounded(known):
        raise RopeError(RopeProblem.LEARNED_POSITIONS, value=context, most=known)
    within = not known or context <= _rounded(known)
    as_stated = replace(file, quality=_unscaled(known, within=within))
    method = options.method
    if fixed := FIXED & {*file.notes}:
        if method != "auto" or options.raw:
            problem = RopeProblem.OWN_FACTORS if Note.LONG_FACTORS in fixed else RopeProblem.NOT_ROTATED
            raise RopeError(problem, *(options.raw or ("method",)))
        return replace(as_stated, long_factors=Note.LONG_FACTORS in fixed and context > file.original_context)
    if method == "auto" and within and not options.raw:
        return as_stated
    if method == "auto" and within and options.raw.keys() == {"freq_base"}:
        base = options.raw["freq_base"]
        return replace(file, freq_base=base, quality=Quality.UNKNOWN, told=Told(freq_base=base))
    if method == "auto":
        method = "linear" if file.type == "linear" else "yarn"
        require_effect(method, options.raw)
    return _scaled(header, context, method, options)


def _scaled(header: Header, context: int, method: str, options: RopeOptions) -> Rope:
    """Return the rotation of one method with everything that was set."""
    file = declared(header)
    original = options.original_context or _original(header)
    within = bool(original) and context <= _rounded(original)
    if method == "none":
        return _none(file, original, options, within=within)
    factor = options.factor or (1 / options.freq_scale if options.freq_scale else None)
    if factor is None:
        factor = _step(context, original, method, most=most(header))
    if factor == 1 and not options.raw.keys() - {"original_context"}:
        if file.type != "none":
            return _none(file, original, options, within=within)
        return replace(file, quality=_unscaled(original, within=within))
    covered = bool(original) and context <= _rounded(int(original * factor))
    fine = covered and factor <= _FINE.get(method, 0)
    rope = replace(
        file,
        type=method,
        factor=factor,
        freq_base=options.freq_base or file.freq_base,
        freq_scale=1 / factor,
        original_context=original,
        ext_factor=0.0,
        quality=Quality.USUALLY_FINE if fine else Quality.EXPECT_LOSS,
    )
    if method == "ntk":
        rope = replace(rope, freq_base=_ntk_base(header, file.freq_base, factor), freq_scale=1.0)
        return replace(rope, told=Told("none", rope.freq_base, 1.0, ext_factor=0.0))
    told = Told(method, options.freq_base, rope.freq_scale, original or None, ext_factor=0.0)
    if method == "yarn":
        ext = 1.0 if options.ext_factor is None else options.ext_factor
        betas = options.beta_fast, options.beta_slow
        rope = replace(
            rope, ext_factor=ext, beta_fast=betas[0] or file.beta_fast, beta_slow=betas[1] or file.beta_slow
        )
        told = replace(told, ext_factor=ext, beta_fast=betas[0], beta_slow=betas[1])
    return replace(rope, told=told)


def _none(file: Rope, original: int, options: RopeOptions, *, within: bool) -> Rope:
    """Return the rotation without any scaling, also where the file declares one."""
    told = Told("none", options.freq_base, ext_factor=0.0)
    if file.type == "none":
        told = Told(freq_base=options.freq_base)
    return replace(
        file,
        type="none",
        factor=1.0,
        freq_scale=1.0,
        freq_base=options.freq_base or file.freq_base,
        ext_factor=0.0,
        quality=Quality.UNKNOWN if options.freq_base else _unscaled(original, within=within),
        told=told,
    )


def _step(context: int, original: int, method: str, *, most: int) -> float:
    """Return the smallest step that covers the context.

    Raises:
        RopeError: UNKNOWN_TRAINING, or TOO_LONG with `most`.
    """
    if not original:
        raise RopeError(RopeProblem.UNKNOWN_TRAINING, "original_context")
    if context <= _rounded(original):
        return 1.0
    for step in STEPS[1:]:
        # With the base changed some dimensions leave their range before that length: see the YaRN paper, 3.1.
        enough = context < original * step if method == "ntk" else context <= _rounded(original * step)
        if enough:
            return float(step)
    raise RopeError(RopeProblem.TOO_LONG, value=context, most=max(most, original * STEPS[-1]))


def _ntk_base(header: Header, base: float, factor: float) -> float:
    """Return the base with which the slowest dimension turns `factor` times more slowly."""
    rotated = _number(header, "dimension_count") or float(shape_of(header).head_sizes[0])
    return base * factor ** (rotated / (rotated - 2)) if rotated > 2 else base * factor


def _unscaled(known: int, *, within: bool) -> Quality:
    if not known:
        return Quality.UNKNOWN
    return Quality.AS_TRAINED if within else Quality.EXPECT_LOSS


def _original(header: Header) -> int:
    """Return what it was trained for without scaling; where it was tuned for linear, less than stated."""
    file = declared(header)
    tuned = file.type == "linear" and not _number(header, "scaling.original_context_length")
    return int(file.original_context / file.factor) if tuned else file.original_context


def _rounded(context: int) -> int:
    return -(-context // _ROUNDING) * _ROUNDING


def _learned(header: Header) -> bool:
    """Return whether positions are rows of a table, beyond whose end llama.cpp ends the process."""
    return any(tensor.name == _LEARNED_POSITIONS for tensor in header.tensors)


def _notes(header: Header, scaling: str) -> tuple[Note, ...]:
    names = {tensor.name for tensor in header.tensors if "rope_" in tensor.name}
    found = []
    if header.architecture in _NOT_ROTATED or _learned(header):
        found.append(Note.NOT_ROTATED)
    if scaling == "longrope" or any("rope_factors_long" in name for name in names):
        found.append(Note.LONG_FACTORS)
    if any("rope_freqs" in name for name in names):
        found.append(Note.FREQUENCY_FACTORS)
    if shape_of(header).windowed:
        found.append(Note.WINDOWED_LAYERS)
    return tuple(found)


def _number(header: Header, *keys: str) -> float:
    """Return the first of `keys` that is there and makes sense; else 0."""
    for key in keys:
        value = header.metadata.get(f"{header.architecture}.rope.{key}")
        if isinstance(value, int | float) and 0 < value < math.inf:
            return value
    return 0
