"""Builds small GGUF files: sound by default, and able to lie about anything."""

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NAMES = ("u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "str", "arr", "u64", "i64", "f64")
TYPES = {name: number for number, name in enumerate(_NAMES)}
CODES = dict(zip(_NAMES, ("B", "b", "H", "h", "I", "i", "f", "?", None, None, "Q", "q", "d"), strict=True))
F32, F16, Q8_0 = 0, 1, 8


def string(text: str | bytes, length: int | None = None) -> bytes:
    """Return a string that says it is `length` bytes long."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw) if length is None else length) + raw


def scalar(kind: str, value: Any) -> bytes:
    return string(value) if kind == "str" else struct.pack(f"<{CODES[kind]}", value)


@dataclass
class Array:
    """An array of `values` that says it has `length` elements."""

    kind: str
    values: Any
    length: int | None = None

    def encode(self) -> bytes:
        length = len(self.values) if self.length is None else self.length
        content = b"".join(scalar(self.kind, value) for value in self.values)
        return struct.pack("<IIQ", TYPES["arr"], TYPES[self.kind], length) + content


@dataclass
class Raw:
    """Bytes in the place of a value, its type included."""

    content: bytes

    def encode(self) -> bytes:
        return self.content


@dataclass
class Tensor:
    name: str | bytes = "token_embd.weight"
    shape: tuple[int, ...] = (32, 4)
    type: int = F16
    size: int = 256
    offset: int | None = None
    dimensions: int | None = None


def three_tensors() -> list[Tensor]:
    norm = Tensor("output_norm.weight", (32,), F32, size=128)
    return [Tensor(), norm, Tensor("output.weight")]


def model_metadata() -> dict[Any, Any]:
    return {
        "general.architecture": ("str", "llama"),
        "general.file_type": ("u32", 1),
        "llama.block_count": ("u32", 2),
        "llama.context_length": ("u32", 2048),
        "llama.embedding_length": ("u32", 32),
        "llama.attention.head_count": ("u32", 4),
        "llama.attention.head_count_kv": ("u32", 2),
        "tokenizer.ggml.model": ("str", "gpt2"),
        "tokenizer.ggml.tokens": Array("str", ["<s>", "</s>", "a", "b"]),
        "tokenizer.ggml.scores": Array("f32", [0.0, 0.0, -1.0, -2.0]),
        "tokenizer.ggml.token_type": Array("i32", [3, 3, 1, 1]),
    }


@dataclass
class Gguf:
    """One file; the counts and lengths are true unless they are given."""

    magic: bytes = b"GGUF"
    version: int = 3
    metadata: dict[Any, Any] = field(default_factory=model_metadata)
    tensors: list[Tensor] = field(default_factory=three_tensors)
    alignment: int = 32
    tensor_count: int | None = None
    pair_count: int | None = None
    more_pairs: bytes = b""

    def encode(self) -> bytes:
        pairs = b"".join(string(key) + _value(value) for key, value in self.metadata.items())
        infos, data = b"", b""
        for tensor in self.tensors:
            offset = len(data) if tensor.offset is None else tensor.offset
            dimensions = len(tensor.shape) if tensor.dimensions is None else tensor.dimensions
            infos += string(tensor.name) + struct.pack(f"<I{len(tensor.shape)}Q", dimensions, *tensor.shape)
            infos += struct.pack("<IQ", tensor.type, offset)
            data += b"\x01" * tensor.size
            data += b"\0" * (-len(data) % self.alignment)
        tensor_count = len(self.tensors) if self.tensor_count is None else self.tensor_count
        pair_count = len(self.metadata) if self.pair_count is None else self.pair_count
        counts = struct.pack("<IQQ", self.version, tensor_count, pair_count)
        header = self.magic + counts + pairs + self.more_pairs + infos
        return header + b"\0" * (-len(header) % self.alignment) + data

    def write(self, path: Path) -> Path:
        path.write_bytes(self.encode())
        return path


def _value(value: Any) -> bytes:
    if isinstance(value, Array | Raw):
        return value.encode()
    kind, content = value
    return struct.pack("<I", TYPES[kind]) + scalar(kind, content)


def model(changes: dict[Any, Any] | None = None, **fields: Any) -> Gguf:
    """Return a sound model with other metadata; None takes a key away."""
    metadata = {**model_metadata(), **(changes or {})}
    return Gguf(metadata={key: value for key, value in metadata.items() if value is not None}, **fields)


def write_shards(folder: Path, name: str = "tiny", total: int = 3, tensor_count: int = 3) -> list[Path]:
    """Write a sound model in `total` files of one tensor each."""
    paths = []
    for number in range(total):
        split = {
            "split.no": ("u16", number),
            "split.count": ("u16", total),
            "split.tensors.count": ("i32", tensor_count),
        }
        part = Gguf(metadata={**model_metadata(), **split} if number == 0 else split)
        part.tensors = [Tensor(f"blk.{number}.weight")]
        paths.append(part.write(folder / f"{name}-{number + 1:05d}-of-{total:05d}.gguf"))
    return paths
