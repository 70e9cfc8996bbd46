"""How a model is laid out in memory: chosen from its header alone."""

from dataclasses import dataclass

from models_registry.header import Header
from models_registry.layers import Shape, shape_of
from models_registry.rope import Rope

KV_BLOCKS = {"f16": (1, 2), "q8_0": (32, 34), "q4_0": (32, 18)}
"""Elements of a block, and its bytes, by type of the KV cache."""

CELL_STEP = 256
"""llama.cpp rounds contexts up to a multiple of this."""

DEFAULT_CONTEXT = 8192
"""Tokens that a model sees at once unless something else is asked for; less where it was trained for less."""

_SEQUENCES = 8
_RECURRENT_SEQUENCES, _WINDOWED_SEQUENCES = 4, 2  # each takes memory: a state, or a window in many layers
_OUTPUTS = 16
_LARGEST_SCORES = 192 << 20
_PLAIN_ATTENTION = frozenset({"grok"})  # llama.cpp switches flash attention off there


@dataclass(frozen=True, slots=True)
class Layout:
    """How a context is made.

    Attributes:
        context: Cells of the KV cache, a multiple of 256: the most tokens of one sequence, and of all
            sequences together.
        kv_type: One of `KV_BLOCKS`.
        flash_attention: Attention without its table of scores.
        ubatch: The most tokens that are computed at once.
        whole_window: Layers with a sliding window keep all tokens too (llama.cpp's `swa_full`); always
            true for a model without such layers.
        sequences: llama.cpp's `n_seq_max`.
        outputs: llama.cpp's `n_outputs_max`: tokens of one batch whose logits can be asked for.
        rope: How positions are rotated; None leaves that to the file.
    """

    context: int
    kv_type: str
    flash_attention: bool
    ubatch: int
    whole_window: bool
    sequences: int
    outputs: int
    rope: Rope | None = None


def usual_context(trained: int) -> int:
    """Return the tokens that a model trained for `trained`, 0 when unknown, sees at once by itself."""
    return min(trained or DEFAULT_CONTEXT, DEFAULT_CONTEXT)


def choose(
    header: Header,
    context: int,
    *,
    kv_type: str = "f16",
    flash_attention: bool | None = None,
    ubatch: int = 512,
    whole_window: bool = False,
    gpu: bool = False,
    shape: Shape | None = None,
) -> Layout:
    """Return how the engine lays out a context: the same for the engine itself, `plan` and `doctor`.

    Args:
        header: The model.
        context: Tokens that are wanted; rounded up to a multiple of 256.
        kv_type: Type of the KV cache. It becomes "f16" for heads that are no whole number of its blocks.
        flash_attention: None leaves it to us: on with a GPU and with a quantised KV cache. On a CPU it is
            off while the table of scores is small, since writing is then up to twice as fast. Whatever is
            wanted, it is on with a quantised KV cache, since llama.cpp refuses anything else.
        ubatch: Tokens computed at once.
        whole_window: Keep everything for layers with a sliding window as well.
        gpu: Whether layers are computed on a GPU.
        shape: What `shape_of` says of the header, where that is at hand.
    """
    shape = shape or shape_of(header)
    cells = -(-max(context, 1) // CELL_STEP) * CELL_STEP
    rows = min(ubatch, cells)
    plain = header.architecture in _PLAIN_ATTENTION
    stored = kv_type if _divides(shape, kv_type) and not plain else "f16"
    flash = flash_attention
    if stored != "f16":
        flash = True
    elif flash is None:
        flash = gpu or _scores(shape, cells, rows) > _LARGEST_SCORES
    whole = whole_window or not shape.windowed
    return Layout(
        context=cells,
        kv_type=stored,
        flash_attention=flash and not plain,
        ubatch=rows,
        whole_window=whole,
        sequences=_sequences(shape, whole_window=whole),
        outputs=_OUTPUTS,
    )


def plain_cells(shape: Shape, ubatch: int) -> int:
    """Return the largest context for which `choose` prefers plain attention on a CPU."""
    return _LARGEST_SCORES // max(_scores(shape, 1, ubatch), 1) // CELL_STEP * CELL_STEP


def _sequences(shape: Shape, *, whole_window: bool) -> int:
    if not whole_window:
        return _WINDOWED_SEQUENCES
    return _RECURRENT_SEQUENCES if shape.recurrent else _SEQUENCES


def _divides(shape: Shape, kv_type: str) -> bool:
    block, _size = KV_BLOCKS[kv_type]
    return all(size % block == 0 for size in shape.head_sizes)


def _scores(shape: Shape, cells: int, rows: int) -> int:
    """Return the bytes of the table of scores of one layer, in plain attention."""
    return 4 * shape.heads * cells * rows


def windowed_cells(shape: Shape, layout: Layout) -> int:
    """Return the cells of the layers that see a window only, as in llama.cpp's `llama_kv_cache_iswa`."""
    if layout.whole_window:
        return layout.context
    wanted = min(layout.context, shape.window * layout.sequences + layout.ubatch)
    return -(-wanted // CELL_STEP) * CELL_STEP
