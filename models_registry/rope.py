"""How a model's positions are rotated (RoPE), as its header declares it.

Keys and defaults as in llama.cpp's `llama-model.cpp`; the scalings: https://arxiv.org/abs/2309.00071.
"""

import math
from dataclasses import dataclass

from models_registry.header import Header

_USUAL_BASE = 10_000.0


@dataclass(frozen=True, slots=True)
class Rope:
    """The rotation of positions.

    Attributes:
        type: "none", or how positions are scaled: "linear", "yarn", "longrope".
        factor: How many times longer than `original_context` the model may read; 1 for "none".
        freq_base: The base of the frequencies.
        freq_scale: What positions are multiplied with; 1 / `factor`.
        original_context: Tokens that it was trained for without scaling; 0 when unknown.
    """

    type: str
    factor: float
    freq_base: float
    freq_scale: float
    original_context: int


def declared(header: Header) -> Rope:
    """Return what `header` says, with llama.cpp's defaults for what it leaves out."""

    def number(*keys: str) -> float:
        """Return the first of `keys` that is there and makes sense; else 0."""
        for key in keys:
            value = header.metadata.get(f"{header.architecture}.rope.{key}")
            if isinstance(value, int | float) and 0 < value < math.inf:
                return value
        return 0

    factor = number("scaling.factor", "scale_linear") or 1.0
    scaling = str(header.metadata.get(f"{header.architecture}.rope.scaling.type", "linear"))
    if factor == 1 and scaling == "linear":
        scaling = "none"
    return Rope(
        type=scaling,
        factor=1.0 if scaling == "none" else factor,
        freq_base=number("freq_base") or _USUAL_BASE,
        freq_scale=1.0 if scaling == "none" else 1 / factor,
        original_context=int(number("scaling.original_context_length")) or header.context_length,
    )
