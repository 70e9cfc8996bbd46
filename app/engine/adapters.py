"""LoRA adapters of one loaded model: read once, and laid over it for single answers."""

import ctypes
import math
import os
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from llama_cpp import llama_cpp as api

from app.domain.adapter_problems import explain_adapter
from app.domain.errors import UserError
from app.domain.language import _
from app.domain.loading import Adapter
from app.engine import native
from app.engine.model import LoadedModel
from models_registry.adapter import AdapterError, AdapterHeader, Misfit, check_fit, read_adapter
from models_registry.errors import ModelFileError, Problem
from models_registry.gguf import read_header
from models_registry.header import Header, Tensor

MAX_SCALE = 10.0
_KEPT = 8  # adapters that stay in memory although no answer uses them
_CHUNK = 34 << 17  # bytes that are looked through at once: whole elements of each type

_File = tuple[str, int, int]
"""An adapter's file in one state: its path, its size in bytes, the time of its last change in nanoseconds."""


class OverlaidContext(Protocol):
    """A context that adapters are applied to; told from others by identity."""

    @property
    def handle(self) -> "api.llama_context_p":
        """Return llama.cpp's pointer."""


@dataclass(frozen=True, eq=False, slots=True, weakref_slot=True)
class AdapterSet:
    """Adapters that lie over the model together, each file once and none with a scale of 0.

    Attributes:
        key: Equal for equal sets, whatever the order: path, size in bytes, time of the last change in
            nanoseconds, and scale of each. What is in the KV cache belongs to the key it was computed
            under. Empty without adapters.
        handles: llama.cpp's pointers, in the order of `key`; valid as long as the set is held.
    """

    key: tuple[tuple[str, int, int, float], ...]
    handles: tuple[Any, ...]


NO_ADAPTERS = AdapterSet((), ())


@dataclass(slots=True)
class _Loaded:
    handle: Any
    users: "WeakSet[AdapterSet]"


class Adapters:
    """The adapters of one model; all calls come from the engine's thread.

    A file is read into memory once and stays there as long as a set that names it is held, and the last
    few beyond that: another set for the next answer costs no reading.
    """

    def __init__(self, model: LoadedModel) -> None:
        """Start without any adapter over `model`."""
        self._model = model
        self._header: Header | None = None
        self._loaded: OrderedDict[_File, _Loaded] = OrderedDict()
        self._applied: WeakKeyDictionary[OverlaidContext, AdapterSet] = WeakKeyDictionary()

    def choose(self, adapters: Iterable[Adapter]) -> AdapterSet:
        """Load what is not loaded yet and return the set to apply.

        The same file twice counts with the sum of its scales. Once this has returned, applying the set
        cannot fail, whatever becomes of the files.

        Raises:
            UserError: When a scale is out of range, or a file cannot be laid over this model.
        """
        scales: dict[_File, float] = {}
        for adapter in adapters:
            _check_scale(adapter)
            if adapter.scale:
                file = _state(adapter.path)
                scales[file] = scales.get(file, 0.0) + adapter.scale
        # llama.cpp reckons in 32 bits, where a small scale is 0. Sorted, since the order in which several are
        # added up shows in the last digits.
        exact = {file: ctypes.c_float(scale).value for file, scale in sorted(scales.items())}
        used = {file: scale for file, scale in exact.items() if scale}
        if not used:
            return NO_ADAPTERS
        loaded = [self._load(file) for file in used]
        chosen = AdapterSet(
            tuple((*file, scale) for file, scale in used.items()), tuple(one.handle for one in loaded)
        )
        for one in loaded:
            one.users.add(chosen)
        self._free_idle()
        return chosen

    def apply(self, context: OverlaidContext, chosen: AdapterSet) -> None:
        """Compute with `chosen` in `context` from now on; costs nothing when that is so already.

        What the KV cache holds was computed with other adapters, and must not be reused with these.
        """
        if self._applied.get(context, NO_ADAPTERS).key == chosen.key:
            return
        count = len(chosen.handles)
        handles = (api.llama_adapter_lora_p_ctypes * count)(*chosen.handles)
        scales = (ctypes.c_float * count)(*(entry[-1] for entry in chosen.key))
        api.llama_set_adapters_lora(context.handle, handles, count, scales)
        self._applied[context] = chosen

    def close(self) -> None:
        """Free every adapter: after the contexts that they were applied to, and before the model."""
        while self._loaded:
            _file, loaded = self._loaded.popitem()
            api.llama_adapter_lora_free(loaded.handle)

    def _load(self, file: _File) -> _Loaded:
        """Return the adapter in `file`, read now unless it is in memory."""
        if loaded := self._loaded.get(file):
            self._loaded.move_to_end(file)
            return loaded
        path = Path(file[0])
        self._header = self._header or read_header(self._model.path)
        try:
            adapter = read_adapter(path)
            check_fit(adapter, self._header)
            _check_numbers(adapter)
        except (AdapterError, ModelFileError) as error:
            raise explain_adapter(error, path.name, self._header.architecture) from error
        native.lines.clear()
        handle = api.llama_adapter_lora_init(self._model.handle, os.fsencode(path))
        if not handle:
            raise _refusal(path)
        loaded = self._loaded[file] = _Loaded(handle, WeakSet())
        return loaded

    def _free_idle(self) -> None:
        """Free the adapters that no set names any more, except the last few."""
        idle = [file for file, loaded in self._loaded.items() if not loaded.users]
        for file in idle[:-_KEPT]:
            api.llama_adapter_lora_free(self._loaded.pop(file).handle)


def _check_scale(adapter: Adapter) -> None:
    if not (math.isfinite(adapter.scale) and abs(adapter.scale) <= MAX_SCALE):
        raise UserError(
            _("The scale of “{file}” must be between {low} and {high}; {value} is not.").format(
                file=adapter.path.name, low=-MAX_SCALE, high=MAX_SCALE, value=adapter.scale
            )
        )


def _state(path: Path) -> _File:
    """Return the file as it is now; one that is not there gets a state too, and fails when it is read."""
    path = path.absolute()
    try:
        status = path.stat()
    except (OSError, ValueError):
        return str(path), 0, 0
    return str(path), status.st_size, status.st_mtime_ns


def _check_numbers(adapter: AdapterHeader) -> None:
    """Refuse an adapter with a number that is none: every logit would be, and the answer noise.

    Raises:
        AdapterError: Naming the tensor.
        ModelFileError: When the file cannot be read any more.
    """
    try:
        for name, pair in adapter.pairs.items():
            if not all(_is_finite(adapter.path, half) for half in (pair.a, pair.b)):
                raise AdapterError(Misfit.NOT_FINITE, name)
    except OSError as error:
        raise ModelFileError(Problem.UNREADABLE, str(error)) from error


_NUMBERS: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "Q8_0": np.dtype([("scale", "<f2"), ("steps", "i1", 32)]),
}


def _is_finite(path: Path, tensor: Tensor) -> bool:
    kind = _NUMBERS[tensor.type.name]
    for start in range(0, tensor.size, _CHUNK):
        size = min(_CHUNK, tensor.size - start)
        stored = np.fromfile(path, kind, size // kind.itemsize, offset=tensor.offset + start)
        if tensor.type.name == "BF16":
            numbers = (stored.astype("<u4") << 16).view("<f4")
        else:
            numbers = stored["scale"] if tensor.type.name == "Q8_0" else stored
        if not np.isfinite(numbers).all():
            return False
    return True


def _refusal(path: Path) -> UserError:
    """Say why llama.cpp would not take an adapter that fits by its header: it tells only its log."""
    log = "\n".join(native.lines)
    if re.search(r"failed to allocate|unable to allocate|out of memory|cudaMalloc failed", log):
        return UserError(
            _("There is not enough memory for “{file}”.").format(file=path.name),
            _("Close other programs, then try again."),
        )
    reason = re.search(r"failed to apply lora adapter: (.*)", log)
    return UserError(
        _("“{file}” could not be loaded: {reason}.").format(
            file=path.name, reason=reason[1] if reason else _("llama.cpp gives no reason")
        ),
        _("The file may be damaged; downloading it again often helps."),
    )
