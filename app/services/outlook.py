"""What a model will take in memory, and what its file recommends: known from its header alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from app.domain.errors import UserError
from app.domain.fit_words import cost_sentence
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.model import Model
from app.domain.rope_words import note, quality_word, scaling_word
from app.domain.settings import FILE_KEYS, SAMPLERS
from app.services.headers import listed_header_of
from models_registry.fit import usual_context
from models_registry.header import Header
from models_registry.room import Fit, Room, Way
from models_registry.rope import FIXED, STEPS, Quality, Rope, declared, most, reach
from models_registry.rope_options import RANGES

_SMALLEST = 2048  # tokens; the first of the sizes that are offered
_MOST = 1 << 20  # tokens; the last one where the file does not say what it was trained for


@dataclass(frozen=True, slots=True)
class Nearest:
    """What comes nearest to a context that does not fit into memory, and fits.

    Attributes:
        context: Tokens.
        options: How the model is to be loaded for it.
        costs: What one gives up for it, as sentences.
    """

    context: int
    options: LoadOptions
    costs: str


@dataclass(frozen=True, slots=True)
class Take:
    """One size of the context: what it takes, and what it does to what the model understands.

    Attributes:
        context: Tokens.
        weights, conversation, workspace, rest: Bytes of the model, of the KV cache, of what is computed in
            between, and of all else.
        scaling: How positions are scaled, in the field's words; empty for not at all.
        quality, tone, meaning: In two words how well it reads, the token of their colour, and a plain line.
        numbers: The rotation that comes of it, by the names of `app.domain.loading.ROPE_NUMBERS`.
        problem: Why positions cannot be scaled so, as a sentence; empty when they can.
        nearest: What fits instead; None when it fits, or nothing does.
    """

    context: int
    weights: int
    conversation: int
    workspace: int
    rest: int = 0
    scaling: str = ""
    quality: str = ""
    tone: str = "soft"
    meaning: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    problem: str = ""
    nearest: Nearest | None = None

    @property
    def total(self) -> int:
        """Return all bytes together."""
        return self.weights + self.conversation + self.workspace + self.rest


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be said of a model before it is loaded.

    Attributes:
        path: The model.
        usual: Tokens that it sees at once unless something else is set.
        trained: Tokens it was trained to see at once; 0 when unknown.
        sizes: What may be chosen, the usual size among them, in ascending order.
        chosen: What is set, or the usual size.
        available: Bytes there are for it, those of this program among them, which make room.
        recommended: What the file says of samplers, as `Settings.resolved` wants it.
        gpu: Whether there is a GPU to compute on.
        notes: What a person who sets numbers should know of the file, as sentences.
        scalable: Whether the scaling of positions can be set at all.
    """

    path: Path
    usual: int
    trained: int
    sizes: tuple[Take, ...]
    chosen: Take
    available: int
    recommended: Mapping[str, float]
    gpu: bool
    notes: tuple[str, ...] = ()
    scalable: bool = True


def outlook(model: Model, context: int | None, options: LoadOptions) -> Outlook:
    """Look at the file of `model`; nothing is loaded. Takes some ten milliseconds.

    Args:
        model: One that can be used.
        context: Tokens that are set; None for the usual size.
        options: How it is to be loaded.

    Raises:
        UserError: When the file cannot be read.
    """
    from app.engine import native  # not started here, or it would forget where its last words go

    header = listed_header_of(model.path)
    devices = native.devices()[:-1]
    gpu = bool(devices) and options.gpu_layers != 0
    free = sum(device.memory_free for device in devices) if gpu else 0
    trained = header.context_length
    usual = usual_context(trained)
    available = free or psutil.virtual_memory().available + psutil.Process().memory_full_info().uss
    steps = _Steps(header, options, Room(header, available, gpu=gpu))
    rotation = declared(header)
    return Outlook(
        path=model.path,
        usual=usual,
        trained=trained,
        sizes=tuple(steps.take(size) for size in _sizes(header, usual)),
        chosen=steps.take(context or usual),
        available=available,
        recommended=_recommended(header),
        gpu=bool(devices),
        notes=tuple(note(each) for each in rotation.notes),
        scalable=not FIXED & {*rotation.notes},
    )


class _Steps:
    """Looks at one size of the context after the other."""

    def __init__(self, header: Header, options: LoadOptions, room: Room) -> None:
        self._header, self._options, self._room = header, options, room
        self._way = Way(options.kv_type, options.ubatch, options.flash_attention, options.whole_window)

    def take(self, size: int) -> Take:
        fit = self._room.taken(size, self._way)
        memory = fit.memory
        found = Take(
            size, memory.weights, memory.kv_cache, memory.compute, memory.vocabulary + memory.program
        )
        if not fit.fits:
            found = replace(found, nearest=self._nearest(size))
        try:
            rope = self._options.rotation(self._header, size)
        except UserError as error:
            return replace(found, problem=str(error))
        scaling = "" if rope.type == "none" else scaling_word(rope)
        tone, meaning = _meaning(rope, scaling)
        return replace(
            found, scaling=scaling, quality=quality_word(rope.quality), tone=tone, meaning=meaning,
            numbers=_numbers(rope),
        )  # fmt: skip

    def _nearest(self, size: int) -> Nearest | None:
        fit: Fit = self._room.nearest(size, self._way)
        if not fit.fits:
            return None
        layout, wanted = fit.layout, self._room.taken(size, self._way).layout
        flash = True if layout.flash_attention and not wanted.flash_attention else None
        options = replace(
            self._options,
            kv_type=layout.kv_type,
            ubatch=min(self._options.ubatch, layout.ubatch),
            flash_attention=flash or self._options.flash_attention,
            whole_window=self._options.whole_window and layout.whole_window,
        )
        return Nearest(layout.context, options, " ".join(map(cost_sentence, fit.costs)))


def _numbers(rope: Rope) -> dict[str, float]:
    return {name: getattr(rope, name) for name in RANGES}


def _meaning(rope: Rope, scaling: str) -> tuple[str, str]:
    """Return the colour and the plain line for what a rotation does to what the model understands."""
    match rope.quality:
        case Quality.AS_TRAINED:
            return "good", _("The model was trained to read this much at once.")
        case Quality.USUALLY_FINE:
            words = _("More than it was trained for, stretched with {scaling}; it usually reads well.")
            return "warn", words.format(scaling=scaling)
        case Quality.EXPECT_LOSS:
            return "bad", _("Far from what it was trained for: expect it to overlook and mix up things.")
    return "soft", _("Nobody knows how well it reads this much; try it.")


def _sizes(header: Header, usual: int) -> list[int]:
    """Return powers of two up to what the file is made for, the usual size, and what lies beyond."""
    known, farthest = reach(header), most(header)
    top = known or _MOST
    sizes, size = {usual, top}, _SMALLEST
    while size < top:
        sizes.add(size)
        size *= 2
    original = declared(header).original_context
    sizes |= {original * step for step in STEPS if known < original * step <= farthest}
    return sorted(sizes)


def _recommended(header: Header) -> dict[str, float]:
    """Return what the file says of samplers, as far as it can be followed."""
    found: dict[str, float] = {}
    for key, name in FILE_KEYS.items():
        value, bounds = header.metadata.get(key), SAMPLERS[name]
        if isinstance(value, int | float) and bounds.low <= value <= bounds.high:
            found[key] = float(value)
    return found
