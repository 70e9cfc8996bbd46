"""Peak memory with a full context: what `fireside plan` says, what the engine takes, what llama-bench takes.

    python tests/perf/peak_memory.py [--context 32768] [--kv-type f16] [--flash on|off|auto] [MODEL.gguf ...]

Each measurement runs in a process of its own, which fills the whole context as the engine does. Prints JSON:
bytes for each model. Without llama-bench (see tests/perf/llama_bench.py) that part is left out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import llama_bench

LLAMA_BENCH = llama_bench.binary()
FLASH = {"on": True, "off": False, "auto": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "models", nargs="*", type=Path, help="GGUF files; the two test models when none is given"
    )
    parser.add_argument("--context", type=int, default=32768)
    parser.add_argument("--kv-type", default="f16")
    parser.add_argument("--flash", choices=FLASH, default="auto")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(fill(arguments)))
        return
    print(json.dumps([compare(path, arguments) for path in arguments.models or test_models()], indent=2))


def test_models() -> list[Path]:
    from models_registry.starter import find_starter

    gemma = Path.home() / ".cache" / "fireside-tests" / "gemma-3-270m-q4_k_m.gguf"
    return [path for path in (find_starter(), gemma) if path and path.exists()]


def compare(path: Path, arguments: argparse.Namespace) -> dict[str, object]:
    options = [
        "--context",
        str(arguments.context),
        "--kv-type",
        arguments.kv_type,
        "--flash",
        arguments.flash,
    ]
    command = [sys.executable, __file__, "--child", *options, str(path)]
    engine = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    found = {"model": path.name, **engine, "planned_of_peak": engine["planned"]["total"] / engine["peak"]}
    if LLAMA_BENCH.exists():
        found["llama_bench"] = peak_of_llama_bench(path, arguments.context, engine["layout"])
        found["peak_above_llama_bench"] = engine["peak"] - found["llama_bench"]
    return found


def fill(arguments: argparse.Namespace) -> dict[str, object]:
    """Read as many tokens as the context holds, and say what that took."""
    from dataclasses import asdict

    import psutil

    from app.engine import native
    from app.engine.context import Context, Part
    from app.engine.model import LoadedModel
    from models_registry.fit import choose
    from models_registry.gguf import read_header
    from models_registry.memory import estimate

    native.start()
    path = arguments.models[0]
    program = psutil.Process().memory_info().rss
    header = read_header(path)
    layout = choose(
        header, arguments.context, kv_type=arguments.kv_type, flash_attention=FLASH[arguments.flash]
    )
    planned = estimate(header, layout)
    model = LoadedModel(path, lambda _fraction: True)
    loaded = psutil.Process().memory_info()
    context = Context(model, layout, psutil.cpu_count(logical=False) or 1)
    made = psutil.Process().memory_info().rss
    tokens = model.tokenize("The quick brown fox jumps over the lazy dog. " * 60, special=False)
    tokens = (tokens * (layout.ubatch // len(tokens) + 1))[: layout.ubatch]
    for start in range(0, layout.context, layout.ubatch):
        context.decode([Part(0, start, tokens, 1)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    context.close()
    model.close()
    return {
        "layout": asdict(layout),
        "planned": {**asdict(planned), "total": planned.total},
        "peak": peak,
        "program": program,
        "after_loading": loaded.rss - program,
        "after_making_the_context": made - loaded.rss,
        "after_filling_it": peak - made,
    }


def peak_of_llama_bench(path: Path, context: int, layout: dict[str, object]) -> int:
    """Return the peak of llama-bench that fills the same context in the same way."""
    ubatch = str(layout["ubatch"])
    flash = str(int(bool(layout["flash_attention"])))
    kv_type = str(layout["kv_type"])
    command = [str(LLAMA_BENCH), "-m", str(path), "-p", str(context), "-n", "0", "-r", "1", "--no-warmup"]
    command += ["-b", ubatch, "-ub", ubatch, "-fa", flash, "-ctk", kv_type, "-ctv", kv_type, "-o", "json"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"llama-bench ended with {process.returncode}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
