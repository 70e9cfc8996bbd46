"""One answer: read the prompt, then write token by token until something ends it."""

import time

from app.domain.generation import Job, Piece, Reading, Stats, StopReason
from app.domain.settings import Settings
from app.engine.context import Aborted, CachedSequence, Context, ContextFull
from app.engine.model import LoadedModel
from app.engine.sampler import Sampler
from app.engine.text import TextStream


class Answer:
    """Writes one answer into a job.

    Attributes:
        text: What has been written, as it was put into the job.
        tokens: The same in tokens; complete only when `exact`.
        exact: Whether `tokens` spell exactly `text`; a stop string cuts text in the middle of a token.
    """

    def __init__(
        self, model: LoadedModel, context: Context, job: Job, settings: Settings, seed: int, continues: bool
    ) -> None:
        """Prepare an answer of `model` in `context`, sampled after `settings` with `seed`."""
        self._model = model
        self._context = context
        self._job = job
        self._settings = settings
        self._seed = seed
        self._stream = TextStream(model.template.stop, strip_start=not continues)
        self.text = ""
        self.tokens: list[int] = []

    @property
    def exact(self) -> bool:
        """Return whether the tokens spell exactly the text."""
        return not self._stream.stopped

    def write(self, prompt: list[int], started: float) -> Stats:
        """Read `prompt` and write the answer; return what it took.

        Args:
            prompt: Tokens, fewer than the context holds.
            started: The moment (time.monotonic) from which the first token is timed.
        """
        self._context.watch(self._job.flag)
        sequence, reused = self._context.claim(prompt)
        sampler = Sampler(self._settings, self._seed, self._model.vocabulary_size, prompt)
        reading = time.monotonic()
        first = last = 0.0
        try:
            self._read(sequence, prompt[reused:])
            token = sampler.sample(self._context)
            first = last = time.monotonic()
            reason = self._accept(token)
            while reason is None:
                self._context.read(sequence, (token,))
                token = sampler.sample(self._context)
                last = time.monotonic()
                reason = self._accept(token)
        except Aborted:
            reason = StopReason.CANCELLED
        except ContextFull:
            reason = StopReason.LENGTH
        finally:
            sampler.close()
            self._show(self._stream.finish())
        return Stats(
            stop_reason=reason,
            prompt_tokens=len(prompt),
            reused_tokens=reused,
            generated_tokens=len(self.tokens),
            prefill_seconds=(first or time.monotonic()) - reading,
            decode_seconds=last - first,
            first_token_seconds=first - started if first else 0.0,
            seed=self._seed,
            context=self._context.size,
            kv_type=self._context.kv_type,
        )

    def _read(self, sequence: CachedSequence, tokens: list[int]) -> None:
        total = len(tokens)
        self._job.put(Reading(0, total))
        self._context.read(sequence, tokens, lambda done: self._job.put(Reading(done, total)))

    def _accept(self, token: int) -> StopReason | None:
        """Add `token` to the answer; return why the answer ends here, or None."""
        if self._model.is_end(token):
            return StopReason.END
        self.tokens.append(token)
        self._show(self._stream.push(self._model.piece(token)))
        if self._stream.stopped:
            return StopReason.END
        if len(self.tokens) == self._settings.max_tokens:
            return StopReason.LENGTH
        return StopReason.CANCELLED if self._job.cancelled else None

    def _show(self, text: str) -> None:
        if text:
            self.text += text
            self._job.put(Piece(text))
