"""Checks that llama.cpp makes by ending the process, or not at all; a file that passes may still not load.

The bounds are those of llama.cpp's `llama_model_base::load_hparams` and `llama_vocab::impl::load`.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Never

from models_registry.errors import ModelFileError, Problem
from models_registry.header import Tensor, Value

_MAX_BLOCKS = 512
_MAX_EXPERTS = 1024
_MAX_HEADS = 65_535
_ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
# llama.cpp forgets the expert counts of these when there is at most one expert.
_FREE_OF_EXPERTS = ("hunyuan-dense", "hunyuan_vl")


class Array(NamedTuple):
    """Type (as named in the GGUF format: "u32", "str") and length of an array in the metadata."""

    type: str
    length: int


def check(metadata: Mapping[str, Value], arrays: Mapping[str, Array], tensor_count: int) -> None:
    """Refuse a file whose metadata cannot belong to a language model that loads.

    Args:
        metadata: Scalars, strings and short arrays by key.
        arrays: Every array of the file, also the short ones.
        tensor_count: As stated by the file, this part only.

    Raises:
        ModelFileError: PROJECTOR, ADAPTER, NOT_FOR_CHAT, NOT_A_MODEL, UNSUPPORTED_FEATURE or CORRUPT.
    """
    _check_kind(metadata, tensor_count)
    counts = _Counts(metadata, arrays)
    counts.check_blocks()
    counts.check_heads()
    counts.check_experts()
    _check_rope(metadata)
    _check_norms(metadata)
    _check_vocabulary(metadata, arrays)


def check_tensors(tensors: Iterable[Tensor]) -> None:
    """Refuse weights of a type that ggml stores but cannot multiply with: it would call a null pointer.

    Whole numbers of 32 bits are let through, since some models look their experts up in a table.
    """
    for tensor in tensors:
        if tensor.type.name in _NOT_MULTIPLIED:
            _refuse(f"{tensor.name} is stored as {tensor.type.name}", Problem.UNSUPPORTED_FEATURE)


def check_tokens(tokens: list[bytes], model: Value | None) -> None:
    """Refuse a vocabulary with a token that occurs twice, or one that cannot spell every text.

    llama.cpp reads each only up to its first NUL and gives an empty one a name made of its index.

    Args:
        tokens: All of them.
        model: `tokenizer.ggml.model`, how text is cut into them.
    """
    distinct = set(tokens)
    if b"" in distinct or b"".join(tokens).find(0) >= 0:
        cut = (token.split(b"\0", 1)[0] for token in tokens)
        distinct = {token or b"[EMPTY_%d]" % index for index, token in enumerate(cut)}
    if len(distinct) != len(tokens):
        _refuse(f"tokenizer.ggml.tokens repeats {len(tokens) - len(distinct)} of {len(tokens)} tokens")
    # Where no other token fits, SentencePiece spells by bytes; when one is missing the process ends.
    if model == "llama":
        missing = [byte for byte in _BYTES if not {b"<0x%02X>" % byte, bytes([byte])} & distinct]
        if missing:
            detail = f"tokenizer.ggml.tokens has no token for {len(missing)} bytes, the first {missing[0]}"
            _refuse(detail, Problem.UNSUPPORTED_FEATURE)


def _refuse(detail: str, problem: Problem = Problem.CORRUPT) -> Never:
    raise ModelFileError(problem, detail)


# Types with no product in ggml-cpu.c (type_traits_cpu), other than I32.
_NOT_MULTIPLIED = frozenset({"F64", "I8", "I16", "I64", "Q8_1", "Q8_K"})
_BYTES = (*range(0xC0), *range(0xC2, 0xF5))  # those that occur in UTF-8
_EPSILONS = ("layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon")

# Encoders, diffusion models and draft heads whose files do not say so themselves. As in llama.cpp's
# llama_model_has_encoder, llama_model_is_diffusion and the models that set causal_attn to false.
_NOT_CAUSAL = frozenset(
    {"t5", "t5encoder", "gemma-embedding", "dream", "llada", "llada-moe", "rnd1", "eagle3", "dflash"}
)


def _check_kind(metadata: Mapping[str, Value], tensor_count: int) -> None:
    kind = metadata.get("general.type", "model")
    architecture = metadata.get("general.architecture")
    if kind == "mmproj" or architecture == "clip":
        _refuse(f"general.type is {kind!r}, general.architecture {architecture!r}", Problem.PROJECTOR)
    if kind == "adapter" or "adapter.type" in metadata:
        _refuse(f"general.type is {kind!r}", Problem.ADAPTER)
    if kind != "model":
        _refuse(f"general.type is {kind!r}", Problem.NOT_A_MODEL)
    if not architecture or not isinstance(architecture, str):
        _refuse(f"general.architecture is {architecture!r}", Problem.NOT_A_MODEL)
    for key in ("block_count", "context_length", "embedding_length"):
        if f"{architecture}.{key}" not in metadata:
            _refuse(f"{architecture}.{key} is missing", Problem.NOT_A_MODEL)
    # To sample from such a model ends the process: it computes no logits for a next token.
    if architecture in _NOT_CAUSAL or metadata.get(f"{architecture}.attention.causal") is False:
        _refuse(f"{architecture} does not predict the next token", Problem.NOT_FOR_CHAT)
    if tensor_count == 0 and metadata.get("split.count", 0) in (0, 1):
        _refuse("no tensors: a vocabulary without weights", Problem.NOT_A_MODEL)


def _check_rope(metadata: Mapping[str, Value]) -> None:
    key = f"{metadata['general.architecture']}.rope.scaling.type"
    scaling = metadata.get(key, "linear")
    if scaling not in _ROPE_SCALINGS:
        _refuse(f"{key} is {scaling!r}", Problem.UNSUPPORTED_FEATURE)


def _check_norms(metadata: Mapping[str, Value]) -> None:
    for name in _EPSILONS:
        key = f"{metadata['general.architecture']}.attention.{name}"
        epsilon = metadata.get(key, 0.0)
        if isinstance(epsilon, float) and not 0 <= epsilon < math.inf:  # also refuses NaN
            _refuse(f"{key} is {epsilon}")


def _check_vocabulary(metadata: Mapping[str, Value], arrays: Mapping[str, Array]) -> None:
    match metadata.get("tokenizer.ggml.model"):
        case "bert":  # WordPiece, for which llama.cpp has no way back to text
            _refuse("the vocabulary is that of a model for search", Problem.NOT_FOR_CHAT)
        case "none" | "no_vocab":
            _refuse("there is no vocabulary", Problem.NOT_A_MODEL)
    tokens = arrays.get("tokenizer.ggml.tokens", Array("str", 0))
    allowed = {"tokens": ("str",), "merges": ("str",), "scores": ("f32", "i32"), "token_type": ("i32",)}
    for name, types in allowed.items():
        key = f"tokenizer.ggml.{name}"
        if key in arrays and arrays[key].type not in types:
            _refuse(f"{key} is an array of {arrays[key].type}, not of {' or '.join(types)}")
        if key in arrays and name != "merges" and arrays[key].length < tokens.length:
            _refuse(f"{key} has {arrays[key].length} elements for {tokens.length} tokens")


class _Counts:
    """The numbers of layers, heads and experts."""

    def __init__(self, metadata: Mapping[str, Value], arrays: Mapping[str, Array]) -> None:
        self._metadata = metadata
        self._arrays = arrays
        self._architecture = str(metadata["general.architecture"])
        self._blocks = self._one("block_count")

    def check_blocks(self) -> None:
        if not 1 <= self._blocks <= _MAX_BLOCKS:
            _refuse(f"block_count is {self._blocks}, not 1 to {_MAX_BLOCKS}")
        if self._one("nextn_predict_layers") > self._blocks:
            _refuse(f"nextn_predict_layers is more than block_count ({self._blocks})")

    def check_heads(self) -> None:
        heads = self._per_block("attention.head_count")
        shared = self._per_block("attention.head_count_kv")
        if max(heads, default=0) > _MAX_HEADS or max(shared, default=0) > _MAX_HEADS:
            _refuse(f"attention.head_count or head_count_kv is more than {_MAX_HEADS}")
        if any(own and kv > own for own, kv in zip(heads, shared, strict=False)):
            _refuse("attention.head_count_kv is more than head_count")

    def check_experts(self) -> None:
        count = self._one("expert_count")
        used = max(self._per_block("expert_used_count"), default=0)
        groups = self._one("expert_group_count")
        if count <= 1 and self._architecture in _FREE_OF_EXPERTS:
            return
        if count > _MAX_EXPERTS or used > count or (count and not used):
            _refuse(f"expert_count is {count}, expert_used_count {used}")
        if groups and groups >= count:
            _refuse(f"expert_count is {count}, expert_group_count {groups}")
        if groups > 1 and (count % groups or not 0 < self._one("expert_group_used_count") < groups):
            _refuse(f"expert_group_count is {groups}, at odds with expert_count or expert_group_used_count")

    def _one(self, name: str) -> int:
        key = f"{self._architecture}.{name}"
        if key in self._arrays:
            _refuse(f"{key} is an array")
        return _count(key, self._metadata.get(key, 0))

    def _per_block(self, name: str) -> tuple[int, ...]:
        """Return one number per layer; nothing where the file does not say."""
        key = f"{self._architecture}.{name}"
        if key in self._arrays and self._arrays[key].length != self._blocks:
            _refuse(f"{key} has {self._arrays[key].length} elements for {self._blocks} layers")
        value = self._metadata.get(key, ())
        if isinstance(value, tuple):
            return tuple(_count(key, element) for element in value)
        return (_count(key, value),) * self._blocks


def _count(key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        _refuse(f"{key} is {value!r}, not a count")
    return value
