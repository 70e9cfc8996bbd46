"""Where the folders of other apps are, on all three systems."""

import json

import pytest

from models_registry.found.places import Source, System, folders

LINUX = System("linux", "/home/ann", {})
MAC = System("darwin", "/Users/ann", {})
WINDOWS = System("win32", r"C:\Users\ann", {})
DATA = {"linux": "/home/ann/.local/share", "darwin": "/Users/ann/Library/Application Support"}


def found(source, system, **variables):
    """Return the folders of a source where nothing but the environment says anything."""
    system = System(system.platform, system.home, variables)
    return [str(path) for path in folders(source, system, lambda _path: "")]


def moved(source, system, settings):
    """Return the likeliest folder where apps have settings: texts by path."""
    asked = {str(path).replace("\\", "/"): text for path, text in settings.items()}
    return str(folders(source, system, lambda path: asked.get(str(path).replace("\\", "/"), ""))[0])


@pytest.mark.parametrize(
    ("source", "linux", "mac", "windows"),
    [
        (
            Source.LM_STUDIO,
            ["/home/ann/.lmstudio/models", "/home/ann/.cache/lm-studio/models"],
            ["/Users/ann/.lmstudio/models", "/Users/ann/.cache/lm-studio/models"],
            [r"C:\Users\ann\.lmstudio\models", r"C:\Users\ann\.cache\lm-studio\models"],
        ),
        (
            Source.OLLAMA,
            ["/home/ann/.ollama/models", "/usr/share/ollama/.ollama/models"],
            ["/Users/ann/.ollama/models"],
            [r"C:\Users\ann\.ollama\models"],
        ),
        (
            Source.GPT4ALL,
            ["/home/ann/.local/share/nomic.ai/GPT4All"],
            ["/Users/ann/Library/Application Support/nomic.ai/GPT4All"],
            [r"C:\Users\ann\AppData\Local\nomic.ai\GPT4All"],
        ),
        (
            Source.JAN,
            ["/home/ann/.local/share/Jan/data", "/home/ann/jan"],
            ["/Users/ann/Library/Application Support/Jan/data", "/Users/ann/jan"],
            [r"C:\Users\ann\AppData\Roaming\Jan\data", r"C:\Users\ann\jan"],
        ),
        (
            Source.LLAMA_CPP,
            ["/home/ann/.cache/llama.cpp"],
            ["/Users/ann/Library/Caches/llama.cpp"],
            [r"C:\Users\ann\AppData\Local\llama.cpp"],
        ),
        (
            Source.HUGGING_FACE,
            ["/home/ann/.cache/huggingface/hub"],
            ["/Users/ann/.cache/huggingface/hub"],
            [r"C:\Users\ann\.cache\huggingface\hub"],
        ),
    ],
)
def test_where_each_app_keeps_models_by_itself(source, linux, mac, windows):
    assert found(source, LINUX) == linux
    assert found(source, MAC) == mac
    assert found(source, WINDOWS) == windows


@pytest.mark.parametrize(
    ("source", "system", "variables", "first"),
    [
        (Source.OLLAMA, LINUX, {"OLLAMA_MODELS": "/big/ollama"}, "/big/ollama"),
        (Source.OLLAMA, MAC, {"OLLAMA_MODELS": "~/ollama"}, "/Users/ann/ollama"),
        (Source.OLLAMA, WINDOWS, {"OLLAMA_MODELS": r"D:\ollama"}, r"D:\ollama"),
        (Source.OLLAMA, LINUX, {"OLLAMA_MODELS": "beside/me"}, "/home/ann/.ollama/models"),
        (Source.LLAMA_CPP, LINUX, {"LLAMA_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        (Source.LLAMA_CPP, LINUX, {"XDG_CACHE_HOME": "/x"}, "/x/llama.cpp"),
        (Source.LLAMA_CPP, MAC, {"XDG_CACHE_HOME": "/x"}, "/Users/ann/Library/Caches/llama.cpp"),
        (Source.LLAMA_CPP, WINDOWS, {"LOCALAPPDATA": r"E:\l"}, r"E:\l\llama.cpp"),
        (Source.HUGGING_FACE, MAC, {"HF_HUB_CACHE": "/h", "HF_HOME": "/n"}, "/h"),
        (Source.HUGGING_FACE, LINUX, {"HUGGINGFACE_HUB_CACHE": "/o", "HF_HOME": "/n"}, "/o"),
        (Source.HUGGING_FACE, WINDOWS, {"HF_HOME": r"D:\hf"}, r"D:\hf\hub"),
        (Source.HUGGING_FACE, MAC, {"XDG_CACHE_HOME": "/x"}, "/x/huggingface/hub"),
        (Source.GPT4ALL, LINUX, {"XDG_DATA_HOME": "/d"}, "/d/nomic.ai/GPT4All"),
        (Source.GPT4ALL, WINDOWS, {"LOCALAPPDATA": r"E:\l"}, r"E:\l\nomic.ai\GPT4All"),
        (Source.JAN, LINUX, {"XDG_DATA_HOME": "/d"}, "/d/Jan/data"),
        (Source.JAN, WINDOWS, {"APPDATA": r"E:\r"}, r"E:\r\Jan\data"),
        (Source.JAN, MAC, {"JAN_DATA_FOLDER": "/j", "JAN_DATA_ROOT": "/r"}, "/j"),
        (Source.JAN, MAC, {"JAN_DATA_ROOT": "/r"}, "/r/Jan/data"),
    ],
)
def test_the_environment_moves_them(source, system, variables, first):
    assert found(source, system, **variables)[0] == first


@pytest.mark.parametrize("system", [LINUX, MAC, WINDOWS], ids=lambda system: system.platform)
def test_the_settings_of_lm_studio_move_them(system):
    home = system.home
    elsewhere = "D:\\models" if system is WINDOWS else "/big/models"
    settings = json.dumps({"downloadsFolder": elsewhere, "language": "en"})
    assert moved(Source.LM_STUDIO, system, {f"{home}/.lmstudio/settings.json": settings}) == elsewhere
    pointed = {
        f"{home}/.lmstudio-home-pointer": f"{elsewhere}\n",
        f"{elsewhere}/settings.json": json.dumps({"downloadsFolder": elsewhere + "2"}),
    }
    assert moved(Source.LM_STUDIO, system, pointed) == elsewhere + "2"
    del pointed[f"{elsewhere}/settings.json"]
    assert moved(Source.LM_STUDIO, system, pointed) == str(system.path(elsewhere) / "models")


@pytest.mark.parametrize(
    ("system", "settings"),
    [
        (LINUX, "/home/ann/.local/share/Jan/settings.json"),
        (LINUX, "/home/ann/.config/Jan/settings.json"),
        (MAC, "/Users/ann/Library/Application Support/Jan/settings.json"),
        (MAC, "/Users/ann/Library/Application Support/jan.ai.app/settings.json"),
        (WINDOWS, "C:/Users/ann/AppData/Roaming/Jan/settings.json"),
    ],
)
def test_the_settings_of_jan_move_them(system, settings):
    folder = r"D:\jan" if system is WINDOWS else "/big/jan"
    assert moved(Source.JAN, system, {settings: json.dumps({"data_folder": folder})}) == folder
    assert moved(Source.JAN, system, {settings: json.dumps({"data_folder": "./data"})}) != "./data"


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("modelPath=/big/models/", "/big/models"),
        ("modelPath=/big 100%/models", "/big 100%/models"),
        ('modelPath="/with, comma/m"', "/with, comma/m"),
        (r"modelPath=/\x6a21\x578b", "/模型"),
        ("modelPath=/模型", "/模型"),
        ("modelPath=", "/home/ann/.local/share/nomic.ai/GPT4All"),
        ("modelPath=relative", "/home/ann/.local/share/nomic.ai/GPT4All"),
    ],
)
def test_the_settings_of_gpt4all_move_them(line, folder):
    text = f"[General]\nchatTheme=Dark\n{line}\n\n[download]\nlastVersionStarted=3.10.0\n"
    assert moved(Source.GPT4ALL, LINUX, {"/home/ann/.config/nomic.ai/GPT4All.ini": text}) == folder


def test_the_settings_of_gpt4all_lie_elsewhere_on_the_other_systems():
    text = "[General]\nmodelPath={}\n"
    mac = {"/Users/ann/.config/nomic.ai/GPT4All.ini": text.format("/big")}
    assert moved(Source.GPT4ALL, MAC, mac) == "/big"
    windows = {"C:/Users/ann/AppData/Roaming/nomic.ai/GPT4All.ini": text.format("D:/big")}
    assert moved(Source.GPT4ALL, WINDOWS, windows) == r"D:\big"


@pytest.mark.parametrize("source", list(Source))
@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"data_folder": 5, "downloadsFolder": [1]}', "[General", "\0", "[" * 100_000]
)
def test_broken_settings_leave_the_usual_folders(source, text):
    system = System("linux", "/home/ann", {})
    assert folders(source, system, lambda _path: text)[-1] == folders(source, system, lambda _path: "")[-1]
