"""The engine as the app wires it, for scripts that measure it, and texts for it to read and to write."""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from app.domain.errors import UserError
from app.domain.generation import Chosen, Failed, Finished, Job, Piece, Request, Stats, Turn
from app.domain.loading import LoadOptions
from app.domain.settings import Settings
from app.main import Build
from app.storage.folders import Folders

GEMMA = Path.home() / ".cache" / "fireside-tests" / "gemma-3-270m-q4_k_m.gguf"  # joined by tests/conftest.py
STORY = """
The ferry left the harbour at six, while the lamps along the quay were still burning and the gulls had not yet
begun to quarrel over the nets. Marta stood at the rail with a basket of apples for her brother, who kept the
lighthouse on the outer island and had eaten nothing but fish since the first storm of autumn. She counted the
buoys as they passed: one red, two green, a broken yellow one that nobody had come to mend. Behind her the
captain was telling a schoolteacher how the channel moves each winter, and why no map of it is ever right.
By noon they could see the tower, white against a dark bank of cloud, and on its gallery a small man, waving.
"""
PROSE = (
    "Write a long story about a clockmaker who finds a letter.",
    "Describe a walk through a forest in autumn, in great detail.",
    "Explain how bread is made, from the field to the table, at length.",
    "Write a long letter to a friend about a journey by train.",
    "Tell the history of a small town by the sea, year by year.",
    "Explain to a child, at length, how the moon makes the tides.",
)


@dataclass(frozen=True)
class Choices:
    """What is measured, and how often."""

    model: Path
    rounds: int
    threads: int
    flash: bool | None  # flash attention; None as it comes
    home: Path
    depths: tuple[int, ...] = (0, 4096)

    def to_json(self) -> str:
        """Return the values for a child process."""
        return json.dumps({**self.__dict__, "model": str(self.model), "home": str(self.home)})

    @classmethod
    def from_json(cls, text: str) -> "Choices":
        """Read what `to_json` wrote."""
        values = json.loads(text)
        paths = {name: Path(values[name]) for name in ("model", "home")}
        return cls(**{**values, **paths, "depths": tuple(values["depths"])})


@dataclass(frozen=True)
class Answered:
    """One answer: its text, what it took, the seconds to its end, and its tokens when they were asked for."""

    text: str
    stats: Stats
    seconds: float
    chosen: tuple[Chosen, ...] = ()


class Fireside:
    """The engine as the app wires it."""

    def __init__(self, choices: Choices, context: int = 8192) -> None:
        self._choices = choices
        self._context = context
        folders = Folders.at(choices.home)
        folders.create()
        self._build = Build(folders, lambda call: call(), _refuse)
        self.engine = self._build.engine

    def __enter__(self) -> "Fireside":
        self.ask([Turn("user", "Hello.")], 4)  # loads the model
        return self

    def __exit__(self, *_error: object) -> None:
        self._build.close()

    def submit(self, turns: list[Turn], tokens: int, chat: int | None = None, **settings: Any) -> Job:
        """Ask for an answer of at most `tokens`: the likeliest, plainly, unless `settings` differ."""
        values = {"temperature": 0, "speculation": False, **settings}
        values |= {"max_tokens": tokens, "context": self._context}
        options = LoadOptions(flash_attention=self._choices.flash, threads=self._choices.threads)
        asked = Settings.from_json(values).checked()
        return self.engine.submit(
            Request(self._choices.model, tuple(turns), asked, options=options, chat=chat)
        )

    def ask(self, turns: list[Turn], tokens: int, chat: int | None = None, **settings: Any) -> Answered:
        """Ask, and wait for the whole answer."""
        began = time.perf_counter()
        return self.wait(self.submit(turns, tokens, chat, **settings), began)

    def wait(self, job: Job, began: float, pause: float = 0.0) -> Answered:
        """Wait for the end of `job`, which was submitted at `began`, looking every `pause` seconds."""
        text, chosen = "", []
        while True:
            time.sleep(pause)
            for event in job.wait(1):
                if isinstance(event, Piece):
                    text += event.text
                elif isinstance(event, Chosen):
                    chosen.append(event)
                elif isinstance(event, Failed):
                    raise event.error
                elif isinstance(event, Finished) and event.stats:
                    return Answered(text, event.stats, time.perf_counter() - began, tuple(chosen))

    def fit(self, tokens: int, name: str, before: list[Turn]) -> Turn:
        """Return a question with which at most `tokens`, and hardly fewer, follow those of `before`.

        It has been read when this returns, so asking it again finds it in the cache.
        """
        start = self.ask(before, 1).stats.prompt_tokens if before else 0
        count = int(tokens / 1.3)
        while True:
            turn = Turn("user", " ".join(words(count, name)))
            read = self.ask([*before, turn], 1).stats.prompt_tokens - start
            if 0.97 * tokens <= read <= tokens:
                return turn
            count = int(count * 0.985 * tokens / read)


def words(count: int, name: str) -> Iterator[str]:
    """Give `count` words of a text that shares nothing with those of other names."""
    return islice(cycle([*f"Chapter {name}.".split(), *STORY.split()]), count)


def _refuse(error: UserError) -> None:
    raise error
