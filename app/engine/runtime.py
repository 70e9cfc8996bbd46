"""What the engine's thread does: load models, and answer requests with them."""

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from app.domain.errors import UserError
from app.domain.generation import (
    Failed,
    Finished,
    Job,
    Overflow,
    Rendered,
    Request,
    Stats,
    unread,
)
from app.domain.language import _
from app.domain.long_reading import Examination
from app.domain.model import EngineStatus
from app.domain.retention import Retention
from app.domain.settings import MAX_SEED, Settings
from app.engine import native, snapshots
from app.engine.answer import Answer
from app.engine.grammar import Grammar
from app.engine.json_schema import grammar_from_schema
from app.engine.loaded import SNAPSHOTS, Loaded
from app.engine.loader import Loader, context_size
from app.engine.model import LoadCancelled, LoadedModel
from app.engine.prompts import Prompts
from app.engine.reading_check import Checks
from app.engine.sampler import Sampler
from app.engine.speculation import Drafter, PromptLookup
from app.engine.template import Segment
from app.engine.trial import Trials
from app.engine.work import Forget, Load, Measure, Prompt, Retain, Unload, Work

_log = logging.getLogger("fireside.engine")


@dataclass(frozen=True, slots=True)
class _Begun:
    """What an answer began from: its model, and the text that it goes on with, as tokens too."""

    loaded: Loaded
    text: str
    tokens: list[int]


class Runtime:
    """The models in memory, the answers on their way, and the work that waits. Lives on the engine's thread.

    Answers of one model are computed side by side. Those of two are not: what somebody waits for comes first,
    and what nobody waits for goes on when that has ended.
    """

    def __init__(
        self,
        tell: Callable[[EngineStatus], None],
        interrupt: bytearray,
        *,
        crash_note: Path | None,
        trials: Trials | None,
        folder: Path | None,
        yielding: bytearray | None = None,
    ) -> None:
        """Start llama.cpp.

        Args:
            tell: Receives every new status.
            interrupt: Two bytes, the first of which is set whenever a job is cancelled.
            crash_note: Where the text of a failed assertion goes.
            trials: What lets a file in; None lets in every one.
            folder: Where snapshots and measurements are kept; None keeps none.
            yielding: Two bytes, the first of which is set whenever anything is asked; see `ReadingCheck`.
        """
        native.start(crash_note)
        self._loader = Loader(tell, interrupt, self._ended, trials=trials, folder=folder)
        self._folder = folder
        self._yielding = bytearray(2) if yielding is None else yielding
        self._waiting: deque[Work] = deque()
        self._prompts = Prompts()
        self._begun: dict[Answer, _Begun] = {}
        self._checks = Checks(self._loader, self._yielding)

    @property
    def busy(self) -> bool:
        """Return whether `step` has something to do."""
        return bool(self._begun or self._waiting or self._checks.running)

    def enqueue(self, work: Work) -> None:
        """Take in work; its turn comes in `step`."""
        self._waiting.append(work)

    def step(self, admit: Callable[[Job], bool]) -> None:
        """Begin what can be begun, and compute one batch of the answers on their way.

        Args:
            admit: Asked with each job whose turn has come; False when it was cancelled and has ended.
        """
        while self._waiting and (work := self._next()):
            self._waiting.remove(work)
            if admit(work.job):
                self._begin(work)
        if loaded := self._whose_turn():
            try:
                loaded.scheduler.step()
            except Exception as error:
                _log.exception("The engine failed")
                self._fail_all(error)
        elif self._checks.running:
            try:
                self._checks.step()
            except Exception as error:
                _log.exception("A test failed")
                self._fail_all(error)

    def rest(self) -> bool:
        """Do one of the things for which there is time when nobody waits; False when there is none left."""
        saved = any(each.cache.save_one_left() for each in self._loader.residents)
        return saved or self._loader.measure_threads()

    def give_back_idle(self) -> float | None:
        """See `Loader.give_back_idle`."""
        return self._loader.give_back_idle()

    def retain(self, retention: Retention) -> None:
        """See `Loader.retain`."""
        self._loader.retain(retention)

    def close(self) -> None:
        """Keep on disk what is worth it, and give everything back."""
        self._checks.stop()
        self._loader.close()
        self._prompts.forget()
        self._begun.clear()

    def _next(self) -> Work | None:
        """Return the work whose turn it is: what somebody waits for first, the rest in its order.

        What needs another model or context waits until the answers on their way have ended, and with it
        all that came after: else its turn would never come. Background answers are ended for it.
        """
        work = next((each for each in self._waiting if not each.background), self._waiting[0])
        running = self._begun
        if not running or work.needs is None:
            return None if running and isinstance(work.what, Unload) else work
        loaded = self._able(work)
        if loaded is None:
            for answer in running:
                if answer.background and not work.background:
                    answer.job.cancel()
            return None
        # What somebody waits for in another model has its turn first.
        others = (each for each in self._loader.residents if each is not loaded)
        return work if work.takes_any_context or not any(map(_is_awaited, others)) else None

    def _able(self, work: Work) -> Loaded | None:
        """Return the model in memory that, as it is, can do `work`; None when there is none."""
        if work.needs is None:
            return None
        path, context, options = work.needs
        loaded = self._loader.residents.find(path)
        if loaded is None or work.takes_any_context:
            return loaded
        same = loaded.options == options and loaded.context.size == context_size(loaded.model, context)
        return loaded if same else None

    def _whose_turn(self) -> Loaded | None:
        """Return the model whose answers are computed next."""
        if len(self._begun) < 2:
            return next(iter(self._begun.values())).loaded if self._begun else None
        working = [each for each in self._loader.residents if each.scheduler.answers]
        return next(filter(_is_awaited, working), working[0])

    def _begin(self, work: Work) -> None:
        try:
            match work.what:
                case Load(path, context, options):
                    with suppress(LoadCancelled):
                        self._loader.load(path, context, options, work.job)
                        if not self._begun:  # they would be slowed, and spoil the measurement
                            self._loader.measure_threads()
                    work.job.put(Finished(None))
                case Unload():
                    self._loader.unload()
                    work.job.put(Finished(None))
                case Retain(retention):
                    self.retain(retention)
                    work.job.put(Finished(None))
                case Prompt(request):
                    self._render(request, work.job)
                case Measure(request):
                    self._measure(request, work.job)
                case Forget(chat):
                    self._forget(chat)
                    work.job.put(Finished(None))
                case Examination() as examination:
                    self._checks.begin(examination, work.job)
                case Request() as request:
                    self._start_answer(request, work.job)
        except UserError as error:
            work.job.put(Failed(error))
        except Exception as error:
            _log.exception("The engine failed")
            work.job.put(Failed(_failure(error)))
            self._fail_all(error)

    def _fail_all(self, error: Exception) -> None:
        """End every answer on its way, and unload: the state of a context is unknown now."""
        for answer in self._begun:
            answer.sampler.close()
            answer.job.put(Failed(_failure(error)))
        for loaded in self._loader.residents:
            loaded.cache.distrust()
        self._begun.clear()
        self._checks.stop(_failure(error))
        self._loader.unload()

    def _start_answer(self, request: Request, job: Job) -> None:
        """Load what `request` wants, and put its answer among those on their way.

        Raises:
            UserError: When it cannot be done.
        """
        settings = request.settings.checked()
        seed = secrets.randbelow(MAX_SEED) if settings.seed is None else settings.seed
        if request.background and self._loader.loaded and not self._loader.residents.find(request.model):
            job.put(Finished(unread(seed)))  # nothing that nobody waits for is worth a change of models
            return
        try:
            loaded = self._loaded_for(request, job, any_context=request.background)
        except LoadCancelled:
            job.put(Finished(unread(seed)))
            return
        started, shifts = time.monotonic(), False
        if request.window:
            since = request.window.since
            found = self._fitted(loaded, request, job)
            if found is None:
                job.put(Finished(unread(seed)))
                return
            request, settings = found, found.settings
            shifts = found.window is not None and found.window.since > since
        adapters = loaded.adapters.choose(request.adapters)
        segments = self._prompts.segments(loaded.model, request)
        begun = request.turns[-1].text if request.continues else ""
        written = self._prompts.go_on_with(loaded.model, begun)
        prompt = self._prompts.tokens(loaded.model, segments)
        if len(prompt) >= loaded.context.size:
            raise UserError(
                _("This conversation is {tokens:,} tokens long, but the context holds only {size:,}.").format(
                    tokens=len(prompt), size=loaded.context.size
                ),
                _("Shorten the message, start a new chat, or choose a larger context."),
                "new-chat",
            )
        if not loaded.scheduler.answers:  # they began with the threads there are
            self._loader.use_threads(loaded, reproducible=settings.seed is not None)
        answer = Answer(
            loaded.model,
            job,
            settings,
            seed,
            prompt,
            Sampler(settings, seed, loaded.model, prompt, _grammar(loaded.model, settings)),
            started=started,
            continues=request.continues,
            thinking=_is_thinking(loaded.model, request, segments),
            drafter=_drafter(loaded, settings),
            background=request.background,
            # Alone on the engine: nothing that nobody waits for is worth that.
            reproducible=settings.seed is not None and not request.background,
            shifts=shifts,
        )
        self._begun[answer] = _Begun(loaded, begun, written)
        loaded.scheduler.add(answer, adapters, request.chat)

    def _loaded_for(self, request: Request, job: Job, *, any_context: bool) -> Loaded:
        loaded = self._loader.residents.find(request.model)
        if any_context and loaded:
            return loaded
        return self._loader.load(request.model, request.settings.context, request.options, job)

    def _forget(self, chat: int) -> None:
        for index, work in enumerate(self._waiting):
            if isinstance(work.what, Request) and work.what.chat == chat:
                self._waiting[index] = replace(work, what=replace(work.what, chat=None))
        for loaded in self._loader.residents:
            loaded.scheduler.forget_chat(chat)
            loaded.cache.forget_chat(chat)
        if self._folder:
            snapshots.forget(self._folder / SNAPSHOTS, chat)

    def _render(self, request: Request, job: Job) -> None:
        """Tell what the model reads for `request`."""
        try:
            loaded = self._loaded_for(request, job, any_context=True)
        except LoadCancelled:
            job.put(Finished(None))
            return
        if request.window:
            request = self._prompts.sheet(loaded.model, request, loaded.context.size).as_sent()
        tokens = self._prompts.read(loaded.model, request)
        job.put(Rendered(loaded.model.spelled(tokens), len(tokens)))
        job.put(Finished(None))

    def _measure(self, request: Request, job: Job) -> None:
        """Tell what `request` takes, when its model is in memory."""
        if loaded := self._loader.residents.find(request.model):
            size = context_size(loaded.model, request.settings.context)
            job.put(self._prompts.sheet(loaded.model, request, size).measure())
        job.put(Finished(None))

    def _fitted(self, loaded: Loaded, request: Request, job: Job) -> Request | None:
        """Return what of `request` is sent; None when it is not its time, as `job` is told then.

        Raises:
            UserError: When nothing can be left out that would make it fit.
        """
        read = partial(self._prompts.read, loaded.model)
        sheet = self._prompts.sheet(loaded.model, request, loaded.context.size)
        if request.summarising:
            summary = sheet.summarised(read)
            if summary is not None:
                job.put(summary[1])
            return summary and summary[0]
        fit = sheet.fit(read)
        if isinstance(fit, Overflow):
            job.put(fit)
            return None
        job.put(fit.fitted)
        return fit.request

    def _ended(self, answer: Answer, end: Stats | UserError) -> None:
        begun = self._begun.pop(answer)
        loaded = begun.loaded
        loaded.used = time.monotonic()
        if isinstance(end, UserError):
            answer.job.put(Failed(end))
            return
        if answer.exact:
            self._prompts.remember(loaded.model, begun.text + answer.text, begun.tokens + answer.written)
        rope = loaded.context.layout.rope
        answer.job.put(Finished(replace(end, rope=rope.type if rope else "none")))


def _is_awaited(loaded: Loaded) -> bool:
    """Return whether somebody waits for an answer of this model."""
    return any(not answer.background for answer in loaded.scheduler.answers)


def _grammar(model: LoadedModel, settings: Settings) -> Grammar | None:
    if settings.json_schema:
        return Grammar(model, grammar_from_schema(settings.json_schema))
    return Grammar(model, settings.grammar) if settings.grammar else None


def _is_thinking(model: LoadedModel, request: Request, segments: list[Segment]) -> bool:
    """Return whether the prompt ends within the model's reasoning."""
    if request.continues:
        begun = request.turns[-1]
        return bool(begun.reasoning) and not begun.text
    return model.template.opened(segments)


def _drafter(loaded: Loaded, settings: Settings) -> Drafter | None:
    if not settings.speculation or settings.seed is not None:
        return None
    return loaded.draft or PromptLookup()


def _failure(error: Exception) -> UserError:
    return UserError(
        _("Something went wrong in the engine ({kind}).").format(kind=type(error).__name__),
        _("Please try again. The log says more; “fireside doctor” shows where it is."),
    )
