"""How the number of threads is chosen, kept and lowered."""

import time
from collections import Counter

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.threads import Cores, ThreadCounts, Threads, best

EIGHT = Cores(physical=8, fast=6, logical=16)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    return path


class Machine:
    """Takes the seconds of a table for a token, without waiting, and counts what it is asked."""

    def __init__(self, decode, prefill):
        self.decode, self.prefill = decode, prefill
        self.asked = Counter()
        self.spent = 0.0

    def __call__(self, threads, tokens):
        self.asked[threads, tokens > 1] += 1
        taken = self.decode[threads] if tokens == 1 else tokens * self.prefill[threads]
        self.spent += taken
        return taken


def same(seconds, **others):
    return {threads: others.get(f"t{threads}", seconds) for threads in EIGHT.candidates()}


def test_each_kind_of_work_gets_its_own_number(tmp_path, model):
    machine = Machine(decode=same(0.02, t4=0.012), prefill=same(0.004, t8=0.001))
    assert Threads(tmp_path, EIGHT).measure(model, "engine", machine) == ThreadCounts(decode=4, prefill=8)
    assert machine.spent < 1.6


def test_what_was_measured_is_known_for_this_file_engine_and_processor(tmp_path, model):
    found = Threads(tmp_path, EIGHT).measure(model, "engine", Machine(same(0.02, t4=0.01), same(0.001)))
    again = Threads(tmp_path, EIGHT)
    assert again.known(model, "engine") == found
    assert again.known(model, "another engine") is None
    assert again.known(tmp_path / "other.gguf", "engine") is None
    assert Threads(tmp_path, Cores(4, 4, 8)).known(model, "engine") is None
    model.write_bytes(b"GGUF, but another one")
    assert again.known(model, "engine") is None


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b'{"%s": 3}', b'{"%s": {"decode": "many"}}'])
def test_a_damaged_file_holds_nothing_and_is_written_anew(tmp_path, model, content):
    kept = tmp_path / "threads.json"
    kept.write_bytes(content.replace(b"%s", str(model).encode()))
    threads = Threads(tmp_path, EIGHT)
    assert threads.known(model, "engine") is None
    threads.measure(model, "engine", Machine(same(0.02), same(0.001)))
    assert Threads(tmp_path, EIGHT).known(model, "engine")


def test_absurd_numbers_in_the_file_do_not_reach_llama_cpp(tmp_path, model):
    threads = Threads(tmp_path, EIGHT)
    threads.measure(model, "engine", Machine(same(0.02), same(0.001)))
    kept = tmp_path / "threads.json"
    kept.write_text(kept.read_text().replace('"decode": 4', '"decode": 4000'))
    assert threads.known(model, "engine") is None


def test_where_nothing_can_be_written_the_numbers_are_still_found(tmp_path, model):
    (tmp_path / "file").write_bytes(b"")
    threads = Threads(tmp_path / "file", EIGHT)
    assert threads.measure(model, "engine", Machine(same(0.02, t4=0.01), same(0.001))).decode == 4


def test_a_slow_model_is_asked_once_and_gets_the_usual(tmp_path, model):
    machine = Machine(same(2.0, t4=1.0), same(1.0))
    assert Threads(tmp_path, EIGHT).measure(model, "engine", machine) == ThreadCounts(6, 6)
    assert machine.asked == {(6, False): 2}


def test_a_model_too_slow_to_read_with_is_measured_writing_only(tmp_path, model):
    machine = Machine(same(0.06, t4=0.04), same(0.06))
    assert Threads(tmp_path, EIGHT).measure(model, "engine", machine) == ThreadCounts(4, 6)
    assert {threads for threads, _many in machine.asked} == {8, 6, 4}  # there is no time for the others
    assert not any(many for (_threads, many) in machine.asked)
    assert machine.spent < 1.6


def test_a_failed_measurement_keeps_nothing(tmp_path, model):
    def compute(threads, tokens):
        raise RuntimeError("stopped")

    threads = Threads(tmp_path, EIGHT)
    with pytest.raises(RuntimeError):
        threads.measure(model, "engine", compute)
    assert threads.known(model, "engine") is None


def test_one_core_needs_no_measurement(tmp_path, model):
    machine = Machine({1: 0.01}, {1: 0.01})
    assert Threads(tmp_path, Cores(1, 1, 1)).measure(model, "engine", machine) == ThreadCounts(1, 1)
    assert sum(machine.asked.values()) <= 3


def test_fewer_threads_win_a_draw_and_more_than_cores_only_clearly():
    assert best({4: [1.02] * 3, 6: [1.01] * 3, 8: [1.0] * 3}, EIGHT) == 4
    assert best({4: [1.1] * 3, 8: [1.0] * 3, 16: [0.95] * 3}, EIGHT) == 8
    assert best({4: [1.1] * 3, 8: [1.0] * 3, 16: [0.8] * 3}, EIGHT) == 16


def test_one_disturbance_decides_nothing():
    assert best({4: [1.0, 1.0, 1.0, 9.0], 8: [1.3, 1.3, 0.1, 1.3]}, EIGHT) == 4
    assert best({4: [9.0], 8: [1.0]}, EIGHT) == EIGHT.fast


@given(st.lists(st.lists(st.floats(1e-4, 1), min_size=5, max_size=5), min_size=2, max_size=2))
def test_the_choice_is_never_much_slower_than_the_best_one(times):
    seconds = dict(zip((4, 8), times, strict=True))
    chosen = best(seconds, EIGHT)
    assert sorted(seconds[chosen])[2] <= min(sorted(each)[2] for each in times) * 1.03


def test_this_computer_has_cores():
    cores = Cores.here()
    assert 1 <= cores.fast <= cores.physical <= cores.logical <= psutil.cpu_count()
    assert cores.candidates()[0] == cores.physical


class TestGentle:
    COUNTS = ThreadCounts(5, 8)

    @pytest.fixture
    def idle(self, monkeypatch):
        """A computer on which nothing else runs: seconds pass, no work is done."""
        now = [100.0, 50.0, 7.0]  # time, work of all programs, own work

        def pass_by(seconds, all_programs=0.0, own=0.0):
            for index, more in enumerate((seconds, all_programs + own, own)):
                now[index] += more

        from app.engine import threads

        monkeypatch.setattr(threads, "_load", lambda: threads._Load(*now))
        monkeypatch.setattr(threads, "_on_battery", lambda: False)
        return pass_by

    def test_nothing_else_runs(self, idle, tmp_path):
        threads = Threads(tmp_path, EIGHT)
        idle(10, own=10 * psutil.cpu_count())  # our own work is no reason
        assert threads.lowered(self.COUNTS, gentle=True) == self.COUNTS

    def test_other_programs_work_hard(self, idle, tmp_path):
        threads = Threads(tmp_path, EIGHT)
        idle(10, all_programs=6 * psutil.cpu_count())
        assert threads.lowered(self.COUNTS, gentle=True) == ThreadCounts(2, 4)
        assert threads.lowered(self.COUNTS, gentle=False) == self.COUNTS
        idle(0.01)
        assert threads.lowered(self.COUNTS, gentle=True) == ThreadCounts(2, 4)  # too soon to tell
        idle(10)
        assert threads.lowered(self.COUNTS, gentle=True) == self.COUNTS

    def test_on_battery(self, idle, tmp_path, monkeypatch):
        monkeypatch.setattr("app.engine.threads._on_battery", lambda: True)
        threads = Threads(tmp_path, EIGHT)
        assert threads.lowered(self.COUNTS, gentle=True) == ThreadCounts(2, 4)
        assert threads.lowered(ThreadCounts(1, 1), gentle=True) == ThreadCounts(1, 1)
        assert threads.lowered(self.COUNTS, gentle=False) == self.COUNTS


def test_a_real_model_is_measured_in_the_time_allowed(tmp_path, smollm2):
    from app.engine import native
    from app.engine.context import Context, Part
    from app.engine.model import LoadedModel
    from models_registry.fit import choose
    from models_registry.gguf import read_header

    native.start()
    model = LoadedModel(smollm2, lambda _fraction: True)
    context = Context(model, choose(read_header(smollm2), 512), 1)

    def compute(threads, tokens):
        context.set_threads(threads, threads)
        started = time.monotonic()
        context.decode([Part(0, 0, [0] * tokens, 1)])
        taken = time.monotonic() - started
        assert context.forget(0, 0)
        return taken

    try:
        threads = Threads(tmp_path)
        counts = threads.measure(smollm2, native.identity(), compute)
    finally:
        context.close()
        model.close()
    cores = Cores.here()
    assert {counts.decode, counts.prefill} <= set(cores.candidates())
    assert threads.known(smollm2, native.identity()) == counts
