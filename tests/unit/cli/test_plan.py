"""What `fireside plan` says of real models."""

import json
import re
from types import SimpleNamespace

import pytest
from tiny_models import tiny

from app.cli import plan as command
from app.cli.arguments import parser
from app.domain.errors import UserError
from app.domain.loading import LoadOptions
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
    alternatives, nearest = found.pop("alternatives"), found.pop("nearest")
    fitting = {(each["kv_type"], each["ubatch"]): each["context"] for each in found.pop("fitting")}
    assert len(fitting) == 9
    assert fitting["f16", 512] < fitting["f16", 128] < fitting["q4_0", 128] <= 65536
    assert found == {
        "context": 4096,
        "trained_context": 8192,
        "rope": {
            "type": "none", "factor": 1, "freq_base": 100_000, "freq_scale": 1, "original_context": 8192,
            "quality": "as_trained", "notes": [], "from_file": True,
        },
        "kv_type": "f16",
        "fits": True,
        "advice": [],
    }  # fmt: skip
    assert memory.pop("available") == 10**9
    assert memory["total"] == alternatives[0]["total"] == nearest["total"]
    assert (nearest["context"], nearest["fits"], nearest["costs"]) == (4096, True, [])
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
    table = (
        capsys.readouterr()
        .out.split("The same context with other options:\n")[1]
        .split("\n\n")[0]
        .splitlines()
    )
    assert len(table) == 1 + len(ways)


def test_the_context_is_the_engines_when_none_is_given_and_rounded_as_it_rounds(small):
    assert plan(small, None).context == 8192
    assert plan(small, 1000).context == 1024


def test_the_largest_contexts_that_fit_are_a_table_and_the_memory_is_a_bar(small, capsys):
    run(small, "--memory", "400MB")
    out = capsys.readouterr().out
    table = out.split("The largest context that fits with flash attention, by KV type and batch size:\n")[
        1
    ].splitlines()
    assert [re.split(r"  +", line)[0] for line in table] == ["KV type", "f16", "q8_0", "q4_0"]
    assert all(len(re.split(r"  +", line)) == 4 for line in table)
    found = plan(small, None, available=400_000_000)
    for line, kind in zip(table[1:], ("f16", "q8_0", "q4_0"), strict=True):
        assert re.split(r"  +", line)[1] == f"{found.fitting[kind, 512]:,}"
        taken = plan(
            small, found.fitting[kind, 512], LoadOptions(kv_type=kind, flash_attention=True), 400_000_000
        )
        assert taken.fits
    (bar,) = re.findall(r"^\[.{60}\]$", out, re.MULTILINE)
    assert "·" not in bar  # nothing is left
    run(small, "--memory", "100GB")
    (bar,) = re.findall(r"^\[.{60}\]$", capsys.readouterr().out, re.MULTILINE)
    assert bar.count("·") > 55
    run(small, "--memory", "1MB")
    assert "–" in capsys.readouterr().out


def test_what_does_not_fit_comes_with_what_would(small, windowed, capsys):
    run(small, "--context", "8k", "--memory", "500MB")
    out = capsys.readouterr().out
    assert "it does not fit" in out
    assert "This context fits with --flash-attention on. It writes more slowly." in out
    assert plan(small, 8192, LoadOptions(flash_attention=True), 500_000_000).fits
    assert "tokens fits." in out
    run(small, "--context", "32k", "--memory", "300MB")
    out = capsys.readouterr().out
    assert "The nearest that fits: --context" in out
    assert "It sees fewer tokens at once." in out
    run(windowed, "--memory", "100MB")
    assert "Choose a smaller model" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "scaling", "quality"),
    [
        ([], "none", "as trained"),
        (["--context", "16k"], "YaRN × 2", "usually fine"),
        (["--context", "12k", "--rope", "ntk"], "NTK-aware × 2", "usually fine"),
        (["--context", "64k"], "YaRN × 8", "expect loss"),
        (["--context", "16k", "--rope", "none"], "none", "expect loss"),
        (["--context", "16k", "--rope", "linear"], "linear × 2", "expect loss"),
        (["--context", "4k", "--rope-freq-base", "50000"], "none", "not known"),
    ],
)
def test_how_positions_are_scaled_is_said_with_an_honest_word(words, scaling, quality, small, capsys):
    run(small, *words)
    out = capsys.readouterr().out.splitlines()
    said = dict(re.split(r"  +", line)[:2] for line in out if "  " in line)
    assert said["position scaling"] == scaling
    assert said["how well it reads at this length"] == quality
    assert any("expect it to understand less" in line for line in out) == (quality == "expect loss")


def test_what_the_file_brings_is_said_to_those_who_set_numbers(windowed, capsys):
    run(windowed, "--context", "64k")
    assert "Layers with a sliding window keep the scaling of the file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--context", "100"], "context must be between 256"),
        (["--context", "0"], "context must be between 256"),
        (["--context", "1000000000000"], "context must be between 256"),
        (["--context", "128k"], "Choose a context of at most 65,536 tokens."),
        (["--rope-factor", "nan"], "rope-factor must be between 1 and 64; nan is not."),
        (["--rope-factor", "2", "--rope-freq-scale", "0.3"], "contradict each other"),
        (["--rope", "none", "--rope-factor", "2"], "rope-factor has no effect with none scaling"),
        (["--rope", "linear", "--rope-beta-fast", "9"], "rope-beta-fast has no effect with linear"),
        (["--rope-beta-slow", "40"], "rope-beta-slow must be less than rope-beta-fast"),
        (["--rope-ext-factor", "0", "--rope-beta-fast", "9"], "With rope-ext-factor 0"),
        (["--rope-original-context", "0"], "rope-original-context must be between"),
    ],
)
def test_a_context_or_a_scaling_that_cannot_be_is_a_sentence(words, sentence, small):
    with pytest.raises(UserError) as refused:
        run(small, *words)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "words",
    [
        ["--context", "-5"], ["--context", "nan"], ["--context", "16 thousand"], ["--context", "9" * 40],
        ["--rope", "dynamic"], ["--rope-factor", "much"], ["--rope-original-context", "-1"],
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_the_usage(words, small, capsys):
    with pytest.raises(SystemExit) as ended:
        run(small, *words)
    assert ended.value.code == 2
    assert words[-1] in capsys.readouterr().err


def odd(changes, folder):
    file = tiny()
    file.metadata = {k: v for k, v in (file.metadata | changes).items() if v is not None}
    return file.write(folder / "odd.gguf")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"llama.rope.scaling.type": ("str", "dynamic")},
            "uses a feature that this version of Fireside does not support",
        ),
        ({"llama.context_length": None}, "does not contain a language model"),
    ],
)
def test_a_header_that_says_too_little_or_something_unknown_is_a_sentence(changes, sentence, tmp_path):
    path = odd(changes, tmp_path)
    with pytest.raises(UserError) as refused:
        run(Model(path, "Odd", Origin.LINKED, 1), "--context", "4k")
    assert sentence in str(refused.value)


def test_a_model_of_unknown_training_is_planned_without_a_promise(tmp_path, capsys):
    path = odd({"llama.context_length": ("u32", 0)}, tmp_path)
    run(Model(path, "Unknown", Origin.LINKED, 1), "--context", "64k")
    assert "not known" in capsys.readouterr().out
    with pytest.raises(UserError, match="does not say for which context"):
        run(Model(path, "Unknown", Origin.LINKED, 1), "--rope", "yarn")


def test_what_cannot_be_planned_is_said(tmp_path):
    gone = Model(tmp_path / "gone.gguf", "Gone", Origin.LINKED, 1)
    with pytest.raises(UserError, match="cannot be found"):
        plan(gone, None)
