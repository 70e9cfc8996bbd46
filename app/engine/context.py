"""A llama_context: the memory that a model computes in, and the computation itself."""

import ctypes
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from llama_cpp import llama_cpp as api

from app.domain.errors import UserError
from app.domain.language import _
from app.engine import native
from app.engine.model import LoadedModel
from models_registry.fit import Layout
from models_registry.rope import Told

PartialState = npt.NDArray[np.uint8]

_OK, _NO_SLOT, _ABORTED = 0, 1, 2
_PARTIAL = api.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
_ROPE_TYPES = {
    "none": api.LLAMA_ROPE_SCALING_TYPE_NONE,
    "linear": api.LLAMA_ROPE_SCALING_TYPE_LINEAR,
    "yarn": api.LLAMA_ROPE_SCALING_TYPE_YARN,
}
_KV_TYPES = {"f16": api.GGML_TYPE_F16, "q8_0": api.GGML_TYPE_Q8_0, "q4_0": api.GGML_TYPE_Q4_0}


class Aborted(Exception):
    """The computation was stopped by its flag."""


class NoSlot(Exception):
    """No cell is left in the KV cache."""


class Part(NamedTuple):
    """What one sequence contributes to a batch.

    Attributes:
        sequence: Its number.
        start: Position of the first of `tokens` in it.
        outputs: How many of the last tokens get logits.
    """

    sequence: int
    start: int
    tokens: Sequence[int]
    outputs: int


class _Batch:
    """A llama_batch over columns of Python's own: ctypes makes an object for each value that is set in one.

    Attributes:
        struct: What llama.cpp is given.
    """

    def __init__(self, size: int) -> None:
        """Make room for `size` tokens, each of one sequence."""
        none = array("i", bytes(4 * size))
        self._tokens, self._positions, self._sequences = none[:], none[:], none[:]
        self._outputs = bytearray(size)
        first = _address(self._sequences)
        self._counts = array("i", [1] * size)
        self._places = (ctypes.c_void_p * size)(*range(first, first + 4 * size, 4))
        self.struct = api.llama_batch(
            n_tokens=0,
            token=ctypes.cast(_address(self._tokens), ctypes.POINTER(api.llama_token)),
            pos=ctypes.cast(_address(self._positions), ctypes.POINTER(api.llama_pos)),
            n_seq_id=ctypes.cast(_address(self._counts), ctypes.POINTER(ctypes.c_int32)),
            seq_id=ctypes.cast(self._places, ctypes.POINTER(ctypes.POINTER(api.llama_seq_id))),
            logits=ctypes.cast(
                (ctypes.c_int8 * size).from_buffer(self._outputs), ctypes.POINTER(ctypes.c_int8)
            ),
        )

    def fill(self, parts: Sequence[Part]) -> int:
        """Put in `parts`; return how many tokens they have together."""
        tokens, positions = self._tokens, self._positions
        sequences, outputs = self._sequences, self._outputs
        i = 0
        for part in parts:
            silent = i + len(part.tokens) - part.outputs
            for position, token in enumerate(part.tokens, part.start):
                tokens[i] = token
                positions[i] = position
                sequences[i] = part.sequence
                outputs[i] = i >= silent
                i += 1
        self.struct.n_tokens = i
        return i


def _address(column: "array[int]") -> int:
    return column.buffer_info()[0]


class Context:
    """One llama_context with one unified KV cache; all calls come from the engine's thread.

    Attributes:
        layout: How its memory is laid out.
        size: Cells, and thereby the most tokens of one sequence.
        rolls_back: Whether the end of a sequence can be forgotten at all; a recurrent state cannot.
        window: Tokens that a sliding-window layer looks back, when cells beyond it are given up; 0 when
            every cell is kept.
    """

    def __init__(self, model: LoadedModel, layout: Layout, threads: int) -> None:
        """Reserve the memory of `layout`.

        Args:
            model: What computes.
            layout: Sizes; `layout.context` is a multiple of 256.
            threads: CPU threads, until `set_threads` says otherwise.

        Raises:
            UserError: When there is not enough memory.
        """
        self.layout = layout
        self.size = layout.context
        parameters = api.llama_context_default_params()
        parameters.n_ctx = layout.context
        parameters.n_batch = parameters.n_ubatch = layout.ubatch
        parameters.n_seq_max = layout.sequences
        parameters.n_outputs_max = layout.outputs
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.type_k = parameters.type_v = _KV_TYPES[layout.kv_type]
        parameters.flash_attn_type = (
            api.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if layout.flash_attention
            else api.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        parameters.kv_unified = True
        parameters.swa_full = layout.whole_window
        parameters.no_perf = True
        if layout.rope:
            _tell_rope(parameters, layout.rope.told)
        self._context = api.llama_init_from_model(model.handle, parameters)
        if not self._context:
            raise UserError(
                _("There is not enough memory for a context of {size:,} tokens.").format(size=self.size),
                _("Choose a smaller context, or a smaller model."),
            )
        self._memory = api.llama_get_memory(self._context)
        self._batch = _Batch(layout.ubatch)
        self.threads = threads
        recurrent = api.llama_model_is_recurrent(model.handle) or api.llama_model_is_hybrid(model.handle)
        self.rolls_back = not recurrent
        self.window = 0 if layout.whole_window else api.llama_model_n_swa(model.handle)
        self._flag: ctypes.Array[ctypes.c_char] | None = None

    @property
    def handle(self) -> "api.llama_context_p":
        """Return llama.cpp's pointer, for the samplers."""
        return self._context

    def close(self) -> None:
        """Give the memory back."""
        if self._context:
            api.llama_free(self._context)
            self._context = None

    def set_threads(self, decode: int, batch: int) -> None:
        """Use `decode` CPU threads for a single token and `batch` for several."""
        self.threads = decode
        api.llama_set_n_threads(self._context, decode, batch)

    def watch(self, flag: bytearray) -> None:
        """Stop computing as soon as the first byte of `flag` is not 0; its second byte is 0.

        llama.cpp asks after every node of the graph, hundreds of times a token, so the question must not
        reach Python: libc's strlen, asked for the length of the flag, answers it.
        """
        self._flag = (ctypes.c_char * len(flag)).from_buffer(flag)
        api.llama_set_abort_callback(self._context, _strlen(), ctypes.addressof(self._flag))

    def decode(self, parts: Sequence[Part]) -> None:
        """Compute `parts` in one batch: together at most `layout.ubatch` tokens, `layout.outputs` outputs.

        The tokens lie in the batch in the order given: that is how `Sampler.sample` counts. Unless this
        returns, what it did to the sequences is unknown: `forget` what lies beyond the known.

        Raises:
            Aborted: By the flag.
            NoSlot: When the cells do not suffice; nothing has changed then.
        """
        if self._flag is not None and self._flag[0] != b"\0":  # GPUs do not look at it while they compute
            raise Aborted
        count = self._batch.fill(parts)
        code = api.llama_decode(self._context, self._batch.struct)
        if code == _OK:
            return
        if code == _NO_SLOT:
            raise NoSlot
        if code == _ABORTED:
            raise Aborted
        said = "; ".join(list(native.lines)[-3:])
        raise RuntimeError(f"llama_decode returned {code} for {count} tokens: {said}")

    def forget(self, sequence: int, start: int = 0) -> bool:
        """Forget a sequence from position `start` on; False when its memory cannot do that."""
        return bool(api.llama_memory_seq_rm(self._memory, sequence, start, -1))

    @property
    def can_shift(self) -> bool:
        """Return whether positions can be moved: every layer keeps every cell, and turns keys again."""
        return self.rolls_back and not self.window and bool(api.llama_memory_can_shift(self._memory))

    def close_gap(self, sequence: int, start: int, end: int, length: int) -> bool:
        """Forget the positions from `start` to `end` of a sequence of `length`, and move up what follows.

        No other sequence may share what follows. What follows still holds what was computed in sight of the
        gap. False when no cell is free: what the sequence holds is unknown then.
        """
        api.llama_memory_seq_rm(self._memory, sequence, start, end)
        api.llama_memory_seq_add(self._memory, sequence, end, length, start - end)
        # Keys are turned with the next token that is computed; stopped half way they would be turned twice.
        api.llama_set_abort_callback(self._context, api.ggml_abort_callback(), None)
        flag, self._flag = self._flag, None
        length -= end - start
        try:
            self.decode([Part(sequence, length, [0], 0)])
        except NoSlot:
            return False
        finally:
            self._flag = flag
            if flag is not None:
                api.llama_set_abort_callback(self._context, _strlen(), ctypes.addressof(flag))
        return self.forget(sequence, length)

    def clear(self) -> None:
        """Forget every sequence; the next one begins in the first cell, as in a new context."""
        api.llama_memory_clear(self._memory, False)

    def copy(self, source: int, target: int, length: int) -> None:
        """Let `target`, which is empty, share the first `length` positions of `source`; costs no memory."""
        api.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def first_position(self, sequence: int) -> int:
        """Return the earliest position of which every layer still holds something; -1 when empty."""
        return int(api.llama_memory_seq_pos_min(self._memory, sequence))

    def can_go_back(self, first: int, length: int) -> bool:
        """Return whether a sequence that holds the positions from `first` on can be cut to `length`."""
        if not self.rolls_back:
            return False
        # The next token looks back over `window` positions, itself included.
        return first <= max(0, length - self.window + 1) if self.window else first == 0

    def partial_size(self, sequence: int) -> int:
        """Return the bytes of `partial_state`."""
        return int(api.llama_state_seq_get_size_ext(self._context, sequence, _PARTIAL))

    def partial_state(self, sequence: int) -> PartialState:
        """Return what cannot always be rolled back of a sequence: sliding windows, recurrent states."""
        state = np.empty(self.partial_size(sequence), np.uint8)
        api.llama_state_seq_get_data_ext(self._context, _pointer(state), state.size, sequence, _PARTIAL)
        return state

    def set_partial_state(self, sequence: int, state: PartialState) -> bool:
        """Put back what `partial_state` returned; False when that failed."""
        read = api.llama_state_seq_set_data_ext(
            self._context, _pointer(state), state.size, sequence, _PARTIAL
        )
        return bool(read == state.size)

    def state_size(self, sequence: int) -> int:
        """Return the bytes that `save` will write, about."""
        return int(api.llama_state_seq_get_size(self._context, sequence))

    def save(self, sequence: int, tokens: Sequence[int], path: Path) -> bool:
        """Write the whole state of a sequence and its `tokens`; False when that failed."""
        array = (api.llama_token * len(tokens))(*tokens)
        return bool(
            api.llama_state_seq_save_file(self._context, str(path).encode(), sequence, array, len(tokens))
        )

    def restore(self, sequence: int, path: Path, tokens: int) -> bool:
        """Read what `save` wrote into an empty sequence; False when it fails or finds no room.

        Args:
            sequence: Its number.
            path: A file that is known to be whole: llama.cpp checks little.
            tokens: How many the file holds.
        """
        array = (api.llama_token * tokens)()
        count = ctypes.c_size_t()
        return bool(
            api.llama_state_seq_load_file(
                self._context, str(path).encode(), sequence, array, tokens, ctypes.byref(count)
            )
        )


def _tell_rope(parameters: Any, told: Told) -> None:
    """Set what is told; the rest of `llama_context_default_params` stands for what the file says."""
    if told.type is not None:
        parameters.rope_scaling_type = _ROPE_TYPES[told.type]
    names = {
        "rope_freq_base": told.freq_base,
        "rope_freq_scale": told.freq_scale,
        "yarn_orig_ctx": told.original_context,
        "yarn_ext_factor": told.ext_factor,
        "yarn_beta_fast": told.beta_fast,
        "yarn_beta_slow": told.beta_slow,
    }
    for name, value in names.items():
        if value is not None:
            setattr(parameters, name, value)


def _pointer(state: PartialState) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


def _strlen() -> Any:
    strlen = ctypes.CDLL("msvcrt" if ctypes.sizeof(ctypes.c_wchar) == 2 else None).strlen
    return ctypes.cast(strlen, api.ggml_abort_callback)
