"""The models that made history, in the formats in which they still lie about: read, checked and measured.

Headers as published, in front of weights that are holes in a sparse file.
"""

import math
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from gguf_writer import Array, Gguf, Tensor

from models_registry import fit, memory
from models_registry.catalogue import load
from models_registry.errors import ModelFileError, Problem
from models_registry.expected import expected_header
from models_registry.gguf import read_header
from models_registry.layers import shape_of
from models_registry.library import Library
from models_registry.rope import declared
from models_registry.tensor_types import TENSOR_TYPES

TYPES = {kind.name: number for number, kind in TENSOR_TYPES.items()}
CATALOGUE = load()


@dataclass
class Old:
    """A model of 2023.

    Attributes:
        numbers: The keys of its architecture; u32, but for decimal numbers.
        layer: Shapes of the tensors of a layer by name.
        outside: Those beside the layers.
        main: How its matrices are stored.
    """

    architecture: str
    name: str
    file_type: int
    tokens: int
    tokenizer: str
    numbers: dict
    layer: dict
    outside: dict
    main: str
    version: int = 3
    more: dict = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        blocks = self.numbers["block_count"]
        shapes = dict(self.outside)
        for block in range(blocks):
            shapes |= {f"blk.{block}.{name}": shape for name, shape in self.layer.items()}
        tensors, end = [], 0
        for name, shape in shapes.items():
            kind = self._type(shape)
            stored = TENSOR_TYPES[kind]
            tensors.append(Tensor(name, shape, kind, size=0, offset=end))
            end += math.prod(shape) // stored.block * stored.size
            end += -end % 32
        content = Gguf(version=self.version, metadata=self._metadata(), tensors=tensors).encode()
        path.write_bytes(content)
        os.truncate(path, len(content) + end)
        return path

    def _type(self, shape):
        if len(shape) == 1:
            return TYPES["F32"]
        # A row that is no whole number of blocks of 256 is stored otherwise.
        fallback = {"Q4_K": "Q5_0", "Q2_K": "Q4_0"}.get(self.main, self.main)
        return TYPES[self.main if shape[0] % 256 == 0 else fallback]

    def _metadata(self):
        numbers = {
            f"{self.architecture}.{key}": ("f32" if isinstance(value, float) else "u32", value)
            for key, value in self.numbers.items()
        }
        tokens = [f"token {index}" for index in range(self.tokens)]
        if self.tokenizer == "llama":
            tokens[3:259] = [f"<0x{byte:02X}>" for byte in range(256)]
        return {
            "general.architecture": ("str", self.architecture),
            "general.name": ("str", self.name),
            "general.file_type": ("u32", self.file_type),
            **numbers,
            "tokenizer.ggml.model": ("str", self.tokenizer),
            "tokenizer.ggml.tokens": Array("str", tokens),
            "tokenizer.ggml.scores": Array("f32", [0.0] * self.tokens),
            "tokenizer.ggml.token_type": Array("i32", [1] * self.tokens),
            "tokenizer.ggml.bos_token_id": ("u32", 1),
            "tokenizer.ggml.eos_token_id": ("u32", 2),
            "general.quantization_version": ("u32", 2),
            **self.more,
        }


def llama(name, width, forward, heads, blocks, kv_heads, context, file_type, main, **fields):
    """Return a model with the keys that converters wrote in the autumn of 2023."""
    shared = width // heads * kv_heads
    return Old(
        architecture="llama",
        name=name,
        file_type=file_type,
        tokens=32000,
        tokenizer="llama",
        numbers={
            "context_length": context,
            "embedding_length": width,
            "block_count": blocks,
            "feed_forward_length": forward,
            "rope.dimension_count": width // heads,
            "attention.head_count": heads,
            "attention.head_count_kv": kv_heads,
            "attention.layer_norm_rms_epsilon": 1e-5,
        },
        layer={
            "attn_norm.weight": (width,),
            "attn_q.weight": (width, width),
            "attn_k.weight": (width, shared),
            "attn_v.weight": (width, shared),
            "attn_output.weight": (width, width),
            "ffn_norm.weight": (width,),
            "ffn_gate.weight": (width, forward),
            "ffn_up.weight": (width, forward),
            "ffn_down.weight": (forward, width),
        },
        outside={
            "token_embd.weight": (width, 32000),
            "output_norm.weight": (width,),
            "output.weight": (width, 32000),
        },
        main=main,
        **fields,
    )


PHI = Old(
    architecture="phi2",
    name="Phi2",  # what the converter called every one of them
    file_type=15,
    tokens=51200,
    tokenizer="gpt2",
    numbers={
        "context_length": 2048,
        "embedding_length": 2048,
        "feed_forward_length": 8192,
        "block_count": 24,
        "attention.head_count": 32,
        "attention.head_count_kv": 32,
        "attention.layer_norm_epsilon": 1e-5,
        "rope.dimension_count": 32,
    },
    layer={
        "attn_norm.weight": (2048,),
        "attn_norm.bias": (2048,),
        "attn_qkv.weight": (2048, 6144),
        "attn_qkv.bias": (6144,),
        "attn_output.weight": (2048, 2048),
        "attn_output.bias": (2048,),
        "ffn_up.weight": (2048, 8192),
        "ffn_up.bias": (8192,),
        "ffn_down.weight": (8192, 2048),
        "ffn_down.bias": (2048,),
    },
    outside={
        "token_embd.weight": (2048, 51200),
        "output_norm.weight": (2048,),
        "output_norm.bias": (2048,),
        "output.weight": (2048, 51200),
        "output.bias": (51200,),
    },
    main="Q4_K",
    more={
        "tokenizer.ggml.add_bos_token": ("bool", False),
        "tokenizer.ggml.merges": Array("str", ["t o", "k e"]),
    },
)
FALCON = Old(
    architecture="falcon",
    name="Falcon",
    file_type=2,
    tokens=65024,
    tokenizer="gpt2",
    numbers={
        "context_length": 2048,
        "embedding_length": 4544,
        "feed_forward_length": 18176,
        "block_count": 32,
        "attention.head_count": 71,
        "attention.head_count_kv": 1,
        "attention.layer_norm_epsilon": 1e-5,
    },
    layer={
        "attn_norm.weight": (4544,),
        "attn_norm.bias": (4544,),
        "attn_qkv.weight": (4544, 4672),
        "attn_output.weight": (4544, 4544),
        "ffn_up.weight": (4544, 18176),
        "ffn_down.weight": (18176, 4544),
    },
    outside={
        "token_embd.weight": (4544, 65024),
        "output_norm.weight": (4544,),
        "output_norm.bias": (4544,),
        "output.weight": (4544, 65024),
    },
    main="Q4_0",
    version=2,
    more={
        "falcon.tensor_data_layout": ("str", "jploski"),
        "tokenizer.ggml.merges": Array("str", ["t o", "k e"]),
    },
)
LLAMA_2 = llama("LLaMA v2", 4096, 11008, 32, 32, 32, 4096, 2, "Q4_0", version=2)
MYTHOMAX = llama(
    "LLaMA v2",
    5120,
    13824,
    40,
    40,
    40,
    4096,
    10,
    "Q2_K",
    version=2,
    more={"llama.tensor_data_layout": ("str", "Meta AI original pth")},
)
MISTRAL = llama(
    "mistralai_mistral-7b-instruct-v0.1",
    4096,
    14336,
    32,
    32,
    8,
    32768,
    8,
    "Q5_0",
    version=2,
    more={"llama.rope.freq_base": ("f32", 10000.0)},
)
MODELS = {
    # The file; then the catalogue's entry, name, quantization, GB of the file, KB of KV cache for a token.
    "phi-1_5-Q4_K_M.gguf": (PHI, "phi-1.5", "Phi 1.5", "Q4_K_M", 0.81, 192),
    "falcon-7b-instruct-Q4_0.gguf": (FALCON, "falcon-7b", "Falcon 7B Instruct", "Q4_0", 4.06, 8),
    "llama-2-7b-chat.Q4_0.gguf": (LLAMA_2, "llama-2-7b", "Llama 2 7B Chat", "Q4_0", 3.79, 512),
    "mythomax-l2-13b.Q2_K.gguf": (MYTHOMAX, "mythomax-13b", "Mythomax L2 13B", "Q2_K", 4.27, 800),
    "mistral-7b-instruct-v0.1.Q5_0.gguf": (
        MISTRAL, "mistral-7b-v0.1", "Mistral 7B Instruct v0.1", "Q5_0", 4.98, 128,
    ),
}  # fmt: skip
each = pytest.mark.parametrize("file", MODELS)
sparse = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="files with holes take their full size"
)


@sparse
@each
def test_it_is_read_checked_and_named(file, tmp_path):
    old, _entry, name, quantization, size, _cache = MODELS[file]
    path = old.write(tmp_path / file)
    header = read_header(path)
    assert (header.architecture, header.name, header.quantization) == (old.architecture, name, quantization)
    assert header.version == old.version
    assert header.file_size == pytest.approx(size * 1e9, rel=0.02)
    assert header.context_length == old.numbers["context_length"]
    assert header.is_base  # nobody wrote chat templates into files yet
    assert path.stat().st_blocks * 512 < 32 << 20
    entry = Library(tmp_path / "library").link(path)
    assert (entry.error, entry.name) == (None, name)


@sparse
@each
def test_its_memory_is_known(file, tmp_path):
    old, identity, _name, _quantization, _size, cache = MODELS[file]
    header = read_header(old.write(tmp_path / file))
    layout = fit.choose(header, 2048)
    taken = memory.estimate(header, layout)
    assert taken.kv_cache == cache * 1024 * 2048
    assert header.weights_size < taken.weights <= 2 * header.weights_size or old.main in ("Q5_0", "Q2_K")
    assert not shape_of(header).windowed
    assert declared(header).type == "none"
    entry = CATALOGUE.entry(identity)
    assert shape_of(expected_header(entry, entry.quantizations[0])) == shape_of(header)
    assert entry.parameters == pytest.approx(header.parameter_count, rel=0.005)
    assert (entry.vocabulary, entry.context_length) == (old.tokens, old.numbers["context_length"])


@sparse
def test_keys_that_were_not_written_yet_have_their_defaults(tmp_path):
    del_keys = ("attention.head_count_kv", "rope.dimension_count")
    old = llama("LLaMA", 4096, 11008, 32, 32, 32, 2048, 2, "Q4_0", version=2)
    old.numbers = {key: value for key, value in old.numbers.items() if key not in del_keys}
    header = read_header(old.write(tmp_path / "llama-7b.gguf"))
    assert {layer.key for layer in shape_of(header).layers} == {4096}


@pytest.mark.parametrize("magic", [b"lmgg", b"fmgg", b"tjgg", b"algg"])
def test_formats_before_gguf_are_named_as_such(magic, tmp_path):
    path = tmp_path / "ggml-model-q4_0.bin"
    path.write_bytes(magic + bytes(200))
    with pytest.raises(ModelFileError) as refused:
        read_header(path)
    assert refused.value.problem is Problem.UNSUPPORTED_VERSION


def test_the_first_version_of_gguf_is_named_as_such(tmp_path):
    path = Gguf(version=1).write(tmp_path / "first.gguf")
    with pytest.raises(ModelFileError) as refused:
        read_header(path)
    assert refused.value.problem is Problem.UNSUPPORTED_VERSION
