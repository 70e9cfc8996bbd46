"""Names at a hub: none leads out of the folder of models, and an imitation is noticed."""

from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_registry.hub.errors import HubError, HubProblem
from models_registry.hub.names import Reference, check_path, check_repository, near_names

CLIMBING = [
    "../x.gguf",
    "a/../../x.gguf",
    "/etc/passwd",
    "//server/share/x.gguf",
    "C:/x.gguf",
    "C:x.gguf",
    "a\\..\\x.gguf",
    "a//x.gguf",
    "./x.gguf",
    "a/",
    "",
]
UNSTORABLE = [
    "x\0.gguf",
    "x\n.gguf",
    "x\u202efugg.exe",
    "CON",
    "nul.gguf",
    "a/com1.gguf",
    "LPT¹.gguf",
    "x.gguf:stream",
    "what?.gguf",
    "x.gguf.",
    "x.gguf ",
    "~/x.gguf",
    "é" * 128 + ".gguf",
]


@pytest.mark.parametrize("path", CLIMBING + UNSTORABLE)
def test_a_name_that_climbs_or_cannot_be_stored_is_refused(path):
    with pytest.raises(HubError) as caught:
        check_path(path)
    assert caught.value.problem is HubProblem.UNSAFE_NAME
    assert caught.value.subject == path


@pytest.mark.parametrize(
    "path", ["x.gguf", "Q4_K_M/a-00001-of-00002.gguf", "大模型.gguf", "a b (1).gguf", "..a"]
)
def test_an_honest_path_is_allowed(path):
    check_path(path)


@given(
    st.lists(st.sampled_from(["..", ".", "a", "/", "\\", ":", "C:", "~", "\0", " ", "con", "é"])).map("".join)
)
def test_whatever_is_allowed_stays_below_the_folder(path):
    try:
        check_path(path)
    except HubError:
        return
    folder = Path("/models")
    assert (folder / path).resolve().is_relative_to(folder)
    windows = PureWindowsPath("M:\\models") / path
    assert windows.is_relative_to("M:\\models")
    assert ".." not in windows.parts


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("llama 3", HubProblem.NOT_FOUND),
        ("llama", HubProblem.NOT_FOUND),
        ("a/b/c", HubProblem.NOT_FOUND),
        ("-a/b", HubProblem.NOT_FOUND),
        ("a/..", HubProblem.UNSAFE_NAME),
        ("../b", HubProblem.UNSAFE_NAME),
        ("con/b", HubProblem.UNSAFE_NAME),
    ],
)
def test_a_repository_is_named_by_maker_and_name(name, problem):
    with pytest.raises(HubError) as caught:
        check_repository(name)
    assert caught.value.problem is problem
    check_repository("bartowski/Qwen2.5-7B-Instruct-GGUF")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("maker/Model-GGUF", Reference("maker/Model-GGUF")),
        (" maker/Model-GGUF:Q4_K_M ", Reference("maker/Model-GGUF", "", "Q4_K_M")),
        ("https://hub.example/maker/Model-GGUF?not-for-all=1", Reference("maker/Model-GGUF")),
        ("https://hub.example/maker/Model-GGUF/tree/v2", Reference("maker/Model-GGUF", "v2")),
        (
            "https://hub.example/maker/Model/resolve/main/a/b%20c.gguf?download=true",
            Reference("maker/Model", "main", "a/b c.gguf"),
        ),
        ("llama 3 for chat", None),
        ("qwen", None),
        ("../../etc", None),
        ("a/..b", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_what_a_person_types_names_a_repository_or_not(text, reference):
    assert Reference.of(text) == reference


KNOWN = ["unsloth/gemma-3-4b-it-GGUF", "bartowski/Mistral-7B-Instruct-v0.3-GGUF", "Qwen/Qwen3-4B-GGUF"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("unsIoth/anything", ("unsloth",)),
        ("un-sloth/anything", ("unsloth",)),
        ("bartowsky/anything", ("bartowski",)),
        ("batrowski/anything", ("bartowski",)),
        ("Owen/Qwen3-4B-GGUF", ("Qwen",)),
        ("someone/Mistra1-7B-Instruct-v0.3-GGUF", ("bartowski/Mistral-7B-Instruct-v0.3-GGUF",)),
        ("someone/Mistral-7B-Instuct-v0.3-GGUF", ("bartowski/Mistral-7B-Instruct-v0.3-GGUF",)),
        ("Unsloth/gemma-3-4b-it-GGUF", ()),
        ("google/gemma-3-4b-it-GGUF", ()),
        ("someone/gemma-3-4b-pt-GGUF", ()),
        ("someone/gemma-3-1b-it-GGUF", ()),
        ("someone/Ministral-7B-Instruct-v0.3-GGUF", ()),
        ("someone/Qwen3-4B_GGUF", ()),
        ("bartowski/Mistra1-7B", ()),
    ],
)
def test_an_imitation_is_told_from_an_honest_neighbour(name, near):
    assert near_names(name, KNOWN) == near
