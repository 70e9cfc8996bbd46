"""Finds out which tensors llama.cpp wants for each of the published models, and writes them down.

    python tests/perf/complete_headers.py [NAME ...]

Loads each model without its weights until llama.cpp misses nothing any more: it names the tensor that is
missing, and then the shape that it should have. Optional tensors are left out.
"""

import json
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent))

from llama_cpp import llama_cpp as api
from published_models import PUBLISHED, TENSORS

from app.engine import native

MOST_ATTEMPTS = 6000


def main() -> None:
    lines: list[str] = []
    native.start()
    keep = api.llama_log_callback(lambda _level, text, _data: lines.append(text.decode("utf-8", "replace")))
    api.llama_log_set(keep, None)
    found = json.loads(TENSORS.read_text()) if TENSORS.exists() else {}
    for name in sys.argv[1:] or PUBLISHED:
        try:
            found[name] = compact(complete(name, lines))
        except RuntimeError as error:
            print(error)
            continue
        print(f"{name}: {sum(len(places) for _pattern, *places in found[name])} kinds of tensors", flush=True)
        rows = (f' "{key}": [\n' + ",\n".join(f"  {json.dumps(row)}" for row in found[key]) + "]"
                for key in PUBLISHED if key in found)  # fmt: skip
        TENSORS.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def complete(name: str, lines: list[str]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all tensors that one model must have.

    Raises:
        RuntimeError: When llama.cpp complains of something else.
    """
    model = PUBLISHED[name]
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (1,)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        for _attempt in range(MOST_ATTEMPTS):
            lines.clear()
            if loads(model.write(path, shapes)):
                return shapes
            said = "".join(lines)
            if missing := re.search(r"tensor '([^']+)' not found", said):
                shapes[missing[1]] = guess(missing[1], shapes)
                for optional, needed, step in model.also:
                    layer = re.search(r"\.(\d+)\.", missing[1])
                    if layer and missing[1].endswith(f".{needed}") and int(layer[1]) % step == step - 1:
                        shapes[missing[1].replace(needed, optional)] = (1,)
            elif wrong := re.search(r"tensor '([^']+)' has wrong shape; expected ([\d, ]+),? got", said):
                shapes[wrong[1]] = tuple(int(each) for each in wrong[2].split(",") if each.strip())
                while shapes[wrong[1]][-1:] == (1,) and len(shapes[wrong[1]]) > 1:
                    shapes[wrong[1]] = shapes[wrong[1]][:-1]
            else:
                break
    raise RuntimeError(f"{name}: {said[-700:]}")


def guess(name: str, shapes: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    """Return the shape of the same tensor of another layer."""
    end = name.split(".", 2)[-1]
    same = [
        shape for other, shape in shapes.items() if other.startswith("blk.") and other.endswith(f".{end}")
    ]
    return same[-1] if same else (1,)


def loads(path: Path) -> bool:
    parameters = api.llama_model_default_params()
    parameters.no_alloc = True
    parameters.load_mode = api.LLAMA_LOAD_MODE_NONE
    parameters.n_gpu_layers = 0
    model = api.llama_model_load_from_file(str(path).encode(), parameters)
    if model:
        api.llama_model_free(model)
    return bool(model)


def compact(shapes: dict[str, tuple[int, ...]]) -> list[list[object]]:
    """Return the shapes with equal ones of several layers together, as `published_models.shapes_of` reads."""
    layers: dict[str, dict[tuple[int, ...], list[int]]] = defaultdict(lambda: defaultdict(list))
    for name, shape in shapes.items():
        number = re.match(r"blk\.(\d+)\.", name)
        pattern = re.sub(r"^blk\.\d+\.", "blk.*.", name)
        layers[pattern][shape] += [int(number[1])] if number else []
    return [
        [pattern, *([list(shape), spans(numbers)] for shape, numbers in places.items())]
        for pattern, places in layers.items()
    ]


def spans(numbers: list[int]) -> str:
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


if __name__ == "__main__":
    main()
