"""What models of every kind keep of what they read: worked out by hand, planned, and reserved by llama.cpp.

The numbers by hand come from each model's `config.json` (see `published_models.PUBLISHED` for where it
stands): layers × heads for keys and values × the size of a head, once for keys and once for values. Where
that is not all, the paper says what is kept. Sliding windows: Gemma 2, https://arxiv.org/abs/2408.00118;
Gemma 3, https://arxiv.org/abs/2503.19786; gpt-oss, https://arxiv.org/abs/2508.10925. One latent vector for
keys and values: DeepSeek-V2, https://arxiv.org/abs/2405.04434, 2.1: 512 of the latent, 64 of the rotated key.
The state of a recurrent layer, what the convolution looks back on and the state itself: Mamba,
https://arxiv.org/abs/2312.00752; Mamba 2, https://arxiv.org/abs/2405.21060; Jamba,
https://arxiv.org/abs/2403.19887; Falcon-H1, https://arxiv.org/abs/2507.22448; Gated DeltaNet,
https://arxiv.org/abs/2412.06464.
"""

import sys
from typing import NamedTuple

import pytest
from published_models import PUBLISHED, shapes_of
from test_memory import MIB, reported

from models_registry.fit import KV_BLOCKS, choose
from models_registry.gguf import read_header
from models_registry.memory import Sizes
from models_registry.rope import choose as choose_rope


class Kept(NamedTuple):
    """Elements that a token leaves in full layers and in windowed ones; the window; numbers of a state."""

    full: int
    windowed: int = 0
    window: int = 0
    state: int = 0


BY_HAND = {
    "llama-2-7b": Kept(32 * 32 * 128 * 2),
    "llama-2-70b": Kept(80 * 8 * 128 * 2),
    "llama-3-8b": Kept(32 * 8 * 128 * 2),
    "llama-3.1-70b": Kept(80 * 8 * 128 * 2),
    "llama-3.2-1b": Kept(16 * 8 * 64 * 2),
    # Of four layers three look into chunks of 8,192 tokens.
    "llama-4-scout": Kept(12 * 8 * 128 * 2, 36 * 8 * 128 * 2, 8192),
    "mistral-7b": Kept(32 * 8 * 128 * 2),
    "mixtral-8x7b": Kept(32 * 8 * 128 * 2),
    "mistral-nemo-12b": Kept(40 * 8 * 128 * 2),
    "qwen-2.5-0.5b": Kept(24 * 2 * 64 * 2),
    "qwen-2.5-7b": Kept(28 * 4 * 128 * 2),
    "qwen-3-8b": Kept(36 * 8 * 128 * 2),
    "qwen-3-30b-a3b": Kept(48 * 4 * 128 * 2),
    # Every fourth layer attends; 3 steps back over 4,096 + 2 × 16 × 128 channels, and 32 heads of 128 × 128.
    "qwen-3-next-80b": Kept(12 * 2 * 256 * 2, state=36 * (3 * 8192 + 32 * 128 * 128)),
    "phi-2": Kept(32 * 32 * 80 * 2),
    "phi-3-mini": Kept(32 * 32 * 96 * 2),  # llama.cpp does not use its window
    "phi-4": Kept(40 * 10 * 128 * 2),
    "falcon-7b": Kept(32 * 1 * 64 * 2),
    "falcon-40b": Kept(60 * 8 * 64 * 2),
    "gemma-7b": Kept(28 * 16 * 256 * 2),
    "gemma-2-9b": Kept(21 * 8 * 256 * 2, 21 * 8 * 256 * 2, 4096),
    "gemma-3-4b": Kept(5 * 4 * 256 * 2, 29 * 4 * 256 * 2, 1024),  # of 34 layers every sixth sees everything
    "gemma-3-27b": Kept(10 * 16 * 128 * 2, 52 * 16 * 128 * 2, 1024),  # of 62
    # 15 of 35 layers share the cache of others; of the first 20 every fifth sees everything.
    "gemma-3n-e4b": Kept(4 * 2 * 256 * 2, 16 * 2 * 256 * 2, 512),
    "deepseek-v2-lite": Kept(27 * (512 + 64)),
    "deepseek-v3": Kept(61 * (512 + 64)),
    "mamba-2.8b": Kept(0, state=64 * (3 * 5120 + 16 * 5120)),
    "mamba-codestral-7b": Kept(0, state=64 * (3 * (8192 + 2 * 8 * 128) + 128 * 8192)),
    "jamba-mini": Kept(4 * 8 * 128 * 2, state=28 * (3 * 8192 + 16 * 8192)),
    "gpt-oss-20b": Kept(12 * 8 * 64 * 2, 12 * 8 * 64 * 2, 128),
    "command-r7b": Kept(8 * 8 * 128 * 2, 24 * 8 * 128 * 2, 4096),
    "falcon-h1-7b": Kept(44 * 2 * 128 * 2, state=44 * (3 * (3072 + 2 * 256) + 256 * 3072)),
    "lfm2-1.2b": Kept(6 * 8 * 64 * 2, state=10 * 2048 * 2),
    "exaone-4-32b": Kept(16 * 8 * 128 * 2, 48 * 8 * 128 * 2, 4096),
}
# What the model's page states: parameters in milliards, tokens, and tables of them (two where the output has
# its own). Without what sees pictures, and without Gemma 3n's and Qwen 3 Next's parts of other kinds.
PARAMETERS = {
    "llama-2-7b": (6.74, 32000, 2),
    "llama-2-70b": (69.0, 32000, 2),
    "llama-3-8b": (8.03, 128256, 2),
    "llama-3.1-70b": (70.6, 128256, 2),
    "llama-3.2-1b": (1.24, 128256, 1),
    "llama-4-scout": (107.8, 202048, 2),
    "mistral-7b": (7.24, 32000, 2),
    "mixtral-8x7b": (46.7, 32000, 2),
    "mistral-nemo-12b": (12.2, 131072, 2),
    "qwen-2.5-0.5b": (0.49, 151936, 1),
    "qwen-2.5-7b": (7.62, 152064, 2),
    "qwen-3-8b": (8.19, 151936, 2),
    "qwen-3-30b-a3b": (30.5, 151936, 2),
    "phi-2": (2.78, 51200, 2),
    "phi-3-mini": (3.82, 32064, 2),
    "phi-4": (14.7, 100352, 2),
    "falcon-7b": (7.22, 65024, 2),
    "falcon-40b": (41.8, 65024, 2),
    "gemma-7b": (8.54, 256000, 1),
    "gemma-2-9b": (9.24, 256000, 1),
    "gemma-3-4b": (3.88, 262208, 1),
    "gemma-3-27b": (27.0, 262208, 1),
    "deepseek-v2-lite": (15.7, 102400, 2),
    "deepseek-v3": (671.0, 129280, 2),
    "mamba-2.8b": (2.77, 50280, 1),
    "mamba-codestral-7b": (7.29, 32768, 2),
    "jamba-mini": (51.6, 65536, 2),
    "gpt-oss-20b": (20.9, 201088, 2),
    "command-r7b": (8.03, 256000, 1),
    "falcon-h1-7b": (7.59, 130049, 2),
    "lfm2-1.2b": (1.17, 65536, 1),
    "exaone-4-32b": (32.0, 102400, 2),
}
ODD_HEADS = {"phi-2"}  # of 80, which is no whole number of blocks of 32: they stay f16

sparse = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="files with holes take their full size"
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    return {name: model.write(folder / f"{name}.gguf", shapes_of(name)) for name, model in PUBLISHED.items()}


@pytest.fixture(scope="module")
def headers(files):
    return {name: read_header(path) for name, path in files.items()}


@sparse
def test_the_table_is_whole():
    assert len(BY_HAND) >= 30
    assert BY_HAND.keys() == PUBLISHED.keys()


@sparse
@pytest.mark.parametrize("name", PARAMETERS)
def test_the_configuration_is_that_of_the_model(name, headers):
    header = headers[name]
    milliards, tokens, tables = PARAMETERS[name]
    words = {"token_embd.weight", "output.weight"}
    others = sum(tensor.elements for tensor in header.tensors if tensor.name not in words)
    assert others + tables * tokens * header.embedding_length == pytest.approx(milliards * 1e9, rel=0.01)


@sparse
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_cache_is_what_was_worked_out_by_hand(name, headers):
    sizes, kept = Sizes(headers[name]), BY_HAND[name]
    for context in (8192, 32768):
        for kind in KV_BLOCKS:
            layout = choose(headers[name], context, kv_type=kind, flash_attention=True)
            block, size = KV_BLOCKS["f16" if name in ODD_HEADS else kind]
            window = min(context, -(-(kept.window * layout.sequences + 512) // 256) * 256)
            elements = context * kept.full + window * kept.windowed
            expected = elements * size // block + 4 * kept.state * layout.sequences
            assert sizes.memory(layout).kv_cache == expected, (context, kind)


@sparse
def test_the_cache_is_what_llama_cpp_reserves(files, headers):
    layouts = {
        name: [
            choose(header, 8192, flash_attention=True),
            choose(header, 16384, kv_type="q8_0", ubatch=128),
            choose(header, 4096, flash_attention=False, whole_window=True, ubatch=256),
        ]
        for name, header in headers.items()
        if "mamba" not in name  # whose states are really reserved: one is enough
    }
    layouts["mamba-2.8b"] = [choose(headers["mamba-2.8b"], 4096)]
    found = reported({files[name]: each for name, each in layouts.items()})
    for name, each in layouts.items():
        sizes = Sizes(headers[name])
        for layout, real in zip(each, found[str(files[name])], strict=True):
            planned = sizes.memory(layout).kv_cache
            assert planned == pytest.approx(real["kv_cache"], abs=0.03 * MIB), (name, layout)
            # What is computed in between is exact for some families and rough for others.
            compute = sizes.compute_buffer(layout)
            assert compute == pytest.approx(real["compute"], rel=0.85, abs=1.5 * MIB), (name, layout)


@sparse
@pytest.mark.parametrize("name", PUBLISHED)
def test_positions_are_left_alone_up_to_what_the_file_states(name, headers):
    header = headers[name]
    assert choose_rope(header, min(header.context_length, 65536)).from_file
