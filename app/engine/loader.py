"""Brings models into memory, with everything that answering takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from app.domain.errors import UserError
from app.domain.generation import Job, Loading, Stats
from app.domain.loading import LoadOptions
from app.domain.model import EngineStatus
from app.domain.model_problems import explain
from app.domain.retention import Retention
from app.engine import native
from app.engine.adapters import Adapters
from app.engine.answer import Answer
from app.engine.cache import Cache
from app.engine.context import Aborted, Context, NoSlot, Part
from app.engine.draft_model import DraftModel
from app.engine.loaded import SNAPSHOTS, Loaded, snapshots_in
from app.engine.model import LoadCancelled, LoadedModel
from app.engine.residents import Residents
from app.engine.scheduler import Scheduler
from app.engine.template_doctor import examine
from app.engine.threads import ThreadCounts, Threads
from app.engine.trial import Trials
from models_registry.errors import ModelFileError
from models_registry.fit import CELL_STEP, usual_context
from models_registry.gguf import read_header
from models_registry.header import Header
from models_registry.memory import Memory, estimate

_PROGRESS_STEP = 0.02


class Loader:
    """Brings models into memory, and says what is there.

    Attributes:
        residents: What is in memory.
    """

    def __init__(
        self,
        tell: Callable[[EngineStatus], None],
        interrupt: bytearray,
        on_end: Callable[[Answer, Stats | UserError], None],
        *,
        trials: Trials | None,
        folder: Path | None,
    ) -> None:
        """Begin with nothing loaded; llama.cpp has been started.

        Args:
            tell: Receives every new status.
            interrupt: See `Scheduler`.
            on_end: See `Scheduler`.
            trials: What lets a file in; None lets in every one.
            folder: Where snapshots and measurements are kept; None keeps none.
        """
        self._tell = tell
        self._interrupt = interrupt
        self._on_end = on_end
        self._trials = trials
        self._folder = folder
        self._threads = Threads(folder) if folder else None
        self._measured: set[Path] = set()
        self._engine = native.identity()
        self._has_gpu = native.has_gpu()
        self._said = EngineStatus()
        self.residents = Residents()

    @property
    def loaded(self) -> Loaded | None:
        """Return the model that was used last; None when none is in memory."""
        return self.residents.current

    def close(self) -> None:
        """Keep on disk what is worth it, and give everything back."""
        self.residents.close()

    def unload(self) -> None:
        """Close, and say that nothing is loaded."""
        self.close()
        self._tell_what_is()

    def give_back(self, loaded: Loaded) -> None:
        """Close one, and say what is left."""
        self.residents.give_back(loaded)
        self._tell_what_is()

    def retain(self, retention: Retention) -> None:
        """Keep models as `retention` says; one that is at work may still end it."""
        self.residents.retention = retention
        if not retention.two:
            beside = [each for each in self.residents if each is not self.loaded]
            spare = [each for each in beside if not each.scheduler.answers]
            for each in spare:
                self.residents.give_back(each)
            if spare:
                self._tell_what_is()

    def give_back_idle(self) -> float | None:
        """Give back what had no work for long; return the seconds until the next look, None for no need."""
        if self.residents.give_back_idle():
            self._tell_what_is()
        return self.residents.seconds_left

    def load(self, path: Path, context: int | None, options: LoadOptions, job: Job) -> Loaded:
        """Make `path` the current model, with room for `context` tokens; load it unless it is in memory.

        No answer may be on its way, but of a model that is in memory just so.

        Raises:
            LoadCancelled: When the job was cancelled; the model is not loaded then.
            UserError: When the file, the memory or the size forbid it.
        """
        loaded = self.residents.find(path)
        if loaded and loaded.options == options:
            return self._bring_forward(loaded, context)
        if loaded:
            self.residents.give_back(loaded)
        with self._telling(path):
            self._tell_loading(path, 0.0)
            header = read_header(path)
            memory = self._memory(header, context or usual_context(header.context_length), options)
            self.residents.make_room(memory, options)
            self._tell_loading(path, 0.0)
            with self._admitted(path, job):
                model = self._load_model(path, options, job)
                try:
                    loaded = self._furnish(model, header, context_size(model, context), options, job)
                except BaseException:
                    model.close()
                    raise
        self.residents.put_first(loaded)
        self._tell_what_is()
        return loaded

    def _bring_forward(self, loaded: Loaded, context: int | None) -> Loaded:
        """Make a model that is in memory the current one."""
        size = context_size(loaded.model, context)
        if loaded.context.size != size:
            self._replace_context(loaded, size)
        elif loaded is self.loaded and self._said.ready:
            return loaded
        self.residents.put_first(loaded)
        self._tell_what_is()
        return loaded

    def _memory(self, header: Header, size: int, options: LoadOptions) -> Memory:
        layout = options.layout(header, size, gpu=self._has_gpu)
        return estimate(header, layout, gpu=self._has_gpu and options.gpu_layers != 0)

    def _furnish(
        self, model: LoadedModel, header: Header, size: int, options: LoadOptions, job: Job
    ) -> Loaded:
        """Return everything that answering with `model` takes.

        Raises:
            LoadCancelled: When the job was cancelled while a draft model was loaded.
            UserError: When there is not enough memory, or the draft model cannot be used.
        """
        known = self._threads.known(model.path, self._engine) if self._threads else None
        threads = known or Threads.usual_here()
        if options.threads:
            threads = ThreadCounts(options.threads, options.threads)
        context, cache = self._make_context(model, header, size, options, threads.decode)
        context.set_threads(threads.decode, threads.prefill)
        adapters = Adapters(model)
        scheduler = self._make_scheduler(context, cache, adapters)
        loaded = Loaded(
            model=model,
            header=header,
            options=options,
            context=context,
            cache=cache,
            adapters=adapters,
            scheduler=scheduler,
            threads=threads,
            memory=self._memory(header, size, options),
            report=examine(model.template),
        )
        if options.draft:
            try:
                loaded.draft = self._load_draft(options.draft, loaded, job)
            except BaseException:
                context.close()
                raise
        return loaded

    def _make_context(
        self, model: LoadedModel, header: Header, size: int, options: LoadOptions, threads: int
    ) -> tuple[Context, Cache]:
        layout = options.layout(header, size, gpu=self._has_gpu)
        context = Context(model, layout, threads)
        snapshots = snapshots_in(self._folder / SNAPSHOTS, model.path, layout) if self._folder else None
        return context, Cache(context, snapshots)

    def _make_scheduler(self, context: Context, cache: Cache, adapters: Adapters) -> Scheduler:
        return Scheduler(context, cache, adapters, self._interrupt, self._on_end)

    def _replace_context(self, loaded: Loaded, size: int) -> None:
        """Give a model a context of another size; without memory for it the model does not stay loaded."""
        memory = self._memory(loaded.header, size, loaded.options)
        loaded.cache.save_all()
        loaded.context.close()
        path, loaded.memory = loaded.model.path, memory
        self.residents.make_room(memory, loaded.options, keep=loaded)
        try:
            with self._telling(path):
                loaded.context, loaded.cache = self._make_context(
                    loaded.model, loaded.header, size, loaded.options, loaded.threads.decode
                )
                loaded.scheduler = self._make_scheduler(loaded.context, loaded.cache, loaded.adapters)
        except UserError:
            loaded.close_model()
            self.residents.drop(loaded)
            raise
        loaded.context.set_threads(loaded.threads.decode, loaded.threads.prefill)

    def _say(self, status: EngineStatus) -> None:
        self._said = status
        self._tell(status)

    def _tell_what_is(self) -> None:
        """Say what is in memory."""
        current, *beside = [each.status for each in self.residents] or [EngineStatus()]
        self._say(replace(current, kept=tuple(beside)))

    def _tell_loading(self, path: Path, fraction: float) -> None:
        kept = tuple(each.status for each in self.residents)
        self._say(EngineStatus(model=path, loading=fraction, kept=kept))

    @contextmanager
    def _admitted(self, path: Path, job: Job) -> Iterator[None]:
        """Have `path` tried when it is new here; what is done inside is known to load it."""
        if self._trials is None:
            yield
            return
        if not self._trials.admit(path, self._engine, lambda: job.cancelled):
            raise LoadCancelled
        with self._trials.loading(path, self._engine):
            yield

    @contextmanager
    def _telling(self, path: Path) -> Iterator[None]:
        """Make the status say why `path` is not loaded, when it is not."""
        try:
            yield
        except LoadCancelled:
            self._tell_what_is()
            raise
        except ModelFileError as error:
            problem = explain(error, path.name)
            self._tell_refused(path, problem)
            raise problem from error
        except UserError as error:
            self._tell_refused(path, error)
            raise

    def _tell_refused(self, path: Path, problem: UserError) -> None:
        kept = tuple(each.status for each in self.residents if each.model.path != path)
        self._say(EngineStatus(model=path, error=str(problem), kept=kept))

    def _load_model(self, path: Path, options: LoadOptions, job: Job) -> LoadedModel:
        told = 0.0

        def progress(fraction: float) -> bool:
            nonlocal told
            if fraction - told >= _PROGRESS_STEP:
                told = fraction
                job.put(Loading(fraction))
                self._tell_loading(path, fraction)
            return not job.cancelled

        return LoadedModel(path, progress, options)

    def _load_draft(self, path: Path, loaded: Loaded, job: Job) -> DraftModel:
        try:
            read_header(path)  # refused in words, before anything tries it
            with self._admitted(path, job):
                return DraftModel(
                    path,
                    loaded.model,
                    loaded.context.size,
                    loaded.threads.decode,
                    self._interrupt,
                    gpu=self._has_gpu,
                )
        except ModelFileError as error:
            raise explain(error, path.name) from error

    def measure_threads(self) -> bool:
        """Find the best number of threads for a model that is new here; False when there is no need."""
        loaded, threads = self.loaded, self._threads
        if loaded is None or threads is None or loaded.options.threads:
            return False
        path = loaded.model.path
        if path in self._measured or threads.known(path, self._engine):
            return False
        self._measured.add(path)  # once, even where it cannot be kept
        self._interrupt[0] = 0

        def compute(number: int, tokens: int) -> float:
            loaded.context.set_threads(number, number)
            sequence, _reused = loaded.cache.claim([0] * (tokens + 1), (), None)
            started = time.monotonic()
            try:
                loaded.context.decode([Part(sequence.id, 0, [0] * tokens, 1)])
                return time.monotonic() - started
            finally:
                loaded.cache.clear(sequence)
                loaded.cache.release(sequence)

        with suppress(Aborted, NoSlot):
            loaded.threads = threads.measure(path, self._engine, compute)
        loaded.context.set_threads(loaded.threads.decode, loaded.threads.prefill)
        return True

    def use_threads(self, loaded: Loaded, *, reproducible: bool) -> None:
        """Use fewer threads than were measured, where a person wants that and there is a reason."""
        if self._threads is None or loaded.options.threads:
            return
        gentle = loaded.options.gentle and not reproducible
        counts = self._threads.lowered(loaded.threads, gentle=gentle)
        loaded.context.set_threads(counts.decode, counts.prefill)


def context_size(model: LoadedModel, wanted: int | None) -> int:
    """Return the size of the context, a multiple of 256."""
    size = wanted or usual_context(model.trained_context)
    return -(-size // CELL_STEP) * CELL_STEP
