"""What the engine's thread does: load models, and answer requests with them."""

import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.domain.errors import UserError
from app.domain.generation import (
    Failed,
    Finished,
    Job,
    Loading,
    Rendered,
    Request,
    Stats,
    unread,
)
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.model import EngineStatus
from app.domain.model_problems import explain
from app.domain.settings import MAX_SEED, Settings
from app.engine import native
from app.engine.adapters import Adapters
from app.engine.answer import Answer
from app.engine.cache import Cache
from app.engine.context import Context, Part
from app.engine.draft_model import DraftModel
from app.engine.loaded import Loaded, snapshots_in
from app.engine.model import LoadCancelled, LoadedModel
from app.engine.sampler import Sampler
from app.engine.scheduler import Scheduler
from app.engine.speculation import Drafter, PromptLookup
from app.engine.threads import ThreadCounts, Threads
from app.engine.trial import Trials
from app.engine.work import Forget, Load, Prompt, Work
from models_registry.errors import ModelFileError
from models_registry.fit import CELL_STEP, choose
from models_registry.gguf import read_header
from models_registry.header import Header

DEFAULT_CONTEXT = 8192
_REMEMBERED_ANSWERS = 256
_PROGRESS_STEP = 0.02

_log = logging.getLogger("fireside.engine")


class Runtime:
    """The loaded model, the answers on their way, and the work that waits. Lives on the engine's thread."""

    def __init__(
        self,
        tell: Callable[[EngineStatus], None],
        interrupt: bytearray,
        *,
        crash_note: Path | None,
        trials: Trials | None,
        folder: Path | None,
    ) -> None:
        """Start llama.cpp.

        Args:
            tell: Receives every new status.
            interrupt: Two bytes, the first of which is set whenever a job is cancelled.
            crash_note: Where the text of a failed assertion goes.
            trials: What lets a file in; None lets in every one.
            folder: Where snapshots and measurements are kept; None keeps none.
        """
        native.start(crash_note)
        self._tell = tell
        self._interrupt = interrupt
        self._trials = trials
        self._folder = folder
        self._threads = Threads(folder) if folder else None
        self._engine = native.identity()
        self._has_gpu = len(native.devices()) > 1
        self._loaded: Loaded | None = None
        self._waiting: deque[Work] = deque()
        # The tokens that answers were written in: read back from their text they can come out
        # differently, and the cache would no longer match.
        self._written: OrderedDict[str, list[int]] = OrderedDict()
        self._begun: dict[Answer, tuple[str, list[int]]] = {}

    @property
    def busy(self) -> bool:
        """Return whether `step` has something to do."""
        return bool(self._waiting or self._answers)

    @property
    def _answers(self) -> list[Answer]:
        return self._loaded.scheduler.answers if self._loaded else []

    def enqueue(self, work: Work) -> None:
        """Take in work; its turn comes in `step`."""
        self._waiting.append(work)

    def step(self, admit: Callable[[Job], bool]) -> None:
        """Begin what can be begun, and compute one batch of the answers on their way.

        Args:
            admit: Asked with each job whose turn has come; False when it was cancelled and has ended.
        """
        while work := self._next():
            self._waiting.remove(work)
            if admit(work.job):
                self._begin(work)
        if self._loaded:
            try:
                self._loaded.scheduler.step()
            except Exception as error:
                _log.exception("The engine failed")
                self._fail_all(error)

    def rest(self) -> bool:
        """Do one of the things for which there is time when nobody waits; False when there is none left."""
        if self._loaded is None:
            return False
        return self._loaded.cache.save_one_left() or self._measure_threads(self._loaded)

    def unload(self) -> None:
        """Give the model back, and say that none is loaded."""
        self.close()
        self._set(EngineStatus())

    def close(self) -> None:
        """Keep on disk what is worth it, and give everything back."""
        if self._loaded:
            self._loaded.close()
        self._loaded = None
        self._written.clear()
        self._begun.clear()

    def _next(self) -> Work | None:
        """Return the work whose turn it is: what somebody waits for first, the rest in its order.

        What needs another model or context waits until the answers on their way have ended, and with it
        all that came after: else its turn would never come. Background answers are ended for it.
        """
        if not self._waiting:
            return None
        work = next((each for each in self._waiting if not each.background), self._waiting[0])
        running = self._answers
        if not running or self._fits(work):
            return work
        for answer in running:
            if answer.background and not work.background:
                answer.job.cancel()
        return None

    def _fits(self, work: Work) -> bool:
        """Return whether the loaded model, as it is, can do `work`."""
        if work.needs is None:
            return True
        path, context, options = work.needs
        loaded = self._loaded
        if loaded is None or loaded.model.path != path:
            return False
        if work.background:  # takes what is there
            return True
        return loaded.options == options and loaded.context.size == _context_size(loaded.model, context)

    def _begin(self, work: Work) -> None:
        try:
            match work.what:
                case Load(path, context, options):
                    with suppress(LoadCancelled):
                        self._measure_threads(self._load(path, context, options, work.job))
                    work.job.put(Finished(None))
                case Prompt(request):
                    self._render(request, work.job)
                case Forget(chat):
                    if self._loaded:
                        self._loaded.cache.forget_chat(chat)
                    work.job.put(Finished(None))
                case Request() as request:
                    self._start_answer(request, work.job)
        except UserError as error:
            work.job.put(Failed(error))
        except Exception as error:
            _log.exception("The engine failed")
            work.job.put(Failed(_failure(error)))
            self._fail_all(error)

    def _fail_all(self, error: Exception) -> None:
        """End every answer on its way, and unload: the state of the context is unknown now."""
        for answer in self._answers:
            answer.sampler.close()
            answer.job.put(Failed(_failure(error)))
        if self._loaded:
            self._loaded.cache.distrust()
        self.unload()

    # Loading

    def _load(self, path: Path, context: int | None, options: LoadOptions, job: Job) -> Loaded:
        """Make `path` the loaded model with room for `context` tokens, unless it is that already.

        Raises:
            LoadCancelled: When the job was cancelled; no model is loaded then.
            UserError: When the file, the memory or the size forbid it.
        """
        loaded = self._loaded
        if loaded and loaded.model.path == path and loaded.options == options:
            size = _context_size(loaded.model, context)
            if loaded.context.size != size:
                self._replace_context(loaded, size)
            return loaded
        self.close()
        with self._telling(path), self._admitted(path, job) as header:
            model = self._load_model(path, options, job)
            try:
                self._loaded = self._furnish(model, header, _context_size(model, context), options, job)
            except BaseException:
                model.close()
                raise
        self._became_ready(self._loaded)
        return self._loaded

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
        loaded = Loaded(model, header, options, context, cache, adapters, scheduler, threads)
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
        layout = choose(
            header,
            size,
            kv_type=options.kv_type,
            flash_attention=options.flash_attention,
            ubatch=options.ubatch,
            whole_window=options.whole_window,
            gpu=self._has_gpu and options.gpu_layers != 0,
        )
        context = Context(model, layout, threads)
        snapshots = snapshots_in(self._folder / "snapshots", model.path, layout) if self._folder else None
        return context, Cache(context, snapshots)

    def _make_scheduler(self, context: Context, cache: Cache, adapters: Adapters) -> Scheduler:
        return Scheduler(context, cache, adapters, self._interrupt, self._ended)

    def _replace_context(self, loaded: Loaded, size: int) -> None:
        """Give the loaded model a context of another size; without memory for it no model stays loaded."""
        loaded.cache.save_all()
        loaded.context.close()
        path = loaded.model.path
        try:
            with self._telling(path):
                loaded.context, loaded.cache = self._make_context(
                    loaded.model, loaded.header, size, loaded.options, loaded.threads.decode
                )
                loaded.scheduler = self._make_scheduler(loaded.context, loaded.cache, loaded.adapters)
        except UserError:
            loaded.adapters.close()
            if loaded.draft:
                loaded.draft.close()
            loaded.model.close()
            self._loaded = None
            raise
        loaded.context.set_threads(loaded.threads.decode, loaded.threads.prefill)
        self._became_ready(loaded)

    def _became_ready(self, loaded: Loaded) -> None:
        self._set(
            EngineStatus(
                model=loaded.model.path,
                context=loaded.context.size,
                trained_context=loaded.model.trained_context,
                has_template=not loaded.model.template.is_plain,
            )
        )

    @contextmanager
    def _admitted(self, path: Path, job: Job) -> Iterator[Header]:
        """Check `path`, and have it tried when it is new here; what is done inside is known to load it."""
        self._set(EngineStatus(model=path, loading=0.0))
        header = read_header(path)
        if self._trials is None:
            yield header
            return
        if not self._trials.admit(path, self._engine, lambda: job.cancelled):
            raise LoadCancelled
        with self._trials.loading(path, self._engine):
            yield header

    @contextmanager
    def _telling(self, path: Path) -> Iterator[None]:
        """Make the status say why `path` is not loaded, when it is not."""
        try:
            yield
        except LoadCancelled:
            self._set(EngineStatus())
            raise
        except ModelFileError as error:
            problem = explain(error, path.name)
            self._set(EngineStatus(model=path, error=str(problem)))
            raise problem from error
        except UserError as error:
            self._set(EngineStatus(model=path, error=str(error)))
            raise

    def _load_model(self, path: Path, options: LoadOptions, job: Job) -> LoadedModel:
        told = 0.0

        def progress(fraction: float) -> bool:
            nonlocal told
            if fraction - told >= _PROGRESS_STEP:
                told = fraction
                job.put(Loading(fraction))
                self._set(EngineStatus(model=path, loading=fraction))
            return not job.cancelled

        return LoadedModel(path, progress, options)

    def _load_draft(self, path: Path, loaded: Loaded, job: Job) -> DraftModel:
        try:
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

    def _measure_threads(self, loaded: Loaded) -> bool:
        """Find the best number of threads for a model that is new here; False when it is known."""
        if self._threads is None or loaded.options.threads:
            return False
        if self._threads.known(loaded.model.path, self._engine):
            return False

        def compute(threads: int, tokens: int) -> float:
            loaded.context.set_threads(threads, threads)
            sequence, _reused = loaded.cache.claim([0] * (tokens + 1), (), None)
            started = time.monotonic()
            try:
                loaded.context.decode([Part(sequence.id, 0, [0] * tokens, 1)])
                return time.monotonic() - started
            finally:
                loaded.cache.clear(sequence)
                loaded.cache.release(sequence)

        loaded.threads = self._threads.measure(loaded.model.path, self._engine, compute)
        loaded.context.set_threads(loaded.threads.decode, loaded.threads.prefill)
        return True

    def _set(self, status: EngineStatus) -> None:
        self._tell(status)

    # Answering

    def _start_answer(self, request: Request, job: Job) -> None:
        """Load what `request` wants, and put its answer among those on their way.

        Raises:
            UserError: When it cannot be done.
        """
        settings = request.settings.checked()
        seed = secrets.randbelow(MAX_SEED) if settings.seed is None else settings.seed
        try:
            loaded = self._loaded_for(request, job)
        except LoadCancelled:
            job.put(Finished(unread(seed)))
            return
        started = time.monotonic()
        adapters = loaded.adapters.choose(request.adapters)
        prompt, begun = self._prompt(loaded.model, request)
        if len(prompt) >= loaded.context.size:
            raise UserError(
                _("This conversation is {tokens:,} tokens long, and the model sees {size:,} at once.").format(
                    tokens=len(prompt), size=loaded.context.size
                ),
                _("Shorten the message, or start a new chat."),
                "new-chat",
            )
        self._use_threads(loaded, reproducible=settings.seed is not None)
        answer = Answer(
            loaded.model,
            job,
            settings,
            seed,
            prompt,
            Sampler(settings, seed, loaded.model, prompt),
            started=started,
            continues=request.continues,
            drafter=_drafter(loaded, settings),
            background=request.background,
            reproducible=settings.seed is not None,
        )
        self._begun[answer] = (request.turns[-1].text if request.continues else "", begun)
        loaded.scheduler.add(answer, adapters, request.chat)

    def _loaded_for(self, request: Request, job: Job) -> Loaded:
        loaded = self._loaded
        if request.background and loaded and loaded.model.path == request.model:
            return loaded
        return self._load(request.model, request.settings.context, request.options, job)

    def _use_threads(self, loaded: Loaded, *, reproducible: bool) -> None:
        if self._threads is None or loaded.options.threads:
            return
        gentle = loaded.options.gentle and not reproducible
        threads = self._threads.lowered(loaded.threads, gentle=gentle)
        loaded.context.set_threads(threads.decode, threads.prefill)

    def _render(self, request: Request, job: Job) -> None:
        """Tell what the model reads for `request`."""
        try:
            loaded = self._loaded_for(request, job)
        except LoadCancelled:
            job.put(Finished(None))
            return
        tokens, _begun = self._prompt(loaded.model, request)
        job.put(Rendered(loaded.model.spelled(tokens), len(tokens)))
        job.put(Finished(None))

    def _prompt(self, model: LoadedModel, request: Request) -> tuple[list[int], list[int]]:
        """Return the tokens of the whole prompt, and those of the answer that it continues."""

        def written(text: str) -> list[int] | None:
            return self._written.get(text.strip())

        turns = request.turns[:-1] if request.continues else request.turns
        segments = model.template.render(turns)
        tokens = model.prompt(segments, written)
        begun = request.turns[-1].text if request.continues else ""
        if not begun:
            return tokens, []
        begun_tokens = written(begun) or model.tokenize(begun, special=False)
        return tokens + begun_tokens, begun_tokens

    def _ended(self, answer: Answer, stats: Stats) -> None:
        begun, tokens = self._begun.pop(answer)
        if answer.exact:
            self._written[(begun + answer.text).strip()] = tokens + answer.written
            if len(self._written) > _REMEMBERED_ANSWERS:
                self._written.popitem(last=False)
        answer.job.put(Finished(stats))


def _drafter(loaded: Loaded, settings: Settings) -> Drafter | None:
    if not settings.speculation or settings.seed is not None:
        return None
    return loaded.draft or PromptLookup()


def _failure(error: Exception) -> UserError:
    return UserError(
        _("Something went wrong in the engine ({kind}).").format(kind=type(error).__name__),
        _("Please try again; the log says more."),
    )


def _context_size(model: LoadedModel, wanted: int | None) -> int:
    """Return the size of the context, a multiple of 256.

    Raises:
        UserError: When more is wanted than the model was trained for.
    """
    trained = model.trained_context
    size = wanted or min(trained or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
    if trained and size > trained:
        raise UserError(
            _("This model was trained to see {trained:,} tokens at once, not {wanted:,}.").format(
                trained=trained, wanted=size
            ),
            _("Choose a context of at most {trained:,} tokens.").format(trained=trained),
        )
    return -(-size // CELL_STEP) * CELL_STEP
