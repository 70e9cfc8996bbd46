"""A file that ends the process which loads it does not end this one, and is not loaded again."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import Gguf, aborting, crashing, tiny

from app.domain.changes import Changes
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job
from app.engine.trial import TRIAL, Trials, program
from app.engine.worker import Engine
from app.storage import writers

ENGINE = "one engine"
PASS = ""
ABORT = "import os, sys; print('GGML_ASSERT(sense) failed', file=sys.stderr, flush=True); os.abort()"
HANG = "import time; time.sleep(60)"
UNSTARTED = [str(Path(__file__).parent / "no such program")]


class Stage:
    """Trials whose process does what a line of Python says, and which tell how often one was started."""

    def __init__(self, folder: Path, code: str, least_seconds: float = 60) -> None:
        self._started = folder / "started"
        count = f"open({str(self._started)!r}, 'a').write('.')\n"
        self.folder = folder / "trials"
        command = [sys.executable, "-c", count + code]
        self._trials = Trials(self.folder, writers, command, least_seconds=least_seconds)
        self.loading = self._trials.loading

    @property
    def started(self) -> int:
        return len(self._started.read_text()) if self._started.exists() else 0

    def admit(self, path: Path, engine: str = ENGINE) -> bool:
        return self._trials.admit(path, engine, lambda: False)

    def refusal(self, path: Path, engine: str = ENGINE) -> str:
        with pytest.raises(UserError) as caught:
            self.admit(path, engine)
        assert caught.value.action == "choose-model"
        return str(caught.value)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny().write(tmp_path / "Tiny.gguf")


def write_again(model: Path) -> None:
    before = model.stat().st_mtime_ns
    os.utime(model, ns=(before + 1_000_000, before + 1_000_000))


def test_a_file_that_passed_is_not_tried_again_until_it_or_the_engine_changes(
    tmp_path: Path, model: Path
) -> None:
    stage = Stage(tmp_path, PASS)
    for _time in range(2):
        assert stage.admit(model)
        assert stage.started == 1
    write_again(model)
    assert stage.admit(model)
    assert stage.started == 2
    assert stage.admit(model, "another engine")
    assert stage.started == 3


def test_a_file_that_ended_its_trial_is_refused_until_it_or_the_engine_changes(
    tmp_path: Path, model: Path
) -> None:
    stage = Stage(tmp_path, ABORT)
    for _time in range(2):
        assert "“Tiny.gguf” crashed the engine" in stage.refusal(model)
        assert stage.started == 1
    (verdict,) = json.loads((stage.folder / "verdicts.json").read_bytes()).values()
    assert verdict["words"] == "GGML_ASSERT(sense) failed"
    assert verdict["date"].startswith("20")
    write_again(model)
    assert "crashed the engine" in stage.refusal(model)
    assert stage.started == 2
    assert Stage(tmp_path, PASS).admit(model, "another engine")


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
def test_a_trial_that_was_ended_from_outside_says_nothing_against_the_file(
    tmp_path: Path, model: Path
) -> None:
    stage = Stage(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert "memory" in stage.refusal(model)
    assert Stage(tmp_path, PASS).admit(model)


def test_a_refusal_comes_back_as_it_was_said_and_is_not_kept(tmp_path: Path, model: Path) -> None:
    words = {"message": "Nothing “works”.", "hint": "Wait.", "action": "choose-model"}
    stage = Stage(tmp_path, f"print({json.dumps(words)!r})")
    for count in (1, 2):
        assert stage.refusal(model) == "Nothing “works”. Wait."
        assert stage.started == count


def test_a_trial_that_hangs_is_ended_and_says_nothing_against_the_file(tmp_path: Path, model: Path) -> None:
    started = time.monotonic()
    assert "took too long" in Stage(tmp_path, HANG, least_seconds=0.5).refusal(model)
    assert time.monotonic() - started < 5
    assert Stage(tmp_path, PASS).admit(model)


def test_what_a_trial_says_does_not_make_it_hang(tmp_path: Path, model: Path) -> None:
    noise = "import sys; sys.stderr.write('x' * 1_000_000)"
    assert Stage(tmp_path, noise, least_seconds=20).admit(model)


@pytest.mark.parametrize("command", [[sys.executable, "-c", "raise SystemExit(1)"], UNSTARTED])
def test_where_no_trial_can_be_held_a_file_is_let_in_once_that_was_told(
    tmp_path: Path, model: Path, command: list[str]
) -> None:
    trials = Trials(tmp_path / "trials", writers, command)
    with pytest.raises(UserError, match="could not be held"):
        trials.admit(model, ENGINE, lambda: False)
    assert trials.admit(model, ENGINE, lambda: False)
    write_again(model)
    with pytest.raises(UserError, match="could not be held"):
        trials.admit(model, ENGINE, lambda: False)
    assert Stage(tmp_path, PASS).admit(model)


def test_the_starter_needs_no_trial(tmp_path: Path, smollm2: Path) -> None:
    stage = Stage(tmp_path, ABORT)
    assert stage.admit(smollm2)
    assert stage.started == 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"%s": 3}', b'{"%s": {"passed": true}}', b"\xff\0"])
def test_damaged_verdicts_are_none(tmp_path: Path, model: Path, content: bytes) -> None:
    stage = Stage(tmp_path, PASS)
    stage.folder.mkdir()
    (stage.folder / "verdicts.json").write_bytes(content.replace(b"%s", str(model).encode()))
    for _time in range(2):
        assert stage.admit(model)
        assert stage.started == 1


def test_where_verdicts_cannot_be_kept_each_load_is_tried(tmp_path: Path, model: Path) -> None:
    stage = Stage(tmp_path, PASS)
    stage.folder.write_text("in the way")  # as good as a read-only folder, and holds for root too
    for count in (1, 2):
        assert stage.admit(model)
        assert stage.started == count
        with stage.loading(model, ENGINE):
            pass


LOADING = """
import os, sys
from collections.abc import Callable
from pathlib import Path
from app.engine.trial import Trials
from app.storage import writers
with Trials(Path(sys.argv[1]), writers).loading(Path(sys.argv[2]), sys.argv[3]):
    print("loading", flush=True)
    sys.stdin.read()
"""


def die_loading(stage: Stage, model: Path) -> None:
    process = begin_loading(stage, model)
    process.kill()
    process.communicate()


def begin_loading(stage: Stage, model: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-c", LOADING, str(stage.folder), str(model), ENGINE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"loading"
    return process


def test_a_file_that_ended_the_program_is_tried_once_more_and_then_refused(
    tmp_path: Path, model: Path
) -> None:
    stage = Stage(tmp_path, PASS)
    assert stage.admit(model)
    die_loading(stage, model)
    assert stage.admit(model)
    assert stage.started == 2
    die_loading(stage, model)
    assert "crashed the engine" in stage.refusal(model)
    assert stage.started == 2
    assert [path.name for path in stage.folder.iterdir()] == ["verdicts.json"]
    write_again(model)
    assert stage.admit(model)


def test_a_load_that_went_well_makes_a_death_forgotten(tmp_path: Path, model: Path) -> None:
    stage = Stage(tmp_path, PASS)
    for _time in range(3):
        die_loading(stage, model)
        assert stage.admit(model)
        with stage.loading(model, ENGINE):
            pass
    assert stage.started == 3


def test_a_refusal_in_the_middle_of_loading_is_no_death(tmp_path: Path, model: Path) -> None:
    stage = Stage(tmp_path, PASS)
    stage.admit(model)
    with pytest.raises(UserError), stage.loading(model, ENGINE):
        raise UserError("No.")
    assert [path.name for path in stage.folder.iterdir()] == ["verdicts.json"]


def test_the_starter_is_tried_after_it_ended_the_program(tmp_path: Path, smollm2: Path) -> None:
    stage = Stage(tmp_path, ABORT)
    die_loading(stage, smollm2)
    assert "crashed the engine" in stage.refusal(smollm2)


def test_a_process_that_is_loading_still_has_not_died(tmp_path: Path, model: Path) -> None:
    stage = Stage(tmp_path, PASS)
    process = begin_loading(stage, model)
    for _time in range(2):
        assert stage.admit(model)
        assert stage.started == 1
    process.communicate()
    assert process.returncode == 0
    assert [path.name for path in stage.folder.iterdir()] == ["verdicts.json"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"process": 3, "path": "x", "file": 1, "engine": 2}']
)
def test_a_damaged_marker_is_cleared_away(tmp_path: Path, model: Path, content: bytes) -> None:
    stage = Stage(tmp_path, PASS)
    stage.folder.mkdir()
    (stage.folder / "loading-1.json").write_bytes(content)
    assert stage.admit(model)
    assert [path.name for path in stage.folder.iterdir()] == ["verdicts.json"]


def end_of(job: Job) -> str:
    """Wait for the end of a load; return the refusal, or nothing."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for event in job.wait(0.1):
            if isinstance(event, Failed):
                return str(event.error)
            if isinstance(event, Finished):
                return ""
    pytest.fail("no end came")


def load(trials: Trials, path: Path) -> tuple[str, Path | None]:
    """Load `path` in an engine of its own; return the refusal, or nothing, and what is loaded then."""
    engine = Engine(Changes(lambda call: call()), None, trials)
    try:
        said = end_of(engine.load(path))
        assert said == engine.status.error
        return said, engine.status.model if engine.status.ready else None
    finally:
        engine.close()


@pytest.mark.parametrize("spoil", [aborting, crashing])
def test_a_file_that_makes_llama_cpp_end_its_process_is_refused_in_words(
    tmp_path: Path, spoil: Callable[[], Gguf]
) -> None:
    path = spoil().write(tmp_path / "Bad.gguf")
    trial = subprocess.run([*program(), str(path), "60"], capture_output=True, text=True, check=False)
    assert trial.returncode < 0 or sys.platform == "win32"
    assert trial.stdout == ""
    # The stack follows, unless a second thread dies meanwhile.
    assert "Fatal Python error" in trial.stderr
    trials = Trials(tmp_path / "trials", writers)
    for _time in range(2):
        said, loaded = load(trials, path)
        assert "“Bad.gguf” crashed the engine" in said
        assert loaded is None


def test_the_text_of_a_failed_assertion_is_kept(tmp_path: Path) -> None:
    path = aborting().write(tmp_path / "Bad.gguf")
    load(Trials(tmp_path / "trials", writers), path)
    (verdict,) = json.loads((tmp_path / "trials" / "verdicts.json").read_bytes()).values()
    assert "bailingmoe2.cpp" in verdict["words"]
    # Without a trial it ends the process, and its words are in the crash note.
    code = (
        "import sys; from pathlib import Path; from app.engine import native, model\n"
        "native.start(Path(sys.argv[2])); model.LoadedModel(Path(sys.argv[1]), lambda _done: True)"
    )
    note = tmp_path / "crash.txt"
    ended = subprocess.run([sys.executable, "-c", code, path, note], check=False, stderr=subprocess.DEVNULL)
    assert ended.returncode
    assert "bailingmoe2.cpp" in note.read_text(encoding="utf-8")
    assert "model.py" in note.read_text(encoding="utf-8")  # the stack


def test_a_sound_file_is_tried_once_and_loaded(tmp_path: Path, model: Path) -> None:
    trials = Trials(tmp_path / "trials", writers)
    assert load(trials, model) == ("", model)
    kept = (tmp_path / "trials" / "verdicts.json").read_bytes()
    assert load(trials, model) == ("", model)
    assert (tmp_path / "trials" / "verdicts.json").read_bytes() == kept


def test_what_llama_cpp_refuses_is_refused_after_one_load(tmp_path: Path, model: Path) -> None:
    changed = tiny()
    del changed.tensors[2:]
    path = changed.write(tmp_path / "Half.gguf")
    said, loaded = load(Trials(tmp_path / "trials", writers), path)
    assert "“Half.gguf” could not be loaded" in said
    assert loaded is None
    trial = subprocess.run([*program(), str(path), "60"], capture_output=True, text=True, check=True)
    assert json.loads(trial.stdout)["message"] in said


def test_a_load_is_cancelled_in_the_middle_of_its_trial(tmp_path: Path, model: Path) -> None:
    begun = tmp_path / "begun"
    code = f"open({str(begun)!r}, 'w').close(); {HANG}"
    engine = Engine(
        Changes(lambda call: call()), None, Trials(tmp_path, writers, [sys.executable, "-c", code])
    )
    try:
        job = engine.load(model)
        while not begun.exists():
            time.sleep(0.01)
        assert engine.status.loading is not None
        cancelled = time.monotonic()
        job.cancel()
        assert end_of(job) == ""
        assert time.monotonic() - cancelled < 2  # about 0.02 s; these machines can be busy
        assert engine.status.model is None
    finally:
        engine.close()


def test_the_window_may_close_in_the_middle_of_a_trial(tmp_path: Path, model: Path) -> None:
    engine = Engine(
        Changes(lambda call: call()), None, Trials(tmp_path, writers, [sys.executable, "-c", HANG])
    )
    engine.load(model)
    while engine.status.loading is None:
        time.sleep(0.01)
    started = time.monotonic()
    engine.close()
    assert time.monotonic() - started < 5


@pytest.mark.skipif(sys.platform == "win32", reason="has no sessions")
def test_ctrl_c_in_the_terminal_does_not_reach_a_trial(tmp_path: Path, model: Path) -> None:
    stage = Stage(tmp_path, f"import os\nif os.getsid(0) == {os.getsid(0)}: os.abort()")
    assert stage.admit(model)


def test_a_trial_is_no_command_for_people(tmp_path: Path) -> None:
    told = subprocess.run([*program()[:-1], "--help"], capture_output=True, text=True, check=True)
    assert "ask" in told.stdout
    assert TRIAL not in told.stdout


@pytest.mark.perf
def test_no_spoiled_file_ends_this_process(tmp_path: Path) -> None:
    """300 files, each loaded by one engine in this process: print what came of them."""
    from collections import Counter

    from tiny_models import spoiled

    engine = Engine(Changes(lambda call: call()), None, Trials(tmp_path / "trials", writers))
    counts: Counter[str] = Counter()
    started = time.monotonic()
    try:
        for seed in range(300):
            said = end_of(engine.load(spoiled(seed).write(tmp_path / f"{seed}.gguf")))
            assert "went wrong" not in said
            assert not said or said.startswith("“"), said
            counts[
                "crashed the engine" if "crashed the engine" in said else "refused" if said else "loaded"
            ] += 1
    finally:
        engine.close()
    print(f"\n{dict(counts)} in {time.monotonic() - started:.0f} s")
