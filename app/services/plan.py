"""What a model takes at a context, from the header of its file alone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from app.domain.fit_words import cost_sentence
from app.domain.language import _
from app.domain.loading import KV_TYPES, LoadOptions
from app.domain.model import Model
from app.services.headers import listed_header_of
from models_registry.fit import Layout, usual_context
from models_registry.memory import Memory
from models_registry.room import Cost, Fit, Room, Way
from models_registry.rope import Quality, Rope, most

_UNKNOWN_TRAINING = 1 << 20  # tokens; the most that is looked at when the file does not say its own
_FEWER_AT_ONCE = 128  # tokens; takes a quarter of the room to compute in, and reads more slowly


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same context made in another way, and what it takes then."""

    layout: Layout
    memory: Memory

    def to_json(self) -> dict[str, Any]:
        """Return what distinguishes it, and the bytes, as JSON types."""
        names = ("kv_type", "whole_window", "flash_attention", "ubatch")
        sizes = {"kv_cache": self.memory.kv_cache, "compute": self.memory.compute, "total": self.memory.total}
        return {name: getattr(self.layout, name) for name in names} | sizes


@dataclass(frozen=True, slots=True)
class Plan:
    """One model at one context.

    Attributes:
        model: Its name.
        context: Tokens it sees at once, as the engine rounds them.
        trained_context: What it was trained for; 0 when unknown.
        rope: How positions are scaled, and what that does to what it understands.
        kv_type: Type of the KV cache; "f16" where the model does not allow the one that was asked for.
        memory: What it takes.
        available: Bytes there are for it.
        fitting_context: The largest context up to the trained one that fits with this KV cache; 0 for none.
        nearest: What comes nearest to this context and fits; the same when it fits itself.
        alternatives: Each way to make this context, the one above among them.
        fitting: The largest context that fits with flash attention, by the type of the KV cache and the batch
            size; 0 for none.
    """

    model: str
    context: int
    trained_context: int
    rope: Rope
    kv_type: str
    memory: Memory
    available: int
    fitting_context: int
    nearest: Fit
    alternatives: tuple[Alternative, ...]
    fitting: Mapping[tuple[str, int], int]

    @property
    def fits(self) -> bool:
        """Return whether there is memory for it."""
        return self.memory.total <= self.available

    @property
    def advice(self) -> list[str]:
        """Return what a person should know or do, in sentences; empty when all is well."""
        said = []
        if self.rope.quality is Quality.EXPECT_LOSS:
            said.append(
                _(
                    "{model} was trained for a context of {trained:,} tokens; expect it to understand less "
                    "at this length."
                ).format(model=self.model, trained=self.trained_context)
            )
        if self.fits:
            return said
        if not self.nearest.fits:
            return [*said, _("Choose a smaller model, or a smaller quantization of this one.")]
        said.append(_nearest(self.nearest))
        if self.fitting_context and Cost.SHORTER_CONTEXT not in self.nearest.costs:
            said.append(
                _("With the options as they are, a context of up to {count:,} tokens fits.").format(
                    count=self.fitting_context
                )
            )
        return said

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return {
            "context": self.context,
            "trained_context": self.trained_context,
            "rope": self.rope.to_json(),
            "kv_type": self.kv_type,
            "memory": {**asdict(self.memory), "total": self.memory.total, "available": self.available},
            "fits": self.fits,
            "nearest": {
                "context": self.nearest.layout.context,
                **Alternative(self.nearest.layout, self.nearest.memory).to_json(),
                "fits": self.nearest.fits,
                "costs": list(self.nearest.costs),
            },
            "advice": self.advice,
            "alternatives": [each.to_json() for each in self.alternatives],
            "fitting": [
                {"kv_type": kind, "ubatch": ubatch, "context": size}
                for (kind, ubatch), size in self.fitting.items()
            ],
        }


def plan(
    model: Model,
    context: int | None,
    options: LoadOptions = LoadOptions(),  # noqa: B008 - frozen
    available: int | None = None,
) -> Plan:
    """Say what `model` takes; nothing is loaded.

    Args:
        model: One that can be used.
        context: Tokens; None for what the engine takes by itself.
        options: How it is to be loaded.
        available: Bytes of memory; None for what is free now, on the GPU where there is one.

    Raises:
        UserError: When the file cannot be read, or positions cannot be scaled so.
    """
    from app.engine import native

    header = listed_header_of(model.path)
    native.start()
    if available is None:
        free = sum(device.memory_free for device in native.devices()[:-1])
        available = free or psutil.virtual_memory().available
    trained = header.context_length
    size = context or usual_context(trained)
    rope = options.rotation(header, size)
    gpu = native.has_gpu() and options.gpu_layers != 0
    room = Room(header, available, gpu=gpu)
    way = Way(options.kv_type, options.ubatch, options.flash_attention, options.whole_window)
    found = room.taken(size, way)
    return Plan(
        model=model.name,
        context=found.layout.context,
        trained_context=trained,
        rope=rope,
        kv_type=found.layout.kv_type,
        memory=found.memory,
        available=available,
        fitting_context=room.largest(trained or _UNKNOWN_TRAINING, way),
        nearest=room.nearest(size, way),
        alternatives=_alternatives(room, size),
        fitting=room.contexts(most(header) or _UNKNOWN_TRAINING, flash_attention=True),
    )


def _alternatives(room: Room, context: int) -> tuple[Alternative, ...]:
    """Return each way to make a context of this size that the model allows, once."""
    ways = [Way(kind) for kind in KV_TYPES]
    ways += [Way(flash_attention=True), Way(flash_attention=False), Way(ubatch=_FEWER_AT_ONCE)]
    ways += [Way(kind, whole_window=True) for kind in KV_TYPES]
    found = {fit.layout: fit.memory for fit in (room.taken(context, way) for way in ways)}
    return tuple(Alternative(layout, memory) for layout, memory in found.items())


def _nearest(fit: Fit) -> str:
    """Return how a context that fits is made, as a sentence."""
    words = [f"--context {fit.layout.context}"] if Cost.SHORTER_CONTEXT in fit.costs else []
    if {Cost.SMALLER_CACHE, Cost.SMALLEST_CACHE} & {*fit.costs}:
        words.append(f"--kv-type {fit.layout.kv_type}")
    if Cost.SLOWER_WRITING in fit.costs:
        words.append("--flash-attention on")
    if Cost.SLOWER_READING in fit.costs:
        words.append(f"--ubatch {fit.layout.ubatch}")
    if Cost.SHORTER_CONTEXT in fit.costs:
        return _("The nearest that fits: {options}. {costs}").format(
            options=" ".join(words), costs=" ".join(map(cost_sentence, fit.costs))
        )
    return _("This context fits with {options}. {costs}").format(
        options=" ".join(words), costs=" ".join(map(cost_sentence, fit.costs))
    )
