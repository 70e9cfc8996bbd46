"""The next larger context for a chat that has outgrown its own: from the header of its model alone."""

from concurrent.futures import Future

import psutil

from app.domain.loading import LoadOptions
from app.domain.model import Model
from app.services.headers import listed_header_of
from app.services.threads import Threads
from models_registry.fit import CELL_STEP
from models_registry.memory import estimate
from models_registry.rope import most as farthest

_FILLED = 0.75  # of a larger context at most, when it is chosen


def next_context(model: Model, options: LoadOptions, context: int, needed: int) -> int | None:
    """Return the size of the next context that holds `needed` tokens with some to spare.

    The context is doubled until it is large enough; None when the memory or the model forbid it.

    Args:
        model: One that can be used.
        options: How it is loaded.
        context: The size that there is.
        needed: Tokens.

    Raises:
        UserError: When the file cannot be read.
    """
    from app.engine import native  # not started here, or it would forget where its last words go

    header = listed_header_of(model.path)
    devices = native.devices()[:-1]
    gpu = bool(devices) and options.gpu_layers != 0
    free = sum(device.memory_free for device in devices) if gpu else 0
    available = free or psutil.virtual_memory().available + psutil.Process().memory_full_info().uss
    size, most = context, farthest(header)
    while size * _FILLED < needed:
        size *= 2
    size = min(size, most // CELL_STEP * CELL_STEP) if most else size
    if size < needed or size <= context:
        return None
    memory = estimate(header, options.layout(header, size, gpu=gpu), gpu=gpu)
    return size if memory.total <= available else None


class Extensions:
    """The same on a thread of its own."""

    def __init__(self) -> None:
        self._thread = Threads(1, "extension")

    def next_context(
        self, model: Model, options: LoadOptions, context: int, needed: int
    ) -> "Future[int | None]":
        """See `next_context`."""
        return self._thread.submit(next_context, model, options, context, needed)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)
