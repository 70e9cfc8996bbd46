"""What a model takes in memory, from its header alone.

Weights and KV cache are exact. What is computed in between follows formulas that were fitted to what
llama.cpp 0.5.0 reports for contexts of many models and sizes: exact for transformers of the Llama and Gemma
kinds within a per cent or two of the whole, rougher for experts and recurrent layers.
"""

import platform
from dataclasses import dataclass

from models_registry.fit import KV_BLOCKS, Layout, windowed_cells
from models_registry.header import Header
from models_registry.layers import Shape, shape_of

# Of these the CPU backend makes a second copy, in an order that suits its instructions (ggml-cpu/repack.cpp).
_REPACKED = {"Q4_0", "Q4_K", "IQ4_NL", "MXFP4"}
_REPACKED_ON_ARM = {"Q5_K", "Q6_K"}
_REPACKED_ROWS = 8

# Measured: Python with llama.cpp's libraries before anything is loaded; the window comes on top of that.
_PROGRAM_BYTES = 47_500_000
# Measured: tokens with the tables over them, and the pairs that are merged.
_TOKEN_BYTES, _MERGE_BYTES = 168, 190
_MERGING_TOKENIZERS = ("gpt2",)
# Measured: the bookkeeping of a cell, and what libraries and threads take once they compute.
_CELL_BYTES = 96
_RUNNING_BYTES = 6 << 20


@dataclass(frozen=True, slots=True)
class Memory:
    """What a model takes, in bytes, once its context has been filled.

    Attributes:
        weights: The tensors, and the copies of those that are repacked for this processor.
        kv_cache: The KV cache, and the states of recurrent layers.
        compute: What is computed in between, the logits, and the work space of the CPU.
        vocabulary: Tokens and the tables over them.
        program: The engine itself, before it has loaded anything.
    """

    weights: int
    kv_cache: int
    compute: int
    vocabulary: int
    program: int = _PROGRAM_BYTES

    @property
    def total(self) -> int:
        """Return all of them together: the most that the process takes."""
        return self.weights + self.kv_cache + self.compute + self.vocabulary + self.program


class Sizes:
    """What the memory of one model depends on, read from its header once.

    Attributes:
        shape: What its layers keep.
    """

    def __init__(self, header: Header, *, gpu: bool = False) -> None:
        """Look at everything that is the same for every layout.

        Args:
            header: The model.
            gpu: Whether its layers are computed on a GPU, which repacks nothing and works in place.
        """
        self.shape = shape_of(header)
        self._width = _Widths(header, self.shape)
        self._gpu = gpu
        self._weights = header.weights_size + (0 if gpu else _repacked(header))
        self._tokens = _vocabulary(header, self._width.tokens)

    def memory(self, layout: Layout) -> Memory:
        """Return what the model takes in `layout`."""
        logits = 4 * self._width.tokens * layout.sequences
        work = 0 if self._gpu else _work(self._width, layout)
        running = _CELL_BYTES * layout.context + _RUNNING_BYTES + work
        return Memory(
            weights=self._weights,
            kv_cache=_kv_cache(self.shape, layout),
            compute=self.compute_buffer(layout) + logits + running,
            vocabulary=self._tokens,
        )

    def compute_buffer(self, layout: Layout) -> int:
        """Return the bytes of llama.cpp's compute buffer: the largest moment of the graph counts."""
        return _compute_buffer(self.shape, self._width, layout)


def estimate(header: Header, layout: Layout, *, gpu: bool = False) -> Memory:
    """Return what the model of `header` takes in `layout`, without loading it; see `Sizes`."""
    return Sizes(header, gpu=gpu).memory(layout)


def _repacked(header: Header) -> int:
    types = _REPACKED | (_REPACKED_ON_ARM if platform.machine().lower() in ("arm64", "aarch64") else set())
    # Rows of the embedding are looked up, not multiplied with, unless it is the output as well.
    lookups = {"token_embd.weight"} if any(t.name == "output.weight" for t in header.tensors) else set()
    return sum(
        tensor.size
        for tensor in header.tensors
        if tensor.type.name in types
        and len(tensor.shape) > 1
        and tensor.shape[1] % _REPACKED_ROWS == 0
        and tensor.name not in lookups
    )


def _kv_cache(shape: Shape, layout: Layout) -> int:
    block, size = KV_BLOCKS[layout.kv_type]
    total = 0
    for layer in shape.layers:
        cells = windowed_cells(shape, layout) if layer.windowed else layout.context
        # Plain attention keeps values transposed, all layers alike.
        value = layer.value and (layer.value if layout.flash_attention else shape.padded_value)
        total += cells * (layer.key + value) * size // block + 4 * layer.state * layout.sequences
    return total


class _Widths:
    """Numbers a token that a graph holds at once, by what they are."""

    def __init__(self, header: Header, shape: Shape) -> None:
        name = header.architecture

        def largest(key: str) -> int:
            value = header.metadata.get(f"{name}.{key}", 0)
            numbers = value if isinstance(value, tuple) else (value,)
            return max((number for number in numbers if isinstance(number, int)), default=0)

        self.embedding = header.embedding_length
        self.heads = shape.heads
        self.query = shape.heads * max(shape.head_sizes)
        self.value = max((layer.value for layer in shape.layers), default=0)
        self.dense = largest("feed_forward_length")
        self.experts_used = largest("expert_used_count")
        self.experts = self.experts_used * (largest("expert_feed_forward_length") or self.dense)
        self.state = 2 * largest("ssm.inner_size") + 2 * largest("ssm.group_count") * largest(
            "ssm.state_size"
        )
        self.gated = any("ffn_gate" in t.name for t in header.tensors) or not any(
            t.name.endswith("ffn_up.weight") and t.shape[-1] == self.dense for t in header.tensors
        )
        embedding = next((t for t in header.tensors if t.name == "token_embd.weight"), None)
        self.tokens = embedding.shape[1] if embedding and len(embedding.shape) > 1 else 0


def compute_buffer(header: Header, layout: Layout) -> int:
    """Return the bytes of llama.cpp's compute buffer; see `Sizes`."""
    return Sizes(header).compute_buffer(layout)


def _compute_buffer(shape: Shape, width: _Widths, layout: Layout) -> int:
    rows, cells = layout.ubatch, [layout.context] if shape.heads else []
    if shape.windowed:
        cells.append(windowed_cells(shape, layout))
    mask = sum(cells) * (2 if layout.flash_attention else 4)
    scores = 0 if layout.flash_attention else 4 * width.heads * layout.context
    attention = 3 * width.embedding + 2 * width.query
    if not layout.flash_attention:
        attention += 2 * width.value * len(cells)
    beside = 3 * width.embedding + width.query
    if layout.kv_type != "f16" and width.query == width.embedding and not shape.windowed:
        beside -= width.embedding  # what is rotated before it is stored takes the place of another
    feeding = max(
        3 * max(width.dense, width.experts) + beside if width.gated else 2 * width.dense + width.embedding,
        2 * width.experts_used * width.embedding + 6 * width.embedding,
        3 * width.state + beside if width.state else 0,
    )
    during = rows * (mask + max(scores + 4 * attention, 4 * feeding))
    after = 4 * layout.outputs * (width.tokens + 2 * width.embedding) + 4 * rows * width.embedding
    return max(during, after)


def _work(width: _Widths, layout: Layout) -> int:
    """Return the bytes in which the CPU brings one side of a product into the type of the other."""
    scores = 0 if layout.flash_attention else 2 * width.heads * layout.context
    return layout.ubatch * max(scores, 2 * max(width.dense, width.experts, width.embedding))


def _vocabulary(header: Header, tokens: int) -> int:
    merging = header.metadata.get("tokenizer.ggml.model") in _MERGING_TOKENIZERS
    return tokens * (_TOKEN_BYTES + (_MERGE_BYTES if merging else 0))
