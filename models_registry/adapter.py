"""LoRA adapters: what the header of such a file says, and whether it can be laid over a model.

The keys and tensors are those that llama.cpp's `convert_lora_to_gguf.py` writes. What is refused is what
its `llama_adapter_lora_init_impl` refuses, and what that lets through to end the process later: values of
another type than it asks for, halves that do not multiply, and weights that it uses in a second way.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Never

from models_registry.errors import ModelFileError, Problem
from models_registry.gguf import Part, read_part
from models_registry.header import Header, Tensor

_HALVES = (".lora_a", ".lora_b")
_TYPES = ("F32", "F16", "BF16", "Q8_0")  # what adapters are written in; not every other one multiplies
_ALPHA = "adapter.lora.alpha"
_EMBEDDING = "token_embd.weight"


class Misfit(StrEnum):
    """Why a sound GGUF file is not an adapter for this model; `AdapterError.subject` is said for each."""

    MODEL = "model"
    """A whole model. Subject: nothing."""
    OTHER_KIND = "other_kind"
    """Neither a model nor a LoRA adapter. Subject: nothing."""
    CONTROL_VECTOR = "control_vector"
    """A control vector, which is added to the hidden state. Subject: nothing."""
    ACTIVATED = "activated"
    """An aLoRA, which is only on behind certain tokens. Subject: nothing."""
    EMPTY = "empty"
    """No weights. Subject: nothing."""
    ARCHITECTURE = "architecture"
    """Made for models of another architecture. Subject: which."""
    UNKNOWN_TENSOR = "unknown_tensor"
    """It changes a tensor that the model does not have. Subject: the tensor."""
    SHAPE = "shape"
    """It changes a tensor that has another shape in the model. Subject: the tensor."""
    HALF = "half"
    """One of the two matrices for a tensor is missing. Subject: the tensor."""
    RANK = "rank"
    """The two matrices for a tensor cannot be multiplied. Subject: the tensor."""
    TYPE = "type"
    """A matrix is stored in a way that does not multiply. Subject: the tensor."""
    FIXED = "fixed"
    """It changes a tensor that llama.cpp cannot change in this model. Subject: the tensor."""
    NOT_FINITE = "not_finite"
    """A matrix holds an infinite number, or none (NaN). Subject: the tensor."""


class AdapterError(Exception):
    """A file that cannot be laid over a model.

    Attributes:
        misfit: The kind of trouble, to be said to the user in words.
        subject: What it is about: a tensor or an architecture; empty for some.
    """

    def __init__(self, misfit: Misfit, subject: str = "") -> None:
        super().__init__(misfit, subject)
        self.misfit = misfit
        self.subject = subject


@dataclass(frozen=True, slots=True)
class Pair:
    """The two matrices that change one tensor: `b` times `a`, times alpha / rank, is added to it.

    Attributes:
        a: Shape (inputs, rank), for expert weights with their number behind.
        b: Shape (rank, outputs), likewise. For the token embedding `a` is (rank, tokens), `b` (rank, width).
    """

    a: Tensor
    b: Tensor

    @property
    def rank(self) -> int:
        """Return by what llama.cpp divides alpha."""
        return self.b.shape[0]


@dataclass(frozen=True, slots=True)
class AdapterHeader:
    """A LoRA adapter that was read and found sound.

    Attributes:
        architecture: Of the models it is made for, as in their `general.architecture`.
        alpha: Divided by the rank, it multiplies the change; 0 leaves the change as it is.
        pairs: By the name of the tensor that is changed. Not in here: norms that lie in the file, which
            llama.cpp passes over.
    """

    path: Path
    file_size: int
    architecture: str
    alpha: float
    pairs: dict[str, Pair]

    @property
    def rank(self) -> int:
        """Return the largest rank."""
        return max(pair.rank for pair in self.pairs.values())


def read_adapter(path: Path) -> AdapterHeader:
    """Read and check the header of a LoRA adapter.

    Raises:
        ModelFileError: When it is not a sound GGUF file.
        AdapterError: When it is another thing than an adapter, or holds what no adapter can.
    """
    part = read_part(path)
    _check_kind(part)
    alpha = part.metadata.get(_ALPHA, 0.0)
    # llama.cpp asks for exactly this type, and an assertion fails on any other.
    stored = part.types.get(_ALPHA, "arr" if _ALPHA in part.arrays else "f32")
    if stored != "f32" or not isinstance(alpha, float) or not math.isfinite(alpha):
        raise ModelFileError(Problem.CORRUPT, f"{_ALPHA} is {alpha!r}, stored as {stored}")
    pairs = dict(_pair(part.tensors))
    if not pairs:
        _refuse(Misfit.EMPTY)
    architecture = str(part.metadata["general.architecture"])
    return AdapterHeader(path, part.size, architecture, alpha, pairs)


def check_fit(adapter: AdapterHeader, model: Header) -> None:
    """Refuse an adapter that `model` cannot carry.

    Raises:
        AdapterError: With the first thing that does not fit.
    """
    if adapter.architecture != model.architecture:
        _refuse(Misfit.ARCHITECTURE, adapter.architecture)
    tensors = {tensor.name: tensor for tensor in model.tensors}
    for name, pair in adapter.pairs.items():
        if name not in tensors:
            _refuse(Misfit.UNKNOWN_TENSOR, name)
        if not _fits(pair, tensors[name]):
            _refuse(Misfit.SHAPE, name)
        # Where the output shares the embedding's weights, llama.cpp multiplies with the embedding's halves,
        # which lie the other way round: an assertion fails. Another one forbids NVFP4.
        tied = name == _EMBEDDING and "output.weight" not in tensors
        if tied or tensors[name].type.name == "NVFP4":
            _refuse(Misfit.FIXED, name)


def _refuse(misfit: Misfit, subject: str = "") -> Never:
    raise AdapterError(misfit, subject)


def _check_kind(part: Part) -> None:
    kind = part.metadata.get("general.type", "model")
    architecture = part.metadata.get("general.architecture")
    if architecture == "controlvector":
        _refuse(Misfit.CONTROL_VECTOR)
    if kind == "model" and "adapter.type" not in part.metadata:
        _refuse(Misfit.MODEL)
    if kind != "adapter" or part.metadata.get("adapter.type") != "lora":
        _refuse(Misfit.OTHER_KIND)
    if not isinstance(architecture, str) or part.metadata.get("split.count", 0) not in (0, 1):
        _refuse(Misfit.OTHER_KIND)
    if any(key.startswith("adapter.alora.") for key in (*part.metadata, *part.arrays)):
        _refuse(Misfit.ACTIVATED)


def _pair(tensors: list[Tensor]) -> Iterator[tuple[str, Pair]]:
    """Yield the changed tensors with their two matrices."""
    halves: tuple[dict[str, Tensor], dict[str, Tensor]] = ({}, {})
    for tensor in tensors:
        for half, suffix in zip(halves, _HALVES, strict=True):
            if tensor.name.endswith(suffix):
                half[tensor.name.removesuffix(suffix)] = tensor
                break
        else:
            if not tensor.name.endswith("_norm.weight"):
                _refuse(Misfit.OTHER_KIND)
    for name in {**halves[0], **halves[1]}:
        if name not in halves[0] or name not in halves[1]:
            _refuse(Misfit.HALF, name)
        pair = Pair(halves[0][name], halves[1][name])
        # Only the end of a name is taken off here, while llama.cpp takes off each such part of it.
        if any(suffix in name for suffix in _HALVES):
            _refuse(Misfit.UNKNOWN_TENSOR, name)
        if not {pair.a.type.name, pair.b.type.name} <= {*_TYPES}:
            _refuse(Misfit.TYPE, name)
        if _whole(pair.b)[0] != _whole(pair.a)[0 if name == _EMBEDDING else 1]:
            _refuse(Misfit.RANK, name)
        yield name, pair


def _fits(pair: Pair, weight: Tensor) -> bool:
    """Return whether the product of the two matrices has the shape of `weight`, which is a matrix or more."""
    a, b, whole = _whole(pair.a), _whole(pair.b), _whole(weight)
    if whole[1] == 1 or not a[2:] == b[2:] == whole[2:]:
        return False
    if weight.name == _EMBEDDING:
        return (b[1], a[1]) == whole[:2]
    # llama.cpp takes every such name for an embedding; no model looks the others up through an adapter.
    return not weight.name.endswith(_EMBEDDING) and (a[0], b[1]) == whole[:2]


def _whole(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape with all its four dimensions."""
    return (*tensor.shape, 1, 1, 1)[:4]
