"""Names that read well, whatever the file is called and says about itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_registry.naming import display_name, file_name, quantization

HASH = "47b6801b24d15ff9bcd8c96dfaea0be9ed3a0301"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2 135M Instruct"),
        ("gemma-3-270m-q4_k_m.gguf", "Gemma 3 270M"),
        ("Qwen3-4B-Instruct-2507-Q4_K_M.gguf", "Qwen3 4B Instruct 2507"),
        ("qwen2.5-7b-instruct-q4_k_m-00001-of-00002.gguf", "Qwen2.5 7B Instruct"),
        ("Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf", "Meta Llama 3.1 8B Instruct"),
        ("tinyllama-1.1b-chat-v1.0.Q4_K_M.gguf", "TinyLlama 1.1B Chat v1.0"),
        ("gpt-oss-20b-mxfp4.gguf", "GPT OSS 20B"),
        ("Mixtral-8x7B-Instruct-v0.1-IQ3_XXS.gguf", "Mixtral 8x7B Instruct v0.1"),
        ("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "Qwen3 30B A3B"),
        ("Llama-3.2-3B.i1-IQ2_XS.gguf", "Llama 3.2 3B"),
        ("gemma-3-4b-it-BF16.GGUF", "Gemma 3 4B it"),
    ],
)
def test_a_file_name_with_a_size_says_it_all(file: str, name: str) -> None:
    misleading = {"general.name": "Something else", "general.basename": "other", "general.size_label": "1B"}
    assert display_name(misleading, Path("/models", file)) == name


@pytest.mark.parametrize(
    ("file", "metadata", "name"),
    [
        (
            "model.gguf",
            {"basename": "Llama-3.2", "size_label": "3B", "finetune": "instruct"},
            "Llama 3.2 3B Instruct",
        ),
        ("model-q4_0.gguf", {"basename": "Meta-Llama-3", "size_label": "8B"}, "Meta Llama 3 8B"),
        (f"sha256-{'a' * 64}", {"name": "Qwen2.5 7B Instruct"}, "Qwen2.5 7B Instruct"),
        ("x.gguf", {"name": "somebody/foo-13b-chat"}, "Foo 13B Chat"),
        ("x.gguf", {"name": "LLaMA v2"}, "LLaMA v2"),
        ("phi-1_5-Q4_K_M.gguf", {"name": "Phi2"}, "Phi 1.5"),
        ("dolphin-2_6-phi-2.Q4_K_M.gguf", {"name": "Phi2"}, "Dolphin 2.6 Phi 2"),
        ("x.gguf", {"name": "gemma3_270m"}, "Gemma3 270M"),
        ("TheBloke_Llama-2-GGUF_llama-2.Q4_0.gguf", {}, "Llama 2"),
        ("x.gguf", {"basename": 7, "name": "Fine"}, "Fine"),
        ("x.gguf", {"name": "evil\u202ename\n7b\x00"}, "Evil Name 7B"),
        ("Phi-3.5-mini-instruct-Q4_K_M.gguf", {}, "Phi 3.5 Mini Instruct"),
        ("mine.gguf", {"name": "Models"}, "Mine"),
        ("mine.gguf", {"name": "/home/somebody/checkpoint-500"}, "Mine"),
        ("mine.gguf", {"name": "C:\\models\\llama"}, "Mine"),
        ("mine.gguf", {"name": "."}, "Mine"),
        ("mine.gguf", {"name": HASH, "basename": HASH, "finetune": HASH}, "Mine"),
        ("mine.gguf", {"name": "2"}, "Mine"),
        ("大模型.gguf", {}, "大模型"),
        ("model.gguf", {}, "model"),
        (".gguf", {}, ".gguf"),
        ("\x01.gguf", {}, "GGUF"),
    ],
)
def test_else_the_metadata_where_it_means_something(
    file: str, metadata: dict[str, object], name: str
) -> None:
    assert display_name({f"general.{key}": value for key, value in metadata.items()}, Path(file)) == name


@given(st.text(), st.dictionaries(st.sampled_from(["name", "basename", "finetune"]), st.text()))
def test_any_name_fits_on_a_line(file: str, metadata: dict[str, object]) -> None:
    path = Path("/", file.replace("/", "-"))
    for name in (
        display_name({f"general.{key}": value for key, value in metadata.items()}, path),
        file_name(path),
    ):
        assert name.isprintable()
        assert 0 < len(name.strip()) <= 302


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "Q4_1"),
        ("gemma-3-270m-q4_k_m.gguf", "Q4_K_M"),
        ("Qwen3-30B-A3B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("Qwen3-30B-A3B-UD-IQ1_S.gguf", "UD-IQ1_S"),
        ("Llama-3.2-3B.i1-IQ2_XXS.gguf", "IQ2_XXS"),
        ("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("model-NVFP4.gguf", "NVFP4"),
        ("model-BF16-00001-of-00002.gguf", "BF16"),
        ("model.fp16.gguf", "F16"),
        ("Phi-3-mini-4k-instruct-fp32.gguf", "F32"),
        ("model-f16.Q5_K_M.gguf", "Q5_K_M"),
        ("Model-Q6_K_L.gguf", "Q6_K_L"),
        ("Model-Q4_0_4_8.gguf", "Q4_0_4_8"),
        ("Model-Q4_K_S_R4.gguf", "Q4_K_S_R4"),
        ("Model-IQ4_NL.imatrix.gguf", "IQ4_NL"),
        ("Model-TQ2_0.GGUF", "TQ2_0"),
        ("q8_0.gguf", "Q8_0"),
        ("UD-Q2_K_XL/DeepSeek-R1-UD-Q2_K_XL-00001-of-00005.gguf", "UD-Q2_K_XL"),
        ("Q3_K_L/ggml-model.gguf", "Q3_K_L"),
        ("gpt-oss-20b.gguf", ""),
        ("QwQ-32B.gguf", ""),
        ("qq4_0x.gguf", ""),
        ("", ""),
    ],
)
def test_a_file_name_says_how_weights_are_stored(path: str, label: str) -> None:
    assert quantization(path) == label
