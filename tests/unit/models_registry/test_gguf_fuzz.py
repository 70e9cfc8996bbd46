"""No bytes make the header reader hang, crash, take much memory or raise anything but ModelFileError."""

import struct
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from ggml_library import Ggml
from gguf_writer import model, write_shards
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.errors import ModelFileError
from models_registry.gguf import read_header
from models_registry.header import Header

SOUND = model({"llama.rope.scaling.type": ("str", "yarn"), "general.name": ("str", "Tiny")}).encode()
Read = Callable[[bytes], Header | None]
LIMIT = settings(max_examples=250, deadline=timedelta(seconds=2))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "Fuzz-1B-Q4_0.gguf"


@pytest.fixture(scope="module")
def read(ggml: Ggml, path: Path) -> Callable[[bytes], Header | None]:
    return partial(read_bytes, ggml, path)


def read_bytes(ggml: Ggml, path: Path, content: bytes) -> Header | None:
    """Read a file with this content; None when it is refused."""
    path.write_bytes(content)
    try:
        header = read_header(path)
    except ModelFileError as error:
        found = error.detail
    else:
        found = ""
        assert read_header(path, vocabulary=False) == header
    if found:
        with suppress(ModelFileError):  # only tokens that do not go together are found by comparing them
            read_header(path, vocabulary=False)
            assert found.startswith("tokenizer.ggml.tokens ")
        return None
    # What is accepted is also accepted by the library that loads it, and can be shown.
    assert ggml.reads(path)
    for name in dir(Header):
        getattr(header, name)
    assert header.name
    assert header.quantization
    assert header.parameter_count > 0
    assert 1 <= header.block_count <= 512
    assert all(tensor.offset + tensor.size <= len(content) for tensor in header.tensors)
    return header


def test_the_file_that_is_changed_is_sound(read: Read) -> None:
    assert read(SOUND)


@LIMIT
@given(st.binary(max_size=300))
def test_any_bytes(read: Read, content: bytes) -> None:
    assert read(content) is None


@LIMIT
@given(st.integers(0, 4), st.integers(0, 4), st.binary(max_size=300))
def test_any_bytes_behind_a_true_beginning(read: Read, tensors: int, pairs: int, content: bytes) -> None:
    read(b"GGUF" + struct.pack("<IQQ", 3, tensors, pairs) + content)


@LIMIT
@given(st.integers(0, len(SOUND) - 1))
def test_any_truncation(read: Read, length: int) -> None:
    assert read(SOUND[:length]) is None


EXTREMES = st.sampled_from([0, 1, 7, 2**8, 2**16, 2**30, 2**31 - 1, 2**32 - 1, 2**62, 2**63, 2**64 - 1])
EDIT = st.tuples(
    st.integers(0, len(SOUND) - 700),  # the tensors' data take the last 640 bytes
    st.one_of(
        st.binary(min_size=1, max_size=9),
        EXTREMES.map(lambda number: struct.pack("<Q", number)),
        st.integers(0, 300).map(lambda number: struct.pack("<I", number)),
    ),
    st.sampled_from(["replace", "insert", "delete"]),
)


@settings(LIMIT, max_examples=600)
@given(st.lists(EDIT, min_size=1, max_size=4))
def test_any_edit(read: Read, edits: list[tuple[int, bytes, str]]) -> None:
    content = SOUND
    for at, new, how in edits:
        behind = at if how == "insert" else at + len(new)
        content = content[:at] + (b"" if how == "delete" else new) + content[behind:]
    read(content)


@settings(LIMIT, max_examples=100)
@given(st.integers(0, 2), st.integers(0, 300), st.binary(min_size=1, max_size=9))
def test_any_edit_of_one_of_several_files(
    tmp_path_factory: pytest.TempPathFactory, which: int, at: int, new: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp() / "several"
    folder.mkdir(exist_ok=True)
    paths = write_shards(folder)
    content = paths[which].read_bytes()
    paths[which].write_bytes(content[:at] + new + content[at + len(new) :])
    with suppress(ModelFileError):
        assert len(read_header(paths[0]).parts) == 3
