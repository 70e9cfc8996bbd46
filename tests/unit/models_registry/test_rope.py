"""How positions are scaled, as headers declare it."""

from pathlib import Path

import pytest

from models_registry.header import Header
from models_registry.rope import Rope, declared

NUMBERS = {
    "general.architecture": "llama",
    "llama.context_length": 8192,
    "llama.block_count": 2,
    "llama.embedding_length": 512,
    "llama.attention.head_count": 8,
}


def header(**keys):
    metadata = {f"llama.{name.replace('__', '.')}": value for name, value in keys.items()}
    metadata = NUMBERS | metadata
    return Header(Path("a.gguf"), (Path("a.gguf"),), 1, 3, metadata, ())


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({}, Rope("none", 1.0, 10_000.0, 1.0, 8192)),
        ({"rope__freq_base": 1e6}, Rope("none", 1.0, 1e6, 1.0, 8192)),
        ({"rope__scaling__factor": 4.0}, Rope("linear", 4.0, 10_000.0, 0.25, 8192)),
        ({"rope__scale_linear": 2.0}, Rope("linear", 2.0, 10_000.0, 0.5, 8192)),
        ({"rope__scaling__type": "none", "rope__scaling__factor": 4.0},
         Rope("none", 1.0, 10_000.0, 1.0, 8192)),
        ({"rope__scaling__type": "yarn", "rope__scaling__factor": 4.0,
          "rope__scaling__original_context_length": 2048},
         Rope("yarn", 4.0, 10_000.0, 0.25, 2048)),
        ({"rope__scaling__type": "longrope"}, Rope("longrope", 1.0, 10_000.0, 1.0, 8192)),
        ({"rope__scaling__factor": float("nan"), "rope__freq_base": -1.0},
         Rope("none", 1.0, 10_000.0, 1.0, 8192)),
    ],
)  # fmt: skip
def test_what_a_header_leaves_out_is_as_llama_cpp_takes_it(keys, wanted):
    found = declared(header(**keys))
    names = ("type", "factor", "freq_base", "freq_scale", "original_context")
    assert [getattr(found, name) for name in names] == [getattr(wanted, name) for name in names]
