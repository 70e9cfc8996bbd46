"""What to call a model: a name that people recognise, out of its file name and metadata."""

import re
from collections.abc import Mapping
from pathlib import Path

_LONGEST = 100

# "-00001-of-00003" of a model in several files.
_PART = re.compile(r"-\d{5}-of-\d{5}$")
# "ggml-org_gemma-3-4b-it-GGUF_" before the file's own name, in llama.cpp's cache: owner and repository.
_CACHED = re.compile(r"^[^_]+_.*?-GGUF_(?=.)", re.IGNORECASE)
# "-Q4_K_M", ".i1-IQ2_XS", "-UD-Q4_K_XL", "-bf16" and "-GGUF" at the end of a name say how the file is stored.
_STORAGE = re.compile(
    r"[-._ ](?:(?:UD|i1|imat)[-_.])?(?:I?Q\d\w*|TQ\d_\d|BF16|FP?16|FP?32|MXFP4\w*|NVFP4|GGUF)$", re.IGNORECASE
)
# How the weights are stored, as the field writes it, wherever it stands between other words of a name.
_QUANTIZATION = re.compile(
    r"""(?<![^-._/ ])
    (?P<label>(?:UD-)?(?:
        I?Q\d(?:_(?:\d|K|XXS|XXL|XS|XL|S|M|L|P|NL|R\d))*
      | TQ\d_\d | BF16 | FP?(?:16|32) | (?:MX|NV)FP4(?:_MOE)?
    ))(?![^-._/ ])""",
    re.IGNORECASE | re.VERBOSE,
)
# "7B", "1.5b", "8x7B", "270m", "A3B".
_SIZE = re.compile(r"(?:\d+x|A)?\d+(?:\.\d+)?[KMBT]", re.IGNORECASE)
_VERSION = re.compile(r"v\d+(?:\.\d+)*", re.IGNORECASE)
_HASH = re.compile(r"(?:sha256[-:])?[0-9a-f]{32,64}", re.IGNORECASE)
_PLACEHOLDERS = {"model", "models", "ggml model", "checkpoint", "output", "merged", "unknown", "untitled"}
# What converters of 2023 called every model of an architecture.
_GENERIC = {"llama", "llama v2", "phi2", "falcon", "bloom", "refact", "starcoder", "qwen", "mpt"}
# "phi-1_5", where a dot would have been in the way.
_POINT = re.compile(r"(?<!\d)(\d)_(\d)(?!\w)")
# Spelled in a way that no rule gives; keyed by lower case.
_SPELLINGS = {
    "smollm": "SmolLM",
    "smollm2": "SmolLM2",
    "smollm3": "SmolLM3",
    "tinyllama": "TinyLlama",
    "codellama": "CodeLlama",
    "deepseek": "DeepSeek",
    "olmo": "OLMo",
    "qwq": "QwQ",
    "glm": "GLM",
    "gpt": "GPT",
    "oss": "OSS",
    "moe": "MoE",
    "vl": "VL",
    "it": "it",
}


def display_name(metadata: Mapping[str, object], path: Path, otherwise: str = "") -> str:
    """Return what to call the model in the file `path` with this metadata; never empty.

    A file name that states the model's size was chosen for people ("SmolLM2-135M-Instruct.Q4_1.gguf") and
    wins. Else `general.basename`, `general.size_label` and `general.finetune` speak, then `general.name`,
    then `otherwise`, what somebody else calls it, and at last the file name whatever it is.
    """
    stem = _from_file(path)
    if any(_SIZE.fullmatch(word) for word in stem.split()[1:]):
        return stem
    basename, size, finetune = (
        _tidy(metadata.get(f"general.{key}")) for key in ("basename", "size_label", "finetune")
    )
    composed = " ".join(part for part in (basename, size, finetune) if part) if basename else ""
    stated = _tidy(metadata.get("general.name"))
    if stated.lower() in _GENERIC:
        stated = (stem if len(stem.split()) > 1 else printable(otherwise)) or stated
    return composed or stated or printable(otherwise) or file_name(path)


def file_name(path: Path) -> str:
    """Return what to call a model of which only the file name is known; never empty."""
    return _from_file(path) or printable(path.stem) or "GGUF"


def quantization(path: str) -> str:
    """Return how a file stores its weights, as its name says: "Q4_K_M", "UD-Q4_K_XL", "BF16"; else "".

    Where the name says it several times the last one counts; where it does not, the folder's name does.

    Args:
        path: Relative, with "/" between the names.
    """
    folder, _, name = path.rpartition("/")
    found = list(_QUANTIZATION.finditer(_PART.sub("", re.sub(r"\.gguf$", "", name, flags=re.IGNORECASE))))
    if not found:
        found = list(_QUANTIZATION.finditer(folder))
    if not found:
        return ""
    label = found[-1]["label"].upper()
    return re.sub(r"^FP(?=16|32)", "F", label)


def _from_file(path: Path) -> str:
    """Return the name that the file's own name gives, without storage type and part number; may be empty."""
    stem = path.name[:-5] if path.name.lower().endswith(".gguf") else path.name
    return _tidy(_CACHED.sub("", _PART.sub("", stem)))


def _tidy(text: object) -> str:
    """Return a name in words, or nothing where `text` names no model: a path, a hash, a placeholder."""
    if not isinstance(text, str) or "\\" in text or text.startswith(("/", ".", "~")):
        return ""
    name = printable(text.rsplit("/", 1)[-1])
    while (shorter := _STORAGE.sub("", name)) != name:
        name = shorter
    words = [_spelled(word) for word in re.split(r"[-_\s]+", _POINT.sub(r"\1.\2", name)) if word]
    if _HASH.fullmatch(name) or " ".join(words).lower() in _PLACEHOLDERS or not any(map(str.isalpha, name)):
        return ""
    return " ".join(words)


def _spelled(word: str) -> str:
    if known := _SPELLINGS.get(word.lower()):
        return known
    if _SIZE.fullmatch(word):
        return word.upper().replace("X", "x")
    if _VERSION.fullmatch(word):
        return word.lower()
    return word[:1].upper() + word[1:] if word.islower() else word


def printable(text: str) -> str:
    """Return `text` on one line, without control or direction characters, cut to a length to show."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST].strip()
