"""What the sequences of the KV cache hold, so that nothing is read twice."""

from dataclasses import dataclass, field

from app.domain.chat import is_incognito
from app.engine.checkpoints import AdapterKey, Checkpoints
from app.engine.context import Context
from app.engine.prefix import common_length
from app.engine.snapshots import Snapshots

_COSTLY = 256  # cells of other chats that are felt
_SURE = 32  # tokens in a row that tell where a prompt goes on behind a gap
_WORTH_MOVING = 64


@dataclass(slots=True, eq=False)
class CachedSequence:
    """One sequence of the KV cache.

    Attributes:
        id: Its number for llama.cpp.
        tokens: What it holds, at positions 0, 1, 2, ….
        adapters: The LoRA adapters that its tokens were read through.
        chat: Whose conversation it is; None for that of no chat, of which no trace may be kept.
        used: The larger, the more recently.
        busy: An answer is being written in it: it never gives way.
        saved: How many of its tokens lie in a snapshot.
        tried: How many were to be saved last, whether it went well or not.
        ends: Its conversation was forgotten while it was busy: it is cleared when it is released.
    """

    id: int
    tokens: list[int] = field(default_factory=list)
    adapters: AdapterKey = ()
    chat: int | None = None
    used: int = 0
    busy: bool = False
    saved: int = 0
    tried: int = 0
    ends: bool = False

    @property
    def may_be_saved(self) -> bool:
        """Return whether what it holds may go to the disk."""
        return self.chat is not None and not is_incognito(self.chat)


class Cache:
    """Hands out sequences that already hold the beginning of a prompt.

    Conversations, and branches of one, stay readable side by side as long as there is room; the least
    recently used give way, and go to a snapshot on disk when they may.
    """

    def __init__(self, context: Context, snapshots: Snapshots | None) -> None:
        """Begin with nothing cached.

        Args:
            context: Whose sequences these are.
            snapshots: Where they go when they are left; None keeps nothing.
        """
        self._context = context
        self._snapshots = snapshots
        self._checkpoints = Checkpoints(context)
        self._sequences = [CachedSequence(number) for number in range(context.layout.sequences)]
        self._clock = 0

    @property
    def has_free(self) -> bool:
        """Return whether one more answer can have a sequence of its own."""
        return not all(sequence.busy for sequence in self._sequences)

    def claim(
        self,
        tokens: list[int],
        adapters: AdapterKey,
        chat: int | None,
        *,
        background: bool = False,
        cold: bool = False,
        shifts: bool = False,
    ) -> tuple[CachedSequence, int]:
        """Return a sequence with the longest known beginning of `tokens`, and how much that is.

        At least the last token is left to be read, since its logits are needed. The sequence is busy
        until `release`.

        Args:
            tokens: The prompt.
            adapters: What it is read through.
            chat: Whose it is; see `CachedSequence.chat`.
            background: Nobody waits for it; for its sake no other chat leaves the cache.
            cold: Use nothing that is cached, and forget all of it: an answer can then be repeated bit by
                bit. No other sequence may be busy.
            shifts: The prompt is the chat's last one with a stretch left out: what follows the gap may be
                moved up instead of being read again.
        """
        if cold:
            self.save_all()
            self._context.clear()
            for sequence in self._sequences:
                self._forget_record(sequence)
        if shifts and not cold and chat is not None:
            self._close_gap(tokens, adapters, chat)
        known = [s for s in self._sequences if s.adapters == adapters and s.tokens]
        found = max(
            ((self._usable(s, common_length(s.tokens, tokens), len(tokens) - 1), s) for s in known),
            key=lambda pair: (pair[0], pair[1].used),
            default=None,
        )
        reused, source = found or (0, None)
        if not background:
            self._make_way(tokens, besides=source if reused else None)
        chosen = None if cold else self._from_snapshot(tokens, adapters, chat, reused)
        if chosen is None:
            chosen = self._branch(source, reused)
            if not background and source is not chosen:
                self._make_way(tokens, besides=chosen)
        reused = len(chosen.tokens)
        chosen.adapters, chosen.chat, chosen.busy = adapters, chat, True
        chosen.saved = min(chosen.saved, reused)
        self.touch(chosen)
        return chosen, reused

    def touch(self, sequence: CachedSequence) -> None:
        """Make `sequence` the most recently used one."""
        self._clock += 1
        sequence.used = self._clock

    def release(self, sequence: CachedSequence) -> None:
        """Let go of a sequence whose answer has ended; what it holds stays as long as there is room."""
        sequence.busy = False
        if sequence.ends:
            self.clear(sequence)
        else:
            self.checkpoint(sequence)

    def checkpoint(self, sequence: CachedSequence) -> None:
        """Remember this point of a sequence, where its memory could not go back to it by itself."""
        self._checkpoints.take(sequence.id, sequence.tokens, sequence.adapters)

    @property
    def needs_checkpoints(self) -> bool:
        """Return whether `checkpoint` does anything for this model."""
        return self._checkpoints.needed

    def cut(self, sequence: CachedSequence, length: int) -> None:
        """Forget what `sequence` holds from position `length` on; all of it when its memory cannot.

        Also right after a decode that failed, when llama.cpp holds more than `sequence.tokens` says.
        """
        if length and self._context.forget(sequence.id, length):
            del sequence.tokens[length:]
            sequence.saved = min(sequence.saved, length)
        else:
            self.clear(sequence)

    def clear(self, sequence: CachedSequence) -> None:
        """Forget all that `sequence` holds."""
        self._context.forget(sequence.id)
        self._forget_record(sequence)

    def make_room(self) -> bool:
        """Empty the least recently used sequence that no answer needs; False when there is none."""
        idle = [s for s in self._sequences if not s.busy and s.tokens]
        if not idle:
            return False
        oldest = min(idle, key=lambda s: s.used)
        self._save(oldest)
        self.clear(oldest)
        return True

    def save_one_left(self) -> bool:
        """Write a snapshot of one chat that is not the one used last; False when none waits for that."""
        latest = max(self._sequences, key=lambda s: s.used)
        left = [s for s in self._sequences if not s.busy and s.chat != latest.chat and self._is_unsaved(s)]
        if not left:
            return False
        chosen = max(left, key=lambda s: s.used)
        self._save(chosen)
        return True

    def save_all(self) -> None:
        """Write a snapshot of every chat, the last used first, as long as the disk is quick about it."""
        if self._snapshots is None:
            return
        with self._snapshots.hurried():
            for sequence in sorted(self._sequences, key=lambda s: -s.used):
                self._save(sequence)

    def distrust(self) -> None:
        """Write no more snapshots: the context has failed, and nobody knows what its sequences hold."""
        self._snapshots = None

    def forget_chat(self, chat: int) -> None:
        """Forget a conversation, on disk too; one that is being answered is forgotten at the end of that."""
        for sequence in self._sequences:
            if sequence.chat == chat:
                sequence.chat = None
                if sequence.busy:
                    sequence.ends = True
                else:
                    self.clear(sequence)
        if self._snapshots is not None:
            self._snapshots.forget(chat)

    def _close_gap(self, tokens: list[int], adapters: AdapterKey, chat: int) -> None:
        """Let the sequence that holds the last prompt of `chat` hold the beginning of `tokens`, if it can."""
        known = [s for s in self._sequences if s.chat == chat and s.adapters == adapters and not s.busy]
        source = max(known, key=lambda s: s.used, default=None)
        if source is None or not self._context.can_shift:
            return
        start = common_length(source.tokens, tokens)
        end = _found(source.tokens, tokens[start : start + _SURE], start)
        if end is None:
            return
        moved = common_length(source.tokens[end:], tokens[start:])
        others = [s for s in self._sequences if s is not source and s.tokens]
        sharing = [s for s in others if common_length(s.tokens, source.tokens) > end]
        if moved < _WORTH_MOVING or any(s.busy or s.chat is not None for s in sharing):
            return
        for each in sharing:
            self.clear(each)
        self.cut(source, end + moved)
        if self._context.close_gap(source.id, start, end, len(source.tokens)):
            del source.tokens[start:end]
            source.saved = min(source.saved, start)
        else:
            self.clear(source)

    def _make_way(self, tokens: list[int], besides: CachedSequence | None) -> None:
        """Let chats that have little in common with `tokens` leave for the disk.

        Without flash attention every cell of the cache costs time, whomever it belongs to.
        """
        if self._context.layout.flash_attention:
            return
        for sequence in self._sequences:
            if sequence.busy or sequence is besides or len(sequence.tokens) < _COSTLY:
                continue
            if 2 * common_length(sequence.tokens, tokens) >= len(sequence.tokens):
                continue
            self._save(sequence)
            if self._snapshots and len(sequence.tokens) - sequence.saved < self._snapshots.worthwhile:
                self.clear(sequence)

    def _usable(self, sequence: CachedSequence, shared: int, most: int) -> int:
        """Return how much of the first `shared` tokens of `sequence` its memory can really go back to."""
        shared = min(shared, most)
        if shared == len(sequence.tokens):
            return shared
        if self._can_go_back(sequence, shared):
            return shared
        return self._checkpoints.longest(sequence.tokens[:shared], sequence.adapters)

    def _can_go_back(self, sequence: CachedSequence, length: int) -> bool:
        return self._context.can_go_back(self._context.first_position(sequence.id), length)

    def _branch(self, source: CachedSequence | None, reused: int) -> CachedSequence:
        """Return a sequence with the first `reused` tokens of `source`: itself, or one that shares them.

        A sequence that shares more than it would lose is cut back; else its own end stays readable.
        """
        if source is None or not reused:
            return self._emptiest()
        lost = len(source.tokens) - reused
        alone = all(s.busy or s is source for s in self._sequences)
        if not source.busy and (reused >= lost or alone):
            chosen = source
        else:
            chosen = self._emptiest(besides=source)
            self._context.copy(source.id, chosen.id, reused)
        return self._go_back(source, chosen, reused)

    def _go_back(self, source: CachedSequence, chosen: CachedSequence, length: int) -> CachedSequence:
        """Cut `chosen`, which holds what `source` held, back to `length`."""
        exact = length == len(source.tokens) or self._can_go_back(source, length)
        kept = source.tokens[:length]
        if not exact and not self._checkpoints.restore(chosen.id, kept, source.adapters):
            self.clear(chosen)
            return chosen
        if not self._context.forget(chosen.id, length):
            self.clear(chosen)
            return chosen
        chosen.tokens = kept
        return chosen

    def _emptiest(self, besides: CachedSequence | None = None) -> CachedSequence:
        """Return the sequence that is missed least, emptied."""
        idle = [s for s in self._sequences if not s.busy and s is not besides]
        chosen = min(idle, key=lambda s: (bool(s.tokens), s.used, s.id))
        self._save(chosen)
        self.clear(chosen)
        return chosen

    def _from_snapshot(
        self, tokens: list[int], adapters: AdapterKey, chat: int | None, reused: int
    ) -> CachedSequence | None:
        """Return a sequence restored from disk when that gives more than the `reused` tokens at hand."""
        if self._snapshots is None or chat is None or is_incognito(chat):
            return None  # to use one leaves a trace as well: when that was
        found = self._snapshots.best(tokens[:-1], adapters, at_least=reused, whole=self.needs_checkpoints)
        if found is None:
            return None
        sequence = self._emptiest()
        while not self._snapshots.restore(found, self._context, sequence.id):
            self._context.forget(sequence.id)
            if not found.path.exists() or not self.make_room():
                return None
        sequence.tokens = list(found.tokens)
        sequence.saved = len(sequence.tokens)
        shared = min(common_length(sequence.tokens, tokens), len(tokens) - 1)
        if shared < len(sequence.tokens):
            usable = self._usable(sequence, shared, len(tokens) - 1)
            if not usable:
                self.clear(sequence)
                return sequence
            return self._go_back(sequence, sequence, usable)
        return sequence

    def _is_unsaved(self, sequence: CachedSequence) -> bool:
        return (
            self._snapshots is not None
            and sequence.may_be_saved
            and len(sequence.tokens) - sequence.saved >= self._snapshots.worthwhile
            and sequence.tried != len(sequence.tokens)
        )

    def _save(self, sequence: CachedSequence) -> None:
        if self._snapshots is not None and sequence.chat is not None and self._is_unsaved(sequence):
            sequence.tried = len(sequence.tokens)
            if self._snapshots.save(
                self._context, sequence.id, sequence.tokens, sequence.adapters, sequence.chat
            ):
                sequence.saved = len(sequence.tokens)

    def _forget_record(self, sequence: CachedSequence) -> None:
        sequence.tokens = []
        sequence.adapters, sequence.chat, sequence.ends = (), None, False
        sequence.saved = sequence.tried = 0


def _found(held: list[int], wanted: list[int], start: int) -> int | None:
    """Return where `wanted`, `_SURE` tokens, begins in `held` after `start`; None when it does not."""
    if len(wanted) < _SURE:
        return None
    places = range(start + 1, len(held) - _SURE + 1)
    return next((i for i in places if held[i] == wanted[0] and held[i : i + _SURE] == wanted), None)
