"""A stand-in for app.engine.worker.Engine that plays a script: no model, no thread, no time."""

from dataclasses import dataclass, field
from pathlib import Path

from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Piece, Reading, Request, Stats, StopReason
from app.domain.model import EngineStatus


@dataclass
class Play:
    """One answer in the playing: what was asked, and what is still to come."""

    request: Request
    job: Job
    pieces: list[str]
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
            self.job.put(Piece(self.pieces.pop(0)))
            self.written += 1
        if not self.pieces:
            if self.error:
                self.job.put(Failed(self.error))
            else:
                self._finish(StopReason.END)

    def rest(self) -> None:
        """Write everything that is left."""
        self.step(len(self.pieces) or 1)

    def _finish(self, reason: StopReason) -> None:
        self.job.put(Finished(Stats(reason, 10, 4, self.written, 0.5, 0.25, 0.5, 7, 8192)))


@dataclass
class ScriptedEngine:
    """Answers the requests with `script`, one entry each, in words; an error ends an answer with Failed.

    Without `hold` the whole answer is there at once; with it the test calls `plays[-1].step()`.
    """

    changes: Changes
    script: list[str | UserError] = field(default_factory=lambda: ["Hello there."] * 100)
    hold: bool = False
    status: EngineStatus = field(default_factory=EngineStatus)
    plays: list[Play] = field(default_factory=list)
    closed: bool = False

    def submit(self, request: Request) -> Job:
        job = Job()
        self._ready(request.model)
        line = self.script.pop(0)
        error = line if isinstance(line, UserError) else None
        text = "" if isinstance(line, UserError) else line
        words = [word if i == 0 else f" {word}" for i, word in enumerate(text.split(" "))] if text else []
        play = Play(request, job, words, error)
        job.put(Reading(0, 6))
        self.plays.append(play)
        if not self.hold:
            play.rest()
        return job

    def load(self, model: Path, context: int | None = None) -> Job:
        job = Job()
        self._ready(model)
        job.put(Finished(None))
        return job

    def cancel(self, job: Job) -> None:
        job.cancel()

    def close(self) -> None:
        self.closed = True

    def _ready(self, model: Path) -> None:
        self.status = EngineStatus(model=model, context=8192, trained_context=8192)
        self.changes.publish(Changed(Kind.ENGINE))
