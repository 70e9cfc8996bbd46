"""What a model is said to take, beside what llama.cpp really reserves."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from gguf_writer import F32, Array, Gguf, Tensor
from tiny_models import TOKENS, WIDTH, tiny, windowed

from models_registry.fit import KV_BLOCKS, Layout, choose
from models_registry.gguf import read_header
from models_registry.memory import Sizes, compute_buffer, estimate

MIB = 2**20


def real(path, layouts):
    """Return the bytes of KV cache and compute buffer of each layout."""
    return reported({path: layouts})[str(path)]


def reported(models):
    """Return what llama.cpp says of the layouts of several models, by path."""
    script = Path(__file__).parent / "context_report.py"
    given = json.dumps({str(path): [asdict(layout) for layout in each] for path, each in models.items()})
    command = [sys.executable, str(script)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def plain(
    context, kv_type="f16", flash_attention=True, ubatch=512, whole_window=True, sequences=8, outputs=16
):
    return Layout(context, kv_type, flash_attention, ubatch, whole_window, sequences, outputs)


LAYOUTS = [
    plain(4096, flash_attention=False),
    plain(8192),
    plain(8192, "q8_0"),
    plain(32768, "q4_0"),
    plain(32768, ubatch=128),
    plain(32768, flash_attention=False, ubatch=128),
    plain(32768, whole_window=False, sequences=4),
    plain(32768, flash_attention=False, whole_window=False, sequences=4),
    plain(8192, outputs=64),
    plain(256, ubatch=256),
]


@pytest.mark.parametrize("model", ["smollm2", "gemma"])
def test_cache_and_compute_buffer_are_those_of_llama_cpp(model, request):
    path = request.getfixturevalue(model)
    header = read_header(path)
    for layout, found in zip(LAYOUTS, real(path, LAYOUTS), strict=True):
        assert estimate(header, layout).kv_cache == pytest.approx(found["kv_cache"], abs=0.02 * MIB), layout
        assert compute_buffer(header, layout) == pytest.approx(found["compute"], abs=1.2 * MIB), layout


@pytest.mark.parametrize("model", ["smollm2", "gemma"])
def test_what_is_planned_is_within_two_per_cent(model, request):
    path = request.getfixturevalue(model)
    sizes, header = Sizes(read_header(path)), read_header(path)
    layouts = [
        choose(header, context, kv_type=kind, ubatch=ubatch)
        for context in (4096, 16384)
        for kind in KV_BLOCKS
        for ubatch in (512, 128)
    ]
    for layout, found in zip(layouts, real(path, layouts), strict=True):
        planned = sizes.memory(layout).kv_cache + sizes.compute_buffer(layout)
        assert planned == pytest.approx(found["kv_cache"] + found["compute"], rel=0.02), layout


def tensors(*shapes):
    return [
        Tensor(name, shape, F32, size=4 * shape[0] * (shape[1] if shape[1:] else 1))
        for name, *shape in shapes
    ]


def named(architecture, **changes):
    """Return the metadata of the tiny Llama under another name, with other numbers."""
    kept = {
        f"{architecture}.{key[6:]}" if key.startswith("llama.") else key: value
        for key, value in tiny().metadata.items()
    }
    numbers = {
        f"{architecture}.{key}": ("u32", value) if isinstance(value, int) else value
        for key, value in changes.items()
    }
    return kept | {"general.architecture": ("str", architecture)} | numbers


def mamba():
    """Return a model of which each layer is a state."""
    inner, state, rank, kernel = 2 * WIDTH, 16, 8, 4
    changes = {
        "ssm.inner_size": inner,
        "ssm.state_size": state,
        "ssm.time_step_rank": rank,
        "ssm.conv_kernel": kernel,
    }
    none = {"attention.head_count": 0, "attention.head_count_kv": 0}
    layer = [
        ("attn_norm.weight", WIDTH), ("ssm_in.weight", WIDTH, 2 * inner),
        ("ssm_conv1d.weight", kernel, inner), ("ssm_conv1d.bias", inner),
        ("ssm_x.weight", inner, rank + 2 * state), ("ssm_dt.weight", rank, inner),
        ("ssm_dt.bias", inner), ("ssm_a", state, inner), ("ssm_d", inner), ("ssm_out.weight", inner, WIDTH),
    ]  # fmt: skip
    whole = [("token_embd.weight", WIDTH, len(TOKENS)), ("output_norm.weight", WIDTH)]
    blocks = [(f"blk.{index}.{name}", *shape) for index in range(3) for name, *shape in layer]
    return Gguf(metadata=named("mamba", block_count=3, **changes, **none), tensors=tensors(*whole, *blocks))


def hybrid():
    """Return the shapes of an LFM2: a convolution, then attention."""
    size = WIDTH // 4
    feed = [
        ("ffn_norm.weight", WIDTH),
        ("ffn_gate.weight", WIDTH, 64),
        ("ffn_up.weight", WIDTH, 64),
        ("ffn_down.weight", 64, WIDTH),
    ]
    convolution = [
        ("attn_norm.weight", WIDTH), ("shortconv.conv.weight", 3, WIDTH),
        ("shortconv.in_proj.weight", WIDTH, 3 * WIDTH), ("shortconv.out_proj.weight", WIDTH, WIDTH), *feed,
    ]  # fmt: skip
    attention = [
        ("attn_norm.weight", WIDTH), ("attn_q_norm.weight", size), ("attn_k_norm.weight", size),
        ("attn_q.weight", WIDTH, WIDTH), ("attn_k.weight", WIDTH, 2 * size),
        ("attn_v.weight", WIDTH, 2 * size), ("attn_output.weight", WIDTH, WIDTH), *feed,
    ]  # fmt: skip
    whole = [("token_embd.weight", WIDTH, len(TOKENS)), ("token_embd_norm.weight", WIDTH)]
    blocks = [
        (f"blk.{i}.{name}", *shape)
        for i, layer in enumerate((convolution, attention))
        for name, *shape in layer
    ]
    changes = {"block_count": 2, "shortconv.l_cache": 3, "attention.head_count_kv": Array("u32", [0, 2])}
    return Gguf(metadata=named("lfm2", **changes), tensors=tensors(*whole, *blocks))


@pytest.mark.parametrize("make", [tiny, windowed, mamba, hybrid])
def test_the_cache_of_every_kind_of_layer_is_that_of_llama_cpp(make, tmp_path):
    path = make().write(tmp_path / "tiny.gguf")
    header = read_header(path)
    layouts = [
        plain(n, flash_attention=on, whole_window=False, sequences=s)
        for n, on, s in ((2048, True, 4), (8192, False, 1))
    ]
    for layout, found in zip(layouts, real(path, layouts), strict=True):
        assert estimate(header, layout).kv_cache == pytest.approx(found["kv_cache"], abs=0.02 * MIB), layout
        assert compute_buffer(header, layout) == pytest.approx(found["compute"], abs=1 * MIB), layout


def test_more_of_anything_takes_more(gemma):
    header = read_header(gemma)
    base = plain(8192, "q8_0", sequences=4, ubatch=256, whole_window=False)
    least = estimate(header, base).total
    for more in (
        plain(16384, "q8_0", sequences=4, ubatch=256, whole_window=False),
        plain(8192, "f16", sequences=4, ubatch=256, whole_window=False),
        plain(8192, "q8_0", sequences=4, ubatch=512, whole_window=False),
        plain(8192, "q8_0", sequences=4, ubatch=256, whole_window=True),
        plain(8192, "q8_0", sequences=8, ubatch=256, whole_window=False),
        plain(8192, "f16", flash_attention=False, sequences=4, ubatch=256, whole_window=False),
    ):
        assert estimate(header, more).total > least, more


def test_what_the_processor_repacks_is_there_twice(gemma):
    header = read_header(gemma)
    layout = choose(header, 4096)
    assert estimate(header, layout, gpu=True).weights == header.weights_size
    assert estimate(header, layout).weights > header.weights_size + 12 * MIB
