import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.arguments import parser
from app.cli.options import adapters_from, options_from, settings_from
from app.domain.errors import UserError
from app.domain.loading import Adapter, LoadOptions, rope_options
from app.domain.settings import SAMPLERS, Settings


def given_words(*words, command=("ask", "Hi")):
    return parser().parse_args([*command, *words])


@pytest.mark.parametrize("command", [("ask", "Hi"), ("chat",)])
def test_without_options_everything_is_left_to_the_model_and_the_engine(command):
    arguments = given_words(command=command)
    assert settings_from(arguments) == Settings()
    assert options_from(arguments) == LoadOptions()
    assert adapters_from(arguments) == ()


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_has_an_option(name):
    value = int(SAMPLERS[name].high) if SAMPLERS[name].whole else SAMPLERS[name].low + 0.25
    words = ["--" + name.replace("_", "-"), str(value)]
    assert settings_from(given_words(*words)) == Settings(**{name: value})


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--context", "16k", "--max-tokens", "5", "--seed", "7"],
         {"context": 16384, "max_tokens": 5, "seed": 7}),
        (["--probabilities", "3"], {"probabilities": 3}),
        (["--no-speculation"], {"speculation": False}),
        (["--logit-bias", " the=-5", "--logit-bias", "12=1.5", "--logit-bias", '"12"=2',
          "--logit-bias", '"\\n"=1'],
         {"logit_bias": ((" the", -5.0), (12, 1.5), ("12", 2.0), ("\n", 1.0))}),
        (["--logit-bias", "a=b=1"], {"logit_bias": (("a=b", 1.0),)}),
        (["--dry-breaker", '"\\n"', "--dry-breaker", "."], {"dry_breakers": ("\n", ".")}),
        (["--template", "enable_thinking=false", "--template", "effort=high", "--template", 'tools=[1]'],
         {"template_variables": {"enable_thinking": False, "effort": "high", "tools": [1]}}),
    ],
)  # fmt: skip
def test_options_become_settings(words, wanted):
    assert settings_from(given_words(*words)) == Settings(**wanted)


@given(st.text(min_size=1), st.integers(-100, 100))
def test_any_text_can_be_named_for_a_bias(text, amount):
    arguments = given_words(f"--logit-bias={json.dumps(text)}={amount}")
    assert settings_from(arguments).logit_bias == ((text, amount),)


def test_options_about_memory_and_devices():
    words = (
        "--kv-type q8_0 --flash-attention on --ubatch 256 --whole-window --no-mmap --mlock --gpu-layers 0 "
        "--threads 3 --gentle --draft small"
    )
    arguments = given_words(*words.split())
    assert options_from(arguments, Path("small.gguf")) == LoadOptions(
        "q8_0", True, 256, True, False, True, 0, 3, True, Path("small.gguf")
    )
    assert options_from(given_words("--flash-attention", "off")).flash_attention is False


@pytest.mark.parametrize("command", [("ask", "Hi"), ("chat",)])
def test_options_about_how_positions_are_scaled(command):
    words = (
        "--rope yarn --rope-factor 4 --rope-freq-base 1e6 --rope-original-context 8k --rope-ext-factor 0.9 "
        "--rope-beta-fast 16 --rope-beta-slow 2"
    )
    found = options_from(given_words(*words.split(), command=command)).rope
    assert found == rope_options(
        "yarn", factor=4, freq_base=1e6, original_context=8192, ext_factor=0.9, beta_fast=16, beta_slow=2
    )
    assert found.original_context == 8192
    assert options_from(given_words("--rope-freq-scale", "0.5")).rope == rope_options("auto", freq_scale=0.5)
    with pytest.raises(UserError, match="rope-beta-slow must be less than rope-beta-fast"):
        options_from(given_words("--rope-beta-slow", "99", command=command))


def test_a_quantised_kv_cache_without_flash_attention_is_refused():
    with pytest.raises(UserError, match="KV cache of type q4_0 needs flash attention"):
        options_from(given_words("--kv-type", "q4_0", "--flash-attention", "off"))


def test_adapters_may_have_a_scale_and_a_colon_in_their_name(tmp_path):
    odd = tmp_path / "a:2"
    odd.touch()
    words = [
        "--lora",
        "a.gguf",
        "--lora",
        "b.gguf:0.5",
        "--lora",
        "C:\\c.gguf",
        "--lora",
        str(odd),
        "--lora",
        "d:-1",
    ]
    assert adapters_from(given_words(*words)) == (
        Adapter(Path("a.gguf")), Adapter(Path("b.gguf"), 0.5), Adapter(Path("C:\\c.gguf")), Adapter(odd),
        Adapter(Path("d"), -1.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [("--logit-bias", "word"), ("--logit-bias", "=1"), ("--logit-bias", "a=much"), ("--template", "=1"),
     ("--template", "no name=1"), ("--threads", "0"), ("--threads", "two"), ("--ubatch", "0"),
     ("--gpu-layers", "-1"),
     ("--rope", "dynamic"), ("--rope-factor", "two"), ("--kv-type", "q2_k"),
     ("--flash-attention", "maybe"), ("--top-k", "1.5"), ("--lora", "a:inf")],
)  # fmt: skip
def test_a_wrong_word_is_wrong_usage(words, capsys):
    with pytest.raises(SystemExit) as ended:
        given_words(*words)
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_a_value_out_of_range_is_refused_in_words():
    with pytest.raises(UserError, match="top-p must be between 0 and 1"):
        settings_from(given_words("--top-p", "nan"))


@pytest.mark.parametrize(("option", "name"), [("--grammar", "grammar"), ("--json-schema", "json_schema")])
def test_files_are_read(option, name, tmp_path):
    path = tmp_path / "form"
    path.write_text("\ufeffé", "utf-8")
    assert settings_from(given_words(option, str(path))) == Settings(**{name: "é"})


@pytest.mark.parametrize(
    ("data", "said"),
    [(None, "cannot be read"), (b"\xff", "UTF-8"), (b" \n", "empty"), (b"a" * 4_000_001, "large")],
)
def test_a_file_that_is_none_is_refused_by_name(data, said, tmp_path):
    path = tmp_path / "form.gbnf"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UserError, match=said) as refused:
        settings_from(given_words("--grammar", str(path)))
    assert "form.gbnf" in str(refused.value)
