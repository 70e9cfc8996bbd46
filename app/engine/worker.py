"""The engine's thread: work in by a queue, events out by each job's deque."""

import logging
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

from app.domain.changes import Changed, Changes, Kind
from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Request, unread
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.long_reading import Examination, ReadingJob
from app.domain.model import EngineStatus
from app.domain.retention import Retention
from app.engine.work import Forget, Load, Measure, Prompt, Retain, Unload, What, Work

if TYPE_CHECKING:
    from app.engine.runtime import Runtime
    from app.engine.trial import Trials

J = TypeVar("J", bound=Job)

_REST_AFTER = 2.0  # seconds without work, after which the engine does what nobody waits for

_log = logging.getLogger("fireside.engine")


class Engine:
    """Answers requests, several at once, on a thread of its own that starts with the first of them.

    Attributes:
        status: What is loaded; replaced as a whole, so it can be read from any thread.
            `Changed(ENGINE)` is published with every new one.
    """

    def __init__(
        self,
        changes: Changes,
        crash_note: Path | None = None,
        trials: "Trials | None" = None,
        folder: Path | None = None,
    ) -> None:
        """Prepare the engine; nothing is imported or started yet.

        Args:
            changes: Where news of the status goes.
            crash_note: The file that receives llama.cpp's last words should it end the process.
            trials: What lets a file in, so that none ends the process; None lets in every one.
            folder: Where snapshots of the KV cache and measurements are kept; None keeps none.
        """
        self._changes = changes
        self._crash_note = crash_note
        self._trials = trials
        self._folder = folder
        self._retention = Retention()
        self._inbox: SimpleQueue[Work | None] = SimpleQueue()
        self._interrupt = bytearray(2)  # what llama.cpp looks at; the second byte ends it, as in a C string
        self._yielding = bytearray(2)  # set with all that is asked, too: what can wait stops for it
        self._thread: Thread | None = None
        self._waiting: dict[Job, Finished] = {}  # with how each ends when it is cancelled before its turn
        self._jobs: WeakSet[Job] = WeakSet()
        self.status = EngineStatus()

    def submit(self, request: Request) -> Job:
        """Ask for an answer; its events arrive in the job that is returned."""
        return self._put(request, Finished(unread(request.settings.seed or 0)))

    def load(self, model: Path, context: int | None = None, options: LoadOptions | None = None) -> Job:
        """Load a model ahead of the first request; the job ends with Finished(None) or Failed."""
        return self._put(Load(model, context, options or LoadOptions()), Finished(None))

    def prompt(self, request: Request) -> Job:
        """Render exactly what a model would read for `request`; Rendered comes, then Finished(None)."""
        return self._put(Prompt(request), Finished(None))

    def measure(self, request: Request) -> Job:
        """Count what `request`, which has a window, would send; nothing is read or loaded for it.

        Measured comes, then Finished(None); without Measured when the model is not in memory. It waits
        until the answers that somebody reads have ended.
        """
        return self._put(Measure(request), Finished(None))

    def examine(self, examination: Examination) -> ReadingJob:
        """Test how well a model reads; it gives way to every answer, and to all else that is asked.

        The job tells of `Reading`, and ends with Finished(None) or Failed. It takes a context of its own.
        """
        return self._begin(ReadingJob(self._yielding), examination, Finished(None))

    def forget(self, chat: int) -> Job:
        """Forget what was read of a conversation, in memory and on disk; the job ends with Finished(None)."""
        return self._put(Forget(chat), Finished(None))

    def unload(self) -> Job:
        """Give every model back once what runs has ended; the job ends with Finished(None)."""
        if self._thread is None:
            job = Job()
            job.put(Finished(None))
            return job
        return self._put(Unload(), Finished(None))

    def retain(self, retention: Retention) -> None:
        """Keep models in memory as `retention` says, from now on; starts nothing."""
        self._retention = retention
        if self._thread is not None:
            self._put(Retain(retention), Finished(None))

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
        for job in list(self._jobs):
            self.cancel(job)
        self._inbox.put(None)
        self._thread.join()
        self._thread = None

    def _put(self, what: What, if_cancelled: Finished) -> Job:
        return self._begin(Job(self._interrupt), what, if_cancelled)

    def _begin(self, job: J, what: What, if_cancelled: Finished) -> J:
        self._jobs.add(job)
        self._waiting[job] = if_cancelled
        self._inbox.put(Work(job, what))
        self._yielding[0] = 1
        if self._thread is None:
            self._thread = Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()
        return job

    def _tell(self, status: EngineStatus) -> None:
        self.status = status
        self._changes.publish(Changed(Kind.ENGINE))

    def _start(self) -> "Runtime":
        from app.engine.runtime import Runtime

        runtime = Runtime(
            self._tell,
            self._interrupt,
            crash_note=self._crash_note,
            trials=self._trials,
            folder=self._folder,
            yielding=self._yielding,
        )
        runtime.retain(self._retention)
        return runtime

    def _admit(self, job: Job) -> bool:
        """Take a job whose turn has come out of the waiting ones; False when it has ended already."""
        return self._waiting.pop(job, None) is not None

    def _run(self) -> None:
        runtime: Runtime | None = None
        wait: float | None = None  # seconds; None for as long as it takes
        while True:
            self._yielding[0] = 0
            if not self._inbox.empty():  # and more behind what is taken out now
                self._yielding[0] = 1
            try:
                work = self._inbox.get(timeout=wait)
            except Empty:
                pass
            else:
                if work is None:
                    break
                runtime = runtime or self._started(work)
                if runtime:
                    runtime.enqueue(work)
            wait = self._go_on(runtime) if runtime else None
        if runtime is not None:
            while runtime.busy:  # all of it has been cancelled, and is only told so
                runtime.step(self._admit)
            runtime.close()

    def _started(self, work: Work) -> "Runtime | None":
        """Return what runs on this thread; when it cannot be started, `work` fails."""
        try:
            return self._start()
        except Exception as error:
            _log.exception("The engine cannot start")
            if self._admit(work.job):
                kind = type(error).__name__
                problem = UserError(
                    _("The engine cannot start ({kind}).").format(kind=kind),
                    _("Start Fireside again. If that does not help, install it again."),
                )
                work.job.put(Failed(problem))
            return None

    def _go_on(self, runtime: "Runtime") -> float | None:
        """Work until something is asked, or rest; return how long to wait for new work after that."""
        worked = False
        while runtime.busy:
            runtime.step(self._admit)
            worked = True
            self._yielding[0] = 0  # before it is seen whether somebody has asked
            if not self._inbox.empty():
                return 0.0
        return _REST_AFTER if worked or runtime.rest() else runtime.give_back_idle()
