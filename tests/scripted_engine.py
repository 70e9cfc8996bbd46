"""A stand-in for app.engine.worker.Engine that plays a script: no model, no thread, no time."""

from dataclasses import dataclass, field
from pathlib import Path

from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.generation import (
    Choice,
    Chosen,
    EngineEvent,
    Failed,
    Finished,
    Fitted,
    Job,
    Measured,
    Piece,
    Reading,
    Rendered,
    Request,
    Stats,
    StopReason,
)
from app.domain.loading import LoadOptions
from app.domain.model import EngineStatus
from app.domain.retention import Retention

_ORDER = ("top_k", "draw")
THINK, ANSWER = "<think>", "</think>"


def tokens_of(line: str) -> list[tuple[str, bool]]:
    """Return the words of a script's line, and whether each is thought: what stands in <think>…</think>."""
    thought, _closed, said = line.removeprefix(THINK).partition(ANSWER)
    parts = [(thought, True), (said, False)] if line.startswith(THINK) else [(line, False)]
    return [
        (word if i == 0 else f" {word}", reasoning)
        for text, reasoning in parts
        if text
        for i, word in enumerate(text.split(" "))
    ]


@dataclass
class Play:
    """One answer in the playing: what was asked, and what is still to come."""

    request: Request
    job: Job
    pieces: list[tuple[str, bool]]
    error: UserError | None = None
    written: int = 0

    def step(self, count: int = 1) -> None:
        """Write the next `count` pieces; the end follows the last one."""
        for _ in range(count):
            if self.job.cancelled:
                self._finish(StopReason.CANCELLED)
                return
            if not self.pieces:
                break
            self._write(*self.pieces.pop(0))
        if not self.pieces:
            if self.error:
                self.job.put(Failed(self.error))
            else:
                self._finish(StopReason.END)

    def rest(self) -> None:
        """Write everything that is left."""
        self.step(len(self.pieces) or 1)

    def _write(self, text: str, reasoning: bool) -> None:
        self.job.put(Piece(text, reasoning))
        self.written += 1
        if asked := self.request.settings.probabilities:
            top = [Choice(0, text, -0.1), *(Choice(i, f"other {i}", -2.0 - i) for i in range(1, asked))]
            self.job.put(Chosen(top[0], tuple(top)))

    def _finish(self, reason: StopReason) -> None:
        self.job.put(Finished(Stats(reason, 10, 4, self.written, 0.5, 0.25, 0.5, 7, 8192, samplers=_ORDER)))


@dataclass
class ScriptedEngine:
    """Answers the requests with `script`, one entry each, in words; an error ends an answer with Failed.

    A line may begin with `<think>…</think>`. Without `hold` the whole answer is there at once; with it
    the test calls `plays[-1].step()`.

    Attributes:
        titles: What is answered in the background, one entry each; nothing when there is none left.
        background: The plays of what was asked in the background.
        prompt_parts: What every prompt is rendered to, or why it cannot be.
        forgotten: The chats that were to be forgotten.
        retention: What was last said of the models in memory.
        context: The size of the context of every model.
    """

    changes: Changes
    script: list[str | UserError] = field(default_factory=lambda: ["Hello there."] * 100)
    hold: bool = False
    status: EngineStatus = field(default_factory=EngineStatus)
    plays: list[Play] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    background: list[Play] = field(default_factory=list)
    prompt_parts: tuple[tuple[str, bool], ...] | UserError = (("<|user|>", True), ("Hi", False))
    prompts: list[Request] = field(default_factory=list)
    forgotten: list[int] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    closed: bool = False
    retention: Retention | None = None
    context: int = 8192

    def submit(self, request: Request) -> Job:
        job = Job()
        if request.background:
            self.background.append(Play(request, job, tokens_of(self.titles.pop(0) if self.titles else "")))
            if not self.hold:
                self.background[-1].rest()
            return job
        self._ready(request.model)
        line = self.script.pop(0)
        error = line if isinstance(line, UserError) else None
        play = Play(request, job, tokens_of("" if isinstance(line, UserError) else line), error)
        job.put(Reading(0, 6))
        self.plays.append(play)
        if not self.hold:
            play.rest()
        return job

    def prompt(self, request: Request) -> Job:
        job = Job()
        self.prompts.append(request)
        end: EngineEvent = Finished(None)
        if isinstance(self.prompt_parts, UserError):
            end = Failed(self.prompt_parts)
        else:
            job.put(Rendered(self.prompt_parts, 17))
        job.put(end)
        return job

    def measure(self, request: Request) -> Job:
        """Count words for tokens; what does not fit into the context is left out, the oldest first."""
        job = Job()
        texts = [turn for turn in request.turns if turn.role != "system"]
        system = sum(len(turn.text.split()) for turn in request.turns if turn.role == "system")
        messages = tuple(len(turn.text.split()) for turn in texts)
        context = request.settings.context or self.context
        start = 0
        while start < len(messages) - 1 and system + sum(messages[start:]) > context:
            start += 1
        fitted = Fitted(start, None)
        job.put(Measured(context, 0, system, messages, 0, fitted, start > 0, waits=False))
        job.put(Finished(None))
        return job

    def load(self, model: Path, context: int | None = None, options: LoadOptions | None = None) -> Job:
        job = Job()
        self._ready(model)
        job.put(Finished(None))
        return job

    def cancel(self, job: Job) -> None:
        job.cancel()

    def forget(self, chat: int) -> Job:
        job = Job()
        self.forgotten.append(chat)
        job.put(Finished(None))
        return job

    def unload(self) -> Job:
        job = Job()
        self.status = EngineStatus()
        self.changes.publish(Changed(Kind.ENGINE))
        job.put(Finished(None))
        return job

    def retain(self, retention: Retention) -> None:
        self.retention = retention

    def close(self) -> None:
        self.closed = True

    def _ready(self, model: Path) -> None:
        self.status = EngineStatus(model=model, context=8192, trained_context=8192, template_notes=self.notes)
        self.changes.publish(Changed(Kind.ENGINE))
