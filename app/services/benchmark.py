"""How fast a model is on this computer, measured the way a person meets it."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import psutil

if sys.platform != "win32":
    import resource

from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Piece, Request, Stats, Turn, unread
from app.domain.language import _
from app.domain.model import Model
from app.domain.settings import Settings
from app.engine.worker import Engine

PROMPT = 512  # tokens of a prompt; as many as llama.cpp computes at once, so none should be more
ANSWER = 128
LEAST_CONTEXT = 1024

_TICK = 0.1  # seconds; a wait without end would swallow Ctrl+C on Windows

_STORY = """
The old woman lived at the end of the road, in a small house with a green door. Every morning she made a
fire, set the water on it, and looked out over the field to see who was on the way to town. One day in
the middle of winter a young man came up to the house and asked if he could come in and sit down by the
fire for an hour. He had walked all night, he said, and his feet were cold. She gave him bread and a cup
of hot milk, and he told her where he had been: by the sea, where the boats come in at night with their
lights on; in the high hills, where the snow lies for most of the year; and in a great city, where no one
had time to hear what he had to say. She let him talk. When he was done she took a little box down from
the wall, put it on the table in front of him, and told him not to open it before he was home again.
"""
_ASK = "\n\nTell the rest of this story, and make it as long as you can."
_ASK_ON = "Go on. What was in the box?"
_CHAT = 1  # the engine's folder is the measurement's own, so any number will do


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured: medians over the runs.

    Attributes:
        model: Its name.
        threads: CPU threads.
        context: Size of the context in tokens.
        prefill_tokens_per_second: Reading a prompt of about 512 tokens.
        decode_tokens_per_second: Writing up to 128 tokens after it, one at a time, the likeliest each time.
        first_token_seconds: From the question that opens a chat, of about 512 tokens, to its first token.
        warm_first_token_seconds: The same for the chat's second question, a short one.
        restored_first_token_seconds: The same for that second question, put after a restart.
        peak_memory_bytes: The most memory this process ever had in use, the mapped file included.
    """

    model: str
    threads: int
    context: int
    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    first_token_seconds: float
    warm_first_token_seconds: float
    restored_first_token_seconds: float
    peak_memory_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self)


class Benchmark:
    """Measures models with engines of its own, over a folder of its own that is gone afterwards."""

    def __init__(self, make_engine: Callable[[Path], Engine], folder: Path) -> None:
        """Wire the service.

        Args:
            make_engine: Makes an engine that keeps what it read of chats in the folder it is given.
            folder: Where that folder may be made; on the disk that the app's own lies on.
        """
        self._make_engine = make_engine
        self._folder = folder

    def measure(
        self, model: Model, context: int | None, runs: int, on_progress: Callable[[float], None]
    ) -> Speed:
        """Measure `model`; it reads and writes `runs` + 2 answers, and is loaded `runs` + 1 times.

        Args:
            model: One that can be used.
            context: Tokens it sees at once; None leaves that to the engine.
            runs: How often each figure is taken; 1 or more.
            on_progress: Told the part that is done, from 0 to 1.

        Raises:
            UserError: When the model cannot be loaded, or the context is too small to measure in.
        """
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            on_progress(done / (2 + 3 * runs))

        with tempfile.TemporaryDirectory(dir=self._folder, prefix="bench-") as scratch:
            folder = Path(scratch, "left")
            folder.mkdir()
            with _loaded(self._make_engine(folder), model.path, context) as subject:
                words = subject.fit()
                step()
                cold, warm = [], []
                for number in range(1, runs + 1):
                    opened = subject.open(str(number), words)
                    cold.append(opened.stats)
                    step()
                    warm.append(subject.go_on(opened.turns))
                    step()
                # The only one to be kept: nothing is written to the disk while the others are measured.
                left = subject.open(str(runs + 1), words, _CHAT)
                step()
            restored = []
            for _run in range(runs):
                restored.append(self._return(left, folder, model.path, context))
                step()
        return Speed(
            model=model.name,
            threads=left.stats.threads,
            context=left.stats.context,
            prefill_tokens_per_second=median(map(_prefill_speed, cold)),
            decode_tokens_per_second=median(stats.tokens_per_second for stats in cold),
            first_token_seconds=median(stats.first_token_seconds for stats in cold),
            warm_first_token_seconds=median(stats.first_token_seconds for stats in warm),
            restored_first_token_seconds=median(stats.first_token_seconds for stats in restored),
            peak_memory_bytes=_peak_memory(),
        )

    def _return(self, left: "_Opened", folder: Path, model: Path, context: int | None) -> Stats:
        """Go on with the chat that was `left`, with a new engine over a copy of `folder`."""
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy)  # each return finds the chat as it was left
        try:
            with _loaded(self._make_engine(copy), model, context) as subject:
                return subject.go_on(left.turns, _CHAT)
        finally:
            shutil.rmtree(copy)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A chat after its first answer."""

    turns: tuple[Turn, ...]
    stats: Stats


@contextmanager
def _loaded(engine: Engine, model: Path, context: int | None) -> "Iterator[_Subject]":
    """Load `model` into `engine`, which is closed in the end."""
    try:
        _wait(engine.load(model, context))
        if (size := engine.status.context) < LEAST_CONTEXT:
            raise UserError(
                _("A context of {size:,} tokens is too small for this measurement.").format(size=size),
                _("Choose a context of at least {least:,} tokens.").format(least=LEAST_CONTEXT),
            )
        yield _Subject(engine, model, context)
    finally:
        engine.close()


class _Subject:
    """An engine with a model that is being measured."""

    def __init__(self, engine: Engine, model: Path, context: int | None) -> None:
        self._engine = engine
        self._model = model
        self._context = context

    def fit(self) -> int:
        """Return with how many words the prompt has nearly PROMPT tokens.

        This also warms up: the memory that the model computes in is touched for the first time.
        """
        words = 300
        for _try in range(3):
            read = self.open("0", words, tokens=4).stats.prompt_tokens
            if PROMPT * 0.95 <= read <= PROMPT:
                break
            words = max(1, int(words * PROMPT * 0.975 / read))
        return words

    def open(self, name: str, words: int, chat: int | None = None, tokens: int = ANSWER) -> _Opened:
        """Begin a chat that shares nothing with those of other names, and have it answered."""
        told = " ".join(islice(cycle(_STORY.split()), words))
        turns = (Turn("system", name), Turn("user", told + _ASK))
        answer, stats = self._answer(turns, tokens, chat)
        return _Opened((*turns, answer), stats)

    def go_on(self, turns: tuple[Turn, ...], chat: int | None = None) -> Stats:
        """Put the next question of a chat; only the first token of the answer is waited for."""
        return self._answer((*turns, Turn("user", _ASK_ON)), 1, chat)[1]

    def _answer(self, turns: tuple[Turn, ...], tokens: int, chat: int | None) -> tuple[Turn, Stats]:
        settings = Settings(
            temperature=0, max_tokens=tokens, context=self._context, speculation=False
        ).checked()
        return _wait(self._engine.submit(Request(self._model, turns, settings, chat=chat)))


def _wait(job: Job) -> tuple[Turn, Stats]:
    """Return what `job` brings: the answer, and what it took."""
    text = reasoning = ""
    while True:
        for event in job.wait(_TICK):
            match event:
                case Piece(piece, thought):
                    reasoning, text = (reasoning + piece, text) if thought else (reasoning, text + piece)
                case Failed(error):
                    raise error
                case Finished(stats):
                    return Turn("assistant", text, reasoning), stats or unread(0)


def _prefill_speed(stats: Stats) -> float:
    return (stats.prompt_tokens - stats.reused_tokens) / stats.prefill_seconds


def _peak_memory() -> int:
    """Return the most bytes this process ever had in memory."""
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux's ru_maxrss begins with what the process that started this one had.
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024
