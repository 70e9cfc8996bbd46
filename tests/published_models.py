"""Headers of models as published: their configurations, with where each stands, and files made of them.

A configuration is given in GGUF's keys, as llama.cpp's converter writes them from the `config.json` of the
repository named beside it. The names and shapes of the tensors lie in `published_tensors.json`, which
`tests/perf/complete_headers.py` writes by asking llama.cpp what it misses. The weights are a hole in a sparse
file, and the vocabulary is that of the tiny models.
"""

import json
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent / "unit" / "models_registry"))

from gguf_writer import Array, Gguf, Tensor
from tiny_models import TOKENS, TYPES

TENSORS = Path(__file__).parent / "published_tensors.json"
F32 = 0


@dataclass(frozen=True)
class Published:
    """One model.

    Attributes:
        source: The repository whose `config.json` it was taken from.
        architecture: As GGUF names it.
        keys: The keys of that architecture.
        also: Tensors that llama.cpp calls optional and that layers have nevertheless, each with another one
            that tells which layers do, of these every so many.
    """

    source: str
    architecture: str
    keys: dict[str, Any]
    also: tuple[tuple[str, str, int], ...] = ()

    def metadata(self) -> dict[Any, Any]:
        return {
            "general.architecture": ("str", self.architecture),
            "general.file_type": ("u32", 0),
            **{f"{self.architecture}.{name}": _value(value) for name, value in self.keys.items()},
            "tokenizer.ggml.model": ("str", "llama"),
            "tokenizer.ggml.tokens": Array("str", TOKENS),
            "tokenizer.ggml.scores": Array("f32", [-float(index) for index in range(len(TOKENS))]),
            "tokenizer.ggml.token_type": Array("i32", TYPES),
            "tokenizer.ggml.bos_token_id": ("u32", 1),
            "tokenizer.ggml.eos_token_id": ("u32", 2),
        }

    def write(self, path: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
        """Write a file with tensors of these shapes, all of them F32; their content is a hole."""
        tensors, end = [], 0
        for name, shape in shapes.items():
            tensors.append(Tensor(name, shape, F32, size=0, offset=end))
            end += -(-4 * math.prod(shape) // 32) * 32
        content = Gguf(metadata=self.metadata(), tensors=tensors).encode()
        path.write_bytes(content)
        os.truncate(path, len(content) + end)
        return path


def shapes_of(name: str) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors of a model by name."""
    found: dict[str, tuple[int, ...]] = {}
    for pattern, *places in json.loads(TENSORS.read_text())[name]:
        for shape, layers in places:
            numbers = [int(each) for span in layers.split(",") for each in _span(span)] if layers else [0]
            found |= {pattern.replace("*", str(number)): tuple(shape) for number in numbers}
    return found


def _span(text: str) -> range:
    first, _dash, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _value(value: Any) -> Any:
    match value:
        case bool():
            return "bool", value
        case float():
            return "f32", value
        case str():
            return "str", value
        case list():
            kind = "bool" if isinstance(value[0], bool) else "f32" if isinstance(value[0], float) else "u32"
            return Array(kind, value)
    return "u32", value


def attention(width, layers, heads, kv_heads, forward, context, **more):
    """Return what every transformer states."""
    return {
        "context_length": context,
        "embedding_length": width,
        "block_count": layers,
        "feed_forward_length": forward,
        "attention.head_count": heads,
        "attention.head_count_kv": kv_heads,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "attention.layer_norm_epsilon": 1e-5,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def heads_of(size, value=None):
    return {
        "attention__key_length": size,
        "attention__value_length": value or size,
        "rope__dimension_count": size,
    }


def experts(count, used, forward, **more):
    return {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": forward, **more}


_LLAMA_3 = {"rope__freq_base": 500000.0}
_MLA = {
    "attention__key_length": 576,
    "attention__value_length": 512,
    "attention__key_length_mla": 192,
    "attention__value_length_mla": 128,
    "attention__kv_lora_rank": 512,
    "rope__dimension_count": 64,
    "rope__scaling__type": "yarn",
    "rope__scaling__factor": 40.0,
    "rope__scaling__original_context_length": 4096,
    "rope__scaling__yarn_log_multiplier": 0.1,
}

PUBLISHED = {
    "llama-2-7b": Published(
        "meta-llama/Llama-2-7b-hf",
        "llama",
        attention(4096, 32, 32, 32, 11008, 4096, rope__dimension_count=128),
    ),
    "llama-2-70b": Published(
        "meta-llama/Llama-2-70b-hf",
        "llama",
        attention(8192, 80, 64, 8, 28672, 4096, rope__dimension_count=128),
    ),
    "llama-3-8b": Published(
        "meta-llama/Meta-Llama-3-8B",
        "llama",
        attention(4096, 32, 32, 8, 14336, 8192, rope__dimension_count=128, **_LLAMA_3),
    ),
    "llama-3.1-70b": Published(
        "meta-llama/Llama-3.1-70B",
        "llama",
        attention(8192, 80, 64, 8, 28672, 131072, rope__dimension_count=128, **_LLAMA_3),
    ),
    "llama-3.2-1b": Published(
        "meta-llama/Llama-3.2-1B",
        "llama",
        attention(2048, 16, 32, 8, 8192, 131072, **heads_of(64), **_LLAMA_3),
    ),
    "llama-4-scout": Published(
        "meta-llama/Llama-4-Scout-17B-16E",
        "llama4",
        attention(
            5120,
            48,
            40,
            8,
            16384,
            10485760,
            **heads_of(128),
            **_LLAMA_3,
            **experts(16, 1, 8192, interleave_moe_layer_step=1),
        ),
    ),
    "mistral-7b": Published(
        "mistralai/Mistral-7B-v0.1",
        "llama",
        attention(4096, 32, 32, 8, 14336, 32768, rope__dimension_count=128),
    ),
    "mixtral-8x7b": Published(
        "mistralai/Mixtral-8x7B-v0.1",
        "llama",
        attention(
            4096,
            32,
            32,
            8,
            14336,
            32768,
            rope__dimension_count=128,
            rope__freq_base=1e6,
            expert_count=8,
            expert_used_count=2,
        ),
        also=(("ffn_gate_exps.weight", "ffn_up_exps.weight", 1),),
    ),
    "mistral-nemo-12b": Published(
        "mistralai/Mistral-Nemo-Base-2407",
        "llama",
        attention(5120, 40, 32, 8, 14336, 131072, rope__freq_base=1e6, **heads_of(128)),
    ),
    "qwen-2.5-0.5b": Published(
        "Qwen/Qwen2.5-0.5B", "qwen2", attention(896, 24, 14, 2, 4864, 32768, rope__freq_base=1e6)
    ),
    "qwen-2.5-7b": Published(
        "Qwen/Qwen2.5-7B", "qwen2", attention(3584, 28, 28, 4, 18944, 131072, rope__freq_base=1e6)
    ),
    "qwen-3-8b": Published(
        "Qwen/Qwen3-8B",
        "qwen3",
        attention(4096, 36, 32, 8, 12288, 40960, rope__freq_base=1e6, **heads_of(128)),
    ),
    "qwen-3-30b-a3b": Published(
        "Qwen/Qwen3-30B-A3B",
        "qwen3moe",
        attention(2048, 48, 32, 4, 6144, 40960, rope__freq_base=1e6, **heads_of(128), **experts(128, 8, 768)),
    ),
    "qwen-3-next-80b": Published(
        "Qwen/Qwen3-Next-80B-A3B-Instruct",
        "qwen3next",
        attention(
            2048,
            48,
            16,
            2,
            5120,
            262144,
            rope__freq_base=1e7,
            attention__key_length=256,
            attention__value_length=256,
            rope__dimension_count=64,
            ssm__conv_kernel=4,
            ssm__inner_size=4096,
            ssm__state_size=128,
            ssm__group_count=16,
            ssm__time_step_rank=32,
            full_attention_interval=4,
            **experts(512, 10, 512, expert_shared_feed_forward_length=512),
        ),
        also=(("attn_qkv.weight", "ssm_out.weight", 1), ("attn_gate.weight", "ssm_out.weight", 1)),
    ),
    "phi-2": Published(
        "microsoft/phi-2", "phi2", attention(2560, 32, 32, 32, 10240, 2048, rope__dimension_count=32)
    ),
    "phi-3-mini": Published(
        "microsoft/Phi-3-mini-4k-instruct",
        "phi3",
        attention(
            3072,
            32,
            32,
            32,
            8192,
            4096,
            rope__dimension_count=96,
            attention__sliding_window=2047,
            rope__scaling__original_context_length=4096,
        ),
        also=(("attn_qkv.weight", "attn_norm.weight", 1),),
    ),
    "phi-4": Published(
        "microsoft/phi-4",
        "phi3",
        attention(
            5120,
            40,
            40,
            10,
            17920,
            16384,
            rope__dimension_count=128,
            attention__sliding_window=0,
            rope__scaling__original_context_length=16384,
        ),
        also=(("attn_qkv.weight", "attn_norm.weight", 1),),
    ),
    "falcon-7b": Published("tiiuae/falcon-7b", "falcon", attention(4544, 32, 71, 1, 18176, 2048)),
    "falcon-40b": Published("tiiuae/falcon-40b", "falcon", attention(8192, 60, 128, 8, 32768, 2048)),
    "gemma-7b": Published(
        "google/gemma-7b", "gemma", attention(3072, 28, 16, 16, 24576, 8192, **heads_of(256))
    ),
    "gemma-2-9b": Published(
        "google/gemma-2-9b",
        "gemma2",
        attention(3584, 42, 16, 8, 14336, 8192, attention__sliding_window=4096, **heads_of(256)),
    ),
    "gemma-3-4b": Published(
        "google/gemma-3-4b-it",
        "gemma3",
        attention(
            2560,
            34,
            8,
            4,
            10240,
            131072,
            attention__sliding_window=1024,
            rope__freq_base=1e6,
            rope__scaling__type="linear",
            rope__scaling__factor=8.0,
            **heads_of(256),
        ),
    ),
    "gemma-3-27b": Published(
        "google/gemma-3-27b-it",
        "gemma3",
        attention(
            5376,
            62,
            32,
            16,
            21504,
            131072,
            attention__sliding_window=1024,
            rope__freq_base=1e6,
            rope__scaling__type="linear",
            rope__scaling__factor=8.0,
            **heads_of(128),
        ),
    ),
    "gemma-3n-e4b": Published(
        "google/gemma-3n-E4B-it",
        "gemma3n",
        attention(
            2048,
            35,
            8,
            2,
            16384,
            32768,
            attention__sliding_window=512,
            rope__freq_base=1e6,
            embedding_length_per_layer_input=256,
            altup__num_inputs=4,
            altup__active_idx=0,
            attention__shared_kv_layers=15,
            attention__sliding_window_pattern=[(index + 1) % 5 != 0 for index in range(35)],
            activation_sparsity_scale=[1.645] * 10 + [0.0] * 25,
            **heads_of(256),
        ),
    ),
    "deepseek-v2-lite": Published(
        "deepseek-ai/DeepSeek-V2-Lite",
        "deepseek2",
        attention(
            2048,
            27,
            16,
            1,
            10944,
            163840,
            leading_dense_block_count=1,
            expert_shared_count=2,
            expert_weights_scale=1.0,
            **_MLA,
            **experts(64, 6, 1408),
        ),
    ),
    "deepseek-v3": Published(
        "deepseek-ai/DeepSeek-V3",
        "deepseek2",
        attention(
            7168,
            61,
            128,
            1,
            18432,
            163840,
            leading_dense_block_count=3,
            expert_shared_count=1,
            attention__q_lora_rank=1536,
            expert_weights_scale=2.5,
            expert_weights_norm=True,
            expert_gating_func=2,
            **_MLA,
            **experts(256, 8, 2048),
        ),
    ),
    "mamba-2.8b": Published(
        "state-spaces/mamba-2.8b-hf",
        "mamba",
        attention(
            2560,
            64,
            0,
            0,
            0,
            1048576,
            ssm__conv_kernel=4,
            ssm__inner_size=5120,
            ssm__state_size=16,
            ssm__time_step_rank=160,
        ),
    ),
    "mamba-codestral-7b": Published(
        "mistralai/Mamba-Codestral-7B-v0.1",
        "mamba2",
        attention(
            4096,
            64,
            0,
            0,
            0,
            1048576,
            ssm__conv_kernel=4,
            ssm__inner_size=8192,
            ssm__state_size=128,
            ssm__time_step_rank=128,
            ssm__group_count=8,
        ),
    ),
    "jamba-mini": Published(
        "ai21labs/AI21-Jamba-Mini-1.5",
        "jamba",
        attention(
            4096,
            32,
            32,
            [8 if index % 8 == 4 else 0 for index in range(32)],
            14336,
            262144,
            ssm__conv_kernel=4,
            ssm__inner_size=8192,
            ssm__state_size=16,
            ssm__time_step_rank=256,
            expert_count=16,
            expert_used_count=2,
        ),
        also=(("ffn_gate_inp.weight", "attn_norm.weight", 2),),
    ),
    "gpt-oss-20b": Published(
        "openai/gpt-oss-20b",
        "gpt-oss",
        attention(
            2880,
            24,
            64,
            8,
            2880,
            131072,
            attention__sliding_window=128,
            rope__freq_base=150000.0,
            rope__scaling__type="yarn",
            rope__scaling__factor=32.0,
            rope__scaling__original_context_length=4096,
            **heads_of(64),
            **experts(32, 4, 2880),
        ),
    ),
    "command-r7b": Published(
        "CohereLabs/c4ai-command-r7b-12-2024",
        "cohere2",
        attention(
            4096,
            32,
            32,
            8,
            14336,
            8192,
            attention__sliding_window=4096,
            logit_scale=0.25,
            rope__freq_base=50000.0,
            rope__dimension_count=128,
        ),
    ),
    "falcon-h1-7b": Published(
        "tiiuae/Falcon-H1-7B-Instruct",
        "falcon-h1",
        attention(
            3072,
            44,
            12,
            2,
            12288,
            262144,
            ssm__conv_kernel=4,
            ssm__inner_size=3072,
            ssm__state_size=256,
            ssm__time_step_rank=24,
            ssm__group_count=1,
            **heads_of(128),
        ),
        also=(("ssm_conv1d.bias", "ssm_out.weight", 1),),
    ),
    "lfm2-1.2b": Published(
        "LiquidAI/LFM2-1.2B",
        "lfm2",
        attention(
            2048,
            16,
            32,
            [8 if index in (2, 5, 8, 10, 12, 14) else 0 for index in range(16)],
            8192,
            128000,
            shortconv__l_cache=3,
            rope__freq_base=1e6,
            vocab_size=len(TOKENS),
        ),
    ),
    "exaone-4-32b": Published(
        "LGAI-EXAONE/EXAONE-4.0-32B",
        "exaone4",
        attention(
            5120,
            64,
            40,
            8,
            27392,
            131072,
            attention__sliding_window=4096,
            rope__freq_base=1e6,
            **heads_of(128),
        ),
    ),
}
