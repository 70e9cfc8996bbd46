"""How well a model reads long texts: tested on a person's own model, and kept with it."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Event

from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Reading
from app.domain.loading import LoadOptions
from app.domain.long_reading import Examination, LongReading, ReadingJob
from app.domain.model import Model
from app.engine import records
from app.engine.worker import Engine
from app.services.headers import header_of
from app.services.threads import Threads
from models_registry.fit import usual_context

FOLDER = "long-reading"
"""Name of the folder in the data folder; it holds a file for each model, named by its sha256."""

_KEPT = 12  # results of one model
_TICK = 0.1  # seconds
_SLOW_START = 0.02  # the part after which the time it took says something of the rest
_AFFORDABLE = 32_768  # tokens; more takes an hour on many a computer

_log = logging.getLogger("fireside.long_reading")


class Test:
    """A test on its way.

    Attributes:
        model: What is tested.
        done: The part that is done, from 0 to 1.
        result: What was measured; None when it was stopped. Fails with a UserError where it cannot be done.
    """

    __test__ = False  # pytest would take it for one of its own

    def __init__(self, model: Model, stop: Callable[[], None]) -> None:
        self.model = model
        self.done = 0.0
        self.result: Future[LongReading | None] = Future()
        self._began = 0.0
        self._stop = stop

    @property
    def seconds_left(self) -> float | None:
        """Return how long it will still take, about; None while that cannot be said."""
        if self.done < _SLOW_START:
            return None
        return (time.monotonic() - self._began) * (1 - self.done) / self.done

    def stop(self) -> None:
        """End it with nothing to show; may be called from any thread, more than once."""
        self._stop()

    def tell(self, done: int, total: int) -> None:
        """Take in how many tokens have been read."""
        self._began = self._began or time.monotonic()
        self.done = min(1.0, done / total)


class LongReadings:
    """Tests models one after the other, on a thread of its own, and keeps what came of it.

    What is kept is looked up on another.
    """

    def __init__(
        self, engine: Engine, identified: Callable[[Model], "Future[Model]"], folder: Path, text: Path
    ) -> None:
        """Wire the service.

        Args:
            engine: What reads.
            identified: Gives a model with its sha256.
            folder: Where results are kept: the data folder.
            text: The file of the prose that is read.
        """
        self._engine = engine
        self._identified = identified
        self._folder = folder / FOLDER
        self._text = text
        self._closing = Event()
        self._thread = Threads(1, "long-reading")
        self._looks = Threads(1, "long-reading-kept")  # a test takes minutes

    def begin(self, model: Model, context: int | None, options: LoadOptions) -> Test:
        """Test `model`; takes minutes.

        Args:
            model: One that can be used.
            context: Tokens it is to see at once; None for twice what it was trained for, if that is not too
                many, else for the usual size.
            options: How it is loaded, and how positions are scaled.
        """
        stopped = Event()

        def stop() -> None:
            stopped.set()

        test = Test(model, stop)
        self._thread.submit(self._run, test, context, options, stopped)
        return test

    def kept(self, model: Model, context: int | None, options: LoadOptions) -> "Future[LongReading | None]":
        """Return what was measured of `model` for this context and scaling; else the newest, else None.

        Cancelled when Fireside is closing.
        """

        def look() -> LongReading | None:
            results = self._read(model.sha256) if model.sha256 else {}
            with suppress(UserError):
                header = header_of(model.path)
                size = context or usual_context(header.context_length)
                found = results.get(_key(size, options.rotation(header, size).key))
                if found:
                    return found
            return next(reversed(results.values()), None)

        if self._closing.is_set():
            nobody: Future[LongReading | None] = Future()
            nobody.cancel()
            return nobody
        return self._looks.submit(look)

    def close(self) -> None:
        """End what is being tested; waits for it."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._looks.shutdown(wait=True, cancel_futures=True)

    def _run(self, test: Test, context: int | None, options: LoadOptions, stopped: Event) -> None:
        try:
            test.result.set_result(self._examined(test, context, options, stopped))
        except BaseException as error:
            test.result.set_exception(error)

    def _examined(
        self, test: Test, context: int | None, options: LoadOptions, stopped: Event
    ) -> LongReading | None:
        header = header_of(test.model.path)
        trained = header.context_length
        size = context
        if size is None:
            size = 2 * trained if 0 < 2 * trained <= _AFFORDABLE else usual_context(trained)
        key = _key(size, options.rotation(header, size).key)
        text = self._text.read_text(encoding="utf-8")
        if stopped.is_set() or self._closing.is_set():
            return None
        job = self._engine.examine(Examination(test.model.path, size, options, text))
        self._follow(job, test, stopped)
        if job.reading:
            self._keep(test.model, key, job.reading)
        return job.reading

    def _follow(self, job: ReadingJob, test: Test, stopped: Event) -> None:
        """Wait for the end of `job`; raises its UserError."""
        told = False
        while True:
            if not told and (stopped.is_set() or self._closing.is_set()):
                self._engine.cancel(job)
                told = True
            for event in job.wait(_TICK / 4):
                match event:
                    case Reading(done, total):
                        test.tell(done, total)
                    case Failed(error):
                        raise error
                    case Finished():
                        return

    def _keep(self, model: Model, key: str, reading: LongReading) -> None:
        """Write it down; what cannot be kept is shown all the same."""
        try:
            sha256 = model.sha256 or self._identified(model).result().sha256
            if not sha256:
                return
            results = self._read(sha256)
            results.pop(key, None)
            results[key] = reading
            newest = list(results.items())[-_KEPT:]
            records.write(self._file(sha256), {name: each.to_json() for name, each in newest})
        except (OSError, UserError):
            _log.exception("A result cannot be kept")

    def _read(self, sha256: str) -> dict[str, LongReading]:
        """Return what is kept of a model, the newest last; what is damaged is left out."""
        found = {}
        for key, values in records.read(self._file(sha256)).items():
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                found[key] = LongReading.from_json(values)
        return found

    def _file(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"


def _key(context: int, rope: tuple[object, ...]) -> str:
    return repr((context, rope))
