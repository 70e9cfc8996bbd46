"""Several answers at once: one batch after the other, with a part of each answer in it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.errors import UserError
from app.domain.generation import Stats, StopReason
from app.engine.adapters import Adapters, AdapterSet
from app.engine.answer import Answer
from app.engine.cache import Cache, CachedSequence
from app.engine.checkpoints import SPACING
from app.engine.context import Aborted, Context, NoSlot, Part
from app.engine.prefix import common_length

# While others wait for their next token, reading goes on in small steps.
_MIXED_CHUNK, _BACKGROUND_CHUNK = 64, 32
_WORTH_WAITING = 32  # tokens that another answer is about to read


@dataclass(slots=True)
class _Share:
    """The part of one answer in a batch: tokens it must compute, and guesses at what follows."""

    answer: Answer
    sequence: CachedSequence
    tokens: list[int]
    drafts: list[int] = field(default_factory=list)
    ends: bool = True  # nothing is pending behind it, so its logits are wanted
    returned_to: bool = False  # other answers, or edits, may go on from its end

    @property
    def part(self) -> Part:
        outputs = 1 + len(self.drafts) if self.ends else 0
        return Part(self.sequence.id, len(self.sequence.tokens), self.tokens + self.drafts, outputs)


class Scheduler:
    """Computes the answers of one context, side by side.

    Each batch carries the next token of every answer that is being written, and a piece of the prompts
    that are being read. Background answers get at most the share of the time that an answer would have
    when all were equal.

    Attributes:
        answers: Those on their way, oldest first.
    """

    def __init__(
        self,
        context: Context,
        cache: Cache,
        adapters: Adapters,
        interrupt: bytearray,
        on_end: Callable[[Answer, Stats | UserError], None],
    ) -> None:
        """Begin with no answer.

        Args:
            context: What computes.
            cache: Its sequences.
            adapters: Those of its model.
            interrupt: Two bytes, the first of which is set, from any thread, whenever a job is cancelled.
            on_end: Called with each answer that has ended, and what it took, or why it could not go on.
        """
        self._context = context
        self._cache = cache
        self._adapters = adapters
        self._interrupt = interrupt
        self._on_end = on_end
        self._sets: dict[Answer, tuple[AdapterSet, int | None]] = {}
        self._suspended: set[Answer] = set()
        self._clock = 0
        self._debt = 0.0  # seconds that background work has taken from the others
        self.answers: list[Answer] = []
        context.watch(interrupt)

    def add(self, answer: Answer, adapters: AdapterSet, chat: int | None) -> None:
        """Take an answer in, whose tokens are computed through `adapters` for the conversation `chat`."""
        self._sets[answer] = adapters, chat
        self.answers.append(answer)

    def forget_chat(self, chat: int) -> None:
        """Let the answers of a conversation leave no trace."""
        for answer, (adapters, whose) in self._sets.items():
            if whose == chat:
                self._sets[answer] = adapters, None

    def step(self) -> None:
        """Compute one batch.

        Raises:
            RuntimeError: When llama.cpp fails; nothing more can be expected of the context then.
        """
        self._interrupt[0] = 0  # before the flags are read: a later one aborts the batch
        for answer in tuple(self.answers):
            if answer.job.cancelled:
                self._end(answer, StopReason.CANCELLED)
        self._seat()
        shares = self._shares()
        if not shares:
            return
        started = time.monotonic()
        try:
            shares = self._compute(shares)
        except Aborted:
            for share in shares:  # llama.cpp may hold half of the batch
                self._cache.cut(share.sequence, len(share.sequence.tokens))
            return
        self._account(shares, time.monotonic() - started)
        index = 0
        for share in shares:
            share.sequence.tokens += share.tokens + share.drafts
            index += len(share.tokens)
            if share.returned_to:
                self._cache.checkpoint(share.sequence)
            if share.ends:
                self._write(share, index - 1)
            else:
                share.answer.tell_reading()
            index += len(share.drafts)

    def _seat(self) -> None:
        """Give a sequence to the answers that have none, those that somebody waits for first."""
        waiting = [answer for answer in self.answers if not answer.sequence]
        if not waiting:
            return
        seated = [answer for answer in self.answers if answer.sequence]
        for answer in sorted(waiting, key=lambda each: each.background):
            if any(each.reproducible for each in seated) or not self._cache.has_free:
                return
            if seated and (answer.reproducible or answer in self._suspended):
                return  # before those behind it, which would keep it waiting
            if any(self._reads_for(each, answer) for each in seated):
                continue
            adapters, chat = self._sets[answer]
            claimed = self._cache.claim(
                answer.tokens,
                adapters.key,
                chat,
                background=answer.background,
                cold=answer.reproducible,
                shifts=answer.shifts,
            )
            answer.seat(*claimed)
            self._suspended.discard(answer)
            seated.append(answer)

    def _reads_for(self, reader: Answer, other: Answer) -> bool:
        """Return whether `reader` is reading what `other` would have to read as well."""
        if reader.pending <= _WORTH_WAITING or self._sets[reader][0].key != self._sets[other][0].key:
            return False
        held = len(_sequence_of(reader).tokens)
        return common_length(reader.tokens, other.tokens) - held >= _WORTH_WAITING

    def _shares(self) -> list[_Share]:
        """Return what the next batch computes."""
        chosen = self._chosen()
        writers = [answer for answer in chosen if answer.pending == 1]
        readers = [answer for answer in chosen if answer.pending > 1]
        layout, shares = self._context.layout, list[_Share]()
        room = layout.ubatch
        for answer in writers:
            drafts = list[int]()
            if answer.drafter and self._context.rolls_back:
                guesses = (layout.outputs - len(chosen)) // len(writers)
                drafts = answer.draft(min(guesses, answer.pace.most))
            room -= 1 + len(drafts)
            shares.append(_Share(answer, _sequence_of(answer), answer.tokens[-1:], drafts))
        for answer in readers:
            limit = room
            if any(not each.background for each in writers):
                limit = min(room, _BACKGROUND_CHUNK if answer.background else _MIXED_CHUNK)
            if limit <= 0:
                break
            shares.append(self._reading(answer, limit))
            room -= len(shares[-1].tokens)
        return shares

    def _chosen(self) -> list[Answer]:
        """Return the answers that take part in the next batch: all with the same adapters."""
        seated = [answer for answer in self.answers if answer.sequence]
        if self._debt > 0:
            seated = [answer for answer in seated if not answer.background] or seated
        if not seated:
            return []
        chosen = seated
        if len(seated) > 1:
            group, _chat = self._sets[min(seated, key=lambda each: each.served)]
            chosen = [answer for answer in seated if self._sets[answer][0].key == group.key]
        self._adapters.apply(self._context, self._sets[chosen[0]][0])
        self._clock += 1
        for answer in chosen:
            answer.served = self._clock
        return chosen

    def _reading(self, answer: Answer, limit: int) -> _Share:
        """Return the next piece of a prompt, which ends where a checkpoint is wanted."""
        sequence = _sequence_of(answer)
        held, pending = len(sequence.tokens), answer.pending
        # Other answers to this prompt begin with its last token, which only a state from before it can read.
        left = 0 if self._context.rolls_back else 1
        count, returned_to = min(pending, limit), False
        if self._cache.needs_checkpoints:
            count = min(count, SPACING - held % SPACING, pending - left)
            returned_to = count == pending - left or (held + count) % SPACING == 0
        tokens = answer.tokens[held : held + count]
        return _Share(answer, sequence, tokens, ends=count == pending, returned_to=returned_to)

    def _compute(self, shares: list[_Share]) -> list[_Share]:
        """Compute `shares`, or what there is room for; return what was computed."""
        while shares:
            try:
                self._context.decode([share.part for share in shares])
            except NoSlot:
                if any(share.drafts for share in shares):  # cheaper than a chat that must be read again
                    shares = [_Share(share.answer, share.sequence, share.tokens) for share in shares]
                elif not self._cache.make_room():
                    shares = self._smaller(shares)
            else:
                break
        return shares

    def _smaller(self, shares: list[_Share]) -> list[_Share]:
        """Have the last answer wait when the KV cache is full of what is needed, or end the only one."""
        seated = [answer for answer in self.answers if answer.sequence]
        if len(seated) == 1:
            self._end(seated[0], StopReason.LENGTH)
            return []
        victim = max(seated, key=lambda each: (each.background, self.answers.index(each)))
        self._cache.release(_sequence_of(victim))
        self._cache.clear(_sequence_of(victim))
        victim.sequence = None
        self._suspended.add(victim)
        return [share for share in shares if share.answer is not victim]

    def _write(self, share: _Share, index: int) -> None:
        """Draw the tokens that follow from the outputs at `index` and after it of the batch."""
        answer, accepted = share.answer, 0
        while True:
            try:
                token = answer.sampler.sample(self._context, index + accepted)
            except UserError as error:
                self._end(answer, error)
                return
            reason = answer.take(token)
            if reason or accepted == len(share.drafts) or token != share.drafts[accepted]:
                break
            accepted += 1
        if wrong := len(share.drafts) - accepted:
            self._cache.cut(share.sequence, len(share.sequence.tokens) - wrong)
        if answer.drafter:
            answer.pace.count(len(share.drafts), accepted)
        if reason is None and len(answer.tokens) > self._context.size:
            reason = StopReason.LENGTH
        if reason:
            self._end(answer, reason)

    def _account(self, shares: list[_Share], seconds: float) -> None:
        """Keep book of the time that background work takes from answers that somebody reads."""
        if not any(share.answer.background for share in shares):
            self._debt = max(0.0, self._debt - seconds)
            return
        background = sum(len(share.tokens) for share in shares if share.answer.background)
        everything = sum(len(share.tokens) for share in shares)
        self._debt = 0.0 if background == everything else self._debt + seconds * background / everything

    def _end(self, answer: Answer, reason: StopReason | UserError) -> None:
        self.answers.remove(answer)
        self._suspended.discard(answer)
        del self._sets[answer]
        if answer.sequence:
            self._cache.touch(answer.sequence)
            self._cache.release(answer.sequence)
        if isinstance(reason, UserError):
            answer.finish(StopReason.END, self._context)
            self._on_end(answer, reason)
        else:
            self._on_end(answer, answer.finish(reason, self._context))


def _sequence_of(answer: Answer) -> CachedSequence:
    if answer.sequence is None:
        raise RuntimeError("an answer without a sequence is in a batch")
    return answer.sequence
