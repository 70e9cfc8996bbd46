"""Prints how well a model reads beyond its trained length, with each way of scaling.

measures; then come the other ways of scaling. Takes some ten minutes on two cores.
measures; then come the other ways of scaling, over the same tokens. Takes ten minutes on two cores.
"""

import argparse
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.domain.changes import Changes
from app.domain.generation import Failed, Finished, Reading
from app.domain.loading import LoadOptions, rope_options
from app.domain.long_reading import Examination, LongReading
from app.engine.context import Context, Part
from app.engine.logits import view
from app.engine.model import LoadedModel
from app.engine.threads import Threads
from app.engine.worker import Engine
from app.ui.assets import asset
from models_registry.gguf import read_header
from models_registry.starter import find_starter

ROWS = 512


def examined(path: Path, context: int, text: str) -> LongReading:
    """Return what the app's own test finds."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Changes(lambda call: call()), folder=Path(folder))
        try:
            job = engine.examine(Examination(path, context, LoadOptions(), text))
            while True:
                for event in job.wait(1):
                    match event:
                        case Reading(done, total):
                            print(f"\r{100 * done // total} %", end="", flush=True)
                        case Failed(error):
                            raise error
                        case Finished():
                            print("\r", end="")
                            assert job.reading
                            return job.reading
        finally:
            engine.close()


def perplexity(model: LoadedModel, method: str, context: int, tokens: list[int], tail: int) -> float:
    """Return that of the last `tail` tokens, with positions scaled by `method`."""
    options = LoadOptions(flash_attention=True, rope=rope_options(method))
    layout = options.layout(read_header(model.path), context, gpu=False)
    threads = Threads.usual_here()
    reader = Context(model, replace(layout, sequences=1, outputs=ROWS), threads.decode)
    reader.set_threads(threads.decode, threads.prefill)
    losses = []
    for start in range(0, len(tokens), ROWS):
        chunk = tokens[start : start + ROWS]
        wanted = start + len(chunk) >= len(tokens) - tail
        reader.decode([Part(0, start, chunk, len(chunk) if wanted else 0)])
        for index in range(len(chunk) if wanted else 0):
            place = start + index + 1
            if len(tokens) - tail <= place < len(tokens):
                logits = view(reader, index, model.vocabulary_size).astype(np.float64)
                best = logits.max()
                losses.append(best + math.log(np.exp(logits - best).sum()) - logits[tokens[place]])
    reader.close()
    return math.exp(sum(losses) / len(losses))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, nargs="?", default=find_starter())
    parser.add_argument("--context", type=int, default=12_288)
    arguments = parser.parse_args()
    text = asset("reading/time-machine.txt").read_text(encoding="utf-8")
    found = examined(arguments.model, arguments.context, text)
    print(f"{arguments.model.name}: {found.tokens:,} tokens read, trained for {found.trained:,}")
    print(f"perplexity of the last {found.tail:,} tokens")
    print(f"  {found.scaling} x {found.factor:g}: {found.tail_scaled:.1f}")
    if found.tail_unscaled and found.tail_inside:
        print(f"  unscaled: {found.tail_unscaled:.1f}")
        print(f"  read within the trained length: {found.tail_inside:.1f}")
        print(f"  scaled / unscaled: {found.tail_scaled / found.tail_unscaled:.3f} (wanted: at most 0.6)")
        print(f"  scaled / within: {found.tail_scaled / found.tail_inside:.3f} (wanted: at most 1.1)")
    print(f"  facts found: {found.found} of {len(found.facts)}")
    model = LoadedModel(arguments.model, lambda _part: True)
    tokens = (model.beginning + model.tokenize(text, special=False))[: found.tokens]
    for method in ("ntk", "linear"):
        value = perplexity(model, method, found.context, tokens, found.tail)
        print(f"  {method}: {value:.1f}", flush=True)
    model.close()


if __name__ == "__main__":
    main()
