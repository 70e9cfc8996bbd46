"""The catalogue: what stands in it, and that nothing else could."""

import json
import re
from collections import Counter
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_registry import fit, memory
from models_registry.catalogue import Kind, load, parse
from models_registry.expected import expected_header
from models_registry.gguf import read_header
from models_registry.layers import shape_of
from models_registry.tensor_types import FILE_TYPES

FILE = Path(__file__).parents[3] / "models_registry" / "catalogue.json"
TEXT = FILE.read_text(encoding="utf-8")
REPOSITORY = r"^[A-Za-z0-9][\w.-]*/[\w.-]+$"
LABELS = [label for label, _type in FILE_TYPES.values()]


def of(**properties):
    """Return the schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def array(items):
    return {"type": "array", "items": items, "minItems": 1}


TEXTS = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 1}
NUMBER = {"anyOf": [{"type": "integer", "minimum": 0}, array({"type": ["integer", "boolean"]})]}
SCHEMA = of(
    format={"const": 1},
    date={"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
    models=array(
        of(
            id={"type": "string", "pattern": r"^[a-z0-9][a-z0-9.-]*$"},
            name=TEXTS,
            repository={"type": "string", "pattern": REPOSITORY},
            commit={"type": ["string", "null"], "pattern": "^[0-9a-f]{40}$"},
            base_model={"type": "string", "pattern": REPOSITORY},
            license={"type": ["string", "null"]},
            released={"type": "string", "pattern": r"^20\d\d-(0[1-9]|1[0-2])$"},
            kinds=array({"enum": [kind.value for kind in Kind]}),
            languages=array({"type": "string", "pattern": "^[a-z]{2}$"}),
            good_at=TEXTS,
            standing={"type": "integer", "minimum": 0, "maximum": 100},
            parameters=of(total=COUNT, active=COUNT),
            context_length=COUNT,
            architecture=TEXTS,
            layout={
                "type": "object",
                "additionalProperties": NUMBER,
                "required": ["block_count", "embedding_length", "attention.head_count"],
            },
            vocabulary=COUNT,
            tokenizer={"enum": ["gpt2", "llama", "gemma4", "bert"]},
            separate_output={"type": "boolean"},
            quantizations=array(
                of(
                    name={"enum": LABELS},
                    files={"type": "string", "pattern": r"\.gguf$"},
                    size=COUNT,
                    size_is_estimate={"type": "boolean"},
                )
            ),
            projector={"type": ["string", "null"], "pattern": r"mmproj.*\.gguf$"},
            verified={"type": "boolean"},
        )
    ),
)
CATALOGUE = load()
# Names that begin or end like those in the catalogue.
OTHERS = ["BF16", "Q3_K_L", "Q3_K_XL", "Q4_K_S", "Q4_0_4_4", "UD-Q4_K_XL", "Q6_K_L", "UD-Q6_K_XL"]
entries = pytest.mark.parametrize("entry", CATALOGUE.entries, ids=lambda entry: entry.id)


def test_it_follows_its_schema():
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(TEXT))


def test_there_are_models_of_every_size_and_kind():
    models = CATALOGUE.entries
    assert 25 <= len(models) <= 40
    assert date(2026, 1, 1) < CATALOGUE.date
    sizes = [model.parameters for model in models if model.chats]
    assert min(sizes) < 150e6
    assert max(sizes) > 100e9
    for low, high in (
        (0, 1e9),
        (1e9, 3e9),
        (3e9, 6e9),
        (6e9, 10e9),
        (10e9, 20e9),
        (20e9, 40e9),
        (60e9, 130e9),
    ):
        assert any(low <= size < high for size in sizes), (low, high)
    kinds = Counter(kind for model in models for kind in model.kinds)
    assert all(kinds[kind] >= 2 for kind in Kind)
    assert sum("zh" in model.languages for model in models) >= 10


def test_the_models_that_made_history_are_there():
    names = {entry.name for entry in CATALOGUE.entries if Kind.HISTORICAL in entry.kinds}
    assert names == {"Phi-1.5", "Llama 2 7B", "MythoMax L2 13B", "Falcon 7B", "Mistral 7B v0.1"}


@entries
def test_every_model_is_described_consistently(entry):
    assert entry.active_parameters <= entry.parameters
    sizes = [one.size for one in entry.quantizations]
    assert sizes == sorted(sizes)
    assert entry.released <= f"{CATALOGUE.date:%Y-%m}"
    assert entry.good_at.endswith(".")
    assert not entry.verified
    # Between two and sixteen bits of a weight, and a little for what is stored as it is.
    assert all(2 < 8 * size / entry.parameters < 16.5 for size in sizes)
    for one in entry.quantizations:
        stem = re.sub(r"\*.*", "", one.files[1:])
        assert one.matching([f"{one.name}/{stem}-{one.name}-00001-of-00002.gguf"])
        assert one.matching([f"{stem.lower()}-{one.name.lower()}.gguf"])
        assert not one.matching([f"{stem}-IQ1_S.gguf", f"{stem}-{one.name}.txt"])
        assert not one.matching([f"{stem}-{other}.gguf" for other in OTHERS if other != one.name])
        dynamic, plain = f"{stem}-UD-{one.name}.gguf", f"{stem}-{one.name}.gguf"
        assert one.matching([dynamic]) == [dynamic]
        assert one.matching([dynamic, plain]) == [plain]


@entries
def test_every_layout_makes_a_header_that_fit_and_memory_understand(entry):
    for one in entry.quantizations:
        header = expected_header(entry, one)
        assert (header.architecture, header.context_length) == (entry.architecture, entry.context_length)
        assert header.parameter_count == pytest.approx(entry.parameters, rel=0.02)
        assert header.weights_size == pytest.approx(one.size, rel=0.04)
        shape = shape_of(header)
        assert len(shape.layers) == entry.layout["block_count"] - entry.layout.get("nextn_predict_layers", 0)
        needed = memory.estimate(header, fit.choose(header, 4096, gpu=True), gpu=True)
        assert one.size < needed.total < one.size * 1.3 + 4e9


def test_the_parameters_are_those_of_the_layout():
    """Where all layers are alike, their weights can be counted from the layout."""
    counted = 0
    for entry in CATALOGUE.entries:
        if entry.architecture not in ("llama", "qwen2", "qwen3", "smollm3", "phi3", "gemma3", "mistral3"):
            continue
        layout = entry.layout
        width, heads = layout["embedding_length"], layout["attention.head_count"]
        head = layout.get("attention.key_length", width // heads)
        attention = width * head * (2 * heads + 2 * layout["attention.head_count_kv"])
        layer = attention + 3 * width * layout["feed_forward_length"]
        outside = width * entry.vocabulary * (2 if entry.separate_output else 1)
        assert layer * layout["block_count"] + outside == pytest.approx(entry.parameters, rel=0.005), entry.id
        counted += 1
    assert counted >= 15


def test_windows_experts_and_states_are_read_from_layouts():
    def shape(identity):
        entry = CATALOGUE.entry(identity)
        return shape_of(expected_header(entry, entry.quantizations[0]))

    gemma = shape("gemma-4-26b-a4b")
    assert [layer.windowed for layer in gemma.layers] == [True, True, True, True, True, False] * 5
    assert {layer.key for layer in gemma.layers if layer.windowed} == {8 * 256}
    assert {layer.key for layer in gemma.layers if not layer.windowed} == {2 * 512}
    shared = shape("gemma-4-e4b")
    assert sum(layer.key > 0 for layer in shared.layers) == 24
    qwen = shape("qwen3.6-35b-a3b")
    assert sum(layer.state > 0 for layer in qwen.layers) == 30
    assert sum(layer.key > 0 for layer in qwen.layers) == 10
    granite = shape("granite-4-tiny")
    assert [index for index, layer in enumerate(granite.layers) if layer.key] == [5, 15, 25, 35]


@pytest.mark.parametrize(("identity", "model"), [("smollm2-135m", "smollm2"), ("gemma-3-270m", "gemma")])
def test_an_expected_header_is_close_to_the_real_one(identity, model, request):
    real = read_header(request.getfixturevalue(model))
    entry = CATALOGUE.entry(identity)
    expected = expected_header(entry, entry.quantization("Q4_K_M"))
    assert shape_of(expected) == shape_of(real)
    assert expected.parameter_count == pytest.approx(real.parameter_count, rel=0.01)
    assert expected.block_count == real.block_count
    layout = fit.choose(real, 8192)
    assert fit.choose(expected, 8192) == layout
    taken, wanted = (memory.estimate(header, layout) for header in (expected, real))
    assert taken.kv_cache == wanted.kv_cache
    assert taken.compute == pytest.approx(wanted.compute, rel=0.02)
    assert taken.total == pytest.approx(wanted.total, rel=0.15)


def changed(**fields):
    content = json.loads(TEXT)
    content["models"][0] |= fields
    return json.dumps(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        TEXT.replace('"format": 1', '"format": 2'),
        TEXT.replace('"format": 1,', '"format": 1, "more": 0,'),
        TEXT.replace('"date": "', '"date": "x'),
        changed(surprise=1),
        changed(kinds=["chat", "poetry"]),
        changed(kinds=[]),
        changed(standing="high"),
        changed(vocabulary=True),
        changed(quantizations=[]),
        changed(quantizations=[{"name": "Q4_K_M"}]),
        changed(parameters={"total": 5}),
        changed(layout={"block_count": "30"}),
        changed(layout={"block_count": []}),
        changed(id="qwen3.5-9b"),
        "[" * 100_000,
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


@settings(max_examples=50, deadline=None, database=None)
@given(field=st.sampled_from(sorted(json.loads(TEXT)["models"][0])))
def test_no_field_may_be_missing(field):
    content = json.loads(TEXT)
    del content["models"][0][field]
    with pytest.raises(ValueError, match="not a catalogue"):
        parse(json.dumps(content))
