"""The header reader on sound files and on every kind of bad one."""

import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from gguf_writer import F32, Array, Gguf, Raw, Tensor, model, string, write_shards

from models_registry.errors import ModelFileError, Problem
from models_registry.gguf import read_header

TOKENS = "tokenizer.ggml.tokens"
LLAMA = "llama.{}".format


def sentence_pieces(tokens: list[str]) -> dict[str, object]:
    """Return the metadata of a SentencePiece vocabulary."""
    return {
        TOKENS: Array("str", tokens),
        "tokenizer.ggml.scores": Array("f32", [0.0] * len(tokens)),
        "tokenizer.ggml.token_type": Array("i32", [1] * len(tokens)),
        "tokenizer.ggml.model": ("str", "llama"),
    }


def problem_of(path: Path) -> Problem:
    with pytest.raises(ModelFileError) as caught:
        read_header(path)
    assert caught.value.detail
    assert str(caught.value) == f"{caught.value.problem}: {caught.value.detail}"
    if not any(words in caught.value.detail for words in ("tokens repeats", "tokens has no token")):
        with pytest.raises(ModelFileError) as sooner:  # everything else is found without comparing tokens
            read_header(path, vocabulary=False)
        assert str(sooner.value) == str(caught.value)
    return caught.value.problem


def test_smollm2(smollm2: Path) -> None:
    header = read_header(smollm2)
    assert header.path == smollm2
    assert header.parts == (smollm2,)
    assert header.file_size == smollm2.stat().st_size
    assert header.version == 3
    assert header.architecture == "llama"
    assert header.name == "SmolLM2 135M Instruct"
    assert header.quantization == "Q4_1"
    assert header.parameter_count == 134_515_008
    assert header.weights_size == 96_576_768
    assert header.context_length == 8192
    assert header.block_count == 30
    assert header.embedding_length == 576
    assert "<|im_start|>" in header.chat_template
    assert not header.is_base
    assert header.license == "apache-2.0"
    assert header.size_label == "135M"
    assert header.metadata["general.languages"] == ("en",)
    assert header.metadata["llama.rope.freq_base"] == 100_000.0
    assert header.metadata["tokenizer.ggml.add_bos_token"] is False
    assert TOKENS not in header.metadata
    assert len(header.tensors) == 272
    last = header.tensors[-1]
    assert last.offset + last.size == header.file_size
    embedding = next(tensor for tensor in header.tensors if tensor.name == "token_embd.weight")
    assert (embedding.shape, embedding.type.name, embedding.elements) == ((576, 49_152), "Q8_0", 576 * 49_152)


def test_gemma(gemma: Path) -> None:
    header = read_header(gemma)
    assert header.name == "Gemma 3 270M"
    assert header.architecture == "gemma3"
    # Its rows of 640 do not fill blocks of 256, so most tensors are of the types that stand in for Q4_K.
    assert header.quantization == "Q4_K_M"
    assert header.parameter_count == 268_098_176
    assert header.context_length == 32_768
    assert header.is_base
    assert header.license == "gemma"


def test_without_comparing_the_tokens_the_same_is_read(smollm2: Path, gemma: Path) -> None:
    for path in (smollm2, gemma):
        assert read_header(path, vocabulary=False) == read_header(path)


def test_a_tiny_model(tmp_path: Path) -> None:
    header = read_header(model().write(tmp_path / "Tiny-1M-F16.gguf"))
    assert header.name == "Tiny 1M"
    assert header.quantization == "F16"
    assert [tensor.name for tensor in header.tensors] == [
        "token_embd.weight",
        "output_norm.weight",
        "output.weight",
    ]
    assert header.parameter_count == 288
    assert header.weights_size == 640
    assert header.metadata[TOKENS] == ("<s>", "</s>", "a", "b")
    assert header.license == ""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("u8", 255),
        ("i8", -128),
        ("u16", 65_535),
        ("i16", -1),
        ("u32", 2**32 - 1),
        ("i32", -(2**31)),
        ("f32", 0.5),
        ("bool", True),
        ("str", "a string, ü"),
        ("u64", 2**64 - 1),
        ("i64", -(2**63)),
        ("f64", 1e300),
    ],
)
def test_every_type_of_value(tmp_path: Path, kind: str, value: object) -> None:
    path = model({"one": (kind, value), "many": Array(kind, [value] * 3)}).write(tmp_path / "m.gguf")
    metadata = read_header(path).metadata
    assert metadata["one"] == value
    assert metadata["many"] == (value,) * 3


@pytest.mark.parametrize(
    "gguf",
    [
        model(version=2),
        model({"general.alignment": ("u32", 64)}, alignment=64),
        model({"llama.attention.head_count": Array("i32", [4, 0]), LLAMA("attention.head_count_kv"): None}),
        model({LLAMA("expert_count"): ("u32", 8), LLAMA("expert_used_count"): ("u32", 2)}),
        model({LLAMA("expert_count"): ("u32", 8), LLAMA("expert_used_count"): Array("u32", [2, 1])}),
        model({LLAMA("rope.scaling.type"): ("str", "yarn")}),
        model({LLAMA("rope.scaling.type"): ("str", "longrope\0ignored")}),
        model({TOKENS: Array("str", ["", "", "a", "b"])}),
        model({TOKENS: None, "tokenizer.ggml.scores": None, "tokenizer.ggml.token_type": None}),
        model({"long": Array("u8", [7] * 513), "longer": Array("str", ["x"] * 513)}),
        model({"general.name": ("str", b"\xff\xfe is no UTF-8")}),
    ],
)
def test_sound_files_are_read(tmp_path: Path, gguf: Gguf) -> None:
    header = read_header(gguf.write(tmp_path / "m.gguf"))
    assert len(header.tensors) == 3
    assert "long" not in header.metadata
    last = header.tensors[-1]
    assert last.offset % gguf.alignment == 0
    assert (tmp_path / "m.gguf").read_bytes()[last.offset : last.offset + last.size] == b"\x01" * 256


def test_an_architecture_unknown_here_is_no_problem(tmp_path: Path) -> None:
    keys = ("block_count", "context_length", "embedding_length")
    path = model(
        {"general.architecture": ("str", "new"), **{f"new.{key}": ("u32", 32) for key in keys}}
    ).write(tmp_path / "m.gguf")
    assert read_header(path).block_count == 32


def test_one_expert_that_llama_cpp_forgets(tmp_path: Path) -> None:
    numbers = {"block_count": 2, "context_length": 32, "embedding_length": 32, "expert_used_count": 1}
    keys = {f"hunyuan-dense.{key}": ("u32", number) for key, number in numbers.items()}
    gguf = model({"general.architecture": ("str", "hunyuan-dense"), **keys})
    assert read_header(gguf.write(tmp_path / "m.gguf")).architecture == "hunyuan-dense"


BAD: dict[str, tuple[Callable[[], Gguf], Problem]] = {
    "version 1": (lambda: model(version=1), Problem.UNSUPPORTED_VERSION),
    "version 4": (lambda: model(version=4), Problem.UNSUPPORTED_VERSION),
    "version 0": (lambda: model(version=0), Problem.CORRUPT),
    "version at random": (lambda: model(version=0x9F31C2D4), Problem.CORRUPT),
    "big-endian": (lambda: model(version=3 << 24), Problem.BIG_ENDIAN),
    "ggjt": (lambda: model(magic=b"tjgg"), Problem.UNSUPPORTED_VERSION),
    "another magic": (lambda: model(magic=b"PK\x03\x04"), Problem.NOT_GGUF),
    "2^63 tensors": (lambda: model(tensor_count=2**63), Problem.CORRUPT),
    "2^63 pairs": (lambda: model(pair_count=2**63), Problem.CORRUPT),
    "2^64 - 1 of both": (lambda: model(tensor_count=2**64 - 1, pair_count=2**64 - 1), Problem.CORRUPT),
    "too many tensors for the file": (lambda: model(tensor_count=1000), Problem.TRUNCATED),
    "too many pairs for the file": (lambda: model(pair_count=1000), Problem.TRUNCATED),
    "empty key": (lambda: model({"": ("u8", 1)}), Problem.CORRUPT),
    "key not UTF-8": (lambda: model({b"\xff": ("u8", 1)}), Problem.CORRUPT),
    "key with NUL": (lambda: model({"a\0b": ("u8", 1)}), Problem.CORRUPT),
    "key too long": (lambda: model({"k" * 65_536: ("u8", 1)}), Problem.CORRUPT),
    "key twice": (
        lambda: model(pair_count=12, more_pairs=string("general.architecture") + struct.pack("<IB", 0, 1)),
        Problem.CORRUPT,
    ),
    "array key twice": (
        lambda: model(pair_count=12, more_pairs=string(TOKENS) + struct.pack("<IB", 0, 1)),
        Problem.CORRUPT,
    ),
    "type 13": (lambda: model({"k": Raw(struct.pack("<I", 13))}), Problem.CORRUPT),
    "type 2^32 - 1": (lambda: model({"k": Raw(b"\xff" * 4)}), Problem.CORRUPT),
    "array of type 13": (lambda: model({"k": Raw(struct.pack("<IIQ", 9, 13, 1))}), Problem.CORRUPT),
    "array of arrays": (lambda: model({"k": Raw(struct.pack("<IIQ", 9, 9, 1))}), Problem.CORRUPT),
    "string of 2^63 bytes": (lambda: model({"k": Raw(struct.pack("<IQ", 8, 2**63))}), Problem.CORRUPT),
    "string past the end": (lambda: model({"k": Raw(struct.pack("<IQ", 8, 100_000))}), Problem.TRUNCATED),
    "array of 2^63 numbers": (lambda: model({"k": Array("u8", [], 2**63)}), Problem.CORRUPT),
    "array of 2^63 strings": (lambda: model({"k": Array("str", [], 2**63)}), Problem.CORRUPT),
    "array past the end": (lambda: model({"k": Array("u32", [], 2**20)}), Problem.TRUNCATED),
    "strings past the end": (lambda: model({"k": Array("str", [], 2**20)}), Problem.TRUNCATED),
    "string in an array of 2^63 bytes": (
        lambda: model({"k": Raw(struct.pack("<IIQQ", 9, 8, 1, 2**63))}),
        Problem.CORRUPT,
    ),
    "string in an array past the end": (
        lambda: model({"k": Raw(struct.pack("<IIQQ", 9, 8, 1, 100_000))}),
        Problem.TRUNCATED,
    ),
    "alignment 0": (lambda: model({"general.alignment": ("u32", 0)}), Problem.CORRUPT),
    "alignment 48": (lambda: model({"general.alignment": ("u32", 48)}), Problem.CORRUPT),
    "alignment 4": (lambda: model({"general.alignment": ("u32", 4)}), Problem.CORRUPT),
    "alignment 2 MiB": (lambda: model({"general.alignment": ("u32", 2 << 20)}), Problem.CORRUPT),
    "alignment a string": (lambda: model({"general.alignment": ("str", "32")}), Problem.CORRUPT),
    "0 dimensions": (lambda: model(tensors=[Tensor(shape=())]), Problem.CORRUPT),
    "5 dimensions": (lambda: model(tensors=[Tensor(shape=(32, 1, 1, 1, 1))]), Problem.CORRUPT),
    "2^32 - 1 dimensions": (lambda: model(tensors=[Tensor(dimensions=2**32 - 1)]), Problem.CORRUPT),
    "a dimension of 0": (lambda: model(tensors=[Tensor(shape=(32, 0))]), Problem.CORRUPT),
    "elements beyond 2^63": (lambda: model(tensors=[Tensor(shape=(2**32, 2**31))]), Problem.CORRUPT),
    "elements wrapping to 0": (lambda: model(tensors=[Tensor(shape=(2**32, 2**32))]), Problem.CORRUPT),
    "rows of half a block": (lambda: model(tensors=[Tensor(shape=(48, 2), type=8)]), Problem.CORRUPT),
    "tensor type removed from ggml": (lambda: model(tensors=[Tensor(type=31)]), Problem.UNSUPPORTED_FEATURE),
    "tensor type of the future": (lambda: model(tensors=[Tensor(type=43)]), Problem.UNSUPPORTED_FEATURE),
    "tensor type at random": (lambda: model(tensors=[Tensor(type=2**31)]), Problem.CORRUPT),
    "tensor twice": (lambda: model(tensors=[Tensor(), Tensor()]), Problem.CORRUPT),
    "tensor name too long": (lambda: model(tensors=[Tensor("n" * 64)]), Problem.CORRUPT),
    "tensor name with NUL": (lambda: model(tensors=[Tensor("n\0m")]), Problem.CORRUPT),
    "tensor not aligned": (lambda: model(tensors=[Tensor(), Tensor("b", offset=260)]), Problem.CORRUPT),
    "tensors overlapping": (lambda: model(tensors=[Tensor(), Tensor("b", offset=0)]), Problem.CORRUPT),
    "tensor offset 2^63": (lambda: model(tensors=[Tensor(offset=2**63)]), Problem.CORRUPT),
    "tensor past the end": (lambda: model(tensors=[Tensor(size=224)]), Problem.TRUNCATED),
    "tensor far past the end": (lambda: model(tensors=[Tensor(shape=(2**40,))]), Problem.TRUNCATED),
    "block_count 0": (lambda: model({LLAMA("block_count"): ("u32", 0)}), Problem.CORRUPT),
    "block_count 513": (lambda: model({LLAMA("block_count"): ("u32", 513)}), Problem.CORRUPT),
    "block_count a string": (lambda: model({LLAMA("block_count"): ("str", "2")}), Problem.CORRUPT),
    "block_count an array": (lambda: model({LLAMA("block_count"): Array("u32", [2])}), Problem.CORRUPT),
    "no block_count": (lambda: model({LLAMA("block_count"): None}), Problem.NOT_A_MODEL),
    "no context_length": (lambda: model({LLAMA("context_length"): None}), Problem.NOT_A_MODEL),
    "more next-token layers than layers": (
        lambda: model({LLAMA("nextn_predict_layers"): ("u32", 3)}),
        Problem.CORRUPT,
    ),
    "RoPE scaling dynamic": (
        lambda: model({LLAMA("rope.scaling.type"): ("str", "dynamic")}),
        Problem.UNSUPPORTED_FEATURE,
    ),
    "RoPE scaling a number": (
        lambda: model({LLAMA("rope.scaling.type"): ("u32", 1)}),
        Problem.UNSUPPORTED_FEATURE,
    ),
    "heads for 3 of 2 layers": (
        lambda: model({LLAMA("attention.head_count"): Array("u32", [4, 4, 4])}),
        Problem.CORRUPT,
    ),
    "heads for 600 of 2 layers": (
        lambda: model({LLAMA("attention.head_count"): Array("u32", [4] * 600)}),
        Problem.CORRUPT,
    ),
    "heads below 0": (lambda: model({LLAMA("attention.head_count"): ("i32", -1)}), Problem.CORRUPT),
    "heads a float": (lambda: model({LLAMA("attention.head_count"): ("f32", 4.0)}), Problem.CORRUPT),
    "heads in strings": (
        lambda: model({LLAMA("attention.head_count"): Array("str", ["4", "4"])}),
        Problem.CORRUPT,
    ),
    "2^31 heads": (lambda: model({LLAMA("attention.head_count"): ("u32", 2**31)}), Problem.CORRUPT),
    "more KV heads than heads": (
        lambda: model({LLAMA("attention.head_count_kv"): ("u32", 5)}),
        Problem.CORRUPT,
    ),
    "experts, none used": (lambda: model({LLAMA("expert_count"): ("u32", 8)}), Problem.CORRUPT),
    "more experts used than there are": (
        lambda: model({LLAMA("expert_count"): ("u32", 8), LLAMA("expert_used_count"): ("u32", 9)}),
        Problem.CORRUPT,
    ),
    "1025 experts": (
        lambda: model({LLAMA("expert_count"): ("u32", 1025), LLAMA("expert_used_count"): ("u32", 2)}),
        Problem.CORRUPT,
    ),
    "expert groups without experts": (
        lambda: model({LLAMA("expert_group_count"): ("u32", 2)}),
        Problem.CORRUPT,
    ),
    "expert groups of unequal size": (
        lambda: model(
            {
                LLAMA("expert_count"): ("u32", 8),
                LLAMA("expert_used_count"): ("u32", 2),
                LLAMA("expert_group_count"): ("u32", 3),
                LLAMA("expert_group_used_count"): ("u32", 1),
            }
        ),
        Problem.CORRUPT,
    ),
    "RMS epsilon below 0": (
        lambda: model({LLAMA("attention.layer_norm_rms_epsilon"): ("f32", -1e-5)}),
        Problem.CORRUPT,
    ),
    "epsilon not a number": (
        lambda: model({LLAMA("attention.layer_norm_epsilon"): ("f32", float("nan"))}),
        Problem.CORRUPT,
    ),
    "weights in doubles": (
        lambda: model(tensors=[Tensor(shape=(32, 1), type=28)]),
        Problem.UNSUPPORTED_FEATURE,
    ),
    "weights in single bytes": (
        lambda: model(tensors=[Tensor(shape=(32, 8), type=24)]),
        Problem.UNSUPPORTED_FEATURE,
    ),
    "SentencePiece without tokens for bytes": (
        lambda: model({"tokenizer.ggml.model": ("str", "llama")}),
        Problem.UNSUPPORTED_FEATURE,
    ),
    "SentencePiece with one byte missing": (
        lambda: model(sentence_pieces([f"<0x{byte:02X}>" for byte in range(1, 256)])),
        Problem.UNSUPPORTED_FEATURE,
    ),
    "WordPiece": (lambda: model({"tokenizer.ggml.model": ("str", "bert")}), Problem.NOT_FOR_CHAT),
    "no kind of vocabulary": (lambda: model({"tokenizer.ggml.model": ("str", "none")}), Problem.NOT_A_MODEL),
    "tokens twice": (lambda: model({TOKENS: Array("str", ["a", "b", "a", "c"])}), Problem.CORRUPT),
    "tokens twice up to the NUL": (
        lambda: model({TOKENS: Array("str", ["a\0x", "b", "a\0y", "c"])}),
        Problem.CORRUPT,
    ),
    "token with the name of an empty one": (
        lambda: model({TOKENS: Array("str", ["", "b", "[EMPTY_0]", "c"])}),
        Problem.CORRUPT,
    ),
    "tokens as numbers": (lambda: model({TOKENS: Array("u32", [1, 2, 3, 4])}), Problem.CORRUPT),
    "merges as numbers": (
        lambda: model({"tokenizer.ggml.merges": Array("u32", [1, 2, 3, 4])}),
        Problem.CORRUPT,
    ),
    "scores as strings": (
        lambda: model({"tokenizer.ggml.scores": Array("str", ["a", "b", "c", "d"])}),
        Problem.CORRUPT,
    ),
    "scores as doubles": (lambda: model({"tokenizer.ggml.scores": Array("f64", [0.0] * 4)}), Problem.CORRUPT),
    "fewer scores than tokens": (
        lambda: model({"tokenizer.ggml.scores": Array("f32", [0.0] * 3)}),
        Problem.CORRUPT,
    ),
    "token types unsigned": (
        lambda: model({"tokenizer.ggml.token_type": Array("u32", [1] * 4)}),
        Problem.CORRUPT,
    ),
    "fewer token types than tokens": (
        lambda: model({"tokenizer.ggml.token_type": Array("i32", [1] * 3)}),
        Problem.CORRUPT,
    ),
    "projector": (lambda: model({"general.type": ("str", "mmproj")}), Problem.PROJECTOR),
    "projector of old": (lambda: model({"general.architecture": ("str", "clip")}), Problem.PROJECTOR),
    "adapter": (lambda: model({"general.type": ("str", "adapter")}), Problem.ADAPTER),
    "adapter of old": (lambda: model({"adapter.type": ("str", "lora")}), Problem.ADAPTER),
    "importance matrix": (lambda: model({"general.type": ("str", "imatrix")}), Problem.NOT_A_MODEL),
    "embedding model": (
        lambda: model({LLAMA("attention.causal"): ("bool", False)}),
        Problem.NOT_FOR_CHAT,
    ),
    "no architecture": (lambda: model({"general.architecture": None}), Problem.NOT_A_MODEL),
    "architecture a number": (lambda: model({"general.architecture": ("u32", 1)}), Problem.NOT_A_MODEL),
    "vocabulary only": (lambda: model(tensors=[]), Problem.NOT_A_MODEL),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_their_problem(tmp_path: Path, name: str) -> None:
    build, problem = BAD[name]
    assert problem_of(build().write(tmp_path / "m.gguf")) is problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", Problem.TRUNCATED),
        (b"GG", Problem.TRUNCATED),
        (b"GGUF", Problem.TRUNCATED),
        (b"GGUF\x03\0\0\0", Problem.TRUNCATED),
        (b"PK", Problem.NOT_GGUF),
        (b"version https://git-lfs.github.com/spec/v1\n", Problem.NOT_GGUF),
        (b"<!DOCTYPE html>", Problem.NOT_GGUF),
        (b"GGUF" + bytes(range(7, 250)), Problem.CORRUPT),
    ],
)
def test_files_that_are_something_else(tmp_path: Path, content: bytes, problem: Problem) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert problem_of(path) is problem


@pytest.mark.timeout(5)
@pytest.mark.parametrize("element", [*range(13), 99])
@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**40, 2**30, 2**20])
def test_49_bytes_that_claim_an_endless_array(tmp_path: Path, element: int, length: int) -> None:
    content = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + string("a") + struct.pack("<IIQ", 9, element, length)
    assert len(content) == 49
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        assert problem_of(path) in (Problem.CORRUPT, Problem.TRUNCATED)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_what_is_claimed_takes_no_memory(tmp_path: Path) -> None:
    claims = [
        model(tensor_count=2**63, pair_count=2**63),
        model({"k": Raw(struct.pack("<IQ", 8, 2**63))}),
        model({TOKENS: Array("str", [], 2**20)}),
        model({"k": Array("f64", [], 2**30)}),
        model(tensors=[Tensor(shape=(2**62,))]),
    ]
    for claim in claims:
        path = claim.write(tmp_path / "m.gguf")
        tracemalloc.start()
        with pytest.raises(ModelFileError):
            read_header(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1 << 20


def test_a_large_vocabulary_takes_memory_in_proportion(gemma: Path) -> None:
    tracemalloc.start()
    header = read_header(gemma)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = header.tensors[0].offset
    assert size > 6 << 20
    assert peak < 8 * size
    assert kept < 1 << 20


def test_a_smollm2_cut_off_anywhere_is_incomplete(tmp_path: Path, smollm2: Path) -> None:
    size = smollm2.stat().st_size
    header = smollm2.read_bytes()[: 2 << 20]
    path = tmp_path / "m.gguf"
    for length in (5, 23, 24, 100, 5000, 262_144, 600_000, 1_700_000, 1_785_663, 1_785_664, size - 1):
        path.write_bytes(header[:length])
        # The weights themselves are not read: a hole in the file stands for them.
        os.truncate(path, length)
        assert problem_of(path) is Problem.TRUNCATED, length
    os.truncate(path, size)
    assert read_header(path).parameter_count == 134_515_008


def test_a_file_cut_off_while_it_is_read(tmp_path: Path, smollm2: Path) -> None:
    from models_registry.byte_reader import ByteReader

    path = tmp_path / "m.gguf"
    path.write_bytes(smollm2.read_bytes()[: 2 << 20])
    with path.open("rb") as file:
        reader = ByteReader(file)
        reader.take(4, "the magic")
        os.truncate(path, 1 << 20)
        with pytest.raises(ModelFileError) as caught:
            reader.take(2_000_000, "the rest")
    assert caught.value.problem is Problem.TRUNCATED


def test_nothing_there(tmp_path: Path) -> None:
    assert problem_of(tmp_path / "none.gguf") is Problem.MISSING
    assert problem_of(tmp_path / "none" / "none.gguf") is Problem.MISSING
    assert problem_of(Path(__file__) / "none.gguf") is Problem.MISSING
    assert problem_of(tmp_path / "nul\0.gguf") is Problem.MISSING


def test_a_folder(tmp_path: Path) -> None:
    assert problem_of(tmp_path) is Problem.NOT_A_FILE


@pytest.mark.timeout(5)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert problem_of(tmp_path / "pipe.gguf") is Problem.NOT_A_FILE


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_no_permission(tmp_path: Path) -> None:
    path = model().write(tmp_path / "m.gguf")
    path.chmod(0)
    assert problem_of(path) is Problem.UNREADABLE


def test_links(tmp_path: Path) -> None:
    path = tmp_path / "link.gguf"
    path.symlink_to(model().write(tmp_path / "m.gguf"))
    assert read_header(path).path == path
    (tmp_path / "m.gguf").unlink()
    assert problem_of(path) is Problem.MISSING
    loop = tmp_path / "loop.gguf"
    loop.symlink_to(loop)
    assert problem_of(loop) is Problem.UNREADABLE


def test_a_model_in_several_files(tmp_path: Path) -> None:
    paths = write_shards(tmp_path)
    header = read_header(paths[0])
    assert header.parts == tuple(paths)
    assert header.file_size == sum(path.stat().st_size for path in paths)
    assert [tensor.name for tensor in header.tensors] == ["blk.0.weight", "blk.1.weight", "blk.2.weight"]
    assert header.parameter_count == 3 * 128


def test_a_first_file_without_tensors(tmp_path: Path) -> None:
    paths = write_shards(tmp_path, tensor_count=2)
    split = {"split.count": ("u16", 3), "split.no": ("u16", 0), "split.tensors.count": ("i32", 2)}
    model(split, tensors=[]).write(paths[0])
    assert len(read_header(paths[0]).tensors) == 2


def test_a_later_file_of_several(tmp_path: Path) -> None:
    paths = write_shards(tmp_path)
    assert problem_of(paths[1]) is Problem.NOT_FIRST_SHARD
    paths[0].unlink()
    assert problem_of(paths[1]) is Problem.SHARD_MISSING


def test_files_missing_of_several(tmp_path: Path) -> None:
    paths = write_shards(tmp_path)
    renamed = paths[0].rename(tmp_path / "other-name.gguf")
    assert problem_of(renamed) is Problem.SHARD_MISSING
    renamed.rename(paths[0])
    paths[2].unlink()
    assert problem_of(paths[0]) is Problem.SHARD_MISSING


@pytest.mark.parametrize("count", [2, 65_535, 2**64 - 1])
def test_a_claim_to_be_one_of_many(tmp_path: Path, count: int) -> None:
    path = model({"split.count": ("u64", count)}).write(tmp_path / "m-00001-of-65535.gguf")
    assert problem_of(path) is Problem.SHARD_MISSING


def test_files_that_do_not_go_together(tmp_path: Path) -> None:
    paths = write_shards(tmp_path, tensor_count=4)
    assert problem_of(paths[0]) is Problem.CORRUPT
    paths = write_shards(tmp_path)
    paths[1].write_bytes(paths[2].read_bytes())
    assert problem_of(paths[0]) is Problem.CORRUPT
    paths = write_shards(tmp_path)
    paths[2].write_bytes(paths[2].read_bytes()[:-1])
    with pytest.raises(ModelFileError, match=paths[2].name) as caught:
        read_header(paths[0])
    assert caught.value.problem is Problem.TRUNCATED


def tensors_of(*types: tuple[int, int, int]) -> list[Tensor]:
    """Return matrices of 256 columns by type, rows and bytes of a row."""
    return [
        Tensor(f"{index}", (256, rows), kind, rows * size) for index, (kind, rows, size) in enumerate(types)
    ]


@pytest.mark.parametrize(
    ("stated", "rows", "quantization"),
    [
        (15, [(12, 8, 144), (14, 2, 210)], "Q4_K_M"),
        (14, [(12, 8, 144)], "Q4_K_S"),
        (15 + 1024, [(12, 8, 144)], "Q4_K_M"),
        (15, [(8, 8, 272), (6, 1, 176)], "Q4_K_M"),  # small rows: Q5_0 in the place of Q4_K
        (15, [(1, 8, 512)], "F16"),  # converted back, the label left behind
        (1, [(2, 8, 144), (1, 1, 512)], "Q4_0"),  # the label of the source left behind
        (7, [(39, 8, 136), (8, 1, 272)], "Q8_0"),
        (None, [(12, 8, 144), (14, 2, 210)], "Q4_K"),
        (9999, [(12, 8, 144)], "Q4_K"),
    ],
)
def test_quantization(
    tmp_path: Path, stated: int | None, rows: list[tuple[int, int, int]], quantization: str
) -> None:
    gguf = model({"general.file_type": stated if stated is None else ("u32", stated)})
    gguf.tensors = [*tensors_of(*rows), Tensor("norm", (32 * 1024,), F32, 128 * 1024)]
    assert read_header(gguf.write(tmp_path / "m.gguf")).quantization == quantization
