"""The tables of types against the libraries that will read the files."""

import pytest
from ggml_library import Ggml

from models_registry.tensor_types import FILE_TYPES, TENSOR_TYPES


@pytest.mark.parametrize("number", range(43))
def test_block_and_size_are_those_of_ggml(ggml: Ggml, number: int) -> None:
    name, block, size = ggml.tensor_type(number)
    if block == 0:
        assert number not in TENSOR_TYPES
    else:
        known = TENSOR_TYPES[number]
        assert (known.name.lower(), known.block, known.size) == (name.lower(), block, size)


def test_labels_are_those_of_llama_cpp_and_none_is_left_out(ggml: Ggml) -> None:
    # "Q4_K - Medium" and the like are spelled out where this app, as the field does, writes letters.
    spelled = {"- Small": "_S", "- Medium": "_M", "- Large": "_L", "mix": "_M"}
    for number in range(64):
        said = ggml.file_type(number)
        if said.startswith("unknown"):
            assert number not in FILE_TYPES
            continue
        name, _, note = said.removeprefix("all ").partition(" ")
        if name == "Q2_K":
            note = note.removeprefix("- Medium")
        letter = next((short for long, short in spelled.items() if note.startswith(long)), "")
        if note.startswith("mix"):
            name = name.removesuffix("_S")
        label, kind = FILE_TYPES[number]
        assert label == name + letter
        assert kind in {tensor.name for tensor in TENSOR_TYPES.values()}
