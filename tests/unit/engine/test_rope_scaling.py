"""A context reads with the rotation that was chosen; what was read under one is never used under another."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_driver import NO_END, Steps, write_small
from llama_cpp import llama_cpp as api
from tiny_models import tiny, windowed

from app.domain.generation import Turn
from app.domain.loading import LoadOptions, rope_options
from app.domain.settings import Settings
from app.engine.context import Context, Part
from app.engine.loaded import snapshots_in
from app.engine.logits import view
from app.engine.model import LoadedModel
from models_registry.fit import Layout
from models_registry.gguf import read_header

pytestmark = pytest.mark.real_model

TRAINED = 512  # of the tiny model
TOKENS = [3 + (index * 37) % 256 for index in range(200)]
AUTO = LoadOptions()


def options(method="auto", **numbers) -> LoadOptions:
    return LoadOptions(rope=rope_options(method, **numbers))


def write(folder: Path, make=tiny, **keys) -> Path:
    """Write a small model whose header has other keys; the weights are always the same."""
    file = make()
    folder.mkdir(exist_ok=True)
    architecture = file.metadata["general.architecture"][1]
    kinds = {str: "str", float: "f32", int: "u32"}
    for name, value in keys.items():
        file.metadata[f"{architecture}.{name.replace('__', '.')}"] = (kinds[type(value)], value)
    return write_small(folder, file)


def read(model: LoadedModel, layout: Layout) -> np.ndarray:
    """Return the logits after TOKENS."""
    context = Context(model, layout, 1)
    context.decode([Part(0, 0, TOKENS, 1)])
    logits = view(context, -1, model.vocabulary_size).copy()
    context.close()
    return logits


def logits_of(path: Path, context: int, how: LoadOptions = AUTO) -> np.ndarray:
    model = LoadedModel(path, lambda _part: True)
    layout = how.layout(read_header(path), context, gpu=False)
    found = read(model, replace(layout, context=max(layout.context, 512), ubatch=256))
    model.close()
    return found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("plain"))


def test_yarn_by_itself_is_yarn_in_the_file_and_is_not_applied_twice(plain, tmp_path):
    ours = logits_of(plain, 4 * TRAINED)
    declared = {
        "rope__scaling__type": "yarn",
        "rope__scaling__factor": 4.0,
        "rope__scaling__original_context_length": TRAINED,
    }
    product = write(tmp_path / "product", **declared)  # states the original length
    stated = write(tmp_path / "stated", **declared, context_length=4 * TRAINED)
    for file in (product, stated):
        assert np.array_equal(logits_of(file, 4 * TRAINED), ours)
        assert np.array_equal(logits_of(file, TRAINED), ours)
    # One step further: eight times the original, not twice what the file says.
    assert np.array_equal(logits_of(product, 8 * TRAINED), logits_of(plain, 8 * TRAINED))
    # A person may have the file's scaling left out.
    assert np.array_equal(logits_of(product, TRAINED, options("none")), logits_of(plain, TRAINED))


def test_linear_in_the_file_goes_on_as_linear(plain, tmp_path):
    linear = write(
        tmp_path / "linear",
        rope__scaling__type="linear",
        rope__scaling__factor=2.0,
        context_length=2 * TRAINED,
    )
    assert np.array_equal(
        logits_of(linear, 2 * TRAINED), logits_of(plain, TRAINED, options("linear", factor=2))
    )
    assert np.array_equal(
        logits_of(linear, 4 * TRAINED), logits_of(plain, TRAINED, options("linear", freq_scale=0.25))
    )


def test_ntk_is_another_base_in_the_file(plain, tmp_path):
    size = 8  # of a head
    other = write(tmp_path / "other", rope__freq_base=10_000.0 * 2 ** (size / (size - 2)))
    ours = logits_of(plain, TRAINED, options("ntk", factor=2))
    assert np.allclose(ours, logits_of(other, TRAINED), atol=1e-3)
    assert not np.allclose(ours, logits_of(plain, TRAINED), atol=1e-3)


@pytest.mark.parametrize(
    "numbers",
    [
        {"factor": 4.0},
        {"freq_scale": 0.2},
        {"freq_base": 50_000.0},
        {"factor": 2.0, "original_context": 8192},
        {"factor": 2.0, "ext_factor": 0.5},
        {"factor": 2.0, "original_context": 4096, "beta_fast": 4.0},
        {"factor": 2.0, "original_context": 4096, "beta_slow": 8.0},
    ],
)
def test_every_number_that_is_offered_has_an_effect(numbers, plain):
    usual = {name: value for name, value in numbers.items() if name in ("factor", "original_context")}
    if usual == numbers:
        usual = {"factor": 2.0} if "original_context" in numbers else {}
    changed = logits_of(plain, TRAINED, options("yarn" if "factor" in numbers else "auto", **numbers))
    base = logits_of(plain, TRAINED, options("yarn", **usual) if usual else AUTO)
    assert not np.array_equal(changed, base)


def test_layers_with_a_window_keep_the_rotation_of_the_file(tmp_path):
    path = write(tmp_path / "plain", windowed)
    # In the file these keys are for the layers that see everything; those with a window have others.
    for name, keys, how in (
        ("scale", {"rope__scaling__factor": 4.0}, options("linear", factor=4)),
        ("base", {"rope__freq_base": 50_000.0}, options(freq_base=50_000.0)),
    ):
        stated = logits_of(write(tmp_path / name, windowed, **keys), 2048)
        assert np.array_equal(stated, logits_of(path, 2048, how))
        assert not np.array_equal(stated, logits_of(path, 2048))


def test_a_yarn_context_does_not_change_what_we_believe_of_the_model(plain):
    model = LoadedModel(plain, lambda _part: True)
    header = read_header(plain)
    before = read(model, AUTO.layout(header, TRAINED, gpu=False))
    read(model, AUTO.layout(header, 2 * TRAINED, gpu=False))
    assert api.llama_model_n_ctx_train(model.handle) == 2 * TRAINED  # llama.cpp has changed its mind
    assert model.trained_context == TRAINED
    assert np.array_equal(read(model, AUTO.layout(header, TRAINED, gpu=False)), before)
    model.close()


LONG = Turn("user", "abba " * 40)
SAID = Settings(temperature=0, max_tokens=4, context=TRAINED, speculation=False, logit_bias=NO_END)


def test_a_snapshot_is_restored_under_its_own_rotation_only(plain, tmp_path):
    first, again, other = Steps(tmp_path), Steps(tmp_path), Steps(tmp_path)
    text, end = first.answer(plain, LONG, settings=SAID, chat=1)
    first.close()
    assert (end.reused_tokens, end.rope) == (0, "none")
    for how in (options("linear", factor=2), options("yarn", factor=2), options(freq_base=20_000.0)):
        _text, end = other.answer(plain, LONG, settings=SAID, options=how, chat=2)
        assert end.reused_tokens == 0
    other.close()
    _text, end = again.answer(plain, LONG, settings=SAID, chat=1)
    assert end.reused_tokens > 0
    assert _text == text
    again.close()


def test_a_longer_context_that_needs_scaling_reads_everything_again(plain, tmp_path):
    steps = Steps(tmp_path)
    _text, end = steps.answer(plain, LONG, settings=SAID, chat=1)
    _text, end = steps.answer(plain, LONG, settings=replace(SAID, context=2 * TRAINED), chat=1)
    assert (end.reused_tokens, end.rope, end.context) == (0, "yarn", 2 * TRAINED)
    steps.close()


def test_rotations_that_differ_have_different_snapshots(plain, tmp_path):
    header = read_header(plain)
    ways = [
        AUTO, options("yarn", factor=2), options("yarn", factor=4), options("ntk", factor=2),
        options("linear", factor=2), options("yarn", factor=2, beta_fast=8), options(freq_base=9_000.0),
        options("yarn", factor=2, original_context=300), options("yarn", factor=2, ext_factor=0.5),
    ]  # fmt: skip
    keys = {snapshots_in(tmp_path, plain, way.layout(header, TRAINED, gpu=False))._key for way in ways}
    assert len(keys) == len(ways)
    longrope = write(
        tmp_path / "long", rope__scaling__type="longrope", rope__scaling__original_context_length=TRAINED // 2
    )
    short, long = (
        snapshots_in(tmp_path, longrope, AUTO.layout(read_header(longrope), size, gpu=False))._key
        for size in (TRAINED // 2, TRAINED)
    )
    assert short != long  # the size of the context chooses its factors
