"""Which models of the catalogue suit a computer: facts and reasons, no sentences.

Memory comes from the same estimate as everywhere, over a header made of what the catalogue knows. Speed is a
rough guess: to write a token, every weight that takes part in it is read from memory once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from models_registry import fit, memory
from models_registry.catalogue import Catalogue, CatalogueEntry, Kind, Quantization
from models_registry.expected import expected_header

GIB = 1 << 30

BEARABLE = 8.0
"""Tokens a second that a person can read along with: what a first choice should write at least."""


SHORT_CONTEXT = 4096
"""Tokens that a model should see at once at the least."""


class Fit(IntEnum):
    """Whether a model runs on a computer; a smaller number is better."""

    FITS = 0
    """With room for the system and for other programs."""
    TIGHT = 1
    """Only when other programs are closed, or it may be slow for want of memory."""
    TOO_LARGE = 2


class Reason(StrEnum):
    """Something to say of a recommendation."""

    BEST = "best"
    """It answers best of those that fit and write fast enough."""
    ON_GPU = "on_gpu"
    """It fits the memory of the graphics card, which computes all of it."""
    FEW_ACTIVE = "few_active"
    """Only a part of it computes each token, so it is as fast as a much smaller one."""
    BETTER_QUANTIZATION = "better_quantization"
    """There is room for more than the usual four bits of a weight."""
    SMALLER_QUANTIZATION = "smaller_quantization"
    """It fits, or is fast enough, only with less than the usual four bits of a weight: worse answers."""
    SHORT_CONTEXT = "short_context"
    """It fits only with less context than usual."""
    SLOW = "slow"
    """It will write more slowly than one reads."""
    CLOSE_PROGRAMS = "close_programs"
    """What is free now does not suffice; what the computer has would."""


@dataclass(frozen=True, slots=True)
class Computer:
    """What a model runs on.

    Attributes:
        memory_total: Bytes.
        memory_free: Bytes that are free now, or can be made so.
        gpu_memory: Bytes of a graphics card's own memory; None without one.
        unified: Whether a GPU shares the memory, as on a Mac with Apple silicon.
        cores: Of the processor, those that are physical.
    """

    memory_total: int
    memory_free: int
    gpu_memory: int | None
    unified: bool
    cores: int

    @property
    def budget(self) -> int:
        """Return the bytes of memory that a model may take, with the rest left to the system."""
        system = min(max(2 * GIB, self.memory_total * 3 // 10), 8 * GIB)
        left = max(self.memory_total - system, 0)
        if self.unified:
            # What macOS lets a GPU have: two thirds, or three quarters from 36 GB on.
            share = (2, 3) if self.memory_total < 36 * GIB else (3, 4)
            left = min(left, self.memory_total * share[0] // share[1])
        return left

    @property
    def room(self) -> int:
        """Return the bytes that are there now; other programs count for half of the budget at most."""
        return min(self.budget, max(self.memory_free, self.budget // 2))

    @property
    def card(self) -> int:
        """Return the bytes that a model may take on the graphics card, 0 without one."""
        return 0 if self.unified or not self.gpu_memory else max(self.gpu_memory * 92 // 100 - GIB // 2, 0)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One model, and how it would run.

    Attributes:
        entry: The model.
        quantization: How it should be stored.
        context: Tokens it then sees at once, which the estimate is for.
        memory: Bytes that must stay in memory, or on the graphics card, while it runs.
        fit: Whether that is there.
        speed: Tokens a second, to within a factor of two.
        why: What speaks for it and against it.
    """

    entry: CatalogueEntry
    quantization: Quantization
    context: int
    memory: int
    fit: Fit
    speed: float
    why: tuple[Reason, ...]

    @property
    def bearable(self) -> bool:
        """Return whether it writes fast enough to be read along with."""
        return self.speed >= BEARABLE


def recommend(
    catalogue: Catalogue, computer: Computer, *, kind: Kind | None = None, limit: int | None = None
) -> list[Recommendation]:
    """Return the models for `computer`, the first choice first, each as it runs best.

    Those that fit and write fast enough come first, by how well they answer; then the slow ones by their
    speed, then the tight ones, and those that are too large by size. Without a `kind` these are models for
    chat in general, without those that made history. Where there is a graphics card, models that it holds
    whole go before somewhat better ones that it does not.

    Args:
        catalogue: The models.
        computer: What they would run on.
        kind: Only models that are for this.
        limit: The most that are returned.
    """
    wanted = (entry for entry in catalogue.entries if _is_wanted(entry, kind))
    found = sorted((assess(entry, computer) for entry in wanted), key=lambda one: _rank(one, computer))
    if found and found[0].fit is Fit.FITS and found[0].bearable:
        first = found[0]
        found[0] = replace(first, why=(Reason.BEST, *first.why))
    return found[:limit]


def _is_wanted(entry: CatalogueEntry, kind: Kind | None) -> bool:
    if kind:
        return kind in entry.kinds
    return Kind.CHAT in entry.kinds and Kind.HISTORICAL not in entry.kinds


def _rank(one: Recommendation, computer: Computer) -> tuple[int, float, float]:
    """Return what sorts recommendations: by tier, and in each by what matters there."""
    if one.fit is Fit.TOO_LARGE:
        return 3, one.memory, 0
    quality = one.entry.standing
    if Reason.SMALLER_QUANTIZATION in one.why:
        quality -= _LOST_BITS
    if Reason.SHORT_CONTEXT in one.why:
        quality -= _LOST_CONTEXT
    if computer.card and Reason.ON_GPU not in one.why:
        quality -= _LOST_CARD
    if one.fit is Fit.TIGHT:
        return 2, -quality, one.memory
    return (0, -quality, -one.speed) if one.bearable else (1, -one.speed, -quality)


_USUAL = ("Q4_K_M", "MXFP4", "Q8_0", "F16")  # the first that there is
_BETTER = ("Q8_0", "Q6_K", "Q5_K_M")
_SMALLER = ("Q3_K_M",)
# Of the standing: with three bits of a weight; with half the usual context; and where there is a graphics
# card that cannot help, since there prompts are read many times faster.
_LOST_BITS, _LOST_CONTEXT, _LOST_CARD = 6, 6, 12

# Small models lose more by four bits, and have room for more.
_BETTER_BELOW = 5_000_000_000
_SMALLER_ABOVE = 7_000_000_000
_COMFORT = 0.6  # of the room, for more bits than usual
_QUICK = 1.5 * BEARABLE
_MARGIN = 1.08  # since sizes are estimates
_TIGHT = 1.1
_FEW = 3  # times fewer parameters that compute than there are

# Bytes a second that are read from memory, of which a model gets about six tenths; by what there is most of.
_EFFICIENCY = 0.6
_CORES = ((4, 25e9), (8, 40e9))
_MANY_CORES = 55e9
_UNIFIED = ((24 * GIB, 100e9), (36 * GIB, 150e9), (64 * GIB, 300e9))
_LARGE_UNIFIED = 450e9
_CARDS = ((8 * GIB, 250e9), (12 * GIB, 350e9), (16 * GIB, 500e9))
_LARGE_CARD = 900e9


def assess(entry: CatalogueEntry, computer: Computer) -> Recommendation:
    """Return how `entry` runs best on `computer`."""
    usual = next(filter(None, map(entry.quantization, _USUAL)), entry.quantizations[0])
    if entry.parameters < _BETTER_BELOW:
        for made in _made(entry, _BETTER, computer):
            room = computer.card if Reason.ON_GPU in made.why else computer.room
            if made.fit is Fit.FITS and made.memory <= _COMFORT * room and made.speed >= _QUICK:
                return replace(made, why=(*made.why, Reason.BETTER_QUANTIZATION))
    first = _run(entry, usual, computer)
    if (first.fit is not Fit.FITS or not first.bearable) and entry.parameters > _SMALLER_ABOVE:
        for made in _made(entry, _SMALLER, computer):
            if (made.fit, not made.bearable) < (first.fit, not first.bearable):
                return replace(made, why=(*made.why, Reason.SMALLER_QUANTIZATION))
    return first


def _made(entry: CatalogueEntry, names: tuple[str, ...], computer: Computer) -> Iterator[Recommendation]:
    for name in names:
        if (quantization := entry.quantization(name)) and name != _USUAL[0]:
            yield _run(entry, quantization, computer)


def _run(entry: CatalogueEntry, quantization: Quantization, computer: Computer) -> Recommendation:
    """Return how this file runs: on the card where it fits there, else in memory."""
    usual = fit.usual_context(entry.context_length)
    contexts = dict.fromkeys((usual, min(usual, SHORT_CONTEXT)))
    tried = [
        run
        for on_card in ((True, False) if computer.card else (False,))
        for run in (_placed(entry, quantization, computer, context, on_card=on_card) for context in contexts)
    ]
    chosen = next((run for run in tried if run.fit is Fit.FITS), None)
    # The card is no place for what does not fit there; the rest is tight, or too large, in memory.
    return chosen or min(tried[-len(contexts) :], key=lambda run: run.fit)


def _placed(
    entry: CatalogueEntry, quantization: Quantization, computer: Computer, context: int, *, on_card: bool
) -> Recommendation:
    needed = _needed(entry, quantization, context, gpu=on_card or computer.unified)
    fitting = _fit(needed, computer, on_card=on_card)
    speed = _speed(entry, quantization, _bandwidth(computer, on_card=on_card))
    why = []
    if on_card:
        why.append(Reason.ON_GPU)
    if entry.active_parameters * _FEW <= entry.parameters:
        why.append(Reason.FEW_ACTIVE)
    if context < fit.usual_context(entry.context_length):
        why.append(Reason.SHORT_CONTEXT)
    if speed < BEARABLE:
        why.append(Reason.SLOW)
    if not on_card and computer.room < needed <= computer.budget:
        why.append(Reason.CLOSE_PROGRAMS)
    return Recommendation(entry, quantization, context, needed, fitting, speed, tuple(why))


def _fit(needed: int, computer: Computer, *, on_card: bool) -> Fit:
    if on_card:
        return Fit.FITS if _MARGIN * needed <= computer.card else Fit.TOO_LARGE
    if _MARGIN * needed <= computer.room:
        return Fit.FITS
    return Fit.TIGHT if needed <= _TIGHT * computer.budget else Fit.TOO_LARGE


def fitting(needed: int, computer: Computer) -> Fit:
    """Return whether so many bytes of memory are there, on the graphics card or beside it."""
    if computer.card and _fit(needed, computer, on_card=True) is Fit.FITS:
        return Fit.FITS
    return _fit(needed, computer, on_card=False)


def _needed(entry: CatalogueEntry, quantization: Quantization, context: int, *, gpu: bool) -> int:
    """Return the bytes that must stay in memory.

    What was repacked for the processor lies in memory twice, but the first copy is the file itself in the
    system's cache, which makes room for whatever else needs it.
    """
    header = expected_header(entry, quantization)
    taken = memory.estimate(header, fit.choose(header, context, gpu=gpu), gpu=gpu)
    return taken.total - (taken.weights - header.weights_size)


def _bandwidth(computer: Computer, *, on_card: bool) -> float:
    if on_card:
        return next((rate for size, rate in _CARDS if (computer.gpu_memory or 0) <= size), _LARGE_CARD)
    if computer.unified:
        return next((rate for size, rate in _UNIFIED if computer.memory_total <= size), _LARGE_UNIFIED)
    return next((rate for cores, rate in _CORES if computer.cores <= cores), _MANY_CORES)


def _speed(entry: CatalogueEntry, quantization: Quantization, bandwidth: float) -> float:
    """Return tokens a second, as if every active weight were stored like the average one."""
    read = quantization.size * entry.active_parameters / entry.parameters
    return _EFFICIENCY * bandwidth / read
