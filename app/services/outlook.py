"""What a model will take in memory, and what its file recommends: known from its header alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.domain.loading import LoadOptions
from app.domain.model import Model
from app.domain.settings import FILE_KEYS, SAMPLERS
from app.services.headers import listed_header_of
from models_registry.fit import usual_context
from models_registry.header import Header
from models_registry.memory import estimate

_SMALLEST = 4096  # tokens; the first of the sizes that are offered
_MOST = 1 << 20  # tokens; the last one where the file does not say what it was trained for


@dataclass(frozen=True, slots=True)
class Take:
    """What one size of the context takes.

    Attributes:
        context: Tokens.
        weights, conversation, workspace: Bytes of the model, of the KV cache, and of all else.
    """

    context: int
    weights: int
    conversation: int
    workspace: int

    @property
    def total(self) -> int:
        """Return all bytes together."""
        return self.weights + self.conversation + self.workspace


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
    """

    path: Path
    usual: int
    trained: int
    sizes: tuple[Take, ...]
    chosen: Take
    available: int
    recommended: Mapping[str, float]
    gpu: bool


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

    def take(size: int) -> Take:
        layout = options.cells(header, size, gpu=gpu)
        memory = estimate(header, layout, gpu=gpu)
        rest = memory.compute + memory.vocabulary + memory.program
        return Take(size, memory.weights, memory.kv_cache, rest)

    return Outlook(
        path=model.path,
        usual=usual,
        trained=trained,
        sizes=tuple(take(size) for size in _sizes(usual, trained)),
        chosen=take(context or usual),
        available=free or psutil.virtual_memory().available + psutil.Process().memory_full_info().uss,
        recommended=_recommended(header),
        gpu=bool(devices),
    )


def _sizes(usual: int, trained: int) -> list[int]:
    """Return powers of two up to what the model was trained for, that size itself, and the usual one."""
    most = trained or _MOST
    sizes, size = {usual, most}, _SMALLEST
    while size < most:
        sizes.add(size)
        size *= 2
    return sorted(sizes)


def _recommended(header: Header) -> dict[str, float]:
    """Return what the file says of samplers, as far as it can be followed."""
    found: dict[str, float] = {}
    for key, name in FILE_KEYS.items():
        value, bounds = header.metadata.get(key), SAMPLERS[name]
        if isinstance(value, int | float) and bounds.low <= value <= bounds.high:
            found[key] = float(value)
    return found
