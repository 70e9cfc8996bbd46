"""What is done again in a set-up, and when it starts over."""

import ast
import shutil
import subprocess
import sys
from dataclasses import replace

import backends
import environment
import pytest
import steps
from environment import Record

CPU = backends.Backend("cpu", "-DLLAVA_BUILD=OFF")


@pytest.fixture
def locks(tmp_path, monkeypatch):
    """A copy of the lock files that can be changed."""
    for file in steps.LOCKS.glob("requirements*.txt"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(steps, "LOCKS", tmp_path)
    return tmp_path


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A place for an environment that is not the one that runs the tests."""
    folder = tmp_path / "environment"
    monkeypatch.setattr(steps, "ENVIRONMENT", folder)
    monkeypatch.setattr(environment, "ENVIRONMENT", folder)
    return folder


def keys(backend=CPU, instead=None):
    return {step.name: step.key for step in steps.steps(backend, instead, checks=True)}


def changed(before, after):
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("requirements-build.txt", {"environment"}),
        ("requirements.txt", {"libraries"}),
        ("requirements-dev.txt", {"checks"}),
        ("requirements-starter.txt", {"starter model"}),
        ("requirements-test-models.txt", {"test model"}),
    ],
)
def test_a_changed_lock_file_brings_its_own_step_again(locks, file, again):
    before = keys()
    with (locks / file).open("a", encoding="utf-8") as lock:
        lock.write("another==1 \\\n    --hash=sha256:0\n")
    assert changed(before, keys()) == again


def test_another_release_of_llama_cpp_is_built_again(locks):
    before = keys()
    file = locks / "requirements.txt"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f"{steps.ENGINE}==", f"{steps.ENGINE}==9."), encoding="utf-8")
    assert changed(before, keys()) == {"engine"}


@pytest.mark.parametrize("other", [replace(CPU, name="cuda"), replace(CPU, cmake_args="-DGGML_NATIVE=OFF")])
def test_another_backend_is_built_again_and_kept_apart(other):
    assert changed(keys(), keys(other)) == {"engine"}
    assert steps.wheel_folder("lock", CPU) != steps.wheel_folder("lock", other)


def test_what_is_built_into_llama_cpp_is_a_part_of_its_build(tmp_path, monkeypatch):
    before, folder = keys(), steps.wheel_folder("lock", CPU)
    copies = [tmp_path / file.name for file in steps.ALIGNED_BUFFERS]
    for file, copy in zip(steps.ALIGNED_BUFFERS, copies, strict=True):
        copy.write_bytes(file.read_bytes())
    monkeypatch.setattr(steps, "ALIGNED_BUFFERS", copies)
    assert keys() == before, "where it lies does not matter"
    copies[1].write_text("// nothing", encoding="utf-8")
    changes = sys.platform == "linux"
    assert changed(before, keys()) == ({"engine"} if changes else set())
    assert (steps.wheel_folder("lock", CPU) != folder) is changes


def test_a_gpu_asked_for_by_name_is_not_what_the_processor_stood_in_for():
    cuda = replace(CPU, name="cuda")
    assert changed(keys(cuda, CPU), keys(cuda)) == {"engine"}


def test_another_processor_gets_a_build_of_its_own(monkeypatch):
    before = keys()
    monkeypatch.setattr(backends, "processor", lambda: "linux x86_64 flags: sse4_2")
    assert changed(before, keys()) == {"engine"}


def test_the_second_set_up_finds_every_step_done(place):
    place.mkdir()
    wanted = steps.steps(CPU, checks=True)
    record = Record(place / "setup.json")
    for step in wanted:
        record.start(step)
        record.end(step, done=True)
    assert all(map(Record.read(record.path).holds, steps.steps(CPU, checks=True)))


def test_a_step_that_failed_is_not_done_and_spoils_nothing(place):
    place.mkdir()
    first, second, *_ = steps.steps(CPU, checks=False)
    record = Record(place / "setup.json")
    for step, done in [(first, True), (second, True), (second, False)]:
        record.start(step)
        record.end(step, done=done)
    read = Record.read(record.path)
    assert read.holds(first)
    assert not read.holds(second)
    assert read.running == ""


def make(place):
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)


def test_an_environment_is_kept_or_made_anew(place):
    first, second, *_ = steps.steps(CPU, checks=False)
    record = Record(place / "setup.json")
    assert not environment.must_start_over(record, first), "there is none yet"

    make(place)
    assert not environment.must_start_over(record, first), "one made by something else works"

    record.start(first)
    record.end(first, done=True)
    assert not environment.must_start_over(record, first)
    assert environment.must_start_over(record, replace(first, key="another Python")), (
        "made for another Python"
    )

    record.start(second)
    assert environment.must_start_over(Record.read(record.path), first), "cut off in the middle"

    record.end(second, done=True)
    steps.program("python").unlink()
    assert environment.must_start_over(record, first), "its Python is gone"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"done": 3, "running": ""}', '{"done": {}}'])
def test_a_damaged_record_counts_as_none(tmp_path, content):
    file = tmp_path / "setup.json"
    file.write_text(content, encoding="utf-8")
    assert Record.read(file) == Record(file)


def test_an_old_python_can_read_the_first_file():
    source = (steps.ROOT / "packaging" / "dev.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    before_the_check = source.partition("if sys.version_info")[0]
    assert "import commands" not in before_the_check
