"""The engine's thread: jobs in by a queue, events out by each job's deque."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Request, unread
from app.domain.language import _
from app.domain.model import EngineStatus

if TYPE_CHECKING:
    from app.engine.runtime import Runtime
    from app.engine.trial import Trials

_log = logging.getLogger("fireside.engine")


@dataclass(frozen=True, slots=True)
class _Work:
    job: Job
    run: Callable[["Runtime"], None]


class Engine:
    """Answers requests one after the other, on a thread of its own that starts with the first of them.

    Attributes:
        status: What is loaded; replaced as a whole, so it can be read from any thread.
            `Changed(ENGINE)` is published with every new one.
    """

    def __init__(
        self, changes: Changes, crash_note: Path | None = None, trials: "Trials | None" = None
    ) -> None:
        """Prepare the engine; nothing is imported or started yet.

        Args:
            changes: Where news of the status goes.
            crash_note: The file that receives llama.cpp's last words should it end the process.
            trials: What lets a file in, so that none ends the process; None lets in every one.
        """
        self._changes = changes
        self._crash_note = crash_note
        self._trials = trials
        self._inbox: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._waiting: dict[Job, Finished] = {}  # with how each ends when it is cancelled before its turn
        self._current: Job | None = None
        self._closing = False
        self.status = EngineStatus()

    def submit(self, request: Request) -> Job:
        """Ask for an answer; its events arrive in the job that is returned."""
        job = Job()
        work = _Work(job, lambda runtime: runtime.answer(request, job))
        return self._put(work, Finished(unread(request.settings.seed or 0)))

    def load(self, model: Path, context: int | None = None) -> Job:
        """Load a model ahead of the first request; the job ends with Finished(None) or Failed."""
        job = Job()

        def run(runtime: "Runtime") -> None:
            from app.engine.model import LoadCancelled

            with contextlib.suppress(LoadCancelled):
                runtime.load(model, context, job)
            job.put(Finished(None))

        return self._put(_Work(job, run), Finished(None))

    def cancel(self, job: Job) -> None:
        """Stop a job; one that still waits for others ends at once."""
        job.cancel()
        # Whoever takes the job out of the waiting ones, here or on the engine's thread, ends it.
        if ending := self._waiting.pop(job, None):
            job.put(ending)

    def close(self) -> None:
        """Cancel what is running, free the model and end the thread; waits for it."""
        if self._thread is None:
            return
        self._closing = True
        if current := self._current:
            current.cancel()
        self._inbox.put(None)
        self._thread.join()
        self._thread = None

    def _put(self, work: _Work, if_cancelled: Finished) -> Job:
        self._waiting[work.job] = if_cancelled
        self._inbox.put(work)
        if self._thread is None:
            self._thread = Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()
        return work.job

    def _tell(self, status: EngineStatus) -> None:
        self.status = status
        self._changes.publish(Changed(Kind.ENGINE))

    def _start(self) -> "Runtime":
        from app.engine.runtime import Runtime

        return Runtime(self._tell, self._crash_note, self._trials)

    def _run(self) -> None:
        runtime: Runtime | None = None
        while work := self._inbox.get():
            if self._waiting.pop(work.job, None) is None:
                continue  # cancelled, and ended by that
            self._current = work.job
            if self._closing:
                work.job.cancel()
            try:
                if runtime is None:
                    runtime = self._start()
                work.run(runtime)
            except UserError as error:
                work.job.put(Failed(error))
            except Exception as error:
                _log.exception("The engine failed")
                work.job.put(
                    Failed(
                        UserError(
                            _("Something went wrong in the engine ({kind}).").format(
                                kind=type(error).__name__
                            ),
                            _("Please try again; the log says more."),
                        )
                    )
                )
                if runtime is not None:
                    runtime.unload()  # its state is unknown now
            finally:
                self._current = None
        if runtime is not None:
            runtime.close()
