"""What `fireside plan` says beside what llama.cpp reserves, for 48 layouts of two real models.

    python tests/perf/planned_memory.py [--published] [--json]

For each of the two: 4 contexts × 3 types of the KV cache × 2 sizes of a batch, laid out as in the engine.
llama.cpp makes each context without reading weights (`no_alloc`), in a process of its own, and its log is
read: KV cache and compute buffer, exact to 0.01 MiB. The weights, which are not in question, do not water
the difference down. With `--published` the same is done at two
layouts for every model of `tests/published_models.py`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))
sys.path.append(str(Path(__file__).parent.parent / "unit" / "models_registry"))

from peak_memory import test_models
from published_models import PUBLISHED, shapes_of
from test_memory import real

from models_registry.fit import Layout, choose
from models_registry.gguf import read_header
from models_registry.header import Header
from models_registry.memory import Sizes

MIB = 2**20
CONTEXTS = (4096, 8192, 16384, 32768)
UBATCHES = (512, 128)
KV_TYPES = ("f16", "q8_0", "q4_0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--published", action="store_true", help="models of other architectures instead")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    arguments = parser.parse_args()
    worst = 0.0
    for row in published() if arguments.published else real_models():
        worst = max(worst, abs(row["off"]))
        print(json.dumps(row) if arguments.json else line(row), flush=True)
    print(f"furthest off: {worst:.2%}")


def line(row: dict) -> str:
    parts = "  ".join(
        f"{name} {row['planned'][name] / MIB:9.2f} / {row['reported'][name] / MIB:9.2f}"
        for name in ("kv_cache", "compute")
    )
    layout = f"{row['context']:6} {row['kv_type']:5} {row['ubatch']:4} {'flash' if row['flash'] else 'plain'}"
    return f"{row['model']:24} {layout}  {parts}  {row['off']:+.2%}"


def real_models() -> Iterator[dict]:
    for path in test_models():
        header = read_header(path)
        layouts = [
            choose(header, context, kv_type=kind, ubatch=ubatch)
            for context in CONTEXTS
            for kind in KV_TYPES
            for ubatch in UBATCHES
        ]
        yield from compare(path.stem[:24], path, header, layouts)


def published() -> Iterator[dict]:
    with tempfile.TemporaryDirectory() as folder:
        for name, model in PUBLISHED.items():
            path = model.write(Path(folder) / "model.gguf", shapes_of(name))
            header = read_header(path)
            yield from compare(
                name, path, header, [choose(header, 8192), choose(header, 32768, kv_type="q8_0")]
            )


def compare(name: str, path: Path, header: Header, layouts: list[Layout]) -> Iterator[dict]:
    """Yield what is planned and what is reported, in bytes, for each layout."""
    sizes = Sizes(header)
    for layout, reported in zip(layouts, real(path, layouts), strict=True):
        planned = {"kv_cache": sizes.memory(layout).kv_cache, "compute": sizes.compute_buffer(layout)}
        yield {
            "model": name,
            "context": layout.context,
            "kv_type": layout.kv_type,
            "ubatch": layout.ubatch,
            "flash": layout.flash_attention,
            "planned": planned,
            "reported": reported,
            "off": sum(planned.values()) / sum(reported.values()) - 1,
        }


if __name__ == "__main__":
    main()
