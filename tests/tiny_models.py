"""Tiny models that llama.cpp really loads, and seeded ways to spoil one that its header does not betray."""

import random
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent / "unit" / "models_registry"))

from gguf_writer import F32, Array, Gguf, Tensor

I32 = 26
WIDTH, HEADS, FORWARD = 32, 4, 64
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁a", "a", "b", "▁"]
TYPES = [2, 3, 3, *[6] * 256, 1, 1, 1, 1]


def tensor(name: str, *shape: int) -> Tensor:
    return Tensor(name, shape, F32, size=4 * shape[0] * (shape[1] if len(shape) > 1 else 1))


def tiny() -> Gguf:
    """Return one layer with the shapes of a Llama; it says nothing of sense, but it decodes."""
    layer = [
        tensor("blk.0.attn_norm.weight", WIDTH),
        tensor("blk.0.attn_q.weight", WIDTH, WIDTH),
        tensor("blk.0.attn_k.weight", WIDTH, WIDTH // 2),
        tensor("blk.0.attn_v.weight", WIDTH, WIDTH // 2),
        tensor("blk.0.attn_output.weight", WIDTH, WIDTH),
        tensor("blk.0.ffn_norm.weight", WIDTH),
        tensor("blk.0.ffn_gate.weight", WIDTH, FORWARD),
        tensor("blk.0.ffn_up.weight", WIDTH, FORWARD),
        tensor("blk.0.ffn_down.weight", FORWARD, WIDTH),
    ]
    whole = [tensor("token_embd.weight", WIDTH, len(TOKENS)), tensor("output_norm.weight", WIDTH)]
    metadata: dict[Any, Any] = {
        "general.architecture": ("str", "llama"),
        "general.file_type": ("u32", 0),
        "llama.block_count": ("u32", 1),
        "llama.context_length": ("u32", 512),
        "llama.embedding_length": ("u32", WIDTH),
        "llama.feed_forward_length": ("u32", FORWARD),
        "llama.attention.head_count": ("u32", HEADS),
        "llama.attention.head_count_kv": ("u32", HEADS // 2),
        "llama.attention.layer_norm_rms_epsilon": ("f32", 1e-5),
        "llama.rope.dimension_count": ("u32", WIDTH // HEADS),
        "tokenizer.ggml.model": ("str", "llama"),
        "tokenizer.ggml.tokens": Array("str", TOKENS),
        "tokenizer.ggml.scores": Array("f32", [-float(index) for index in range(len(TOKENS))]),
        "tokenizer.ggml.token_type": Array("i32", TYPES),
        "tokenizer.ggml.bos_token_id": ("u32", 1),
        "tokenizer.ggml.eos_token_id": ("u32", 2),
    }
    return Gguf(metadata=metadata, tensors=whole + layer)


def windowed() -> Gguf:
    """Return two layers with the shapes of a Gemma 3, the first of which looks back 16 tokens only."""
    model = tiny()
    _rename(model, "gemma3")
    model.metadata |= {
        "gemma3.block_count": ("u32", 2),
        "gemma3.context_length": ("u32", 2048),
        "gemma3.attention.sliding_window": ("u32", 16),
        "gemma3.attention.sliding_window_pattern": ("u32", 2),
        "gemma3.attention.key_length": ("u32", WIDTH // HEADS),
        "gemma3.attention.value_length": ("u32", WIDTH // HEADS),
    }
    layers = [each for each in model.tensors if str(each.name).startswith("blk.")]
    layers += [tensor(f"blk.0.{name}_norm.weight", WIDTH) for name in ("post_attention", "post_ffw")]
    layers += [tensor(f"blk.0.attn_{name}_norm.weight", WIDTH // HEADS) for name in "qk"]
    whole = [each for each in model.tensors if each not in layers]
    whole.append(tensor("output.weight", WIDTH, len(TOKENS)))
    second = [tensor(str(each.name).replace("blk.0", "blk.1"), *each.shape) for each in layers]
    return Gguf(metadata=model.metadata, tensors=whole + layers + second)


def recurrent() -> Gguf:
    """Return one layer with the shapes of a Mamba: a state instead of a KV cache."""
    model = tiny()
    _rename(model, "mamba")
    inner, state, rank, kernel = 2 * WIDTH, 16, 2, 4
    model.metadata |= {
        "mamba.context_length": ("u32", 2048),
        "mamba.ssm.conv_kernel": ("u32", kernel),
        "mamba.ssm.inner_size": ("u32", inner),
        "mamba.ssm.state_size": ("u32", state),
        "mamba.ssm.time_step_rank": ("u32", rank),
        "mamba.attention.head_count": ("u32", 0),
        "mamba.feed_forward_length": ("u32", 0),
    }
    layer = [
        tensor("blk.0.attn_norm.weight", WIDTH),
        tensor("blk.0.ssm_in.weight", WIDTH, 2 * inner),
        tensor("blk.0.ssm_conv1d.weight", kernel, inner),
        tensor("blk.0.ssm_conv1d.bias", inner),
        tensor("blk.0.ssm_x.weight", inner, rank + 2 * state),
        tensor("blk.0.ssm_dt.weight", rank, inner),
        tensor("blk.0.ssm_dt.bias", inner),
        tensor("blk.0.ssm_a", state, inner),
        tensor("blk.0.ssm_d", inner),
        tensor("blk.0.ssm_out.weight", inner, WIDTH),
    ]
    whole = [each for each in model.tensors if not str(each.name).startswith("blk.")]
    return Gguf(metadata=model.metadata, tensors=whole + layer)


EXTREMES = [0, 1, 2, 3, 5, 7, 8, 16, 31, 33, 64, 255, 1024, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
SMALL_FLOATS = [0.0, -1.0, 1e-30, 1e30, float("inf"), float("nan")]
KINDS = ["llama", "gpt2", "bert", "t5", "rwkv", "plamo2", "none", "no_vocab", "gemma4", "hybriddna"]
PRE = ["default", "llama-bpe", "deepseek-llm", "falcon", "qwen2", "gpt-4o", "tekken", "chameleon", "viking"]
COUNTS = [
    "vocab_size", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
    "attention.head_count_kv", "attention.key_length", "attention.value_length", "rope.dimension_count",
    "attention.sliding_window", "attention.sliding_window_pattern", "expert_count", "expert_used_count",
    "leading_dense_block_count", "attention.q_lora_rank", "attention.kv_lora_rank", "ssm.conv_kernel",
    "ssm.inner_size", "ssm.state_size", "ssm.time_step_rank", "ssm.group_count", "wkv.head_size",
    "rope.scaling.original_context_length", "attention.causal", "pooling_type", "embedding_length_out",
    "nextn_predict_layers", "expert_gating_func", "attention.group_norm_groups", "shortconv.l_cache",
    "decoder_block_count", "attention.indexer.head_count", "attention.shared_kv_layers",
    "embedding_length_per_layer_input", "token_shift_count", "interleave_moe_layer_step",
]  # fmt: skip
FLOATS = [
    "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "rope.freq_base",
    "rope.scaling.factor", "rope.scaling.attn_factor", "attention.clamp_kqv", "logit_scale",
    "attention.max_alibi_bias", "attn_logit_softcapping", "residual_scale",
    "embedding_scale", "attention.scale",
]  # fmt: skip
SPECIAL = ["bos", "eos", "unknown", "seperator", "padding", "cls", "mask", "eot", "fim_pre", "prefix"]
ARCHITECTURES = [
    "gpt2", "gptj", "falcon", "mpt", "starcoder", "bert", "nomic-bert", "t5", "t5encoder", "bloom", "qwen2",
    "qwen2moe", "qwen3", "qwen3moe", "qwen3next", "phi2", "phi3", "plamo", "plamo2", "gemma", "gemma2",
    "gemma3", "gemma3n", "gemma4", "mamba", "mamba2", "jamba", "command-r", "cohere2", "olmo", "deepseek",
    "deepseek2", "chatglm", "minicpm3", "rwkv6", "rwkv7", "granite", "granitehybrid", "wavtokenizer-dec",
    "chameleon", "llama4", "falcon-h1", "nemotron_h", "lfm2", "gpt-oss", "exaone4", "smollm3", "dots1",
    "hunyuan-dense", "qwen2vl", "qwen3vl", "mimo2", "kimi-linear", "step35", "deci", "openelm",
    "mellum", "apertus",
]  # fmt: skip


def spoiled(seed: int) -> Gguf:
    """Return a model in which one to three things are not what they were; the same for the same seed."""
    chance = random.Random(seed)
    model = tiny()
    if chance.random() < 0.35:
        _rename(model, chance.choice(ARCHITECTURES))
    for _change in range(chance.randint(1, 3)):
        chance.choice(
            [_change_count, _change_count, _change_float, _change_vocabulary, _change_special, _change_tensor]
        )(model, chance)
    return model


def _rename(model: Gguf, architecture: str) -> None:
    model.metadata = {
        (f"{architecture}.{key[6:]}" if key.startswith("llama.") else key): value
        for key, value in model.metadata.items()
    }
    model.metadata["general.architecture"] = ("str", architecture)


def _key(model: Gguf, name: str) -> str:
    return f"{model.metadata['general.architecture'][1]}.{name}"


def _change_count(model: Gguf, chance: random.Random) -> None:
    model.metadata[_key(model, chance.choice(COUNTS))] = ("u32", chance.choice(EXTREMES))


def _change_float(model: Gguf, chance: random.Random) -> None:
    value = chance.choice([*SMALL_FLOATS, chance.uniform(-10, 10)])
    model.metadata[_key(model, chance.choice(FLOATS))] = ("f32", value)


def _change_vocabulary(model: Gguf, chance: random.Random) -> None:
    what = chance.randrange(6)
    if what == 0:
        model.metadata["tokenizer.ggml.model"] = ("str", chance.choice(KINDS))
    elif what == 1:
        model.metadata["tokenizer.ggml.model"] = ("str", "gpt2")
        model.metadata["tokenizer.ggml.pre"] = ("str", chance.choice(PRE))
        merges = ["a b", "b", "", "a  b", "a b c", "\u2581 a", "<s> </s>"]
        model.metadata["tokenizer.ggml.merges"] = Array("str", chance.choices(merges, k=chance.randint(0, 4)))
    elif what == 2:
        types = [chance.choice([0, 1, 2, 3, 4, 5, 6, 7, -1, 2**31 - 1]) for _token in TOKENS]
        model.metadata["tokenizer.ggml.token_type"] = Array("i32", types)
    elif what == 3:
        count = chance.choice([0, 1, 2, 3, 100])
        for name, kind, values in (("tokens", "str", TOKENS), ("scores", "f32", [0.0] * 300)):
            model.metadata[f"tokenizer.ggml.{name}"] = Array(kind, values[:count])
        model.metadata["tokenizer.ggml.token_type"] = Array("i32", TYPES[:count])
    elif what == 4:
        tokens = list(TOKENS)
        for _token in range(chance.randint(1, 40)):
            tokens[chance.randrange(len(tokens))] = (
                f"{chance.choice(['<0x', '<|', '', 'x' * 300])}{chance.random()}"
            )
        model.metadata["tokenizer.ggml.tokens"] = Array("str", tokens)
    else:
        content = [chance.randrange(256) for _byte in range(chance.choice([0, 1, 3, 4, 5, 8, 40]))]
        model.metadata["tokenizer.ggml.precompiled_charsmap"] = Array("u8", content)
        model.metadata["tokenizer.ggml.model"] = ("str", "t5")


def _change_special(model: Gguf, chance: random.Random) -> None:
    number = chance.choice([*EXTREMES, len(TOKENS) - 1, len(TOKENS)])
    model.metadata[f"tokenizer.ggml.{chance.choice(SPECIAL)}_token_id"] = ("u32", number)


def _change_tensor(model: Gguf, chance: random.Random) -> None:
    tensor = chance.choice(model.tensors)
    what = chance.randrange(3)
    if what == 0:
        tensor.shape = (*tensor.shape, 1)
    elif what == 1 and len(tensor.shape) == 2:
        tensor.shape = (tensor.shape[1], tensor.shape[0])
    else:
        tensor.type = chance.choice([0, 1, 2, 6, 8, 10, 12, 14, 16, 20, 24, 26, 28, 30, 34, 39])
        tensor.size *= 2


def aborting() -> Gguf:
    """Return a model with a sound header on which an assertion of llama.cpp fails while it is loaded."""
    model = tiny()
    _rename(model, "bailingmoe2")  # made of experts, and here are none
    model.metadata |= {
        "bailingmoe2.expert_feed_forward_length": ("u32", FORWARD),
        "bailingmoe2.expert_shared_count": ("u32", 1),
        "bailingmoe2.expert_gating_func": ("u32", 1),
    }
    model.tensors.append(Tensor("output.weight", (WIDTH, len(TOKENS)), F32, size=4 * WIDTH * len(TOKENS)))
    return model


def crashing() -> Gguf:
    """Return a model with a sound header that loads, and makes llama.cpp call a null pointer to compute."""
    model = tiny()
    weights = next(tensor for tensor in model.tensors if tensor.name == "blk.0.attn_v.weight")
    weights.type = I32
    return model
