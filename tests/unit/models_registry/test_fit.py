"""How a context is laid out, and what the header says about the layers."""

from pathlib import Path

import pytest
from gguf_writer import F16
from hypothesis import given
from hypothesis import strategies as st

from models_registry.fit import CELL_STEP, KV_BLOCKS, choose
from models_registry.gguf import read_header
from models_registry.header import Header, Tensor
from models_registry.layers import shape_of
from models_registry.tensor_types import TENSOR_TYPES


def header(architecture="llama", **keys):
    """Return a header as it would be read: 12 layers, 8 heads of 64 unless told otherwise."""
    usual = {
        "block_count": 12,
        "context_length": 131072,
        "embedding_length": 512,
        "feed_forward_length": 1024,
        "attention.head_count": 8,
        "attention.head_count_kv": 2,
    }
    given_keys = {name.replace("__", "."): value for name, value in keys.items()}
    metadata = {f"{architecture}.{name}": value for name, value in (usual | given_keys).items()}
    embedding = Tensor("token_embd.weight", (512, 1000), TENSOR_TYPES[F16], 0, 1_024_000)
    path = Path("made.gguf")
    return Header(path, (path,), 0, 3, {"general.architecture": architecture} | metadata, (embedding,))


def windows(header):
    return "".join("w" if layer.windowed else "F" for layer in shape_of(header).layers)


def test_a_plain_transformer():
    shape = shape_of(header())
    assert {(layer.key, layer.value, layer.windowed, layer.state) for layer in shape.layers} == {
        (128, 128, False, 0)
    }
    assert (len(shape.layers), shape.heads, shape.head_sizes, shape.window) == (12, 8, (64, 64), 0)


@pytest.mark.parametrize(
    ("architecture", "keys", "expected"),
    [
        ("gemma3", {}, "wwwwwFwwwwwF"),
        ("gemma2", {}, "wFwFwFwFwFwF"),
        ("gpt-oss", {}, "wFwFwFwFwFwF"),
        ("smallthinker", {}, "FwwwFwwwFwww"),
        ("gemma3", {"attention__sliding_window_pattern": 3}, "wwFwwFwwFwwF"),
        ("gemma4", {"attention__sliding_window_pattern": (True, True, False) * 4}, "wwFwwFwwFwwF"),
        ("phi3", {}, "FFFFFFFFFFFF"),  # llama.cpp does not use the window of this one
        ("llama", {}, "FFFFFFFFFFFF"),
        ("exaone4", {}, "FFFFFFFFFFFF"),
    ],
)
def test_which_layers_have_a_window(architecture, keys, expected):
    assert windows(header(architecture, attention__sliding_window=512, **keys)) == expected


def test_windows_that_stand_in_llama_cpp():
    assert shape_of(header("gemma2")).window == 4096
    assert shape_of(header("llama4")).window == 8192
    assert shape_of(header("llama4", attention__sliding_window=0)).window == 0


def test_layers_that_share_a_cache_have_none_of_their_own():
    shared = header("gemma4", attention__sliding_window=512, attention__shared_kv_layers=4)
    assert [bool(layer.key) for layer in shape_of(shared).layers] == [True] * 8 + [False] * 4


def test_one_latent_for_keys_and_values():
    mla = header(
        "deepseek2",
        attention__head_count_kv=1,
        attention__key_length=576,
        attention__key_length_mla=192,
        attention__value_length_mla=128,
    )
    assert {(layer.key, layer.value) for layer in shape_of(mla).layers} == {(576, 0)}


def test_hybrids_keep_states_and_a_cache():
    every_fourth = shape_of(
        header("qwen3next", ssm__conv_kernel=4, ssm__inner_size=64, ssm__state_size=16, ssm__group_count=2)
    )
    assert [bool(layer.state) for layer in every_fourth.layers] == [True, True, True, False] * 3
    assert [bool(layer.key) for layer in every_fourth.layers] == [False, False, False, True] * 3
    assert every_fourth.layers[0].state == 3 * (64 + 2 * 2 * 16) + 16 * 64
    both = shape_of(
        header("falcon-h1", ssm__conv_kernel=4, ssm__inner_size=64, ssm__state_size=16, ssm__group_count=1)
    )
    assert all(layer.state and layer.key for layer in both.layers)


def test_draft_layers_are_left_out():
    assert len(shape_of(header("qwen3", nextn_predict_layers=1)).layers) == 11


def test_without_a_gpu_attention_is_plain_while_its_scores_are_few():
    few, many = choose(header(), 8192), choose(header(), 32768)
    assert (few.flash_attention, many.flash_attention) == (False, True)
    assert choose(header(), 8192, gpu=True).flash_attention
    assert choose(header(), 8192, kv_type="q8_0", flash_attention=False).flash_attention
    assert not choose(header("grok"), 32768, kv_type="q8_0", flash_attention=True).flash_attention


def test_heads_that_are_no_whole_blocks_keep_f16():
    odd = header(attention__key_length=80, attention__value_length=80)
    assert choose(odd, 4096, kv_type="q4_0").kv_type == "f16"
    assert choose(header(), 4096, kv_type="q4_0").kv_type == "q4_0"


def test_fewer_sequences_where_each_takes_memory(gemma):
    assert choose(header(), 4096).sequences == 8
    assert choose(header("mamba", ssm__inner_size=64, ssm__state_size=16), 4096).sequences == 4
    model = read_header(gemma)
    assert choose(model, 4096).sequences == 2
    assert choose(model, 4096, whole_window=True).sequences == 8


@given(st.integers(1, 300_000), st.sampled_from(sorted(KV_BLOCKS)), st.integers(1, 2048), st.booleans())
def test_every_layout_is_one_that_llama_cpp_takes(context, kv_type, ubatch, gpu):
    layout = choose(header(), context, kv_type=kv_type, ubatch=ubatch, gpu=gpu)
    assert layout.context % CELL_STEP == 0
    assert context <= layout.context < context + CELL_STEP
    assert 1 <= layout.ubatch <= layout.context
    assert layout.outputs >= layout.sequences
    assert layout.flash_attention or layout.kv_type == "f16"
