"""Small LoRA adapters as llama.cpp's converter writes them from PEFT's, and models with given weights."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tiny_models import Gguf, tiny

from gguf_writer import F16, F32, Tensor  # isort: skip  # found through tiny_models

Matrix = np.ndarray[Any, np.dtype[np.float32]]


def encode(file: Gguf, values: dict[str, Matrix]) -> bytes:
    """Return `file` with these numbers in its tensors, rows one after the other; all tensors are named."""
    data = b""
    for tensor in file.tensors:
        stored = values[str(tensor.name)].astype("<f2" if tensor.type == F16 else "<f4").tobytes()
        assert len(stored) == tensor.size
        data += stored + b"\0" * (-len(stored) % file.alignment)
    encoded = file.encode()
    return encoded[: len(encoded) - len(data)] + data


@dataclass
class Lora:
    """An adapter: for each changed weight A (rank, inputs) and B (outputs, rank), as in PEFT."""

    pairs: dict[str, tuple[Matrix, Matrix]]
    alpha: float = 8.0
    architecture: str = "llama"
    type: int = F32
    changes: dict[str, Any] = field(default_factory=dict)  # of the metadata; None takes a key away

    def file(self) -> tuple[Gguf, dict[str, Matrix]]:
        """Return the file and what its tensors hold."""
        metadata: dict[str, Any] = {
            "general.type": ("str", "adapter"),
            "general.architecture": ("str", self.architecture),
            "adapter.type": ("str", "lora"),
            "adapter.lora.alpha": ("f32", self.alpha),
            **self.changes,
        }
        values = {
            f"{name}.lora_{half}": matrix
            for name, pair in self.pairs.items()
            for half, matrix in zip("ab", pair, strict=True)
        }
        size = 2 if self.type == F16 else 4
        tensors = [
            Tensor(name, matrix.shape[::-1], self.type, size=size * matrix.size)
            for name, matrix in values.items()
        ]
        kept = {key: value for key, value in metadata.items() if value is not None}
        return Gguf(metadata=kept, tensors=tensors), values

    def write(self, path: Path) -> Path:
        path.write_bytes(encode(*self.file()))
        return path

    def merged(self, weights: dict[str, Matrix], scale: float) -> dict[str, Matrix]:
        """Return weights to which this adapter has been added."""
        changed = dict(weights)
        for name, (a, b) in self.pairs.items():
            changed[name] = weights[name] + np.float32(scale * self.alpha / len(a)) * (b @ a)
        return changed


def random_lora(shapes: dict[str, tuple[int, int]], seed: int = 0, rank: int = 4, **fields: Any) -> Lora:
    """Return an adapter with random numbers for weights of these shapes (inputs, outputs)."""
    chance = np.random.default_rng(seed)
    pairs = {
        name: (
            chance.normal(0, inputs**-0.5, (rank, inputs)).astype(np.float32),
            chance.normal(0, 0.1, (outputs, rank)).astype(np.float32),
        )
        for name, (inputs, outputs) in shapes.items()
    }
    return Lora(pairs, **fields)


def random_weights(seed: int = 0) -> dict[str, Matrix]:
    """Return random numbers for the tensors of `tiny_models.tiny()`."""
    chance = np.random.default_rng(seed)
    weights = {}
    for tensor in tiny().tensors:
        norm = len(tensor.shape) == 1
        values = (
            1 + chance.normal(0, 0.1, tensor.shape) if norm else chance.normal(0, 0.3, tensor.shape[::-1])
        )
        weights[str(tensor.name)] = values.astype(np.float32)
    return weights
