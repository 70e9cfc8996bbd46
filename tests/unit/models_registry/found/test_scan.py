"""What is found in real folders of other apps, and that nothing in them is touched."""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from gguf_writer import write_shards
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from other_apps import gguf, hub_file, jan_model, ollama_manifest, ollama_model, snapshot, write

from models_registry.errors import Problem
from models_registry.found.ollama import model_name
from models_registry.found.places import Source, System
from models_registry.found.scan import scan
from models_registry.found.walk import Limits, read_small
from models_registry.library import Library

SHA256 = "5" * 63 + "a"
posix = pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")


class Computer:
    """A home with the folders of a Linux computer, which scans itself and looks that it stays as it was."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.lm_studio = home / ".lmstudio" / "models"
        self.ollama = home / ".ollama" / "models"
        self.gpt4all = home / ".local" / "share" / "nomic.ai" / "GPT4All"
        self.jan = home / ".local" / "share" / "Jan" / "data"
        self.llama_cpp = home / ".cache" / "llama.cpp"
        self.hub = home / ".cache" / "huggingface" / "hub"

    def scan(self, *sources, **limits):
        before = snapshot(self.home)
        system = System("linux", str(self.home), {})
        findings = scan(sources or list(Source), system, **limits)
        assert snapshot(self.home) == before
        return findings

    def found(self, *sources):
        """Return names and problems of what is found."""
        return [(m.name, m.problem and m.problem.problem) for m in self.scan(*sources).models]


@pytest.fixture
def computer(tmp_path):
    (tmp_path / "home").mkdir()
    return Computer(tmp_path / "home")


def test_nothing_is_found_where_nothing_is(computer):
    findings = computer.scan()
    assert (findings.models, findings.unreadable, findings.complete) == ((), (), True)


def test_every_app_s_models_are_found_under_the_right_names(computer):
    write(computer.lm_studio / "lmstudio-community" / "A-GGUF" / "Alpha-1B-Q4_K_M.gguf", gguf(seed="a"))
    blob = ollama_model(computer.ollama, "llama3.2", "3b", gguf(seed="b"))
    write(computer.gpt4all / "Meta-Llama-3-8B-Instruct.Q4_0.gguf", gguf(seed="c"))
    jan_model(computer.jan, "janhq/Jan-v1-4B-Q4_K_M", gguf(seed="d"))
    cached = "ggml-org_gemma-3-1b-it-GGUF_gemma-3-1b-it-Q4_K_M.gguf"
    write(computer.llama_cpp / cached, gguf(seed="e"))
    link = hub_file(computer.hub, "Qwen/Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q8_0.gguf", gguf(seed="f"))
    models = {model.name: model for model in computer.scan().models}
    assert {name: model.source for name, model in models.items()} == {
        "Alpha 1B": Source.LM_STUDIO,
        "llama3.2:3b": Source.OLLAMA,
        "Meta Llama 3 8B Instruct": Source.GPT4ALL,
        "Jan v1 4B": Source.JAN,
        "Gemma 3 1B it": Source.LLAMA_CPP,
        "Qwen3 0.6B": Source.HUGGING_FACE,
    }
    assert all(model.header and not model.problem for model in models.values())
    ollama, hub = models["llama3.2:3b"], models["Qwen3 0.6B"]
    assert (ollama.path, ollama.sha256, ollama.size) == (blob, blob.name[7:], blob.stat().st_size)
    assert (hub.path, hub.sha256) == (link, hashlib.sha256(link.read_bytes()).hexdigest())
    assert models["Alpha 1B"].sha256 is None


def test_only_the_sources_that_are_asked_for_are_looked_at(computer):
    ollama_model(computer.ollama, "llama3.2", "3b", gguf(seed="b"))
    write(computer.gpt4all / "B-2B.gguf", gguf())
    assert computer.found(Source.GPT4ALL) == [("B 2B", None)]
    assert computer.found(Source.LM_STUDIO) == []
    assert scan([], System("linux", str(computer.home), {})).models == ()


def test_the_names_of_ollama():
    assert model_name(("host", "library", "llama3.2", "3b")) == "llama3.2:3b"
    assert (
        model_name(("hub", "bartowski", "Llama-3.2-3B-GGUF", "Q4_K_M"))
        == "bartowski/Llama-3.2-3B-GGUF:Q4_K_M"
    )
    assert model_name(("stray",)) == model_name(("a", "b", "c", "d", "e")) == ""


def test_a_blob_with_several_names_has_the_one_that_says_most(computer):
    for tag in ("latest", "3b", "3b-instruct-q4_K_M"):
        ollama_model(computer.ollama, "llama3.2", tag, gguf())
    assert computer.found() == [("llama3.2:3b", None)]


def test_what_ollama_has_no_file_of_is_left_out(computer):
    ollama_manifest(computer.ollama, "gpt-oss", "120b-cloud", [])
    ollama_manifest(computer.ollama, "adapter", "latest", [("adapter", b"GGUF"), ("license", b"MIT")])
    write(computer.ollama / "manifests" / "notes.txt", "not a manifest")
    assert computer.found() == []


def test_blobs_with_the_older_name_are_found(computer):
    blob = ollama_model(computer.ollama, "phi", "2", gguf())
    older = blob.rename(blob.with_name(blob.name.replace("-", ":")))
    (model,) = computer.scan().models
    assert (model.path, model.sha256) == (older, older.name[7:])


def test_a_projector_goes_with_its_model(computer):
    clip = gguf(architecture="clip")
    ollama_model(computer.ollama, "llava", "7b", gguf(seed="o"), projector=clip)
    folder = computer.lm_studio / "org" / "repo"
    write(folder / "See-2B-Q4_0.gguf", gguf(seed="s"))
    for kind in ("F32", "BF16", "F16"):
        write(folder / f"mmproj-See-2B-{kind}.gguf", gguf(architecture="clip", seed=kind))
    write(computer.lm_studio / "org" / "other" / "Blind-1B.gguf", gguf(seed="blind"))
    flat = "ggml-org_gemma-3-4b-it-GGUF_"
    write(computer.llama_cpp / f"{flat}gemma-3-4b-it-Q4_K_M.gguf", gguf(seed="g"))
    write(computer.llama_cpp / f"{flat}mmproj-model-f16.gguf", clip)
    write(computer.llama_cpp / "other_small-GGUF_Small-1B.gguf", gguf(seed="h"))
    seeing = {model.name: model.projector and model.projector.name for model in computer.scan().models}
    assert seeing == {
        "llava:7b": f"sha256-{hashlib.sha256(clip).hexdigest()}",
        "See 2B": "mmproj-See-2B-F16.gguf",
        "Blind 1B": None,
        "Gemma 3 4B it": f"{flat}mmproj-model-f16.gguf",
        "Small 1B": None,
    }


def test_a_projector_under_any_name_is_no_model(computer):
    write(computer.lm_studio / "a" / "b" / "vision.gguf", gguf(architecture="clip"))
    assert computer.found() == []


def test_downloads_that_are_not_finished_and_other_files_are_passed_over(computer):
    for name in (
        "a.gguf.part",
        "b.gguf.incomplete",
        "incomplete-c.gguf",
        "d.gguf.downloadInProgress",
        "e.bin",
    ):
        write(computer.gpt4all / name, gguf())
    write(computer.gpt4all / "._f.gguf", gguf())
    write(computer.gpt4all / ".cache" / "g.gguf", gguf())
    write(computer.gpt4all / "folder.gguf" / "readme.md", "")
    assert computer.found() == []


def test_broken_files_are_listed_with_their_problem(computer):
    write(computer.gpt4all / "Good-1B.gguf", gguf())
    write(computer.gpt4all / "Bad-7B.gguf", b"not a model")
    write(computer.gpt4all / "Cut-7B.gguf", gguf(seed="cut")[:300])
    write(computer.gpt4all / "Empty-7B.gguf", b"")
    write(computer.gpt4all / "Search-7B.gguf", gguf(architecture="t5encoder"))
    ollama_model(computer.ollama, "gone", "1b", gguf(seed="gone")).unlink()
    write(computer.ollama / "manifests" / "host" / "library" / "torn" / "2b", '{"layers": [')
    write(computer.ollama / "manifests" / "host" / "library" / "empty" / "2b", b"")
    assert computer.found() == [
        ("Good 1B", None),
        ("Bad 7B", Problem.NOT_GGUF),
        ("Cut 7B", Problem.TRUNCATED),
        ("Empty 7B", Problem.TRUNCATED),
        ("empty:2b", Problem.CORRUPT),
        ("gone:1b", Problem.MISSING),
        ("Search 7B", Problem.NOT_A_MODEL),
        ("torn:2b", Problem.CORRUPT),
    ]


def test_a_digest_that_climbs_out_is_refused(computer):
    manifest = ollama_manifest(computer.ollama, "evil", "1b", [("model", gguf())])
    content = json.loads(manifest.read_text())
    for digest in ("sha256:../../../etc/passwd", "sha256-" + "0" * 63, "/etc/passwd", "sha256:" + "A" * 64):
        content["layers"][0]["digest"] = digest
        manifest.write_text(json.dumps(content))
        (model,) = computer.scan().models
        assert (model.path, model.problem.problem, model.size > 0) == (manifest, Problem.CORRUPT, True)


def test_a_model_in_several_files_is_listed_once(computer):
    folder = computer.lm_studio / "org" / "repo"
    folder.mkdir(parents=True)
    paths = write_shards(folder, "Large-9B")
    (model,) = computer.scan().models
    assert (model.path, model.size) == (paths[0], sum(path.stat().st_size for path in paths))
    paths[1].unlink()
    assert computer.found() == [("Large 9B", Problem.SHARD_MISSING)]


def test_the_same_file_is_listed_once_with_all_that_have_it(computer):
    content = gguf("Same", "1B")
    blob = ollama_model(computer.ollama, "same", "1b", content)
    hub_file(computer.hub, "org/Same", "same.gguf", content)  # other bytes on the disk, the same sha256
    linked = computer.lm_studio / "org" / "same" / "model.gguf"
    linked.parent.mkdir(parents=True)
    linked.symlink_to(blob)
    hard = computer.gpt4all / "again.gguf"
    hard.parent.mkdir(parents=True)
    hard.hardlink_to(blob)
    (model,) = computer.scan().models
    assert (model.source, model.path) == (Source.LM_STUDIO, linked)
    assert model.also_in == (Source.OLLAMA, Source.GPT4ALL, Source.HUGGING_FACE)
    assert model.sha256 == blob.name[7:]
    (model,) = computer.scan(Source.HUGGING_FACE, Source.OLLAMA).models
    assert (model.source, model.also_in) == (Source.HUGGING_FACE, (Source.OLLAMA,))


def test_two_snapshots_of_one_file_are_one_model(computer):
    for commit in ("a" * 40, "b" * 40):
        hub_file(computer.hub, "org/A", "A-1B.gguf", gguf(), commit)
    (model,) = computer.scan().models
    assert model.also_in == ()


def test_jan_s_records(computer):
    outside = write(computer.home / "Downloads" / "mine.gguf", gguf(seed="outside"))
    jan_model(computer.jan, "org/A-1B", gguf(seed="a"), model_sha256=SHA256, mmproj_path="nowhere.gguf")
    place = "llamacpp/models/org/See-3B"
    write(computer.jan / place / "mmproj.gguf", gguf(architecture="clip"))
    jan_model(computer.jan, "org/See-3B", gguf(seed="b"), mmproj_path=f"'{place}/mmproj.gguf'")
    records = computer.jan / "llamacpp" / "models"
    write(records / "imported" / "model.yml", f"model_path: {outside}\nname: imported\n")
    write(records / "missing" / "model.yml", "model_path: llamacpp/models/missing/model.gguf\n")
    write(records / "torn" / "model.yml", "model_path: [")
    write(records / "odd" / "model.yml", "- 1\n- 2\n")
    write(records / "loose" / "Loose-4B.gguf", gguf(seed="c"))
    write(computer.jan / "models" / "old" / "Old-5B.gguf", gguf(seed="d"))
    write(computer.jan / "models" / "old" / "model.yml", "id: old\n")
    models = {model.name: model for model in computer.scan().models}
    assert {name: model.problem and model.problem.problem for name, model in models.items()} == {
        "A 1B": None,
        "Imported": None,
        "Loose 4B": None,
        "Old 5B": None,
        "See 3B": None,
        "Missing": Problem.MISSING,
        "Odd": Problem.CORRUPT,
        "Torn": Problem.CORRUPT,
    }
    assert (models["A 1B"].sha256, models["A 1B"].projector) == (SHA256, None)
    assert models["See 3B"].projector == computer.jan / place / "mmproj.gguf"
    assert models["Imported"].path == outside


@posix
def test_links_are_followed_each_once_and_never_to_devices(computer, tmp_path):
    elsewhere = write(tmp_path / "disk" / "org" / "repo" / "A-1B.gguf", gguf()).parent.parent
    computer.lm_studio.mkdir(parents=True)
    (computer.lm_studio / "elsewhere").symlink_to(elsewhere)
    (computer.lm_studio / "again").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(computer.lm_studio)
    (computer.lm_studio / "devices").symlink_to("/dev")
    (computer.lm_studio / "processes").symlink_to("/proc")
    (computer.lm_studio / "zero.gguf").symlink_to("/dev/zero")
    (computer.lm_studio / "circle.gguf").symlink_to(computer.lm_studio / "circle.gguf")
    (computer.lm_studio / "gone.gguf").symlink_to(tmp_path / "gone.gguf")
    os.mkfifo(computer.lm_studio / "pipe.gguf")
    findings = computer.scan()
    assert findings.complete
    assert {model.path.name: model.problem and model.problem.problem for model in findings.models} == {
        "A-1B.gguf": None,
        "zero.gguf": Problem.NOT_A_FILE,
        "circle.gguf": Problem.UNREADABLE,
        "gone.gguf": Problem.MISSING,
        "pipe.gguf": Problem.NOT_A_FILE,
    }


@posix
def test_records_that_are_pipes_or_huge_are_not_read(computer, tmp_path):
    library = computer.ollama / "manifests" / "host" / "library"
    (library / "pipe").mkdir(parents=True)
    os.mkfifo(library / "pipe" / "1b")
    write(library / "huge" / "1b", b" " * ((1 << 20) + 1))
    os.mkfifo(computer.home / ".lmstudio-home-pointer")
    assert computer.found() == [("huge:1b", Problem.UNREADABLE), ("pipe:1b", Problem.UNREADABLE)]
    assert read_small(tmp_path) is None


def test_a_scan_stays_within_its_limits(computer):
    deep = computer.lm_studio.joinpath(*"abcdefghijkl")
    write(deep / "Deep-1B.gguf", gguf(seed="deep"))
    write(computer.lm_studio / "a" / "Near-1B.gguf", gguf(seed="near"))
    findings = computer.scan(limits=Limits(depth=3))
    assert ([model.name for model in findings.models], findings.complete) == (["Near 1B"], False)
    assert len(computer.scan(limits=Limits(depth=12)).models) == 2
    for number in range(30):
        write(computer.gpt4all / f"M{number}-1B.gguf", gguf(seed=str(number)))
    findings = computer.scan(Source.GPT4ALL, limits=Limits(entries=10))
    assert (len(findings.models), findings.complete) == (10, False)
    findings = computer.scan(limits=Limits(seconds=0))
    assert (findings.models, findings.complete) == ((), False)
    asked = iter([False] * 4 + [True] * 100)
    findings = computer.scan(Source.GPT4ALL, cancelled=lambda: next(asked))
    assert (0 < len(findings.models) < 30, findings.complete) == (True, False)


def test_data_sets_in_the_hub_s_cache_are_not_gone_through(computer):
    for number in range(30):
        write(computer.hub / "datasets--org--texts" / "snapshots" / "a" / f"{number}.gguf", gguf())
    hub_file(computer.hub, "org/A-GGUF", "Q8_0/A-1B-Q8_0.gguf", gguf())
    findings = computer.scan(Source.HUGGING_FACE, limits=Limits(entries=10))
    assert ([model.name for model in findings.models], findings.complete) == (["A 1B"], True)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_folders_that_may_not_be_read_are_named(computer):
    store = computer.ollama / "manifests"
    ollama_model(computer.ollama, "a", "1b", gguf())
    store.chmod(0)
    findings = computer.scan()
    store.chmod(0o700)
    assert findings.unreadable == (store,)


def test_files_that_go_during_a_scan_are_left_out(computer):
    for number in range(3):
        write(computer.gpt4all / f"M{number}-1B.gguf", gguf(seed=str(number)))

    def vanish():
        (computer.gpt4all / "M2-1B.gguf").unlink(missing_ok=True)
        return False

    findings = scan([Source.GPT4ALL], System("linux", str(computer.home), {}), cancelled=vanish)
    assert [model.name for model in findings.models] == ["M0 1B", "M1 1B"]


def test_folders_that_go_during_a_scan_are_left_out(computer):
    write(computer.lm_studio / "a" / "A-1B.gguf", gguf(seed="a"))
    write(computer.lm_studio / "b" / "B-1B.gguf", gguf(seed="b"))

    def vanish():
        if asked.pop() == 2:
            shutil.rmtree(computer.lm_studio / "b")
        return False

    asked = list(range(100))[::-1]
    findings = scan([Source.LM_STUDIO], System("linux", str(computer.home), {}), cancelled=vanish)
    assert ([model.name for model in findings.models], findings.unreadable) == (["A 1B"], ())


def test_a_blob_can_be_linked_under_its_name(computer, tmp_path):
    unnamed = ollama_model(computer.ollama, "tiny", "1b", gguf())
    named = ollama_model(computer.ollama, "other", "2b", gguf("Other", "2B"))
    folder = tmp_path / "library"
    for model in computer.scan(Source.OLLAMA).models:
        entry = Library(folder).link(model.path, model.name)
        assert entry.error is None
    before = snapshot(computer.home)
    library = Library(folder)
    names = {entry.path: entry.name for entry in library.entries() if entry.origin == "linked"}
    assert names == {unnamed: "tiny:1b", named: "Other 2B"}
    assert library.sha256_of(unnamed, lambda: False) == unnamed.name[7:]
    assert snapshot(computer.home) == before
    unnamed.unlink()
    assert "tiny:1b" in [entry.name for entry in Library(folder).entries()]
    library.unlink(unnamed)
    assert json.loads((folder / "library.json").read_text())["names"] == {str(named): "other:2b"}


def test_a_library_of_an_earlier_version_is_read(tmp_path):
    path = write(tmp_path / "a-1B.gguf", gguf())
    write(tmp_path / "library" / "library.json", json.dumps({"linked": [str(path)], "sha256": {}}))
    names = [entry.name for entry in Library(tmp_path / "library").entries() if entry.origin == "linked"]
    assert names == ["A 1B"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
layer = st.fixed_dictionaries(
    {},
    optional={
        "mediaType": anything | st.sampled_from(["application/vnd.ollama.image.model"]),
        "digest": anything | st.sampled_from(["sha256:" + "0" * 64, "sha256:../../x", "sha256-" + "f" * 64]),
        "size": anything,
    },
)
manifest = anything | st.fixed_dictionaries({"layers": anything | st.lists(layer | anything, max_size=4)})
within = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@within
@given(content=manifest.map(json.dumps).map(str.encode) | st.binary(max_size=60))
def test_no_manifest_breaks_a_scan(computer, content):
    path = write(computer.ollama / "manifests" / "host" / "library" / "any" / "1b", content)
    for model in computer.scan(Source.OLLAMA).models:
        assert (model.name, model.header) == ("any:1b", None)
        assert model.problem
        assert model.path == path or model.path.parent == computer.ollama / "blobs"


@within
@given(
    content=st.text(max_size=60).map(str.encode)
    | st.binary(max_size=60)
    | anything.map(json.dumps).map(str.encode)
)
def test_no_record_of_jan_breaks_a_scan(computer, content):
    write(computer.jan / "llamacpp" / "models" / "any" / "model.yml", content)
    for model in computer.scan(Source.JAN).models:
        assert model.problem


def test_deeply_nested_records_are_refused(computer):
    depth = sys.getrecursionlimit() * 2
    write(computer.ollama / "manifests" / "h" / "library" / "deep" / "1b", "[" * depth)
    write(computer.jan / "llamacpp" / "models" / "deep" / "model.yml", "[" * depth)
    assert computer.found() == [("Deep", Problem.CORRUPT), ("deep:1b", Problem.CORRUPT)]
