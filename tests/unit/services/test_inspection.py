"""What is said of a model before it is loaded, and of grammars, schemas and adapters before they are used."""

from types import SimpleNamespace

import pytest
from tiny_models import tiny

from app.domain.errors import UserError
from app.domain.loading import LoadOptions, rope_options
from app.domain.model import Model, Origin
from app.domain.settings import Settings
from app.services.inspection import Inspection
from app.storage.folders import Folders


@pytest.fixture
def inspection(tmp_path):
    folders = Folders.at(tmp_path / "home")
    folders.create()
    made = Inspection(folders)
    yield made
    made.close()


@pytest.fixture
def starter(smollm2):
    return Model(smollm2, "SmolLM2", Origin.STARTER, smollm2.stat().st_size)


def test_each_size_of_the_context_has_its_memory(inspection, starter):
    seen = inspection.outlook(starter, None, LoadOptions()).result(60)
    assert (seen.usual, seen.trained) == (8192, 8192)
    assert [take.context for take in seen.sizes] == [2048, 4096, 8192, 16384, 32768, 65536]
    _quarter, half, whole, *_longer = seen.sizes
    assert whole == seen.chosen
    assert whole.weights == half.weights
    assert whole.conversation == 2 * half.conversation
    assert whole.total == whole.weights + whole.conversation + whole.workspace + whole.rest
    assert seen.available > whole.total


def test_how_it_is_loaded_and_a_size_of_ones_own_count(inspection, starter):
    plain = inspection.outlook(starter, 2048, LoadOptions()).result(60)
    small = inspection.outlook(starter, 2048, LoadOptions(kv_type="q8_0")).result(60)
    assert plain.chosen.context == 2048
    assert small.chosen.conversation < 0.6 * plain.chosen.conversation


def test_each_size_has_its_honest_word(inspection, starter):
    said = {take.context: take for take in inspection.outlook(starter, None, LoadOptions()).result(60).sizes}
    assert [take.quality for take in said.values()] == ["as trained"] * 3 + ["usually fine"] * 2 + [
        "expect loss"
    ]
    assert [take.scaling for take in said.values()] == ["", "", "", "YaRN × 2", "YaRN × 4", "YaRN × 8"]
    plain = LoadOptions(rope=rope_options("none"))
    unscaled = inspection.outlook(starter, 16384, plain).result(60).chosen
    assert (unscaled.quality, unscaled.scaling) == ("expect loss", "")
    gone = inspection.outlook(starter, 1 << 20, LoadOptions()).result(60).chosen
    assert "too far beyond what this model was trained for" in gone.problem


def test_what_does_not_fit_comes_with_the_nearest_that_does(inspection, starter, monkeypatch):
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=0))
    monkeypatch.setattr("psutil.Process.memory_full_info", lambda _self: SimpleNamespace(uss=450_000_000))
    seen = inspection.outlook(starter, 32768, LoadOptions()).result(60)
    nearest = seen.chosen.nearest
    assert seen.chosen.total > seen.available
    assert nearest.costs
    instead = inspection.outlook(starter, nearest.context, nearest.options).result(60).chosen
    assert instead.total <= seen.available
    assert instead.nearest is None


def test_a_model_for_short_texts_is_offered_short_sizes(inspection, tmp_path):
    file = tiny()
    file.metadata["llama.context_length"] = ("u32", 512)
    path = tmp_path / "tiny.gguf"
    path.write_bytes(file.encode())
    seen = inspection.outlook(Model(path, "Tiny", Origin.OWN, 1), None, LoadOptions()).result(60)
    assert [take.context for take in seen.sizes] == [512, 1024, 2048, 4096]


def test_a_size_beyond_every_scaling_has_its_memory_too(inspection, starter):
    assert inspection.outlook(starter, 10**6, LoadOptions()).result(60).chosen.context == 10**6


def test_sizes_reach_up_to_eight_times_what_the_model_was_trained_for(inspection, gemma):
    model = Model(gemma, "Gemma", Origin.OWN, 1)
    sizes = [take.context for take in inspection.outlook(model, None, LoadOptions()).result(60).sizes]
    assert sizes == [2048 << step for step in range(8)]


def test_what_the_file_recommends_is_told(inspection, tmp_path):
    file = tiny()
    file.metadata |= {
        "general.sampling.temp": ("f32", 0.25),
        "general.sampling.top_k": ("i32", 20),
        "general.sampling.min_p": ("f32", 7.0),  # out of range
    }
    path = tmp_path / "tiny.gguf"
    path.write_bytes(file.encode())
    seen = inspection.outlook(Model(path, "Tiny", Origin.OWN, 1), None, LoadOptions()).result(60)
    assert seen.recommended == {"general.sampling.temp": 0.25, "general.sampling.top_k": 20}
    resolved = Settings(top_k=5).resolved(seen.recommended)
    assert (resolved.temperature, resolved.top_k, resolved.min_p) == (0.25, 5, 0.05)


def test_a_file_that_is_gone_is_told(inspection, tmp_path):
    gone = Model(tmp_path / "gone.gguf", "Gone", Origin.OWN, 1)
    with pytest.raises(UserError):
        inspection.outlook(gone, None, LoadOptions()).result(60)


def test_a_grammar_and_a_schema_are_checked(inspection):
    inspection.check_form('root ::= "yes"', "").result(60)
    inspection.check_form("", '{"type": "integer"}').result(60)
    with pytest.raises(UserError, match="line 1, column"):
        inspection.check_form("root ::= (", "").result(60)
    with pytest.raises(UserError):
        inspection.check_form("", '{"type": 5}').result(60)


def test_what_is_no_adapter_of_the_model_is_refused(inspection, starter, smollm2, tmp_path):
    with pytest.raises(UserError, match="whole model"):
        inspection.check_adapter(starter, smollm2).result(60)
    with pytest.raises(UserError):
        inspection.check_adapter(starter, tmp_path / "gone.gguf").result(60)


def test_saved_reading_is_counted_and_cleared(inspection):
    assert inspection.saved_reading().result(60).count == 0
    assert inspection.clear_saved_reading().result(60).bytes == 0
