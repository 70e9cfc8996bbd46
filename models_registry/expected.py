"""The header that a model of the catalogue will have, before anything of it has been downloaded.

It says what fit, layers and memory ask for: the numbers of the layers, and how many bytes are stored in
which types. The tensors are not the model's own: they stand for all those of a kind together.
"""

from itertools import cycle, islice
from pathlib import Path

from models_registry.catalogue import CatalogueEntry, Quantization
from models_registry.header import Header, Tensor, Value
from models_registry.tensor_types import FILE_TYPES, TENSOR_TYPES, TensorType

_TYPES = {kind.name: kind for kind in TENSOR_TYPES.values()}
_NUMBERS = {label: number for number, (label, _type) in FILE_TYPES.items()}
# llama-quant.cpp: where a file is stored as the first, its more important weights are as the second.
_BETTER = {
    **dict.fromkeys(("Q2_K", "Q3_K", "Q4_0", "Q4_K", "Q5_K", "IQ4_XS", "IQ4_NL"), "Q6_K"),
    "MXFP4": "Q8_0",
}
_ROWS = 8  # a multiple of these, as with every genuine matrix


def expected_header(entry: CatalogueEntry, quantization: Quantization) -> Header:
    """Return what stands in place of the header of `entry`, stored as `quantization`."""
    width, tokens = entry.layout["embedding_length"], entry.vocabulary
    if not isinstance(width, int):
        raise TypeError(f"embedding_length is {width!r}")
    main = _TYPES[FILE_TYPES[_NUMBERS[quantization.name]][1]]
    better = _TYPES[_BETTER.get(main.name, main.name)]
    looked_up = [_tensor("token_embd.weight", width, tokens, main if entry.separate_output else better)]
    if entry.separate_output:
        looked_up.append(_tensor("output.weight", width, tokens, better))
    if beside := entry.layout.get("embedding_length_per_layer_input"):
        layers = entry.layout["block_count"]
        if isinstance(beside, int) and isinstance(layers, int):
            kind = max(main, _TYPES["Q5_0"], key=_bytes)
            looked_up.append(_tensor("per_layer_token_embd.weight", beside * layers, tokens, kind))
    elements = max(entry.parameters - sum(tensor.elements for tensor in looked_up), width)
    size = max(quantization.size - sum(tensor.size for tensor in looked_up), width)
    name = entry.repository.rpartition("/")[2]
    path = Path(f"{name.removesuffix('-GGUF')}-{quantization.name}.gguf")
    return Header(
        path=path,
        parts=(path,),
        file_size=quantization.size,
        version=3,
        metadata=_metadata(entry, quantization),
        tensors=(*looked_up, *_split(elements, size, width, main, better)),
    )


def _metadata(entry: CatalogueEntry, quantization: Quantization) -> dict[str, Value]:
    blocks = entry.layout["block_count"]
    numbers: dict[str, Value] = {
        f"{entry.architecture}.{key}": tuple(islice(cycle(value), blocks))
        if isinstance(value, tuple) and isinstance(blocks, int)
        else value
        for key, value in entry.layout.items()
    }
    return {
        "general.architecture": entry.architecture,
        "general.name": entry.name,
        "general.file_type": _NUMBERS[quantization.name],
        "tokenizer.ggml.model": entry.tokenizer,
        f"{entry.architecture}.context_length": entry.context_length,
        **numbers,
    }


def _split(elements: int, size: int, width: int, main: TensorType, better: TensorType) -> list[Tensor]:
    """Return the weights of all layers: so many of each type that they take `size` bytes together."""
    least, most = _bytes(main), _bytes(better)
    share = (size / elements - least) / (most - least) if most > least else 0.0
    share = min(max(share, 0.0), 1.0)
    made = []
    for name, kind, part in (("blk.0.a.weight", main, 1 - share), ("blk.0.b.weight", better, share)):
        rows = round(elements * part / width / _ROWS) * _ROWS
        if rows:
            made.append(_tensor(name, width, rows, kind))
    return made


def _bytes(kind: TensorType) -> float:
    """Return the bytes of one weight."""
    return kind.size / kind.block


def _tensor(name: str, width: int, rows: int, kind: TensorType) -> Tensor:
    return Tensor(name, (width, rows), kind, offset=0, size=width * rows * kind.size // kind.block)
