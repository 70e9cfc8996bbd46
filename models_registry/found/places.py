"""Where other apps keep their models: functions of system, home and environment, and of the apps' settings.

Followed are llama.cpp's `common/common.cpp` and `common/hf-cache.cpp`, Ollama's FAQ, GPT4All's
`mysettings.cpp`, Jan's `src-tauri/src/core/app/commands.rs` and what LM Studio writes.
"""

import configparser
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath


class Source(StrEnum):
    """An app that keeps GGUF files."""

    LM_STUDIO = "lm-studio"
    OLLAMA = "ollama"
    GPT4ALL = "gpt4all"
    JAN = "jan"
    LLAMA_CPP = "llama.cpp"
    HUGGING_FACE = "hugging-face"


ReadText = Callable[[PurePath], str]
"""Returns the text of a file, nothing where there is none that can be read."""


@dataclass(frozen=True, slots=True)
class System:
    """What the places depend on.

    Attributes:
        platform: As `sys.platform` has it: "darwin", "win32"; everything else counts as Linux.
        home: The person's own folder, absolute.
        environment: Variables by name.
    """

    platform: str
    home: str
    environment: Mapping[str, str]

    @classmethod
    def current(cls) -> "System":
        """Return this computer."""
        return cls(sys.platform, str(Path.home()), os.environ)

    @property
    def root(self) -> PurePath:
        """Return the home folder as a path of this system."""
        return self.path(self.home)

    @property
    def data(self) -> PurePath:
        """Return where apps keep what they need."""
        if self.platform == "darwin":
            return self.root / "Library" / "Application Support"
        if self.platform == "win32":
            return self.named("APPDATA") or self.root / "AppData" / "Roaming"
        return self.named("XDG_DATA_HOME") or self.root / ".local" / "share"

    @property
    def settings(self) -> PurePath:
        """Return where apps of Qt and Electron keep their settings on Linux; on the others, where all is."""
        if self.platform in ("darwin", "win32"):
            return self.data
        return self.named("XDG_CONFIG_HOME") or self.root / ".config"

    @property
    def cache(self) -> PurePath:
        """Return the folder of caches that the XDG specification names, on all systems."""
        return self.named("XDG_CACHE_HOME") or self.root / ".cache"

    def path(self, text: str) -> PurePath:
        """Return `text` as a path of this system."""
        return PureWindowsPath(text) if self.platform == "win32" else PurePosixPath(text)

    def absolute(self, text: str) -> PurePath | None:
        """Return `text` as a path, with "~" for the home folder; None where it is no absolute path."""
        text = text.strip()
        if not text or "\0" in text:
            return None
        path = self.path(text)
        if path.parts[:1] == ("~",):
            path = self.root.joinpath(*path.parts[1:])
        return path if path.is_absolute() else None

    def named(self, *variables: str) -> PurePath | None:
        """Return the folder that the first of the environment's `variables` names, if any does."""
        for variable in variables:
            if path := self.absolute(self.environment.get(variable, "")):
                return path
        return None


def folders(source: Source, system: System, read: ReadText) -> list[PurePath]:
    """Return where `source` may keep models, whether or not it is there, the likeliest first.

    For Ollama these are folders with `manifests` and `blobs`, for Jan its data folders.
    """
    found = _FOLDERS[source](system, read)
    return list(dict.fromkeys(found))


def _lm_studio(system: System, read: ReadText) -> Iterator[PurePath]:
    pointed = read(system.root / ".lmstudio-home-pointer").strip().splitlines()
    homes = [system.root / ".lmstudio", system.root / ".cache" / "lm-studio"]
    if pointed and (named := system.absolute(pointed[0])):
        homes.insert(0, named)
    for settings in (*homes, system.settings / "LM Studio"):
        if moved := _setting(system, read(settings / "settings.json"), "downloadsFolder"):
            yield moved
    yield from (home / "models" for home in homes)


def _ollama(system: System, _read: ReadText) -> Iterator[PurePath]:
    yield system.named("OLLAMA_MODELS") or system.root / ".ollama" / "models"
    if system.platform not in ("darwin", "win32"):
        yield system.path("/usr/share/ollama/.ollama/models")  # of the service


def _gpt4all(system: System, read: ReadText) -> Iterator[PurePath]:
    # Qt keeps .ini files under ~/.config on a Mac too.
    settings = system.root / ".config" if system.platform == "darwin" else system.settings
    if moved := system.absolute(_model_path(read(settings / "nomic.ai" / "GPT4All.ini"))):
        yield moved
    data = system.data
    if system.platform == "win32":
        data = system.named("LOCALAPPDATA") or system.root / "AppData" / "Local"
    yield data / "nomic.ai" / "GPT4All"


def _jan(system: System, read: ReadText) -> Iterator[PurePath]:
    data = system.named("JAN_DATA_ROOT") or system.data
    if named := system.named("JAN_DATA_FOLDER"):
        yield named
    for settings in (data / "Jan", data / "jan.ai.app", system.settings / "Jan"):
        if moved := _setting(system, read(settings / "settings.json"), "data_folder"):
            yield moved
    yield data / "Jan" / "data"
    yield system.root / "jan"  # until 2024


def _llama_cpp(system: System, _read: ReadText) -> Iterator[PurePath]:
    if named := system.named("LLAMA_CACHE"):
        yield named
    elif system.platform == "darwin":
        yield system.root / "Library" / "Caches" / "llama.cpp"
    elif system.platform == "win32":
        yield (system.named("LOCALAPPDATA") or system.root / "AppData" / "Local") / "llama.cpp"
    else:
        yield system.cache / "llama.cpp"


def _hugging_face(system: System, _read: ReadText) -> Iterator[PurePath]:
    if cache := system.named("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        yield cache
    elif home := system.named("HF_HOME"):
        yield home / "hub"
    else:
        yield system.cache / "huggingface" / "hub"


_FOLDERS: dict[Source, Callable[[System, ReadText], Iterator[PurePath]]] = {
    Source.LM_STUDIO: _lm_studio,
    Source.OLLAMA: _ollama,
    Source.GPT4ALL: _gpt4all,
    Source.JAN: _jan,
    Source.LLAMA_CPP: _llama_cpp,
    Source.HUGGING_FACE: _hugging_face,
}


def _setting(system: System, text: str, key: str) -> PurePath | None:
    """Return the folder that settings in JSON name, None where they do not."""
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        return None
    value = settings.get(key) if isinstance(settings, dict) else None
    return system.absolute(value) if isinstance(value, str) else None


def _model_path(text: str) -> str:
    """Return `modelPath` of GPT4All's settings, as Qt writes them; empty where they do not name it."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    try:
        parser.read_string(text)
        value = parser.get("General", "modelPath", fallback="")
    except configparser.Error:
        return ""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return re.sub(r"\\(?:x([0-9a-fA-F]{1,4})|(.))", _unescaped, value)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]
