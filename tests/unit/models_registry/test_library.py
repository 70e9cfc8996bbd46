"""The library on real files: what it lists, links and remembers."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gguf_writer import model, write_shards

from models_registry.errors import ModelFileError, Problem
from models_registry.index import Source
from models_registry.library import Entry, Library
from models_registry.starter import SHA256

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    return elsewhere


@pytest.fixture
def library(folder: Path) -> Library:
    return Library(folder)


def tiny(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return model().write(path)


def listed(library: Library) -> list[Entry]:
    """Return all entries but the starter."""
    starter, *others = library.entries()
    assert starter.origin == "starter"
    return others


def never() -> bool:
    return False


def linked_in(folder: Path) -> list[str]:
    linked: list[str] = json.loads((folder / "library.json").read_text())["linked"]
    return linked


def test_an_empty_library_has_the_starter(tmp_path: Path, smollm2: Path) -> None:
    (entry,) = Library(tmp_path / "not" / "there").entries()
    assert (entry.path, entry.origin, entry.name, entry.error) == (
        smollm2,
        "starter",
        "SmolLM2 135M Instruct",
        None,
    )
    assert not (tmp_path / "not").exists()


def test_own_models_are_found_at_any_depth(library: Library, folder: Path) -> None:
    tiny(folder / "b.gguf")
    tiny(folder / "org" / "repo" / "A-1B.GGUF")
    assert [(entry.path.name, entry.name, entry.origin) for entry in listed(library)] == [
        ("A-1B.GGUF", "A 1B", "own"),
        ("b.gguf", "B", "own"),
    ]


def test_what_is_no_model_by_its_name_is_passed_over(library: Library, folder: Path) -> None:
    for name in (
        "a.gguf.part",
        "b.gguf.incomplete",
        "c.txt",
        ".hidden.gguf",
        "._d.gguf",
        "mmproj-d-f16.gguf",
    ):
        tiny(folder / name)
    tiny(folder / ".cache" / "e.gguf")
    (folder / "folder.gguf").mkdir()
    assert listed(library) == []


def test_a_projector_under_any_name_is_passed_over(library: Library, folder: Path) -> None:
    model({"general.architecture": ("str", "clip")}).write(folder / "vision.gguf")
    assert listed(library) == []


def test_a_model_in_several_files_is_listed_once(library: Library, folder: Path) -> None:
    paths = write_shards(folder)
    (entry,) = listed(library)
    assert entry.path == paths[0]
    assert entry.header
    assert entry.header.parts == tuple(paths)
    paths[1].unlink()
    (entry,) = listed(library)
    assert entry.error
    assert entry.error.problem is Problem.SHARD_MISSING
    paths[0].unlink()
    (entry,) = listed(library)
    assert (entry.path, entry.error and entry.error.problem) == (paths[2], Problem.SHARD_MISSING)
    write_shards(folder)
    assert listed(library)[0].header


def test_copies_are_listed_once_as_soon_as_they_are_known_to_be_copies(
    library: Library, folder: Path
) -> None:
    first, second = tiny(folder / "a" / "tiny.gguf"), tiny(folder / "b" / "tiny.gguf")
    assert [entry.path for entry in listed(library)] == [first, second]
    sha256 = library.sha256_of(first, never)
    assert len(listed(library)) == 2
    library.learn_sha256(second, sha256 or "")
    assert [entry.path for entry in listed(library)] == [first]
    assert [entry.sha256 for entry in Library(folder).entries()][1:] == [sha256]
    second.write_bytes(second.read_bytes() + b"0")
    assert len(listed(library)) == 2


def test_links_in_the_folder_are_followed_but_not_in_circles(
    library: Library, folder: Path, elsewhere: Path
) -> None:
    tiny(elsewhere / "deep" / "a.gguf")
    (folder / "outside").symlink_to(elsewhere)
    (elsewhere / "deep" / "back").symlink_to(folder)
    (folder / "self").symlink_to(folder)
    (folder / "same.gguf").symlink_to(elsewhere / "deep" / "a.gguf")
    (folder / "gone.gguf").symlink_to(elsewhere / "gone.gguf")
    entries = listed(library)
    assert sorted(entry.path.name for entry in entries) == ["gone.gguf", "same.gguf"]


def test_a_bad_file_is_listed_with_its_problem(library: Library, folder: Path) -> None:
    (folder / "My-Model-7B-Q4_0.gguf").write_bytes(b"something else")
    (entry,) = listed(library)
    assert entry.header is None
    assert entry.error
    assert entry.error.problem is Problem.NOT_GGUF
    assert entry.name == "My Model 7B"


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(library: Library, folder: Path) -> None:
    path = tiny(folder / "a.gguf")
    (first,) = listed(library)
    (second,) = listed(library)
    assert first.header is second.header
    path.write_bytes(b"something else")
    (third,) = listed(library)
    assert third.error
    tiny(path)
    os.utime(path, ns=(1, 1))
    (fourth,) = listed(library)
    assert fourth.header
    assert fourth.header is not first.header


def test_linking(library: Library, folder: Path, elsewhere: Path) -> None:
    path = tiny(elsewhere / "a.gguf")
    entry = library.link(path)
    assert (entry.path, entry.origin, entry.error) == (path, "linked", None)
    assert listed(library) == [entry]
    assert [other.path for other in listed(Library(folder))] == [path]
    assert not list(folder.glob("*.gguf"))


def test_linking_again_changes_nothing(
    library: Library, folder: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tiny(elsewhere / "a.gguf")
    library.link(path)
    monkeypatch.chdir(elsewhere)
    assert library.link(Path("a.gguf")).path == path
    assert library.link(elsewhere / ".." / "elsewhere" / "a.gguf").path == path
    (elsewhere / "other.gguf").symlink_to(path)
    assert library.link(elsewhere / "other.gguf").path == path
    assert linked_in(folder) == [str(path)]


def test_what_is_in_the_library_needs_no_link(library: Library, folder: Path, smollm2: Path) -> None:
    path = tiny(folder / "sub" / "a.gguf")
    assert library.link(path).origin == "own"
    assert library.link(smollm2).origin == "starter"
    assert not (folder / "library.json").exists()


def test_a_link_keeps_the_name_it_was_given_by(library: Library, elsewhere: Path) -> None:
    # As in the cache of the Hugging Face hub, where the file itself has no name.
    blob = tiny(elsewhere / "blobs" / "0a1b2c")
    name = elsewhere / "snapshots" / "Tiny-1B-F16.gguf"
    name.parent.mkdir()
    name.symlink_to(blob)
    assert library.link(name).name == "Tiny 1B"


def test_any_file_of_several_links_the_first(library: Library, elsewhere: Path) -> None:
    paths = write_shards(elsewhere)
    assert library.link(paths[2]).path == paths[0]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("none.gguf", Problem.MISSING),
        ("nul\0.gguf", Problem.MISSING),
        ("nul\0/a.gguf", Problem.MISSING),
        ("text.gguf", Problem.NOT_GGUF),
        (".", Problem.NOT_A_FILE),
        ("loop/a.gguf", Problem.UNREADABLE),
    ],
)
def test_a_bad_file_is_not_linked(
    library: Library, folder: Path, elsewhere: Path, name: str, problem: Problem
) -> None:
    (elsewhere / "text.gguf").write_text("text")
    (elsewhere / "loop").symlink_to(elsewhere / "loop")
    with pytest.raises(ModelFileError) as caught:
        library.link(elsewhere / name)
    assert caught.value.problem is problem
    assert not (folder / "library.json").exists()


def test_a_linked_file_that_disappeared_stays_listed(library: Library, elsewhere: Path) -> None:
    path = tiny(elsewhere / "a.gguf")
    library.link(path)
    path.unlink()
    (entry,) = listed(library)
    assert entry.path == path
    assert entry.error
    assert entry.error.problem is Problem.MISSING
    shutil.rmtree(elsewhere)
    assert [entry.path for entry in listed(library)] == [path]
    tiny(path)
    assert listed(library)[0].header


def test_unlinking(library: Library, folder: Path, elsewhere: Path) -> None:
    library.unlink(elsewhere / "never-linked.gguf")
    assert not (folder / "library.json").exists()
    path = tiny(elsewhere / "a.gguf")
    library.link(path)
    library.sha256_of(path, never)
    path.unlink()
    library.unlink(path)
    assert listed(library) == []
    kept = json.loads((folder / "library.json").read_text())
    assert kept == {"linked": [], "sha256": {}, "names": {}, "titles": {}, "sources": {}}


def test_a_damaged_list_is_set_aside(library: Library, folder: Path, elsewhere: Path) -> None:
    tiny(folder / "own.gguf")
    (folder / "library.json").write_text("{")
    assert [entry.path.name for entry in listed(library)] == ["own.gguf"]
    assert (folder / "library.json.damaged-1").read_text() == "{"
    library.link(tiny(elsewhere / "a.gguf"))
    assert len(listed(library)) == 2


def test_the_sha256_is_computed_once(library: Library, folder: Path) -> None:
    path = tiny(folder / "a.gguf")
    assert listed(library)[0].sha256 == ""
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    asked = []
    assert library.sha256_of(path, lambda: bool(asked.append(1))) == expected
    assert asked
    for other in (library, Library(folder)):
        assert listed(other)[0].sha256 == expected
        assert other.sha256_of(path, lambda: pytest.fail("computed again")) == expected


def test_a_changed_file_has_another_sha256(library: Library, folder: Path) -> None:
    path = tiny(folder / "a.gguf")
    first = library.sha256_of(path, never)
    model({"general.name": ("str", "another")}).write(path)
    assert listed(library)[0].sha256 == ""
    second = library.sha256_of(path, never)
    assert second != first
    assert listed(library)[0].sha256 == second


def test_the_sha256_of_several_files_is_that_of_all(library: Library, folder: Path) -> None:
    paths = write_shards(folder)
    together = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    assert library.sha256_of(paths[0], never) == together
    assert listed(library)[0].sha256 == together
    paths[2].write_bytes(paths[2].read_bytes() + b"\0")
    assert listed(library)[0].sha256 == ""


def test_the_starter_has_its_known_sha256(library: Library, smollm2: Path) -> None:
    assert library.sha256_of(smollm2, never) == SHA256
    assert library.entries()[0].sha256 == SHA256


def test_computing_can_be_cancelled(library: Library, folder: Path, smollm2: Path) -> None:
    answers = iter([False, False, True])
    assert library.sha256_of(smollm2, lambda: next(answers)) is None
    assert library.entries()[0].sha256 == ""
    assert not (folder / "library.json").exists()


def test_a_file_that_changes_meanwhile_has_no_sha256(library: Library, folder: Path) -> None:
    path = tiny(folder / "a.gguf")

    def change() -> bool:
        os.utime(path, ns=(1, 1))
        return False

    assert library.sha256_of(path, change) is None
    assert listed(library)[0].sha256 == ""


def test_no_sha256_of_what_is_not_there(library: Library, folder: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        library.sha256_of(folder / "none.gguf", never)
    assert caught.value.problem is Problem.MISSING


def test_two_libraries_on_one_folder(library: Library, folder: Path, elsewhere: Path) -> None:
    other = Library(folder)
    one = tiny(elsewhere / "one.gguf")
    two = model({"general.description": ("str", "No copy of the other.")}).write(elsewhere / "two.gguf")
    library.link(one)
    other.link(two)
    library.sha256_of(one, never)
    other.sha256_of(two, never)
    assert [(entry.name, bool(entry.sha256)) for entry in listed(library)] == [("One", True), ("Two", True)]
    library.unlink(one)
    assert [entry.name for entry in listed(other)] == ["Two"]


def test_processes_linking_at_once_never_damage_the_list(folder: Path, elsewhere: Path) -> None:
    paths = [tiny(elsewhere / f"{number}.gguf") for number in range(6)]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from models_registry.library import Library\n"
        "for path in sys.argv[3:]: Library(Path(sys.argv[2])).link(Path(path))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(ROOT), str(folder), *map(str, half)])
        for half in (paths[:3], paths[3:])
    ]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert set(linked_in(folder)) <= set(map(str, paths))
    assert linked_in(folder)
    assert not list(folder.glob("*damaged*"))
    assert not list(folder.glob("*.tmp"))


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, elsewhere: Path, smollm2: Path) -> None:
    # A file stands where the folder would have to be made, which stops every user.
    (tmp_path / "file").write_text("")
    library = Library(tmp_path / "file" / "models")
    path = tiny(elsewhere / "a.gguf")
    with pytest.raises(OSError, match="file"):
        library.link(path)
    assert library.sha256_of(smollm2, never) == SHA256
    (entry,) = library.entries()
    assert entry.sha256 == SHA256


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_read_only_folder(library: Library, folder: Path, elsewhere: Path) -> None:
    tiny(folder / "own.gguf")
    path = tiny(elsewhere / "a.gguf")
    folder.chmod(0o500)
    try:
        assert [entry.name for entry in listed(library)] == ["Own"]
        with pytest.raises(PermissionError):
            library.link(path)
        assert library.sha256_of(folder / "own.gguf", never)
        assert listed(library)[0].sha256
    finally:
        folder.chmod(0o700)


def test_a_name_of_ones_own_outlives_a_new_start_and_an_empty_one_gives_the_first_back(
    library: Library, folder: Path, elsewhere: Path
) -> None:
    own, linked = tiny(folder / "own.gguf"), tiny(elsewhere / "linked.gguf")
    library.link(linked)
    before = {entry.path: entry.name for entry in library.entries()}
    for path in (own, linked):
        library.rename(path, "  My\n\u202ebest   model ")
    again = Library(folder)
    named = {entry.path: entry for entry in again.entries()}
    assert [named[path].name for path in (own, linked)] == ["My best model"] * 2
    assert [named[path].original_name for path in (own, linked)] == [before[own], before[linked]]
    assert own.name == "own.gguf"
    for path in (own, linked):
        again.rename(path, " ")
    assert {entry.path: entry.name for entry in again.entries()} == before
    library.rename(linked, "Gone with the file")
    library.unlink(linked)
    assert library.link(linked).name == before[linked]


def test_what_has_changed_since_it_came_is_told(library: Library, folder: Path) -> None:
    seen, fetched = tiny(folder / "seen.gguf"), tiny(folder / "maker" / "name-GGUF" / "fetched.gguf")
    placed = next(entry for entry in listed(library) if entry.path == fetched)
    assert placed.source == Source("maker/name-GGUF", "", ())
    library.learn_source(fetched, Source("maker/name-GGUF", "c" * 40, ("ab" * 32,)))
    sha256 = library.sha256_of(seen, never)
    assert library.source_of(seen) == Source("", "", (sha256,))
    assert not any(entry.changed for entry in listed(library))
    model({"general.name": ("str", "Other")}).write(seen)
    library.sha256_of(seen, never)
    library.sha256_of(fetched, never)
    assert [entry.changed for entry in Library(folder).entries()] == [False, True, True]


def test_copies_are_told_with_the_one_that_is_listed(library: Library, folder: Path, elsewhere: Path) -> None:
    first, second, third = (
        tiny(place) for place in (folder / "a.gguf", folder / "b.gguf", elsewhere / "c.gguf")
    )
    library.link(third)
    for path in (first, second, third):
        library.sha256_of(path, never)
    (entry,) = listed(library)
    assert (entry.path, entry.copies) == (first, (second, third))
