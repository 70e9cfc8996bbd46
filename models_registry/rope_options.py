"""What a person can ask of the rotation of positions (RoPE), and why it cannot be.

Numbers without effect in llama.cpp are not among it: how YaRN weighs attention it works out itself.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

METHODS = ("auto", "none", "yarn", "ntk", "linear")

RANGES = {
    "factor": (1.0, 64.0),
    "freq_base": (1.0, 1e12),
    "freq_scale": (1 / 64, 1.0),
    "original_context": (1, 100_000_000),
    "ext_factor": (0.0, 1.0),
    "beta_fast": (0.001, 1000.0),
    "beta_slow": (0.001, 1000.0),
}
"""The lowest and the highest value of each raw number."""

_RAW = tuple(RANGES)
EFFECTIVE = {
    "none": ("freq_base",),
    "linear": ("factor", "freq_base", "freq_scale", "original_context"),
    "ntk": ("factor", "original_context"),
    "yarn": _RAW,
}
"""The raw numbers that matter for each method."""


class RopeProblem(StrEnum):
    """Why a rotation cannot be."""

    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_METHOD = "unknown_method"
    NO_EFFECT = "no_effect"
    CONTRADICTION = "contradiction"
    TOO_LONG = "too_long"
    LEARNED_POSITIONS = "learned_positions"
    NOT_ROTATED = "not_rotated"
    OWN_FACTORS = "own_factors"
    UNKNOWN_TRAINING = "unknown_training"


class RopeError(Exception):
    """A rotation that cannot be.

    Attributes:
        problem: Why.
        names: The fields of `RopeOptions` that it is about.
        value: What was given: a value, a method, or tokens.
        most: The most tokens that can be; 0 where that is not the question.
    """

    def __init__(
        self, problem: RopeProblem, *names: str, value: float | str | None = None, most: int = 0
    ) -> None:
        super().__init__(f"{problem} {names} {value} {most}")
        self.problem = problem
        self.names = names
        self.value = value
        self.most = most


@dataclass(frozen=True, slots=True)
class RopeOptions:
    """What a person wants; None leaves a number to the file and to us.

    Attributes:
        method: One of `METHODS`. "auto" leaves the file as it is while that reaches far enough, else takes
            what suits; with raw numbers it is YaRN, or what the file declares.
        factor: How many times longer than `original_context`.
        freq_base: Base of the frequencies.
        freq_scale: What positions are multiplied with: another way to say 1 / `factor`.
        original_context: Tokens the model was trained for without scaling.
        ext_factor: YaRN: how much of the high frequencies is left as it was; 1 all, 0 nothing.
        beta_fast: YaRN: dimensions that turn more often than this in the original context are left alone.
        beta_slow: YaRN: those that turn less often than this are scaled in full.
    """

    method: str = "auto"
    factor: float | None = None
    freq_base: float | None = None
    freq_scale: float | None = None
    original_context: int | None = None
    ext_factor: float | None = None
    beta_fast: float | None = None
    beta_slow: float | None = None

    @property
    def raw(self) -> dict[str, float]:
        """Return the numbers that are set."""
        values = {name: getattr(self, name) for name in _RAW}
        return {name: value for name, value in values.items() if value is not None}

    def checked(self) -> Self:
        """Return self when every number is in range and none contradicts another, whatever the model.

        Raises:
            RopeError: OUT_OF_RANGE, UNKNOWN_METHOD, NO_EFFECT or CONTRADICTION, with the first that is not.
        """
        if self.method not in METHODS:
            raise RopeError(RopeProblem.UNKNOWN_METHOD, "method", value=self.method)
        for name, value in self.raw.items():
            low, high = RANGES[name]
            if not low <= value <= high:  # also refuses NaN
                raise RopeError(RopeProblem.OUT_OF_RANGE, name, value=value)
        if self.method != "auto":
            require_effect(self.method, self.raw)
        if (
            self.factor
            and self.freq_scale
            and not math.isclose(self.factor * self.freq_scale, 1, rel_tol=0.01)
        ):
            raise RopeError(RopeProblem.CONTRADICTION, "factor", "freq_scale")
        fast, slow = self.beta_fast or 32.0, self.beta_slow or 1.0
        if (self.beta_fast or self.beta_slow) and slow >= fast:
            raise RopeError(RopeProblem.CONTRADICTION, "beta_slow", "beta_fast")
        if self.ext_factor == 0 and (self.beta_fast or self.beta_slow):
            raise RopeError(
                RopeProblem.CONTRADICTION, "ext_factor", "beta_fast" if self.beta_fast else "beta_slow"
            )
        return self


def require_effect(method: str, raw: dict[str, float]) -> None:
    """Return when every one of the `raw` numbers matters for the method.

    Raises:
        RopeError: NO_EFFECT, with the first that does not.
    """
    for name in raw:
        if name not in EFFECTIVE[method]:
            raise RopeError(RopeProblem.NO_EFFECT, name, value=method)
