"""What each layer of a model remembers of the tokens it has read, from the header alone.

The keys, their defaults and the exceptions of single architectures are those of llama.cpp's
`llama_model_base::load_hparams`, the `load_arch_hparams` in its `src/models`, `llama_hparams` and
`llama_model::create_memory`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models_registry.header import Header

# Sliding windows: every n-th layer sees everything, the others a window. An array in the file, or a number,
# goes before the number here; 0 stands for those whose files always bring an array.
_PERIODS = {
    "afmoe": 4,
    "cohere2": 4,
    "cohere2moe": 4,
    "exaone-moe": 4,
    "exaone4": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gemma4": 0,
    "gpt-oss": 2,
    "granite_swa": 0,
    "laguna": 4,
    "llama4": 4,
    "maple": 0,
    "mellum": 4,
    "mimo2": 0,
    "muse-glimmer": 4,
    "olmo2": 4,
    "plamo3": 8,
    "smallthinker": 4,
    "spark2_5": 0,
    "step35": 0,
    "dots3note": 0,
}
_FULL_LAYER_FIRST = frozenset({"cohere2moe", "laguna", "smallthinker"})
# Windows that stand in llama.cpp's source: those of the first kind whatever the file says.
_WINDOWS_FIXED = {"llama4": 8192, "smallthinker": 4096}
_WINDOWS = {"exaone-moe": 128, "exaone4": 4096, "gemma2": 4096}
_EXAONE4_WINDOWED_LAYERS = 64  # the 32B; smaller ones see everything everywhere

_RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
# Hybrids: layers without heads for keys and values are recurrent …
_RECURRENT_WITHOUT_HEADS = frozenset(
    {"jamba", "plamo2", "granitehybrid", "lfm2", "lfm2moe", "kimi-linear", "bailingmoe3", "kimi-k3"}
    | {"glm5-next", "nemotron_h", "nemotron_h_moe"}
)
# … or all but every n-th.
_RECURRENT_PERIODS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4, "qwen4exp": 4, "minimax-01": 8}
_RECURRENT_AND_ATTENTION = "falcon-h1"
_GEMMA3N_OWN_LAYERS = 20


@dataclass(frozen=True, slots=True)
class Layer:
    """What one layer keeps.

    Attributes:
        key: Elements of the KV cache for the key of a token; 0 for a layer without a cache of its own.
        value: Elements for its value; 0 also where the key holds both (MLA).
        windowed: It sees only a window of the newest tokens.
        state: Numbers of 4 bytes for each sequence, however long it is.
    """

    key: int = 0
    value: int = 0
    windowed: bool = False
    state: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers of a model that decide about its memory.

    Attributes:
        layers: Those that compute; layers for drafting (MTP) are left out.
        window: Tokens that windowed layers see; 0 without such layers.
        heads: Attention heads of the layer with the most; 0 for a model without attention.
        head_sizes: Elements of one head's key and of its value.
        padded_value: What the value of every layer takes in a cache for plain attention.
    """

    layers: tuple[Layer, ...]
    window: int
    heads: int
    head_sizes: tuple[int, int]
    padded_value: int

    @property
    def windowed(self) -> bool:
        """Return whether some layers see a window only."""
        return any(layer.windowed and layer.key for layer in self.layers)

    @property
    def recurrent(self) -> bool:
        """Return whether some layers keep a state that cannot be rolled back."""
        return any(layer.state for layer in self.layers)


def shape_of(header: Header) -> Shape:
    """Return what `header` says about the layers; unknown architectures count as plain transformers."""
    return _Reader(header).shape()


class _Reader:
    """Reads the keys of one architecture as llama.cpp does."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self._architecture = header.architecture
        self._all = header.block_count
        self._count = max(self._all - self.number("nextn_predict_layers"), 0) or self._all
        self._heads = self.per_layer("attention.head_count")
        self._kv_heads = self.per_layer("attention.head_count_kv", self._heads)
        width = header.embedding_length // self._heads[0] if self._heads[0] else 0
        self._key = self.number("attention.key_length", width) if width else 0
        self._value = self.number("attention.value_length", width) if width else 0
        if self._architecture == "plamo2":
            self._key = self.number("attention.key_length", width)
            self._value = self.number("attention.value_length", width)

    def shape(self) -> Shape:
        window = self._window()
        windowed = self._windowed() if window else [False] * self._count
        recurrent = self._recurrent()
        own = self._layers_with_a_cache()
        states = self._state() if any(recurrent) else 0
        mla = bool(self.number("attention.key_length_mla") and self.number("attention.value_length_mla"))
        layers, values = [], []
        for index in range(self._count):
            key, value = self._sizes(index, windowed=windowed[index])
            values.append(value)
            attends = index < own and (not recurrent[index] or self._architecture == _RECURRENT_AND_ATTENTION)
            if self._architecture.startswith("nemotron_h") and self._feed_forward(index):
                attends = recurrent[index] = False
            layers.append(
                Layer(
                    key=key + self._indexer(index) if attends else 0,
                    value=value if attends and not mla else 0,
                    windowed=windowed[index],
                    state=states if recurrent[index] else 0,
                )
            )
        layers *= max(self.number("num_loops", 1), 1) if self._architecture == "nanbeige" else 1
        return Shape(
            layers=tuple(layers),
            window=window if any(windowed) else 0,
            heads=max(self._heads) if any(layer.key for layer in layers) else 0,
            head_sizes=(self._key, self._value),
            padded_value=0 if mla else max(values),
        )

    def number(self, name: str, default: int = 0) -> int:
        value = self._header.metadata.get(f"{self._architecture}.{name}")
        first = (value or (default,))[0] if isinstance(value, tuple) else value
        return first if isinstance(first, int) else default

    def per_layer(self, name: str, default: Sequence[int] = (0,)) -> list[int]:
        value = self._header.metadata.get(f"{self._architecture}.{name}")
        given = value if isinstance(value, tuple) else (value,) * self._all
        numbers = [number if isinstance(number, int) else 0 for number in given]
        if value is None:
            numbers = list(default) if len(default) == self._all else [default[0]] * self._all
        return (numbers + [0] * self._all)[: self._all]

    def _sizes(self, index: int, *, windowed: bool) -> tuple[int, int]:
        """Return the elements of the keys and of the values of all heads of a layer together."""
        key, value = self._key, self._value
        if windowed:
            key = self.number("attention.key_length_swa", key)
            value = self.number("attention.value_length_swa", value)
        return key * self._kv_heads[index], value * self._kv_heads[index]

    def _window(self) -> int:
        name = self._architecture
        stated = self._header.metadata.get(f"{name}.attention.sliding_window")
        if name not in _PERIODS and not name.startswith("lfm2"):
            return 0
        if name == "exaone4" and self._count != _EXAONE4_WINDOWED_LAYERS:
            return 0
        if name == "llama4" and stated != 0:
            return _WINDOWS_FIXED[name]
        if name in _WINDOWS_FIXED and stated:
            return _WINDOWS_FIXED[name]
        return stated if isinstance(stated, int) else _WINDOWS.get(name, 0)

    def _windowed(self) -> list[bool]:
        if self._architecture.startswith("lfm2"):
            return [heads > 0 for heads in self._kv_heads[: self._count]]
        pattern = self._header.metadata.get(f"{self._architecture}.attention.sliding_window_pattern")
        if isinstance(pattern, tuple):
            given = [bool(element) for element in pattern]
            return (given + [False] * self._count)[: self._count]
        period = pattern if isinstance(pattern, int) else _PERIODS[self._architecture]
        full = 0 if self._architecture in _FULL_LAYER_FIRST else period - 1
        return [not period or index % period != full for index in range(self._count)]

    def _recurrent(self) -> list[bool]:
        name = self._architecture
        if name in _RECURRENT or name == _RECURRENT_AND_ATTENTION:
            return [True] * self._count
        if name in _RECURRENT_WITHOUT_HEADS:
            return [heads == 0 for heads in self._kv_heads[: self._count]]
        if name not in _RECURRENT_PERIODS:
            return [False] * self._count
        if f"{name}.attention.recurrent_layers" in self._header.metadata:
            return [bool(one) for one in self.per_layer("attention.recurrent_layers")[: self._count]]
        period = self.number("full_attention_interval", _RECURRENT_PERIODS[name]) or 1
        return [(index + 1) % period != 0 for index in range(self._count)]

    def _feed_forward(self, index: int) -> int:
        return self.per_layer("feed_forward_length")[index]

    def _layers_with_a_cache(self) -> int:
        """Return how many layers, from the first, have a cache; the others read one of theirs."""
        if self._architecture == "gemma3n":
            return _GEMMA3N_OWN_LAYERS
        if self._architecture == "gemma4":
            return self._all - self.number("attention.shared_kv_layers")
        return self._count

    def _indexer(self, index: int) -> int:
        """Return what sparse attention keeps of a token, to find those that matter."""
        size = self.number("attention.indexer.key_length")
        types = self._header.metadata.get(f"{self._architecture}.attention.indexer.types")
        if isinstance(types, tuple) and not (index < len(types) and types[index]):
            return 0
        dense = self.number("leading_dense_block_count") if self._architecture == "minimax-m3" else 0
        return size if index >= dense else 0

    def _state(self) -> int:
        """Return the numbers that a recurrent layer keeps of one sequence."""
        width, heads = self._header.embedding_length, self._heads[0]
        convolution, inner = self.number("ssm.conv_kernel"), self.number("ssm.inner_size")
        size, groups = self.number("ssm.state_size"), self.number("ssm.group_count")
        if head := self.number("wkv.head_size"):
            shifts = self.number("token_shift_count", 2)
            return shifts * width + width * head
        if cache := self.number("shortconv.l_cache"):
            return width * (cache - 1) + size * inner
        before = max(convolution - 1, 0)
        if head := self.number("kda.head_dim"):
            return 3 * (before or 3) * heads * head + head * head * heads
        if self._architecture == "minimax-01":
            return self._key * self._key * heads
        return before * (inner + 2 * groups * size) + size * inner
