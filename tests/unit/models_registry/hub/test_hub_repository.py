"""The files of a repository, grouped as a person thinks of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.repository import RemoteFile, Repository, Scan, group


def files(*paths, scan=Scan.SAFE):
    return [RemoteFile(path, 1000 + index, "a" * 64, scan) for index, path in enumerate(paths)]


def repository(*paths, scan=Scan.SAFE):
    variants, projectors = group(files(*paths, scan=scan))
    facts = {"license": "", "gated": False, "accessible": True, "downloads": 0, "likes": 0, "tags": ()}
    facts |= {"created": None, "modified": None, "base_models": (), "architecture": "", "parameters": 0}
    return Repository("maker/Model", "c" * 40, **facts, context=0, variants=variants, projectors=projectors)


def test_split_files_are_one_model_and_other_files_none():
    variants, projectors = group(
        files(
            "README.md",
            "Model-Q8_0-00002-of-00003.gguf",
            "Model-Q8_0-00001-of-00003.gguf",
            "Model-Q8_0-00003-of-00003.gguf",
            "BF16/Model-BF16-00001-of-00002.gguf",
            "BF16/Model-BF16-00002-of-00002.gguf",
            "Model-F16-00001-of-00002.gguf",
            "Model-UD-Q4_K_XL.gguf",
            "Model.IQ4_NL.imatrix.gguf",
            "Model-imatrix.gguf",
            "imatrix_maker.gguf",
            "Model-Q4_K_M.gguf.part1of2",
            "mmproj-F32.gguf",
            "mmproj-F16.gguf",
        )
    )
    found = {variant.name: [file.path for file in variant.files] for variant in variants}
    assert found == {
        "Model-UD-Q4_K_XL": ["Model-UD-Q4_K_XL.gguf"],
        "Model.IQ4_NL.imatrix": ["Model.IQ4_NL.imatrix.gguf"],
        "Model-Q8_0": [f"Model-Q8_0-0000{number}-of-00003.gguf" for number in (1, 2, 3)],
        "Model-BF16": [f"BF16/Model-BF16-0000{number}-of-00002.gguf" for number in (1, 2)],
    }
    assert {v.quantization for v in variants} == {"UD-Q4_K_XL", "IQ4_NL", "Q8_0", "BF16"}
    assert [v.size for v in variants] == sorted(v.size for v in variants)
    assert {file.path for file in projectors} == {"mmproj-F32.gguf", "mmproj-F16.gguf"}
    assert {v.projector.path for v in variants} == {"mmproj-F16.gguf"}


def test_a_projector_goes_to_the_model_whose_name_it_has():
    variants, _ = group(
        files(
            "gemma-3-4b-it-Q4_0.gguf",
            "gemma-3-12b-it-Q4_0.gguf",
            "mmproj-gemma-3-4b-it-F16.gguf",
            "mmproj-gemma-3-12b-it-F16.gguf",
        )
    )
    found = {variant.path: variant.projector.path for variant in variants}
    assert found == {path: f"mmproj-{path.replace('Q4_0', 'F16')}" for path in found}


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("q4_k_m", "Model-Q4_K_M.gguf"),
        ("Q4_K_XL", "Model-UD-Q4_K_XL.gguf"),
        ("UD-Q4_K_XL", "Model-UD-Q4_K_XL.gguf"),
        ("Model-Q8_0", "Model-Q8_0-00001-of-00002.gguf"),
        ("model-q4_k_m.gguf", "Model-Q4_K_M.gguf"),
        ("Model-Q8_0-00002-of-00002.gguf", "Model-Q8_0-00001-of-00002.gguf"),
    ],
)
def test_a_variant_is_chosen_by_what_people_call_it(wanted, path):
    split = [f"Model-Q8_0-0000{number}-of-00002.gguf" for number in (1, 2)]
    found = repository("Model-Q4_K_M.gguf", "Model-UD-Q4_K_XL.gguf", *split).choose(wanted)
    assert found.path == path


def test_what_is_not_there_is_answered_with_what_is():
    found = repository("Model-Q4_K_M.gguf", "Model-Q8_0.gguf")
    with pytest.raises(HubError) as caught:
        found.choose("Q5_K_M")
    assert caught.value.problem is HubProblem.NO_SUCH_VARIANT
    assert caught.value.choices == ("Q4_K_M", "Q8_0")
    with pytest.raises(HubError) as caught:
        found.choose()
    assert caught.value.problem is HubProblem.AMBIGUOUS
    with pytest.raises(HubError) as caught:
        found.choose("../Model-Q8_0.gguf")
    assert caught.value.problem is HubProblem.UNSAFE_NAME


def test_two_models_of_one_quantization_are_told_apart_by_name():
    found = repository("a-1b-Q4_0.gguf", "a-4b-Q4_0.gguf", "gpt.gguf")
    with pytest.raises(HubError) as caught:
        found.choose("Q4_0")
    assert caught.value.problem is HubProblem.AMBIGUOUS
    assert caught.value.choices == ("a-1b-Q4_0", "a-4b-Q4_0")
    assert found.choose("a-4b-Q4_0").path == "a-4b-Q4_0.gguf"
    assert repository("gpt.gguf").choose().path == "gpt.gguf"


def test_a_repository_without_gguf_says_so():
    with pytest.raises(HubError) as caught:
        repository("model.safetensors", "mmproj-F16.gguf").choose("Q4_0")
    assert caught.value.problem is HubProblem.NO_GGUF


def test_the_worst_that_the_scanners_found_counts():
    assert repository("a.gguf").scan is Scan.SAFE
    assert repository("a.gguf", scan=Scan.UNKNOWN).scan is Scan.UNKNOWN
    variants, _ = group([*files("a.gguf"), *files("b.gguf", scan=Scan.UNSAFE)])
    assert {variant.path: variant.scan for variant in variants} == {
        "a.gguf": Scan.SAFE,
        "b.gguf": Scan.UNSAFE,
    }


WORDS = st.sampled_from(
    ["a", "/", "-", ".", "Q4_K_M", "mmproj", "-00001-of-00002", "-00002-of-00002", "..", "imatrix"]
)


@given(
    st.lists(st.lists(WORDS, max_size=5).map(lambda words: "".join(words) + ".gguf"), max_size=6, unique=True)
)
def test_each_file_belongs_to_one_model_at_most(paths):
    try:
        variants, projectors = group(files(*paths))
    except HubError as error:
        assert error.problem is HubProblem.UNSAFE_NAME  # noqa: PT017
        return
    used = [file.path for variant in variants for file in variant.files] + [file.path for file in projectors]
    assert len(used) == len(set(used))
    assert set(used) <= set(paths)
