"""The list of linked files and known sha256."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry.index import Index, IndexFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "library.json"


def full(index: Index) -> None:
    index.linked += ["/a/ü.gguf", "/b\udcff.gguf"]
    index.sha256["/a/ü.gguf"] = (((5, 1_700_000_000_000_000_001), (6, 2)), "ab" * 32)


def test_what_is_written_is_read(path: Path) -> None:
    expected = Index()
    full(expected)
    assert IndexFile(path).read() == Index()
    IndexFile(path).update(full)
    assert IndexFile(path).read() == expected
    assert list(path.parent.iterdir()) == [path]


def test_folders_are_made_on_the_way(tmp_path: Path) -> None:
    IndexFile(tmp_path / "new" / "folder" / "library.json").update(full)
    assert (tmp_path / "new" / "folder" / "library.json").is_file()


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    IndexFile(path).update(full)
    before = path.read_bytes()

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        IndexFile(path).update(lambda index: index.linked.clear())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


DAMAGED = [
    b"",
    b"{",
    b"\xff\xfe",
    b"[]",
    b"7",
    b'"linked"',
    b"{}",
    b'{"linked": "/a", "sha256": {}}',
    b'{"linked": [1], "sha256": {}}',
    b'{"linked": [""], "sha256": {}}',
    b'{"linked": [], "sha256": []}',
    b'{"linked": [], "sha256": {"a": 1}}',
    b'{"linked": [], "sha256": {"a": [[[1]], "x"]}}',
    b'{"linked": [], "sha256": {"a": [[[1e999, 1]], "x"]}}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_set_aside(path: Path, content: bytes) -> None:
    for number in (1, 2):
        path.write_bytes(content)
        assert IndexFile(path).read() == Index()
        assert not path.exists()
        assert path.with_name(f"library.json.damaged-{number}").read_bytes() == content
    IndexFile(path).update(full)
    assert len(IndexFile(path).read().linked) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100)
@given(
    st.fixed_dictionaries({"linked": JSON | st.lists(st.text()), "sha256": st.dictionaries(st.text(), JSON)})
)
def test_any_content_gives_an_index(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content))
    index = IndexFile(path).read()
    assert all(isinstance(name, str) for name in index.linked)
    for aside in path.parent.glob("any.json.damaged-*"):
        aside.unlink()
