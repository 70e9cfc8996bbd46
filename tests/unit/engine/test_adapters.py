"""LoRA adapters change the logits by what they hold, and none ends the process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import adapter_bench
import numpy as np
import pytest
from adapter_bench import TINY, Bench, Reader
from lora_files import F16, F32, Lora, encode, random_lora, random_weights
from tiny_models import tiny

from app.domain.errors import UserError
from app.domain.loading import Adapter
from app.engine import native
from app.engine.adapters import NO_ADAPTERS

TESTS = str(Path(__file__).parents[2])
SMOLLM2 = {
    f"blk.{layer}.attn_{which}.weight": (576, outputs)
    for layer in (0, 7, 29)
    for which, outputs in (("q", 576), ("v", 192))
}


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    return random_weights()


@pytest.fixture(scope="module")
def tiny_path(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, np.ndarray]) -> Path:
    path = tmp_path_factory.mktemp("model") / "Tiny.gguf"
    path.write_bytes(encode(tiny(), weights))
    return path


@pytest.fixture
def bench(tiny_path: Path) -> Iterator[Bench]:
    bench = Bench(tiny_path)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def smol(smollm2: Path) -> Iterator[Bench]:
    bench = Bench(smollm2)
    yield bench
    bench.close()


@pytest.mark.real_model
def test_an_adapter_does_exactly_what_the_low_level_api_does(smol: Bench, tmp_path: Path) -> None:
    one = random_lora(SMOLLM2, seed=1).write(tmp_path / "one.gguf")
    two = random_lora(SMOLLM2, seed=2, rank=8, alpha=4.0).write(tmp_path / "two.gguf")
    plain = smol.logits()
    changed = smol.logits(Adapter(one))
    assert np.abs(changed - plain).max() > 0.1
    assert np.array_equal(changed, smol.direct((one, 1.0)))
    assert np.array_equal(
        smol.logits(Adapter(one, 0.5), Adapter(two, -1.25)), smol.direct((one, 0.5), (two, -1.25))
    )


@pytest.mark.real_model
def test_scale_0_is_no_adapter_to_the_bit(smol: Bench, tmp_path: Path) -> None:
    one = random_lora(SMOLLM2, seed=1).write(tmp_path / "one.gguf")
    fresh = Reader(smol.model)
    plain = fresh.logits()
    fresh.close()
    assert not np.array_equal(smol.logits(Adapter(one)), plain)
    assert np.array_equal(smol.logits(Adapter(one, 0.0)), plain)
    assert np.array_equal(smol.logits(Adapter(one, 1e-60)), plain)
    assert np.array_equal(smol.logits(Adapter(one, 2.0), Adapter(one, -2.0)), plain)
    assert np.array_equal(smol.logits(), plain)


@pytest.mark.real_model
def test_adapters_are_swapped_between_turns_without_loading_anything_again(
    smol: Bench, tmp_path: Path
) -> None:
    one = random_lora(SMOLLM2, seed=3).write(tmp_path / "one.gguf")
    two = random_lora(SMOLLM2, seed=4).write(tmp_path / "two.gguf")
    sets = [(Adapter(one),), (Adapter(two, 2.0),), (), (Adapter(two), Adapter(one))]
    first = [smol.logits(*adapters) for adapters in sets]
    native.lines.clear()
    for _round in range(2):
        for adapters, logits in zip(sets, first, strict=True):
            assert np.array_equal(smol.logits(*adapters), logits)
    assert not [line for line in native.lines if "loading lora" in line]


@pytest.mark.parametrize("scale", [1.0, -0.7, 10.0])
@pytest.mark.parametrize("kind", [F32, F16])
def test_an_adapter_is_as_good_as_merged_weights(
    bench: Bench, weights: dict[str, np.ndarray], tmp_path: Path, scale: float, kind: int
) -> None:
    lora = random_lora(TINY, seed=5, type=kind)
    if kind == F16:
        half = {
            name: tuple(m.astype(np.float16).astype(np.float32) for m in pair)
            for name, pair in lora.pairs.items()
        }
        lora.pairs = half
    merged = tmp_path / "Merged.gguf"
    merged.write_bytes(encode(tiny(), lora.merged(weights, scale)))
    other = Bench(merged)
    expected = other.logits()
    other.close()
    plain = bench.logits()
    assert np.abs(expected - plain).max() > 0.1
    adapted = bench.logits(Adapter(lora.write(tmp_path / "lora.gguf"), scale))
    # What is multiplied with 16-bit weights is rounded to 16 bits itself.
    assert np.abs(adapted - expected).max() < (1e-3 if kind == F16 else 1e-5) * np.abs(expected).max()


def test_without_alpha_the_scale_stands_alone(
    bench: Bench, weights: dict[str, np.ndarray], tmp_path: Path
) -> None:
    lora = random_lora(TINY, seed=5, alpha=4.0)
    with_alpha = bench.logits(Adapter(lora.write(tmp_path / "alpha.gguf")))  # alpha / rank is 1
    lora.changes = {"adapter.lora.alpha": None}
    assert np.array_equal(bench.logits(Adapter(lora.write(tmp_path / "none.gguf"))), with_alpha)


def test_the_same_file_twice_adds_up(bench: Bench, tmp_path: Path) -> None:
    path = random_lora(TINY).write(tmp_path / "lora.gguf")
    assert np.array_equal(
        bench.logits(Adapter(path, 0.5), Adapter(path, 0.75)), bench.logits(Adapter(path, 1.25))
    )


def test_the_key_tells_sets_apart_and_nothing_else(bench: Bench, tmp_path: Path) -> None:
    one = random_lora(TINY, seed=1).write(tmp_path / "one.gguf")
    two = random_lora(TINY, seed=2).write(tmp_path / "two.gguf")

    def key(*adapters: Adapter) -> tuple:
        return bench.adapters.choose(adapters).key

    assert key() == key(Adapter(one, 0.0)) == key(Adapter(one, 1), Adapter(one, -1)) == NO_ADAPTERS.key == ()
    assert key(Adapter(one), Adapter(two, 0.5)) == key(
        Adapter(two, 0.5), Adapter(one), Adapter(tmp_path / "none", 0)
    )
    assert key(Adapter(one, 0.5), Adapter(one, 0.5)) == key(Adapter(one))
    different = [
        key(),
        key(Adapter(one)),
        key(Adapter(two)),
        key(Adapter(one, 0.5)),
        key(Adapter(one), Adapter(two)),
    ]
    assert len({*different}) == len(different)
    before = key(Adapter(one))
    random_lora(TINY, seed=3, rank=2).write(one)
    assert key(Adapter(one)) != before


def test_a_file_that_changes_counts_from_the_next_choice_on(bench: Bench, tmp_path: Path) -> None:
    path = random_lora(TINY, seed=1).write(tmp_path / "lora.gguf")
    chosen = bench.adapters.choose([Adapter(path)])
    bench.adapters.apply(bench.reader, chosen)
    before = bench.reader.logits()
    random_lora(TINY, seed=2, rank=2).write(path)
    after = bench.logits(Adapter(path))
    assert not np.array_equal(before, after)
    path.unlink()
    bench.adapters.apply(bench.reader, chosen)
    assert np.array_equal(bench.reader.logits(), before)


def test_contexts_have_adapters_of_their_own(bench: Bench, tmp_path: Path) -> None:
    chosen = bench.adapters.choose([Adapter(random_lora(TINY).write(tmp_path / "lora.gguf"))])
    plain = bench.reader.logits()
    bench.adapters.apply(bench.reader, chosen)
    for _time in range(3):  # a new context may lie where the last one lay
        other = Reader(bench.model)
        bench.adapters.apply(other, NO_ADAPTERS)
        assert np.array_equal(other.logits(), plain)
        bench.adapters.apply(other, chosen)
        assert not np.array_equal(other.logits(), plain)
        other.close()
        del other
    assert not np.array_equal(bench.reader.logits(), plain)


def test_adapters_that_nobody_uses_give_way(bench: Bench, tmp_path: Path) -> None:
    paths = [random_lora(TINY, seed=seed).write(tmp_path / f"{seed}.gguf") for seed in range(12)]
    chosen = bench.adapters.choose([Adapter(paths[0])])
    bench.adapters.apply(bench.reader, chosen)
    changed = bench.reader.logits()
    handles = chosen.handles
    del chosen  # only the context holds it now
    for path in paths[1:]:
        bench.adapters.choose([Adapter(path)])
    native.lines.clear()
    assert bench.adapters.choose([Adapter(paths[0])]).handles == handles
    bench.adapters.choose([Adapter(paths[11])])
    assert not [line for line in native.lines if "loading lora" in line]
    assert np.array_equal(bench.reader.logits(), changed)
    bench.adapters.choose([Adapter(paths[1])])
    assert [line for line in native.lines if "loading lora" in line]


@pytest.mark.parametrize("scale", [10.5, -11, float("inf"), float("nan")])
def test_scales_out_of_range_are_refused(bench: Bench, tmp_path: Path, scale: float) -> None:
    path = random_lora(TINY).write(tmp_path / "lora.gguf")
    with pytest.raises(UserError, match="must be between -10"):
        bench.adapters.choose([Adapter(path, scale)])
    with pytest.raises(UserError, match="scale"):
        bench.adapters.choose([Adapter(path), Adapter(tmp_path / "none.gguf", scale)])


def spoiled(case: str) -> Lora:
    """Return an adapter with one thing wrong."""
    lora = random_lora(TINY)
    a, b = lora.pairs["blk.0.attn_q.weight"]
    match case:
        case "architecture":
            lora.architecture = "gemma3"
        case "control vector":
            lora.architecture = "controlvector"
        case "alora":
            lora.changes = {"adapter.alora.invocation_tokens": ("u32", 1)}
        case "another kind":
            lora.changes = {"adapter.type": ("str", "ia3")}
        case "empty":
            lora.pairs = {}
        case "unknown tensor":
            lora.pairs["blk.9.attn_q.weight"] = (a, b)
        case "shape":
            lora.pairs["blk.0.attn_q.weight"] = (a, np.repeat(b, 2, axis=0))
        case "more dimensions":
            lora.pairs["blk.0.attn_q.weight"] = (np.stack([a, a, a]), b)
        case "rank":
            lora.pairs["blk.0.attn_q.weight"] = (a[:2], b)
        case "vector":
            lora.pairs["blk.0.attn_norm.weight"] = (a, b[:1])
        case "tied":
            lora.pairs["token_embd.weight"] = (np.ones((263, 4), np.float32), np.ones((32, 4), np.float32))
        case "alpha":
            lora.alpha = float("nan")
        case "alpha of another type":
            lora.changes = {"adapter.lora.alpha": ("f64", 8.0)}
        case "not a number":
            a[2, 3] = float("nan")
        case "infinite":
            b[2, 3] = float("inf")
            lora.type = F16
    return lora


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("architecture", "“lora.gguf” is made for the architecture gemma3, but this model is llama."),
        ("control vector", "“lora.gguf” is a control vector"),
        ("alora", "aLoRA"),
        ("another kind", "“lora.gguf” is not a LoRA adapter"),
        ("empty", "“lora.gguf” is an adapter without weights"),
        ("unknown tensor", "has no tensor “blk.9.attn_q.weight”"),
        ("shape", "the tensor “blk.0.attn_q.weight” differs in size"),
        ("more dimensions", "the tensor “blk.0.attn_q.weight” differs in size"),
        ("rank", "the two halves of “blk.0.attn_q.weight” do not fit together"),
        ("vector", "the tensor “blk.0.attn_norm.weight” differs in size"),
        ("tied", "changes “token_embd.weight”, which cannot be changed in this model"),
        ("alpha", "“lora.gguf” is damaged"),
        ("alpha of another type", "“lora.gguf” is damaged"),
        ("not a number", "“blk.0.attn_q.weight” contains invalid numbers"),
        ("infinite", "“blk.0.attn_q.weight” contains invalid numbers"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(bench: Bench, tmp_path: Path, case: str, words: str) -> None:
    assert words in bench.refusal(spoiled(case).write(tmp_path / "lora.gguf"))


def test_half_a_pair_is_refused_by_name(bench: Bench, tmp_path: Path) -> None:
    for half in (1, 2):
        file, values = random_lora(TINY).file()
        del file.tensors[-half]
        path = tmp_path / f"{half}.gguf"
        path.write_bytes(encode(file, values))
        assert "one half of “blk.0.ffn_down.weight” is missing" in bench.refusal(path)


def test_other_files_are_refused_in_words(bench: Bench, tmp_path: Path, tiny_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("No model at all.")
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(random_lora(TINY).write(cut).read_bytes()[:-100])
    assert "“notes.gguf” is not a GGUF file." in bench.refusal(text)
    assert "“cut.gguf” is incomplete" in bench.refusal(cut)
    assert "“Tiny.gguf” is a whole model, not an adapter." in bench.refusal(tiny_path)
    assert "“gone.gguf” cannot be found." in bench.refusal(tmp_path / "gone.gguf")
    assert "is not a file" in bench.refusal(tmp_path)


def test_a_refused_adapter_leaves_the_others_as_they_were(bench: Bench, tmp_path: Path) -> None:
    good = random_lora(TINY).write(tmp_path / "good.gguf")
    bad = spoiled("shape").write(tmp_path / "bad.gguf")
    changed = bench.logits(Adapter(good))
    with pytest.raises(UserError):
        bench.adapters.choose([Adapter(good), Adapter(bad)])
    assert np.array_equal(bench.reader.logits(), changed)


def test_a_name_in_any_script_can_be_opened(bench: Bench, tmp_path: Path) -> None:
    plain = bench.logits()
    assert not np.array_equal(bench.logits(Adapter(random_lora(TINY).write(tmp_path / "火 炉.gguf"))), plain)


def test_no_mutated_adapter_ends_the_process(tmp_path: Path, tiny_path: Path) -> None:
    """In a child process, so that a failure is one test's and not everybody's."""
    command = [sys.executable, adapter_bench.__file__, str(tiny_path), str(tmp_path), "0", "400"]
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": TESTS}
    )
    assert ran.returncode == 0, f"seed {(tmp_path / 'seed').read_text()}: {ran.stderr[-2000:]}"
    counts = json.loads(ran.stdout)
    assert counts["unclear"] == 0
    assert counts["refused"] > 100
    assert counts["applied"] > 20
