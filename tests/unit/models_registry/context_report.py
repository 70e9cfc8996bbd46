"""Runs in a process of its own: makes contexts of models whose weights are not read, and prints their sizes.

    python context_report.py < layouts.json

Standard input: for the path of each model a list of the fields of `Layout`. Output: for each the bytes of KV
cache and compute buffer, as llama.cpp's log has them, so exact to 0.01 MiB for each of their parts.
"""

import json
import re
import sys

from llama_cpp import llama_cpp as api

from app.engine import native

TYPES = {"f16": api.GGML_TYPE_F16, "q8_0": api.GGML_TYPE_Q8_0, "q4_0": api.GGML_TYPE_Q4_0}


def main() -> None:
    native.start()
    lines: list[str] = []
    keep = api.llama_log_callback(lambda _level, text, _data: lines.append(text.decode("utf-8", "replace")))
    api.llama_log_set(keep, None)
    print(json.dumps({path: report(path, layouts, lines) for path, layouts in json.load(sys.stdin).items()}))


def report(path: str, layouts: list[dict], lines: list[str]) -> list[dict[str, float]]:
    parameters = api.llama_model_default_params()
    parameters.no_alloc = True
    parameters.load_mode = api.LLAMA_LOAD_MODE_NONE  # with any other, no_alloc ends the process
    parameters.n_gpu_layers = 0
    model = api.llama_model_load_from_file(path.encode(), parameters)
    if not model:
        raise SystemExit("".join(lines))
    found = []
    for layout in layouts:
        lines.clear()
        context = make(model, **layout)
        if not context:
            raise SystemExit("".join(lines))
        log = "".join(lines)
        cache = re.findall(r"\bsize = +([\d.]+) MiB \(", log)
        compute = re.findall(r"compute buffer size = +([\d.]+) MiB", log)
        found.append({"kv_cache": total(cache), "compute": total(compute)})
        api.llama_free(context)
    api.llama_model_free(model)
    return found


def total(sizes: list[str]) -> float:
    return sum(map(float, sizes)) * 2**20


def make(model, context, kv_type, flash_attention, ubatch, whole_window, sequences, outputs, rope):
    assert rope is None
    parameters = api.llama_context_default_params()
    parameters.n_ctx = context
    parameters.n_batch = parameters.n_ubatch = ubatch
    parameters.n_seq_max = sequences
    parameters.n_outputs_max = outputs
    parameters.type_k = parameters.type_v = TYPES[kv_type]
    parameters.flash_attn_type = int(flash_attention)
    parameters.kv_unified = True
    parameters.swa_full = whole_window
    return api.llama_init_from_model(model, parameters)


if __name__ == "__main__":
    main()
