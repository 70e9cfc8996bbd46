"""A model with adapters laid over it, and a child process that tries mutated ones."""

import ctypes
import json
import random
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from llama_cpp import llama_cpp as api
from lora_files import F32, encode, random_lora

from app.domain.errors import UserError
from app.domain.loading import Adapter
from app.engine import native
from app.engine.adapters import Adapters
from app.engine.model import LoadedModel

TOKENS = [1, 260, 261, 259, 260, 100, 7]
TINY = {
    "blk.0.attn_q.weight": (32, 32),
    "blk.0.attn_v.weight": (32, 16),
    "blk.0.ffn_down.weight": (64, 32),
}


class Reader:
    """A context that reads a text from its beginning and returns the logits after it."""

    def __init__(self, model: LoadedModel) -> None:
        parameters = api.llama_context_default_params()
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = 256
        parameters.n_threads = parameters.n_threads_batch = 1
        parameters.type_k = parameters.type_v = F32
        parameters.flash_attn_type = api.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.handle = api.llama_init_from_model(model.handle, parameters)
        self._vocabulary = model.vocabulary_size

    def logits(self, tokens: list[int] = TOKENS) -> np.ndarray:
        api.llama_memory_clear(api.llama_get_memory(self.handle), True)
        array = (api.llama_token * len(tokens))(*tokens)
        assert api.llama_decode(self.handle, api.llama_batch_get_one(array, len(tokens))) == 0
        found = api.llama_get_logits_ith(self.handle, -1)
        return np.ctypeslib.as_array(found, (self._vocabulary,)).copy()

    def close(self) -> None:
        api.llama_free(self.handle)


class Bench:
    """One model with its adapters and a context."""

    def __init__(self, path: Path) -> None:
        native.start()
        self.model = LoadedModel(path, lambda _done: True)
        self.adapters = Adapters(self.model)
        self.reader = Reader(self.model)

    def logits(self, *adapters: Adapter) -> np.ndarray:
        self.adapters.apply(self.reader, self.adapters.choose(adapters))
        return self.reader.logits()

    def refusal(self, path: Path) -> str:
        with pytest.raises(UserError) as caught:
            self.adapters.choose([Adapter(path)])
        return str(caught.value)

    def direct(self, *adapters: tuple[Path, float]) -> np.ndarray:
        """Return what the low-level API gives by itself."""
        reader = Reader(self.model)
        loaded = [
            api.llama_adapter_lora_init(self.model.handle, str(path).encode()) for path, _scale in adapters
        ]
        handles = (api.llama_adapter_lora_p_ctypes * len(loaded))(*loaded)
        scales = (ctypes.c_float * len(loaded))(*(scale for _path, scale in adapters))
        api.llama_set_adapters_lora(reader.handle, handles, len(loaded), scales)
        logits = reader.logits()
        reader.close()
        for handle in loaded:
            api.llama_adapter_lora_free(handle)
        return logits

    def close(self) -> None:
        self.reader.close()
        self.adapters.close()
        self.model.close()


def mutated(seed: int) -> bytes:
    """Return an adapter with something wrong, by its parts or by its bytes; the same for the same seed."""
    chance = random.Random(seed)
    lora = random_lora(TINY, seed=seed)
    for name, (a, b) in [*lora.pairs.items()] if chance.random() < 0.5 else []:
        match chance.randrange(8):
            case 0:
                lora.pairs[name] = (a[: chance.randint(1, 4)], b)
            case 1:
                lora.pairs[name] = (
                    np.stack([a] * chance.randint(1, 3)),
                    np.stack([b] * chance.randint(1, 3)),
                )
            case 2:
                lora.pairs[name] = (a.T.copy(), b.T.copy())
            case 3:
                lora.pairs[name.replace("attn_q", chance.choice(["attn_k", "attn_norm", "ffn_up"]))] = (a, b)
            case 4:
                a[chance.randrange(len(a))] = chance.choice([float("nan"), float("inf"), 3e38, 1e-45, 0.0])
            case 5:
                lora.pairs["token_embd.weight"] = (
                    np.ones((263, 4), np.float32),
                    np.ones((32, 4), np.float32),
                )
            case 6:
                lora.alpha = chance.choice([0.0, -1.0, 1e30, 3e38, 1e-30, float("inf"), float("nan")])
    file, values = lora.file()
    for tensor in file.tensors if chance.random() < 0.2 else []:
        tensor.name = chance.choice(
            [f"{tensor.name}.lora_b", str(tensor.name).replace("lora_a", "lora_b"), "x"]
        )
    content = bytearray(encode(*lora.file()) if chance.random() < 0.8 else file.encode())
    header = len(content) - sum(matrix.nbytes for matrix in values.values())
    for _edit in range(chance.choice([0, 1, 1, 2, 3, 8])):
        at = chance.randrange(min(header, len(content)) if chance.random() < 0.9 else len(content))
        match chance.randrange(5):
            case 0:
                content[at] ^= 1 << chance.randrange(8)
            case 1:
                content[at : at + 4] = struct.pack(
                    "<I", chance.choice([0, 1, 2, 4, 8, 24, 28, 32, 255, 2**31])
                )
            case 2:
                content[at : at + 8] = struct.pack("<Q", chance.choice([0, 1, 4, 31, 2**20, 2**32, 2**63]))
            case 3:
                content[at : at + 16] = bytes(16)
            case 4:
                del content[at:]
        if not content:
            break
    return bytes(content)


def run_mutated(model: Path, folder: Path, first: int, count: int) -> dict[str, int]:
    """Lay mutated adapters over a model and read with them; this is what must not end the process."""
    bench = Bench(model)
    counts = {"refused": 0, "unclear": 0, "applied": 0}
    path = folder / "mutated.gguf"
    for seed in range(first, first + count):
        path.write_bytes(mutated(seed))
        (folder / "seed").write_text(str(seed))
        try:
            bench.logits(Adapter(path, 0.5 + seed % 3))
        except UserError as error:
            counts["refused" if re.fullmatch("“mutated.gguf” .*[.]", error.message) else "unclear"] += 1
        else:
            counts["applied"] += 1
    bench.close()
    return counts


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(run_mutated(Path(given[0]), Path(given[1]), int(given[2]), int(given[3]))))
