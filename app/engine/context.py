"""One KV cache shared by several sequences, and what each of them holds."""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from llama_cpp import llama_cpp as api

from app.domain.errors import UserError
from app.domain.language import _
from app.engine import native
from app.engine.model import LoadedModel

SEQUENCES = 8
CHUNK = 512  # tokens read between two looks at the outside world; also llama.cpp's ubatch
CELL_STEP = 256  # llama.cpp rounds contexts up to this, so only multiples of it mean what they say

_NO_SLOT, _ABORTED = 1, 2


class Aborted(Exception):
    """The computation was stopped by its flag."""


class ContextFull(Exception):
    """No cell is left in the KV cache."""


@dataclass(slots=True)
class CachedSequence:
    """What one sequence of the KV cache holds: tokens at positions 0, 1, 2, …."""

    id: int
    tokens: list[int] = field(default_factory=list)
    used: int = 0  # the larger, the more recently


class Context:
    """A llama_context with one unified KV cache; all calls come from the engine's thread.

    Sequences share its cells: several conversations, or branches of one, stay readable side by side
    as long as there is room, and the least recently used give way.

    Attributes:
        size: Cells, and thereby the most tokens of one sequence.
        kv_type: Element type of the cache.
    """

    kv_type = "f16"

    def __init__(self, model: LoadedModel, size: int, threads: int) -> None:
        """Reserve the memory for `size` tokens (rounded up to a multiple of 256).

        Raises:
            UserError: When there is not enough memory.
        """
        self.size = -(-size // CELL_STEP) * CELL_STEP
        parameters = api.llama_context_default_params()
        parameters.n_ctx = self.size
        parameters.n_batch = CHUNK
        parameters.n_ubatch = CHUNK
        parameters.n_seq_max = SEQUENCES
        parameters.n_outputs_max = SEQUENCES  # logits are asked for the last token only
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.flash_attn_type = api.LLAMA_FLASH_ATTN_TYPE_ENABLED
        parameters.kv_unified = True
        # The whole cache also for sliding-window layers: a window that has moved on cannot be rolled back.
        parameters.swa_full = True
        parameters.no_perf = True
        self._context = api.llama_init_from_model(model.handle, parameters)
        if not self._context:
            raise UserError(
                _("There is not enough memory to read {size:,} tokens at once.").format(size=self.size),
                _("Choose a smaller context, or a smaller model."),
            )
        self._memory = api.llama_get_memory(self._context)
        self._batch = api.llama_batch_init(CHUNK, 0, 1)
        self._sequences = [CachedSequence(number) for number in range(SEQUENCES)]
        self._clock = 0
        self._flag: ctypes.Array[ctypes.c_char] | None = None

    @property
    def handle(self) -> "api.llama_context_p":
        """Return llama.cpp's pointer, for the samplers."""
        return self._context

    def close(self) -> None:
        """Give the memory back."""
        if self._context:
            api.llama_batch_free(self._batch)
            api.llama_free(self._context)
            self._context = None

    def watch(self, flag: bytearray) -> None:
        """Stop computing as soon as the first byte of `flag` is not 0; its second byte is 0.

        llama.cpp asks after every node of the graph, hundreds of times a token, so the question must not
        reach Python: libc's strlen, asked for the length of the flag, answers it.
        """
        self._flag = (ctypes.c_char * len(flag)).from_buffer(flag)
        api.llama_set_abort_callback(self._context, _strlen(), ctypes.addressof(self._flag))

    def claim(self, tokens: Sequence[int]) -> tuple[CachedSequence, int]:
        """Return a sequence that holds the longest known beginning of `tokens`, and how much that is.

        At least the last token is left to be read, since its logits are needed. A sequence that shares
        more than it would lose is cut back; else the shared part is copied, which costs no memory.
        """
        shared, best = max(((_common(s.tokens, tokens), s) for s in self._sequences), key=lambda p: p[0])
        shared = min(shared, len(tokens) - 1)
        lost = len(best.tokens) - shared
        chosen = best
        if shared < lost:
            chosen = min((s for s in self._sequences if s is not best), key=lambda s: (s.used, s.id))
            self._clear(chosen)
            if shared:
                api.llama_memory_seq_cp(self._memory, best.id, chosen.id, 0, shared)
                chosen.tokens = best.tokens[:shared]
        self._clock += 1
        chosen.used = self._clock
        if not self._truncate(chosen, shared):
            shared = 0
        return chosen, shared

    def read(
        self,
        sequence: CachedSequence,
        tokens: Sequence[int],
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        """Append `tokens` to `sequence`; the logits of the last one can then be sampled.

        Raises:
            Aborted: By the flag; whole chunks that were read are kept.
            ContextFull: When no other sequence is left to give way.
        """
        for start in range(0, len(tokens), CHUNK):
            if self._flag is not None and self._flag[0] != b"\0":  # GPUs do not look at it while they compute
                raise Aborted
            chunk = tokens[start : start + CHUNK]
            last = start + len(chunk) == len(tokens)
            self._decode(sequence, chunk, output=last)
            if not last:
                on_progress(start + len(chunk))

    def _decode(self, sequence: CachedSequence, chunk: Sequence[int], *, output: bool) -> None:
        batch, position = self._batch, len(sequence.tokens)
        batch.n_tokens = len(chunk)
        for i, token in enumerate(chunk):
            batch.token[i] = token
            batch.pos[i] = position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence.id
            batch.logits[i] = 0
        batch.logits[len(chunk) - 1] = output
        while (code := api.llama_decode(self._context, batch)) == _NO_SLOT:
            if not self._give_way(sequence):
                raise ContextFull
        if code == 0:
            sequence.tokens.extend(chunk)
            return
        self._truncate(sequence, position)
        if code == _ABORTED:
            raise Aborted
        said = "; ".join(list(native.lines)[-3:])
        raise RuntimeError(f"llama_decode returned {code} for {len(chunk)} tokens at {position}: {said}")

    def _give_way(self, busy: CachedSequence) -> bool:
        """Empty the least recently used sequence that holds something; False when there is none."""
        others = [s for s in self._sequences if s is not busy and s.tokens]
        if not others:
            return False
        self._clear(min(others, key=lambda s: s.used))
        return True

    def _clear(self, sequence: CachedSequence) -> None:
        api.llama_memory_seq_rm(self._memory, sequence.id, -1, -1)
        sequence.tokens = []

    def _truncate(self, sequence: CachedSequence, length: int) -> bool:
        """Forget everything from position `length` on; False when the whole sequence had to go.

        A recurrent state cannot be rolled back, and a sliding window may have lost its beginning.
        """
        whole = api.llama_memory_seq_rm(self._memory, sequence.id, length, -1)
        if length and (not whole or api.llama_memory_seq_pos_min(self._memory, sequence.id) != 0):
            self._clear(sequence)
            return False
        del sequence.tokens[length:]
        return True


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Return the length of the common beginning of two token lists."""
    return sum(1 for _pair in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _strlen() -> Any:
    strlen = ctypes.CDLL("msvcrt" if ctypes.sizeof(ctypes.c_wchar) == 2 else None).strlen
    return ctypes.cast(strlen, api.ggml_abort_callback)
