"""The header of a GGUF file, read with every length checked against the bytes that are really there.

The format is that of ggml's `docs/gguf.md`. What is refused follows ggml's `gguf.cpp`, with lower limits
where no genuine file comes near the original ones.
"""

import contextlib
import math
import stat
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Never, Protocol

from models_registry import preflight
from models_registry.byte_reader import ByteReader, File
from models_registry.errors import ModelFileError, Problem
from models_registry.header import Header, Tensor, Value
from models_registry.preflight import Array
from models_registry.shards import Shard
from models_registry.tensor_types import TENSOR_TYPES

# No genuine file comes near these; they bound time and memory. The largest vocabularies have 262,144 tokens.
_MAX_PAIRS = 4096
_MAX_TENSORS = 1 << 17
_MAX_TOKENS = 1 << 20
_MAX_ELEMENTS = 1 << 30
_MAX_KEY = 65_535
_TOKENS = "tokenizer.ggml.tokens"
# Arrays up to this length are kept: those with an element for each layer say something about the model.
_KEPT_ELEMENTS = 512

_ALIGNMENTS = [1 << bits for bits in range(3, 21)]
_DEFAULT_ALIGNMENT = 32
_MAX_DIMENSIONS = 4
_MAX_NAME = 63  # ggml.h: GGML_MAX_NAME counts the NUL
# Bytes of the smallest key-value pair (a key of one letter, a u8) and of the smallest tensor.
_LEAST_PAIR = 14
_LEAST_TENSOR = 32
# Of the formats before GGUF, as they stand in the file: ggml, ggmf, ggjt, ggla.
_OLD_MAGICS = (b"lmgg", b"fmgg", b"tjgg", b"algg")

_TYPES = ("u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "str", "arr", "u64", "i64", "f64")
# The struct code of each scalar type; a bool is any byte, and true unless it is 0.
_CODES = dict(zip(_TYPES, ("B", "b", "H", "h", "I", "i", "f", "?", "", "", "Q", "q", "d"), strict=True))


class Part(NamedTuple):
    """One file: a model, one of several that hold a model, or an adapter.

    Attributes:
        arrays: Every array of the metadata, also the long ones that are not in it.
        types: How each scalar of the metadata is stored, as named in the GGUF format: "u32", "str".
    """

    path: Path
    size: int
    version: int
    metadata: dict[str, Value]
    arrays: dict[str, Array]
    types: dict[str, str]
    tensors: list[Tensor]


class Place(Protocol):
    """Where the files of a model lie."""

    def open(self, path: Path) -> File:
        """Open one of them.

        Raises:
            ModelFileError: MISSING, NOT_A_FILE or UNREADABLE.
        """

    def has(self, path: Path) -> bool:
        """Return whether there is a file of this name."""


class _Disk:
    """This computer."""

    def open(self, path: Path) -> BufferedReader:
        return open_file(path)

    def has(self, path: Path) -> bool:
        return path.is_file()


_DISK = _Disk()


def read_header(path: Path, place: Place = _DISK, *, vocabulary: bool = True) -> Header:
    """Read and check the header of a model, of all its files if it has several.

    Args:
        path: A GGUF file; the first one ("-00001-of-00003.gguf") of a model in several.
        place: Where it lies: on this computer, unless something else is given.
        vocabulary: Compare the tokens with each other, too, which takes two thirds of the time; without it
            their lengths are checked all the same. For a file that was let in before.

    Raises:
        ModelFileError: With any `Problem`. Nothing else is raised, whatever the file holds, but for what a
            `place` adds of its own.
    """
    first = read_part(path, check=preflight.check, place=place, vocabulary=vocabulary)
    others = _read_others(path, first.metadata, place)
    tensors = tuple(tensor for part in (first, *others) for tensor in part.tensors)
    preflight.check_tensors(tensors)
    expected = first.metadata.get("split.tensors.count")
    if others and len({tensor.name for tensor in tensors}) != expected:
        _refuse(f"{len(tensors)} tensors in {len(others) + 1} files, but split.tensors.count is {expected}")
    return Header(
        path=path,
        parts=(path, *(part.path for part in others)),
        file_size=sum(part.size for part in (first, *others)),
        version=first.version,
        metadata=first.metadata,
        tensors=tensors,
    )


def open_file(path: Path) -> BufferedReader:
    """Open a model file for reading.

    Raises:
        ModelFileError: MISSING, NOT_A_FILE or UNREADABLE.
    """
    try:
        mode = path.stat().st_mode
        # Opening a pipe would wait for its other end.
        if not stat.S_ISREG(mode):
            _refuse(f"{stat.filemode(mode)} is not a regular file", Problem.NOT_A_FILE)
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the path
        raise ModelFileError(Problem.MISSING, str(error)) from error
    except OSError as error:
        raise ModelFileError(Problem.UNREADABLE, str(error)) from error


def _refuse(detail: str, problem: Problem = Problem.CORRUPT) -> Never:
    raise ModelFileError(problem, detail)


def _read_others(path: Path, metadata: dict[str, Value], place: Place) -> list[Part]:
    """Read the files after the first one."""
    count = metadata.get("split.count", 0)
    if not isinstance(count, int) or count <= 1:
        return []
    shard = Shard.of(path)
    if not shard or (shard.number, shard.total) != (1, count):
        needed = f"the name of the first of {count} files must end in -00001-of-{count:05d}.gguf"
        _refuse(needed, Problem.SHARD_MISSING)
    paths = []
    for number in range(2, count + 1):
        paths.append(shard.sibling(number))
        if not place.has(paths[-1]):
            _refuse(f"{paths[-1].name} is missing", Problem.SHARD_MISSING)
    return [read_part(part, number, place=place) for number, part in enumerate(paths, start=2)]


Check = Callable[[Mapping[str, Value], Mapping[str, Array], int], None]


def read_part(
    path: Path,
    number: int = 1,
    check: Check | None = None,
    place: Place = _DISK,
    *,
    vocabulary: bool = True,
) -> Part:
    """Read one file.

    Args:
        path: Any file.
        number: Which of several it is, from 1.
        check: Refuses it after its metadata, given what `preflight.check` is given.
        place: Where it lies.
        vocabulary: See `read_header`.

    Raises:
        ModelFileError: With the problems of the format itself, and what `check` raises.
    """
    with contextlib.closing(place.open(path)) as file:
        try:
            reader = ByteReader(file)
            version = _read_version(reader)
            tensor_count = reader.integer(8, "the number of tensors")
            pair_count = reader.integer(8, "the number of keys")
            if tensor_count > _MAX_TENSORS or pair_count > _MAX_PAIRS:
                _refuse(f"{tensor_count} tensors, {pair_count} keys: more than {_MAX_TENSORS}, {_MAX_PAIRS}")
            reader.require(_LEAST_PAIR * pair_count + _LEAST_TENSOR * tensor_count, "the keys and tensors")
            metadata, arrays, types = _read_metadata(reader, pair_count, vocabulary=vocabulary)
            _check_number(path, metadata, number, place)
            if check:
                check(metadata, arrays, tensor_count)
            tensors = _read_tensors(reader, tensor_count, _alignment(metadata))
        except ModelFileError as error:
            if number == 1:
                raise
            raise ModelFileError(error.problem, f"{path.name}: {error.detail}") from error
        except OSError as error:
            raise ModelFileError(Problem.UNREADABLE, str(error)) from error
        return Part(path, reader.size, version, metadata, arrays, types, tensors)


def _read_version(reader: ByteReader) -> int:
    magic = reader.take(min(4, reader.size), "the magic")
    if magic in _OLD_MAGICS:
        _refuse(f"the file begins with {magic!r}: a format before GGUF", Problem.UNSUPPORTED_VERSION)
    if not b"GGUF".startswith(magic):
        _refuse(f"the file begins with {magic!r}", Problem.NOT_GGUF)
    if len(magic) < 4:
        _refuse(f"the file is {len(magic)} bytes long", Problem.TRUNCATED)
    version = reader.integer(4, "the version")
    if version in (2, 3):
        return version
    if version in (2 << 24, 3 << 24):
        _refuse(f"version {version >> 24} in big-endian order", Problem.BIG_ENDIAN)
    _refuse(f"GGUF version {version}", Problem.UNSUPPORTED_VERSION if 0 < version < 256 else Problem.CORRUPT)


def _check_number(path: Path, metadata: dict[str, Value], number: int, place: Place) -> None:
    """Refuse a file that is not the `number`th of its model."""
    stated = metadata.get("split.no", 0)
    if stated == number - 1:
        return
    if number > 1 or not isinstance(stated, int):
        _refuse(f"split.no is {stated!r}, not {number - 1}")
    shard = Shard.of(path)
    if shard and shard.number > 1 and place.has(shard.sibling(1)):
        _refuse(f"file {shard.number} of {shard.total}", Problem.NOT_FIRST_SHARD)
    _refuse(f"split.no is {stated}, and the first file is not beside it", Problem.SHARD_MISSING)


def _read_metadata(
    reader: ByteReader, count: int, *, vocabulary: bool
) -> tuple[dict[str, Value], dict[str, Array], dict[str, str]]:
    """Read all key-value pairs, all arrays and the types of all scalars; long arrays are passed over."""
    metadata: dict[str, Value] = {}
    types: dict[str, str] = {}
    arrays: dict[str, Array] = {}
    tokens: list[bytes] | None = None
    for index in range(count):
        key = _decode_name(reader.string(f"key {index}", _MAX_KEY), f"key {index}")
        if not key or key in metadata or key in arrays:
            _refuse(f"key {index} is {key!r}, which {'occurs twice' if key else 'is empty'}")
        type_name = _read_type(reader, key)
        if type_name != "arr":
            metadata[key] = _read_scalar(reader, type_name, key)
            types[key] = type_name
            continue
        element, length = _read_type(reader, key), reader.integer(8, key)
        if element == "arr" or length > _MAX_ELEMENTS:
            _refuse(f"{key} is an array of {length} {element}")
        arrays[key] = Array(element, length)
        if key == _TOKENS and length > _MAX_TOKENS:
            _refuse(f"{_TOKENS} has {length} tokens, more than {_MAX_TOKENS}")
        if key == _TOKENS and element == "str" and vocabulary:
            tokens = _read_strings(reader, length, key)
            value: Value | None = _short(tokens)
        else:
            value = _read_array(reader, arrays[key], key)
        if value is not None:
            metadata[key] = value
    if tokens is not None:
        preflight.check_tokens(tokens, metadata.get("tokenizer.ggml.model"))
    return metadata, arrays, types


def _read_type(reader: ByteReader, key: str) -> str:
    number = reader.integer(4, f"the type of {key}")
    if number >= len(_TYPES):
        _refuse(f"{key} has type {number}")
    return _TYPES[number]


def _read_scalar(reader: ByteReader, type_name: str, key: str) -> bool | int | float | str:
    if type_name == "str":
        return _decode(reader.string(key))
    code = struct.Struct("<" + _CODES[type_name])
    value: bool | int | float = code.unpack(reader.take(code.size, key))[0]
    return value


def _read_array(reader: ByteReader, array: Array, key: str) -> Value | None:
    """Return a short array; pass over a long one."""
    keep = array.length <= _KEPT_ELEMENTS
    if array.type != "str":
        size = struct.calcsize("<" + _CODES[array.type]) * array.length
        if keep:
            return struct.unpack(f"<{array.length}{_CODES[array.type]}", reader.take(size, key))
        reader.skip(size, key)
        return None
    if keep:
        return _short(_read_strings(reader, array.length, key))
    reader.skip_strings(array.length, key)
    return None


def _read_strings(reader: ByteReader, count: int, key: str) -> list[bytes]:
    strings: list[bytes] = []
    for buffer, offsets in reader.strings(count, key):
        strings += [buffer[start + 8 : end] for start, end in pairwise(offsets)]
    return strings


def _short(strings: list[bytes]) -> tuple[str, ...] | None:
    return tuple(map(_decode, strings)) if len(strings) <= _KEPT_ELEMENTS else None


def _decode(text: bytes) -> str:
    """Return a string as llama.cpp sees it: up to the first NUL. Bytes that are no UTF-8 are replaced."""
    return text.split(b"\0", 1)[0].decode(errors="replace")


def _decode_name(text: bytes, what: str) -> str:
    try:
        name = text.decode()
    except UnicodeDecodeError:
        _refuse(f"{what} is not UTF-8: {text[:40]!r}")
    if "\0" in name:
        _refuse(f"{what} contains a NUL: {name[:40]!r}")
    return name


def _alignment(metadata: dict[str, Value]) -> int:
    """Return what the offsets of tensors are a multiple of."""
    value = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(value, int) or value not in _ALIGNMENTS:
        _refuse(f"general.alignment is {value!r}, not a power of two from 8 to {_ALIGNMENTS[-1]}")
    return value


def _read_tensors(reader: ByteReader, count: int, alignment: int) -> list[Tensor]:
    """Read the list of tensors, which follow one another in the file, each at a multiple of `alignment`."""
    found: dict[str, Tensor] = {}
    end = 0
    for index in range(count):
        tensor = _read_tensor(reader, index)
        if tensor.name in found:
            _refuse(f"tensor {index} is {tensor.name!r}, which occurs twice")
        if tensor.offset != end:
            _refuse(f"tensor {tensor.name!r} is at offset {tensor.offset}, not at {end}")
        found[tensor.name] = tensor
        end = _aligned(end + tensor.size, alignment)
    data = _aligned(reader.position, alignment)
    for tensor in found.values():
        if (end := data + tensor.offset + tensor.size) > reader.size:
            _refuse(f"tensor {tensor.name!r} ends at {end}, the file at {reader.size}", Problem.TRUNCATED)
    return [replace(tensor, offset=data + tensor.offset) for tensor in found.values()]


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def _read_tensor(reader: ByteReader, index: int) -> Tensor:
    """Read one entry of the list; its offset counts from the beginning of the data."""
    what = f"tensor {index}"
    name = _decode_name(reader.string(what, _MAX_NAME), what)
    dimensions = reader.integer(4, what)
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        _refuse(f"{what} ({name}) has {dimensions} dimensions")
    shape = struct.unpack(f"<{dimensions}Q", reader.take(8 * dimensions, what))
    number = reader.integer(4, what)
    if number not in TENSOR_TYPES:
        problem = Problem.UNSUPPORTED_FEATURE if number < 256 else Problem.CORRUPT
        _refuse(f"{what} ({name}) is of type {number}", problem)
    stored = TENSOR_TYPES[number]
    elements = math.prod(shape)
    if not 0 < elements < 1 << 63 or shape[0] % stored.block:
        _refuse(f"{what} ({name}) of type {stored.name} has the shape {shape}")
    return Tensor(name, shape, stored, reader.integer(8, what), elements // stored.block * stored.size)
