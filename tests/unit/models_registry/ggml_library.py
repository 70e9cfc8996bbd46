"""The libraries that will read the model files, without their Python package."""

import ctypes
import sys
from importlib import metadata
from pathlib import Path


class _Parameters(ctypes.Structure):
    """gguf.h: struct gguf_init_params."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


def _load(name: str) -> ctypes.CDLL:
    suffix = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
    files = metadata.files("llama-cpp-python") or []
    found = next(file for file in files if file.stem in (name, f"lib{name}") and file.suffix == suffix)
    return ctypes.CDLL(str(Path(str(found.locate()))))


class Ggml:
    """What ggml and llama.cpp themselves say."""

    def __init__(self) -> None:
        self._base = _load("ggml-base")
        for dependency in ("ggml-cpu", "ggml"):
            _load(dependency)
        self._llama = _load("llama")
        self._base.ggml_blck_size.restype = ctypes.c_int64
        self._base.ggml_type_size.restype = ctypes.c_size_t
        self._base.ggml_type_name.restype = ctypes.c_char_p
        self._llama.llama_ftype_name.restype = ctypes.c_char_p
        self._base.gguf_init_from_file.argtypes = (ctypes.c_char_p, _Parameters)
        self._base.gguf_init_from_file.restype = ctypes.c_void_p
        self._base.gguf_free.argtypes = (ctypes.c_void_p,)

    def tensor_type(self, number: int) -> tuple[str, int, int]:
        """Return name, elements and bytes of a block of a type below 43."""
        name = self._base.ggml_type_name(number).decode()
        return name, self._base.ggml_blck_size(number), self._base.ggml_type_size(number)

    def file_type(self, number: int) -> str:
        name: str = self._llama.llama_ftype_name(number).decode()
        return name

    def reads(self, path: Path) -> bool:
        """Return whether ggml's own reader takes the file. It may crash on one that ours refuses."""
        context = self._base.gguf_init_from_file(str(path).encode(), _Parameters(True, None))
        if context:
            self._base.gguf_free(context)
        return bool(context)
