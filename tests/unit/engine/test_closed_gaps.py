"""A stretch left out of what a context holds, without reading again what follows it."""

from pathlib import Path

import numpy as np
from llama_cpp import llama_cpp as api

from app.domain.loading import LoadOptions
from app.engine.context import Context, Part
from app.engine.model import LoadedModel
from models_registry.gguf import read_header

_TEXT = Path(__file__).parents[3] / "app" / "ARCHITECTURE.md"


def logprobs(context: Context, model: LoadedModel, start: int, tokens: list[int]) -> np.ndarray:
    """Return how likely each of `tokens` but the first is behind what the sequence 0 holds."""
    found = []
    for number, token in enumerate(tokens[:-1]):
        context.decode([Part(0, start + number, [token], 1)])
        pointer = api.llama_get_logits_ith(context.handle, -1)
        logits = np.ctypeslib.as_array(pointer, (model.vocabulary_size,)).astype(np.float64)
        found.append(logits[tokens[number + 1]] - np.logaddexp.reduce(logits))
    return np.array(found)


def test_what_follows_a_gap_is_moved_up_and_reads_on(smollm2: Path) -> None:
    model = LoadedModel(smollm2, lambda _fraction: True, LoadOptions())
    context = Context(model, LoadOptions().layout(read_header(smollm2), 512, gpu=False), 2)
    flag = bytearray(2)
    context.watch(flag)
    tokens = model.tokenize(_TEXT.read_text("utf-8"), special=False)
    before, gap, after, rest = tokens[:20], tokens[20:160], tokens[160:400], tokens[400:416]
    try:
        assert context.can_shift
        context.decode([Part(0, 0, before + gap + after, 0)])
        flag[0] = 1  # a stop that comes now must not leave keys half turned
        assert context.close_gap(0, 20, 160, 400)
        flag[0] = 0
        moved = logprobs(context, model, 260, rest)
        context.clear()
        context.decode([Part(0, 0, before + after, 0)])
        read = logprobs(context, model, 260, rest)
    finally:
        context.close()
        model.close()
    assert abs(moved.mean() - read.mean()) < 0.2
    assert np.corrcoef(moved, read)[0, 1] > 0.9
