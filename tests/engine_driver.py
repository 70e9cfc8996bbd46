"""Drives the engine: with its thread, and without it, one batch after the other."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lora_files import Matrix, encode
from tiny_models import Gguf, tiny

from app.domain.generation import Failed, Finished, Job, Piece, Reading, Request, Stats, Turn
from app.domain.loading import LoadOptions
from app.domain.settings import Settings
from app.engine.loaded import Loaded
from app.engine.runtime import Runtime
from app.engine.work import Forget, Load, Work
from app.engine.worker import Engine

NO_END = ((2, -1000.0),)
"""Bias that keeps the model of `write_small` from ending an answer."""


def write_small(folder: Path, file: Gguf | None = None, *, unsaid: Sequence[int] = ()) -> Path:
    """Write a model that computes in no time, and says nothing of sense: a token for each byte it reads.

    Args:
        folder: Where to.
        file: With which shapes; those of a Llama without.
        unsaid: Tokens that it next to never writes.
    """
    file, path, chance = file or tiny(), folder / "Small.gguf", np.random.default_rng(0)
    weights: dict[str, Matrix] = {}
    for tensor in file.tensors:
        name, shape = str(tensor.name), tensor.shape[::-1]
        if name.endswith("ssm_a"):  # a state that fades
            values = -np.exp(chance.normal(-2, 1, shape))
        elif len(shape) == 1:
            values = chance.normal(0 if name.endswith("bias") else 1, 0.1, shape)
        else:
            values = chance.normal(0, 0.3, shape)
        weights[name] = values.astype(np.float32)
    weights["token_embd.weight"][list(unsaid)] = 0
    path.write_bytes(encode(file, weights))
    return path


def outcome(job: Job, timeout: float = 60) -> tuple[str, Stats | Failed]:
    """Wait for the end of an answer; return its text and how it ended."""
    text, deadline = "", time.monotonic() + timeout
    while time.monotonic() < deadline:
        for event in job.wait(0.1):
            match event:
                case Piece(piece):
                    text += piece
                case Failed():
                    assert not job.events
                    return text, event
                case Finished(stats):
                    assert not job.events
                    assert stats is not None
                    return text, stats
    pytest.fail("no end came")


def answer(engine: Engine, model: Path, *turns: Turn, settings: Settings, **fields: Any) -> tuple[str, Stats]:
    """Have `model` answer; return its text and what it took."""
    text, end = outcome(engine.submit(Request(model, turns, settings, **fields)))
    assert isinstance(end, Stats), end
    return text, end


class Watched:
    """An answer on its way, with what has arrived of it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.text = ""
        self.pieces = 0
        self.readings: list[Reading] = []
        self.stats: Stats | None = None
        self.error = ""

    @property
    def ended(self) -> bool:
        self.look()
        return self.stats is not None or bool(self.error)

    def look(self) -> None:
        for event in self.job.drain():
            match event:
                case Piece(piece):
                    self.text += piece
                    self.pieces += 1
                case Reading() as reading:
                    self.readings.append(reading)
                case Failed(error):
                    self.error = str(error)
                case Finished(stats):
                    assert not self.job.events
                    self.stats = stats

    @property
    def end(self) -> Stats:
        self.look()
        assert self.stats is not None, self.error or "it has not ended"
        return self.stats


class Steps:
    """The engine's work on the test's own thread: one batch for each step, nothing in between."""

    def __init__(self, folder: Path | None = None) -> None:
        self.interrupt = bytearray(2)
        self.runtime = Runtime(
            lambda status: None, self.interrupt, crash_note=None, trials=None, folder=folder
        )

    def ask(self, model: Path, *turns: Turn, settings: Settings, **fields: Any) -> Watched:
        return self._put(Request(model, turns, settings, **fields))

    def answer(self, model: Path, *turns: Turn, settings: Settings, **fields: Any) -> tuple[str, Stats]:
        asked = self.ask(model, *turns, settings=settings, **fields)
        self.run(asked)
        return asked.text, asked.end

    def load(self, model: Path, context: int, options: LoadOptions | None = None) -> Loaded:
        """Load a model and return what is loaded: for what no event tells."""
        self._put(Load(model, context, options or LoadOptions()))
        self.step()
        loaded = self.runtime._loader.loaded
        assert loaded is not None
        return loaded

    def forget(self, chat: int) -> None:
        self._put(Forget(chat))
        self.step()

    def step(self) -> None:
        self.runtime.step(lambda job: True)

    def run(self, *asked: Watched, most: int = 1500) -> int:
        """Go on until all of these have ended; return how many steps that took."""
        for step in range(most):
            if all(each.ended for each in asked):
                return step
            self.step()
        pytest.fail(f"no end after {most} steps")

    def close(self) -> None:
        self.runtime.close()

    def _put(self, what: Request | Load | Forget) -> Watched:
        job = Job(self.interrupt)
        self.runtime.enqueue(Work(job, what))
        return Watched(job)
