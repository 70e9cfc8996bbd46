"""How well a model reads a long text: perplexity by position, and facts planted in it.

It computes in a context of its own beside the model's, and only while no answer is on its way.
"""

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from app.domain.errors import UserError
from app.domain.generation import Failed, Finished, Job, Reading
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.domain.long_reading import Examination, Fact, LongReading, ReadingJob
from app.engine import native, planted_facts
from app.engine.context import Aborted, Context, NoSlot, Part
from app.engine.loaded import Loaded
from app.engine.loader import Loader
from app.engine.logits import view
from app.engine.model import LoadCancelled
from models_registry.fit import CELL_STEP, Layout
from models_registry.memory import estimate
from models_registry.room import Cost, Room, Way
from models_registry.rope import Rope, choose
from models_registry.rope_options import RopeError, RopeOptions

TAIL = 2048
"""Tokens at the end of a text whose perplexity is compared; fewer where the text is short."""

_PASSING_CONTEXT = 2 * CELL_STEP  # tokens
_LEAST = 256  # tokens; fewer tell nothing
_LOGITS = 128 << 20  # bytes of them in one batch
_ROWS = (16, 512)  # tokens of a batch, all of which get logits
_PRODUCT = 2_000_000_000  # multiplications for a thread of a CPU before llama.cpp looks for a stop, about
_STEPS = 24  # values by position, at the least
_LOOK = 16  # rows after which a stop is looked for


class Checks:
    """The examinations that were asked for, one after the other. Lives on the engine's thread."""

    def __init__(self, loader: Loader, yielding: bytearray) -> None:
        """Begin with none.

        Args:
            loader: What brings their models into memory.
            yielding: Two bytes, the first of which is set whenever anything is asked; see `ReadingCheck`.
        """
        self._loader, self._yielding = loader, yielding
        self._checks: deque[ReadingCheck] = deque()
        self._passing: set[Path] = set()  # models that are in memory for a check alone

    @property
    def running(self) -> bool:
        """Return whether `step` has something to do."""
        return bool(self._checks)

    def begin(self, examination: Examination, job: Job) -> None:
        """Have a model examined, in its turn.

        Raises:
            UserError: When the model cannot be loaded.
        """
        path = examination.model
        loaded = self._loader.residents.find(path)
        if loaded is None:
            try:
                # As small as can be: it computes in a context of its own.
                loaded = self._loader.load(path, _PASSING_CONTEXT, examination.options, job)
            except LoadCancelled:
                job.put(Finished(None))
                return
            self._passing.add(path)
        if isinstance(job, ReadingJob):
            self._checks.append(ReadingCheck(loaded, examination, job, self._yielding))

    def step(self) -> None:
        """Compute a batch of the first of them."""
        check = self._checks[0]
        ending = check.step()
        if ending is None:
            return
        self._checks.remove(check)
        path = check.path
        if path in self._passing and not any(each.path == path for each in self._checks):
            self._passing.remove(path)
            loaded = self._loader.residents.find(path)
            if loaded and loaded.context.size == _PASSING_CONTEXT:  # nothing was asked of it meanwhile
                self._loader.give_back(loaded)
        check.job.put(ending)

    def stop(self, error: UserError | None = None) -> None:
        """End all of them, as failed where `error` says why."""
        while self._checks:
            self._checks.pop().stop(error)


class ReadingCheck:
    """One examination on its way; lives on the engine's thread.

    Attributes:
        job: Who is told; Failed or Finished(None) comes last.
    """

    def __init__(
        self, loaded: Loaded, examination: Examination, job: ReadingJob, yielding: bytearray
    ) -> None:
        """Begin; nothing is reserved or computed before `step`.

        Args:
            loaded: The model; whoever closes it closes what this reserved with it.
            examination: What is asked.
            job: Who is told.
            yielding: Two bytes for `Context.watch`; the first is set when somebody wants the engine.
        """
        self.job = job
        self._loaded, self._asked, self._yielding = loaded, examination, yielding
        self._done = self._total = 0
        self._work = self._examine()

    def step(self) -> Finished | Failed | None:
        """Compute one batch; return how it ended, which the job is yet to be told, or None."""
        if self._loaded.closed:
            return self._end(UserError(_("The test has ended because its model was given back.")))
        if self.job.cancelled:
            return self._end(None)
        self._loaded.used = time.monotonic()
        try:
            next(self._work)
        except StopIteration:
            return self._end(None)
        except UserError as error:
            return self._end(error)
        except NoSlot:
            return self._end(UserError(_("This model cannot be tested: its memory holds too little.")))
        return None

    @property
    def path(self) -> Path:
        """Return the file of its model."""
        return self._asked.model

    def stop(self, error: UserError | None = None) -> None:
        """End it before its time, and tell the job."""
        self.job.put(self._end(error))

    def _end(self, error: UserError | None) -> Finished | Failed:
        self._work.close()
        self._give_back()
        return Failed(error) if error else Finished(None)

    def _examine(self) -> Generator[None, None, None]:
        started = time.monotonic()
        model, asked = self._loaded.model, self._asked
        tokens = model.beginning + model.tokenize(asked.text, special=False)
        size = -(-asked.context // CELL_STEP) * CELL_STEP
        tokens = tokens[: min(len(tokens), size) // CELL_STEP * CELL_STEP]
        if len(tokens) < _LEAST:
            raise UserError(_("A context of {size:,} tokens is too small for this test.").format(size=size))
        scaled = asked.options.rotation(self._loaded.header, size)
        plain = self._unscaled(size)
        trained = scaled.original_context
        beyond = max(0, len(tokens) - trained) if trained else 0
        tail = min(TAIL, beyond or len(tokens) // 4, max(trained // 4, CELL_STEP // 2) if beyond else TAIL)
        other = plain is not None and plain.key != scaled.key
        inside = len(tokens) - trained // CELL_STEP * CELL_STEP
        apart = plain is not None and beyond > 0 and trained >= _LEAST
        self._total = len(tokens) * (3 if other else 2) + (len(tokens) - inside if apart else 0)
        scaled_losses = np.zeros(len(tokens))
        yield from self._read(scaled, size, tokens, scaled_losses, 1)
        plain_losses = np.zeros(len(tokens))
        if other and plain is not None:
            yield from self._read(plain, size, tokens, plain_losses, 1)
        inside_losses = np.zeros(len(tokens))
        if apart and (within := self._unscaled(trained)):
            part = inside_losses[inside:]
            # A model that knows texts to begin with a certain token is lost without it.
            window = model.beginning + tokens[inside + len(model.beginning) :]
            yield from self._read(within, len(part), window, part, len(part) - tail)
        facts: list[Fact] = []
        yield from self._ask(scaled, size, tokens, facts)
        step = max(CELL_STEP // 8, min(512, len(tokens) // _STEPS // 32 * 32))
        self.job.reading = LongReading(
            context=size,
            tokens=len(tokens),
            trained=trained,
            scaling=scaled.type,
            factor=scaled.factor,
            freq_base=scaled.freq_base,
            step=step,
            scaled=_curve(scaled_losses, step),
            unscaled=_curve(plain_losses, step) if other else (),
            tail=tail,
            tail_scaled=_perplexity(scaled_losses[-tail:]),
            tail_unscaled=_perplexity(plain_losses[-tail:]) if other else None,
            tail_inside=_perplexity(inside_losses[-tail:]) if apart else None,
            facts=tuple(facts),
            seconds=time.monotonic() - started,
        )

    def _unscaled(self, size: int) -> Rope | None:
        """Return the rotation without scaling; None where the model has no such thing."""
        try:
            return choose(self._loaded.header, size, RopeOptions("none"))
        except RopeError:
            return None

    def _read(
        self, rope: Rope, size: int, tokens: Sequence[int], losses: "np.ndarray", first: int
    ) -> Iterator[None]:
        """Read `tokens`, and write how badly each from the one numbered `first` on was foreseen.

        Args:
            rope: How positions are rotated.
            size: Of the context.
            tokens: At most that many.
            losses: As many, in nats; what is not written stays.
            first: 1 or more.
        """
        context = self._make_context(rope, size)
        done, start = self._done, 0
        while start < len(tokens):
            chunk = tokens[start : start + context.layout.ubatch]
            outputs = len(chunk) if start + len(chunk) >= first else 0
            try:
                context.decode([Part(0, start, chunk, outputs)])
                if outputs:
                    self._score(context, start, tokens, losses)
            except Aborted:
                start = _gone_back(context, start)
            else:
                start += len(chunk)
            self._tell(done + start)
            yield
        self._give_back()

    def _score(self, context: Context, start: int, tokens: Sequence[int], losses: "np.ndarray") -> None:
        """Write how badly those after each of a batch were foreseen; raises Aborted like `Context.decode`."""
        size = self._loaded.model.vocabulary_size
        for index in range(min(context.layout.ubatch, len(tokens) - 1 - start)):
            if index % _LOOK == 0 and self._yielding[0]:
                raise Aborted
            logits = view(context, index, size)
            best = logits.max()
            total = float(best) + float(np.log(np.exp(logits - best).sum(dtype=np.float64)))
            losses[start + index + 1] = total - float(logits[tokens[start + index + 1]])

    def _ask(self, rope: Rope, size: int, tokens: Sequence[int], facts: list[Fact]) -> Iterator[None]:
        """Read the text with the facts in it once, and ask for each of them."""
        model = self._loaded.model
        questions = planted_facts.ask(model, tokens, len(tokens))
        context = self._make_context(rope, size)
        done, start, beginning = self._done, 0, questions.prompts[0][: questions.shared]
        while start < len(beginning):
            chunk = beginning[start : start + context.layout.ubatch]
            try:
                context.decode([Part(0, start, chunk, 0)])
                start += len(chunk)
            except Aborted:
                start = _gone_back(context, start)
            self._tell(done + start)
            yield
        while len(facts) < len(questions.prompts):
            prompt = questions.prompts[len(facts)]
            try:
                written = self._answer(context, prompt, questions)
                facts.append(planted_facts.judged(model, len(facts), written))
            except Aborted:
                pass  # it is asked again from the same beginning
            context.forget(1)
            yield
        self._give_back()

    def _answer(
        self, context: Context, prompt: Sequence[int], questions: planted_facts.Questions
    ) -> list[int]:
        """Return what the model writes, the likeliest token each time; raises Aborted."""
        model, written = self._loaded.model, list[int]()
        context.copy(0, 1, questions.shared)
        position, new = questions.shared, list(prompt[questions.shared :])
        while len(written) < questions.answer:
            for start in range(0, len(new), context.layout.ubatch):
                chunk = new[start : start + context.layout.ubatch]
                context.decode([Part(1, position, chunk, 1)])
                position += len(chunk)
            token = int(view(context, -1, model.vocabulary_size).argmax())
            if model.is_end(token):
                break
            written.append(token)
            if not questions.thinks and planted_facts.is_answered(model, written):
                break
            new = [token]
        return written

    def _make_context(self, rope: Rope, size: int) -> Context:
        """Return a context beside that of the model.

        Raises:
            UserError: When there is no memory for both.
        """
        context = Context(self._loaded.model, self._layout(rope, size), self._loaded.threads.decode)
        context.set_threads(self._loaded.threads.decode, self._loaded.threads.prefill)
        context.watch(self._yielding)
        self._loaded.beside = context
        return context

    def _layout(self, rope: Rope, size: int) -> Layout:
        options, header = self._loaded.options, self._loaded.header
        gpu = native.has_gpu() and options.gpu_layers != 0
        vocabulary = self._loaded.model.vocabulary_size
        rows = min(max(self._most_rows(vocabulary, gpu=gpu), _ROWS[0]), _ROWS[1], options.ubatch)
        free = sum(device.memory_free for device in native.devices()[:-1]) if gpu else 0
        free = (free or psutil.virtual_memory().available) - 4 * rows * vocabulary
        room = Room(header, free + self._held(options, gpu=gpu), gpu=gpu)
        fit = room.nearest(size, Way(options.kv_type, rows, True, options.whole_window))
        if not fit.fits or Cost.SHORTER_CONTEXT in fit.costs:
            raise UserError(
                _("There is not enough memory to test {size:,} tokens beside what is in memory now.").format(
                    size=size
                ),
                _("Close other programs, or choose a smaller context."),
            )
        ubatch = fit.layout.ubatch
        return replace(fit.layout, rope=rope, sequences=2, outputs=ubatch)

    def _most_rows(self, vocabulary: int, *, gpu: bool) -> int:
        """Return how many tokens may get logits at once.

        The product with the vocabulary is one step to llama.cpp, and within one it does not stop.
        """
        held = _LOGITS // (4 * vocabulary)
        if gpu or not (width := self._loaded.header.embedding_length):
            return held
        return min(held, _PRODUCT * self._loaded.threads.prefill // (vocabulary * width))

    def _held(self, options: LoadOptions, *, gpu: bool) -> int:
        """Return the bytes of the model that are taken already, and that no other program can take."""
        memory = estimate(self._loaded.header, self._loaded.context.layout, gpu=gpu)
        mapped = options.mmap and not options.mlock and not gpu
        return memory.vocabulary + memory.program + (0 if mapped else memory.weights)

    def _tell(self, done: int) -> None:
        self._done = done
        self.job.put(Reading(done, self._total))

    def _give_back(self) -> None:
        if self._loaded.beside:
            self._loaded.beside.close()
            self._loaded.beside = None


def _gone_back(context: Context, start: int) -> int:
    """Forget what a stopped batch left behind; return where to go on: at `start`, or at the beginning."""
    if start and context.can_go_back(context.first_position(0), start) and context.forget(0, start):
        return start
    context.clear()
    return 0


def _curve(losses: "np.ndarray", step: int) -> tuple[float, ...]:
    """Return the perplexity of each stretch of `step` tokens; the first token of a text is not foreseen."""
    starts = range(0, len(losses), step)
    return tuple(_perplexity(losses[max(1, start) : start + step]) for start in starts)


def _perplexity(losses: "np.ndarray") -> float:
    return round(float(np.exp(losses.mean())), 3)
