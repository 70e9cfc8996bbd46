"""What `fireside plan` says of real models."""

import json
from types import SimpleNamespace

import pytest

from app.cli import plan as command
from app.cli.arguments import parser
from app.domain.errors import UserError
from app.domain.model import Model, Origin
from app.services.plan import plan


@pytest.fixture(scope="session")
def small(smollm2):
    return Model(smollm2, "SmolLM2", Origin.STARTER, 1)


@pytest.fixture(scope="session")
def windowed(gemma):
    return Model(gemma, "Gemma", Origin.LINKED, 1)


def run(model, *words):
    services = SimpleNamespace(models=SimpleNamespace(refresh=lambda: None, find=lambda _all, _name: model))
    loop = SimpleNamespace(result=lambda what: what)
    assert command.run(services, loop, parser().parse_args(["plan", "m", *words])) == 0


def test_json_is_one_object(small, capsys):
    run(small, "--context", "4k", "--memory", "1GB", "--json")
    found = json.loads(capsys.readouterr().out)
    memory = found.pop("memory")
    alternatives = found.pop("alternatives")
    assert found == {
        "context": 4096,
        "trained_context": 8192,
        "rope": {
            "type": "none", "factor": 1, "freq_base": 100_000, "freq_scale": 1, "original_context": 8192,
        },
        "kv_type": "f16",
        "fits": True,
        "advice": [],
    }  # fmt: skip
    assert memory.pop("available") == 10**9
    assert memory["total"] == alternatives[0]["total"]
    assert memory.pop("total") == sum(memory.values())
    assert memory["kv_cache"] == 4096 * 30 * 2 * 192 * 2  # tokens, layers, keys and values, elements, bytes


def test_each_way_to_make_the_context_has_its_price(small, windowed, capsys):
    ways = plan(windowed, 32768).alternatives
    assert len(set(ways)) == len(ways)
    assert {each.layout.kv_type for each in ways} == {"f16", "q8_0", "q4_0"}
    assert {each.layout.whole_window for each in ways} == {True, False}
    assert {each.layout.context for each in ways} == {32768}
    assert all(each.layout.whole_window for each in plan(small, 8192).alternatives)  # it has no windows
    run(windowed, "--context", "32k")
    table = capsys.readouterr().out.split("The same context with other options:\n")[1].splitlines()
    assert len(table) == 1 + len(ways)


def test_the_context_is_the_engines_when_none_is_given_and_rounded_as_it_rounds(small):
    assert plan(small, None).context == 8192
    assert plan(small, 1000).context == 1024


@pytest.mark.parametrize("kv_type", ["f16", "q4_0"])
@pytest.mark.parametrize("available", [350_000_000, 500_000_000, 600_000_000])
def test_the_largest_context_that_fits_is_the_largest(windowed, kv_type, available):
    largest = plan(windowed, 32768, kv_type, available).fitting_context
    if largest:
        assert plan(windowed, largest, kv_type, available).fits
    if largest < 32768:
        assert not plan(windowed, largest + 256, kv_type, available).fits


def test_what_does_not_fit_comes_with_what_would(small, windowed, capsys):
    run(small, "--context", "8k", "--memory", "500MB")
    out = capsys.readouterr().out
    assert "it does not fit" in out
    assert "This context fits with --kv-type q8_0." in out
    assert plan(small, 8192, "q8_0", 500_000_000).fits
    assert "tokens fits." in out
    run(windowed, "--memory", "100MB")
    assert "Choose a smaller model" in capsys.readouterr().out


def test_more_than_it_was_trained_for_is_said(small, capsys):
    run(small, "--context", "32k")
    assert (
        "trained for a context of 8,192 tokens and cannot be loaded with a larger one."
        in capsys.readouterr().out
    )


def test_what_cannot_be_planned_is_said(small, tmp_path):
    with pytest.raises(UserError, match="context must be between 256"):
        run(small, "--context", "100")
    gone = Model(tmp_path / "gone.gguf", "Gone", Origin.LINKED, 1)
    with pytest.raises(UserError, match="cannot be found"):
        plan(gone, None)
