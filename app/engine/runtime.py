"""What the engine's thread does: load a model, answer a request."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from app.domain.errors import UserError
from app.domain.generation import Finished, Job, Loading, Request, unread
from app.domain.language import _
from app.domain.model import EngineStatus
from app.domain.model_problems import explain
from app.domain.settings import MAX_SEED
from app.engine import native
from app.engine.answer import Answer
from app.engine.context import CELL_STEP, Context
from app.engine.model import LoadCancelled, LoadedModel
from app.engine.trial import Trials
from models_registry.errors import ModelFileError
from models_registry.gguf import read_header

DEFAULT_CONTEXT = 8192
_REMEMBERED_ANSWERS = 256
_PROGRESS_STEP = 0.02


class Runtime:
    """The loaded model with its context. Lives on the engine's thread."""

    def __init__(
        self, tell: Callable[[EngineStatus], None], crash_note: Path | None, trials: Trials | None
    ) -> None:
        """Start llama.cpp.

        Args:
            tell: Receives every new status.
            crash_note: Where the text of a failed assertion goes.
            trials: What lets a file in; None lets in every one.
        """
        native.start(crash_note)
        self._trials = trials
        self._engine = native.identity() if trials else ""
        self._tell = tell
        self._status = EngineStatus()
        self._model: LoadedModel | None = None
        self._context: Context | None = None
        self._threads = psutil.cpu_count(logical=False) or 1
        # The tokens that answers were written in: read back from their text they can come out
        # differently, and the cache would no longer match.
        self._written: OrderedDict[str, list[int]] = OrderedDict()

    def close(self) -> None:
        """Give everything back, in the order that llama.cpp wants."""
        if self._context is not None:
            self._context.close()
        if self._model is not None:
            self._model.close()
        self._model = self._context = None
        self._written.clear()

    def unload(self) -> None:
        """Close, and say that nothing is loaded."""
        self.close()
        self._set(EngineStatus())

    def load(self, path: Path, context: int | None, job: Job) -> tuple[LoadedModel, Context]:
        """Make `path` the loaded model with room for `context` tokens, unless it is that already.

        Raises:
            LoadCancelled: When the job was cancelled; no model is loaded then.
            UserError: When the file, the memory or the size forbid it.
        """
        if self._model is not None and self._model.path == path:
            return self._model, self._fit(self._model, context)
        self.close()
        with self._admitted(path, job):
            model = self._load_model(path, job)
            with self._telling(path):
                return model, self._fit(model, context)

    def _fit(self, model: LoadedModel, context: int | None) -> Context:
        """Return a context with room for `context` tokens, the one there is when it has that."""
        size = _context_size(model, context)
        if self._context is None or self._context.size != size:
            if self._context is not None:
                self._context.close()
                self._context = None
            with self._telling(model.path):
                self._context = Context(model, size, self._threads)
            self._set(
                EngineStatus(
                    model=model.path,
                    context=self._context.size,
                    trained_context=model.trained_context,
                    has_template=not model.template.is_plain,
                )
            )
        return self._context

    @contextmanager
    def _admitted(self, path: Path, job: Job) -> Iterator[None]:
        """Check `path`, and have it tried when it is new here; what is done inside is known to load it."""
        self._set(EngineStatus(model=path, loading=0.0))
        with self._telling(path):
            read_header(path)
            if self._trials and not self._trials.admit(path, self._engine, lambda: job.cancelled):
                raise LoadCancelled
        if self._trials is None:
            yield
            return
        with self._trials.loading(path, self._engine):
            yield

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

    def _load_model(self, path: Path, job: Job) -> LoadedModel:
        told = 0.0

        def progress(fraction: float) -> bool:
            nonlocal told
            if fraction - told >= _PROGRESS_STEP:
                told = fraction
                job.put(Loading(fraction))
                self._set(EngineStatus(model=path, loading=fraction))
            return not job.cancelled

        with self._telling(path):
            self._model = LoadedModel(path, progress)
        return self._model

    def _set(self, status: EngineStatus) -> None:
        self._status = status
        self._tell(status)

    def answer(self, request: Request, job: Job) -> None:
        """Load what `request` wants, read its prompt, and write until something ends the answer.

        Raises:
            UserError: When it cannot be done.
        """
        settings = request.settings.checked()
        seed = secrets.randbelow(MAX_SEED) if settings.seed is None else settings.seed
        try:
            model, context = self.load(request.model, settings.context, job)
        except LoadCancelled:
            job.put(Finished(unread(seed)))
            return
        started = time.monotonic()
        begun = request.turns[-1].text if request.continues else ""
        prompt, begun_tokens = self._prompt(model, request, begun)
        if len(prompt) >= context.size:
            raise UserError(
                _("This conversation is {tokens:,} tokens long, and the model sees {size:,} at once.").format(
                    tokens=len(prompt), size=context.size
                ),
                _("Shorten the message, or start a new chat."),
                "new-chat",
            )
        answer = Answer(model, context, job, settings, seed, request.continues)
        stats = answer.write(prompt, started)
        if answer.exact:
            self._remember(begun + answer.text, begun_tokens + answer.tokens)
        job.put(Finished(stats))

    def _prompt(self, model: LoadedModel, request: Request, begun: str) -> tuple[list[int], list[int]]:
        """Return the tokens of the whole prompt, and those of the answer that it continues."""

        def written(text: str) -> list[int] | None:
            return self._written.get(text.strip())

        turns = request.turns[:-1] if request.continues else request.turns
        tokens = model.prompt(model.template.render(turns), written)
        if not begun:
            return tokens, []
        begun_tokens = written(begun) or model.tokenize(begun, special=False)
        return tokens + begun_tokens, begun_tokens

    def _remember(self, text: str, tokens: list[int]) -> None:
        self._written[text.strip()] = tokens
        if len(self._written) > _REMEMBERED_ANSWERS:
            self._written.popitem(last=False)


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
