"""The header of an adapter, and whether it fits a model."""

import math
from pathlib import Path
from typing import Any

import pytest
from gguf_writer import F16, F32, Array, Gguf, Tensor, model

from models_registry.adapter import AdapterError, Misfit, check_fit, read_adapter
from models_registry.errors import ModelFileError, Problem
from models_registry.gguf import read_header

EXPERTS = "blk.0.ffn_up_exps.weight"
EMBEDDING = "token_embd.weight"
Q4_0 = 2


def tensor(name: str, *shape: int, kind: int = F32) -> Tensor:
    elements = math.prod(shape)
    return Tensor(name, shape, kind, size=elements // 32 * 18 if kind == Q4_0 else elements * (4, 2)[kind])


def pair(name: str, a: tuple[int, ...], b: tuple[int, ...], kind: int = F32) -> list[Tensor]:
    return [tensor(f"{name}.lora_a", *a, kind=kind), tensor(f"{name}.lora_b", *b, kind=kind)]


SOUND = pair(EXPERTS, (32, 4, 8), (4, 64, 8))


def adapter(tensors: list[Tensor] | None = None, changes: dict[str, Any] | None = None) -> Gguf:
    """Return an adapter of rank 4; None takes a key away."""
    metadata = {
        "general.type": ("str", "adapter"),
        "general.architecture": ("str", "llama"),
        "adapter.type": ("str", "lora"),
        "adapter.lora.alpha": ("f32", 16.0),
        **(changes or {}),
    }
    kept = {key: value for key, value in metadata.items() if value is not None}
    return Gguf(metadata=kept, tensors=SOUND if tensors is None else tensors)


def misfit(folder: Path, file: Gguf, *weights: Tensor) -> tuple[Misfit, str]:
    """Return why `file` does not fit a model with these weights."""
    path = file.write(folder / "adapter.gguf")
    carrier = model(tensors=list(weights) or [tensor(EXPERTS, 32, 64, 8, kind=F16)])
    with pytest.raises(AdapterError) as caught:
        check_fit(read_adapter(path), read_header(carrier.write(folder / "model.gguf")))
    return caught.value.misfit, caught.value.subject


def fits(folder: Path, file: Gguf, *weights: Tensor) -> bool:
    path = file.write(folder / "adapter.gguf")
    check_fit(read_adapter(path), read_header(model(tensors=list(weights)).write(folder / "model.gguf")))
    return True


def test_what_an_adapter_says(tmp_path: Path) -> None:
    more = pair("output.weight", (32, 6), (6, 4))
    norm = tensor("blk.0.attn_norm.weight", 32)
    read = read_adapter(adapter([*SOUND, *more, norm]).write(tmp_path / "adapter.gguf"))
    assert (read.architecture, read.alpha, read.rank) == ("llama", 16.0, 6)
    assert read.file_size == (tmp_path / "adapter.gguf").stat().st_size
    assert {name: (changed.a.shape, changed.b.shape) for name, changed in read.pairs.items()} == {
        EXPERTS: ((32, 4, 8), (4, 64, 8)),
        "output.weight": ((32, 6), (6, 4)),
    }
    assert read_adapter(adapter(None, {"adapter.lora.alpha": None}).write(read.path)).alpha == 0


def test_experts_and_an_embedding_of_its_own_can_be_changed(tmp_path: Path) -> None:
    embedding = pair(EMBEDDING, (4, 6), (4, 32))
    weights = [tensor(EXPERTS, 32, 64, 8, kind=F16), tensor(EMBEDDING, 32, 6), tensor("output.weight", 32, 6)]
    assert fits(tmp_path, adapter([*SOUND, *embedding]), *weights)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"general.type": None, "adapter.type": None}, Misfit.MODEL),
        ({"general.type": ("str", "model"), "adapter.type": None}, Misfit.MODEL),
        ({"general.type": ("u32", 3)}, Misfit.OTHER_KIND),
        ({"general.type": None}, Misfit.OTHER_KIND),
        ({"general.type": ("str", "mmproj")}, Misfit.OTHER_KIND),
        ({"general.architecture": ("str", "controlvector")}, Misfit.CONTROL_VECTOR),
        ({"general.architecture": ("u32", 3)}, Misfit.OTHER_KIND),
        ({"adapter.type": ("str", "ia3")}, Misfit.OTHER_KIND),
        ({"adapter.type": Array("str", ["lora"])}, Misfit.OTHER_KIND),
        ({"split.count": ("u16", 2)}, Misfit.OTHER_KIND),
        ({"adapter.alora.invocation_tokens": Array("u32", [1])}, Misfit.ACTIVATED),
        ({"adapter.alora.invocation_tokens": Array("u32", [1] * 600)}, Misfit.ACTIVATED),
    ],
)
def test_another_thing_than_an_adapter_is_refused(
    tmp_path: Path, changes: dict[str, Any], expected: Misfit
) -> None:
    assert misfit(tmp_path, adapter(None, changes)) == (expected, "")


@pytest.mark.parametrize(
    "alpha",
    [
        ("f32", float("nan")),
        ("f32", float("inf")),
        ("f64", 1.0),
        ("u32", 1),
        ("str", "1"),
        Array("f32", [1.0]),
        Array("f32", [1.0] * 600),  # too long to be kept
    ],
)
def test_an_alpha_on_which_an_assertion_would_fail_is_refused(tmp_path: Path, alpha: Any) -> None:
    path = adapter(None, {"adapter.lora.alpha": alpha}).write(tmp_path / "adapter.gguf")
    with pytest.raises(ModelFileError) as caught:
        read_adapter(path)
    assert caught.value.problem is Problem.CORRUPT


TWO = ((32, 4), (4, 64))


@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        ([], (Misfit.EMPTY, "")),
        ([tensor("blk.0.attn_norm.weight", 32)], (Misfit.EMPTY, "")),
        ([*SOUND, tensor("blk.0.bias", 32)], (Misfit.OTHER_KIND, "")),
        (SOUND[:1], (Misfit.HALF, EXPERTS)),
        (SOUND[1:], (Misfit.HALF, EXPERTS)),
        (pair(EXPERTS, (32, 4, 8), (3, 64, 8)), (Misfit.RANK, EXPERTS)),
        (pair(EXPERTS, (32, 4, 8), (4, 64)), (Misfit.SHAPE, EXPERTS)),
        (pair(EXPERTS, *TWO), (Misfit.SHAPE, EXPERTS)),
        (pair(EXPERTS, (32, 4, 7), (4, 64, 7)), (Misfit.SHAPE, EXPERTS)),
        (pair(EXPERTS, (31, 4, 8), (4, 64, 8)), (Misfit.SHAPE, EXPERTS)),
        (pair(EXPERTS, (32, 4, 8), (4, 63, 8)), (Misfit.SHAPE, EXPERTS)),
        (pair("blk.1.x", *TWO), (Misfit.UNKNOWN_TENSOR, "blk.1.x")),
        # llama.cpp takes the middle of the name off too, and would hold a pair for another tensor.
        (pair(f"{EXPERTS}.lora_a", *TWO), (Misfit.UNKNOWN_TENSOR, f"{EXPERTS}.lora_a")),
        (pair(EXPERTS, (32, 32, 8), (32, 64, 8), kind=Q4_0), (Misfit.TYPE, EXPERTS)),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(
    tmp_path: Path, tensors: list[Tensor], expected: tuple[Misfit, str]
) -> None:
    assert misfit(tmp_path, adapter(tensors)) == expected


def test_an_embedding_that_is_the_output_too_cannot_be_changed(tmp_path: Path) -> None:
    changed = adapter(pair(EMBEDDING, (4, 6), (4, 32)))
    assert misfit(tmp_path, changed, tensor(EMBEDDING, 32, 6)) == (Misfit.FIXED, EMBEDDING)
    swapped = adapter(pair(EMBEDDING, (32, 4), (4, 6)))
    assert misfit(tmp_path, swapped, tensor(EMBEDDING, 32, 6), tensor("output.weight", 32, 6)) == (
        Misfit.RANK,
        EMBEDDING,
    )


def test_weights_in_nvfp4_cannot_be_changed(tmp_path: Path) -> None:
    weight = Tensor("blk.0.ffn_up.weight", (64, 64), 40, size=64 * 36)
    changed = adapter(pair(weight.name, (64, 4), (4, 64)))
    assert misfit(tmp_path, changed, weight) == (Misfit.FIXED, weight.name)


def test_an_adapter_for_another_architecture_is_refused_before_its_tensors(tmp_path: Path) -> None:
    other = adapter(pair("blk.1.x", *TWO), {"general.architecture": ("str", "gemma3")})
    assert misfit(tmp_path, other) == (Misfit.ARCHITECTURE, "gemma3")


def test_an_adapter_is_still_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        read_header(adapter().write(tmp_path / "adapter.gguf"))
    assert caught.value.problem is Problem.ADAPTER
