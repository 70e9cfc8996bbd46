"""One answer on its way: its tokens, its sampler, and what it tells its job."""

import time

from app.domain.generation import Job, Piece, Reading, Stats, StopReason
from app.domain.settings import Settings
from app.engine.cache import CachedSequence
from app.engine.context import Context
from app.engine.model import LoadedModel
from app.engine.reasoning import ReasoningStream
from app.engine.sampler import Sampler
from app.engine.speculation import Drafter, Pace
from app.engine.text import TextStream


class Answer:
    """What is written into one job.

    All that an answer is stands in `tokens`. What its sequence does not hold of them yet is read or
    computed next: so a sequence can be taken away from it at any time, and costs only time.

    Attributes:
        job: Where its events go.
        tokens: The prompt, and what was written after it.
        sequence: Where it is computed; None while it waits for one.
        sampler: Draws its tokens.
        pace: How much is guessed ahead.
        drafter: What guesses; None for nothing.
        background: It gives way to the answers that somebody reads.
        reproducible: It is computed alone and from the start, so that it comes out the same again.
        shifts: Its prompt is the chat's last one with older turns left out; see `Cache.claim`.
        text: What has been written, as it was put into the job.
        served: When it last had a part in a batch, as a number that only grows.
    """

    def __init__(
        self,
        model: LoadedModel,
        job: Job,
        settings: Settings,
        seed: int,
        prompt: list[int],
        sampler: Sampler,
        *,
        started: float,
        continues: bool = False,
        thinking: bool = False,
        drafter: Drafter | None = None,
        background: bool = False,
        reproducible: bool = False,
        shifts: bool = False,
    ) -> None:
        """Prepare an answer of `model`.

        Args:
            model: What answers.
            job: Where events go; its flag stops the answer.
            settings: Checked ones.
            seed: What `sampler` was started with.
            prompt: Tokens in front of the answer.
            sampler: Draws the tokens; closed with this answer.
            started: The moment (time.monotonic) from which the first token is timed.
            continues: Whether the prompt ends with the beginning of the answer.
            thinking: Whether the prompt ends within the model's reasoning.
            drafter: Guesses ahead.
            background: See above.
            reproducible: See above.
            shifts: See above.
        """
        self.job = job
        self.tokens = list(prompt)
        self.sequence: CachedSequence | None = None
        self.sampler = sampler
        self.pace = Pace()
        self.drafter = drafter
        self.background = background
        self.reproducible = reproducible
        self.shifts = shifts
        self.text = ""
        self.served = 0
        self._model = model
        self._settings = settings
        self._seed = seed
        self._prompt_tokens = len(prompt)
        self._stream = TextStream(model.template.stop, strip_start=not continues)
        markers = None if continues and not thinking else model.template.reasoning
        self._reasoning = ReasoningStream(markers, thinking)
        self._unshown = False
        self._started = started
        self._reading = 0.0
        self._first = self._last = 0.0
        self._reused = 0
        self._to_read = 0

    @property
    def pending(self) -> int:
        """Return how many of its tokens its sequence does not hold yet; at least 1."""
        return len(self.tokens) - (len(self.sequence.tokens) if self.sequence else 0)

    @property
    def is_writing(self) -> bool:
        """Return whether the prompt has been read and the first token written."""
        return self._first > 0

    @property
    def written(self) -> list[int]:
        """Return the tokens after the prompt."""
        return self.tokens[self._prompt_tokens :]

    @property
    def exact(self) -> bool:
        """Return whether `written` spells exactly `text`: nothing was cut off, and nothing was reasoning."""
        return not (self._stream.stopped or self._unshown)

    def seat(self, sequence: CachedSequence, reused: int) -> None:
        """Give it a sequence that holds its first `reused` tokens."""
        self.sequence = sequence
        if not self._reading:
            self._reading, self._reused, self._to_read = time.monotonic(), reused, len(self.tokens) - reused
            self.job.put(Reading(0, self._to_read))

    def tell_reading(self) -> None:
        """Say how far the prompt has been read."""
        if not self.is_writing and self.pending:
            done, seconds = self._to_read - self.pending, time.monotonic() - self._reading
            self.job.put(Reading(done, self._to_read, seconds))

    def draft(self, most: int) -> list[int]:
        """Return a guess at the next tokens, at most `most` of them."""
        if self.drafter is None or not self.is_writing or most < 1:
            return []
        if self._settings.max_tokens:
            most = min(most, self._settings.max_tokens - len(self.tokens) + self._prompt_tokens - 1)
        return self.drafter.draft(self.tokens, most) if most > 0 else []

    def take(self, token: int) -> StopReason | None:
        """Add the token that was drawn; return why the answer ends here, or None."""
        self._last = time.monotonic()
        self._first = self._first or self._last
        if self._model.is_end(token) and not (self._reasoning.open and self._model.marks_reasoning(token)):
            return StopReason.END
        self.tokens.append(token)
        if self.sampler.chosen:
            self.job.put(self.sampler.chosen)
        self._show(self._stream.push(self._model.visible_piece(token)))
        if self._stream.stopped:
            return StopReason.END
        if len(self.tokens) - self._prompt_tokens == self._settings.max_tokens:
            return StopReason.LENGTH
        return StopReason.CANCELLED if self.job.cancelled else None

    def finish(self, reason: StopReason, context: Context) -> Stats:
        """Show what was held back, let go of everything, and return what it took in `context`."""
        self._show(self._stream.finish())
        self._put(self._reasoning.finish())
        self.sampler.close()
        return Stats(
            stop_reason=reason,
            prompt_tokens=self._prompt_tokens,
            reused_tokens=self._reused,
            generated_tokens=len(self.tokens) - self._prompt_tokens,
            prefill_seconds=(self._first or time.monotonic()) - self._reading if self._reading else 0.0,
            decode_seconds=self._last - self._first,
            first_token_seconds=self._first - self._started if self._first else 0.0,
            seed=self._seed,
            context=context.size,
            kv_type=context.layout.kv_type,
            flash_attention=context.layout.flash_attention,
            threads=context.threads,
            drafted_tokens=self.pace.drafted,
            accepted_tokens=self.pace.accepted,
            samplers=self.sampler.order,
        )

    def _show(self, text: str) -> None:
        if text:
            pieces = self._reasoning.push(text)
            self._unshown = self._unshown or pieces != [(text, False)]
            self._put(pieces)

    def _put(self, pieces: list[tuple[str, bool]]) -> None:
        for text, reasoning in pieces:
            if not reasoning:
                self.text += text
            self.job.put(Piece(text, reasoning))
