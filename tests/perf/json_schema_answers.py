"""200 random JSON Schemas, answered greedily and at temperature 1.5, and what a grammar costs per token.

    python tests/perf/json_schema_answers.py [--schemas 200] [--max-tokens 300] [--rounds 5]

Each answer must be valid, or reported as cut by its limit. Prints one JSON object.
"""

import argparse
import json
import random
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from app.domain.changes import Changes
from app.domain.generation import Failed, Finished, Job, Piece, Request, StopReason, Turn
from app.domain.settings import Settings
from app.engine.worker import Engine
from models_registry.starter import find_starter

GEMMA = Path.home() / ".cache" / "fireside-tests" / "gemma-3-270m-q4_k_m.gguf"
WORDS = ("name", "city", "count", "tags", "price", "open", "when", "notes")
PERSON = {
    "type": "array",
    "minItems": 6,
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "age": {"type": "integer", "minimum": 0, "maximum": 130},
            "email": {"type": "string", "format": "email"},
        },
        "required": ["name", "age", "email"],
    },
}


def random_schema(chance: random.Random, depth: int = 2) -> dict[str, Any]:
    """Return a schema whose values are short."""
    kinds = ["integer", "number", "string", "pattern", "format", "enum", "boolean"]
    kinds += ["object", "object", "array", "anyOf"] if depth else []
    low = chance.randint(-1000, 1000)
    match chance.choice(kinds):
        case "integer":
            return {"type": "integer", "minimum": low, "maximum": low + chance.randint(0, 5000)}
        case "number":
            return {"type": "number", "minimum": low, "exclusiveMaximum": low + chance.randint(1, 50)}
        case "string":
            shortest = chance.randint(0, 5)
            return {"type": "string", "minLength": shortest, "maxLength": shortest + chance.randint(1, 20)}
        case "pattern":
            return {
                "type": "string",
                "pattern": chance.choice(["^[A-Z]{2}[0-9]{3}$", "^(red|blue)[a-z]{0,4}$"]),
            }
        case "format":
            return {"type": "string", "format": chance.choice(["date", "date-time", "uuid", "ipv4", "time"])}
        case "enum":
            return {"enum": chance.sample([None, True, 3, -1.5, "north", "süd", 'a"b', [], {"k": 1}], 3)}
        case "boolean":
            return {"type": chance.choice(["boolean", "null", ["boolean", "null"]])}
        case "array":
            most = chance.randint(1, 4)
            return {
                "type": "array",
                "items": random_schema(chance, depth - 1),
                "minItems": 1,
                "maxItems": most,
            }
        case "anyOf":
            return {"anyOf": [random_schema(chance, depth - 1) for _branch in range(2)]}
    names = chance.sample(WORDS, chance.randint(1, 4))
    return {
        "type": "object",
        "properties": {name: random_schema(chance, depth - 1) for name in names},
        "required": names[: chance.randint(0, len(names))],
        "additionalProperties": False,
    }


def answer(engine: Engine, model: Path, prompt: str, settings: Settings) -> tuple[str, Any, float]:
    """Return the text, how it ended, and the seconds per token."""
    job: Job = engine.submit(Request(model, (Turn("user", prompt),), settings))
    text = ""
    while True:
        for event in job.wait(0.1):
            match event:
                case Piece(text=piece):
                    text += piece
                case Failed(error):
                    return text, error, 0
                case Finished(stats):
                    assert stats is not None
                    return text, stats, stats.decode_seconds / max(1, stats.generated_tokens)


def validity(engine: Engine, count: int, max_tokens: int) -> dict[str, int]:
    """Return how many answers were valid, cut, invalid or failed."""
    model = find_starter()
    assert model
    chance = random.Random(20261124)
    found = {"valid": 0, "cut": 0, "invalid": 0, "failed": 0}
    for number in range(count):
        schema = random_schema(chance)
        validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for temperature in (0.0, 1.5):
            settings = Settings(
                temperature=temperature,
                seed=number,
                max_tokens=max_tokens,
                context=2048,
                json_schema=json.dumps(schema),
            )
            text, end, _seconds = answer(engine, model, "Fill in this form with JSON.", settings)
            if isinstance(end, Exception):
                kind = "failed"
            elif end.stop_reason == StopReason.LENGTH:
                kind = "cut"
            else:
                kind = "valid" if _is_valid(validator, text) else "invalid"
            found[kind] += 1
            if kind in ("failed", "invalid"):
                print(json.dumps({"schema": schema, "text": text, "end": str(end)}), file=sys.stderr)
    return found


def overhead(engine: Engine, rounds: int) -> dict[str, float]:
    """Return the milliseconds a token that a schema adds on Gemma 3, greedily; both in turn."""
    differences = []
    # Token by token: what is guessed ahead differs with the text, and the texts differ.
    plain = Settings(temperature=0, max_tokens=96, context=2048, speculation=False)
    schema = replace(plain, json_schema=json.dumps(PERSON))
    prompt = "A JSON list of people with name, age and email:"
    for settings in (plain, schema):
        answer(engine, GEMMA, prompt, settings)
    for _round in range(rounds):
        _text, _end, without = answer(engine, GEMMA, prompt, plain)
        _text, _end, with_schema = answer(engine, GEMMA, prompt, schema)
        differences.append((with_schema - without) * 1000)
    return {"median_of_answers": statistics.median(differences), "worst_of_answers": max(differences)}


def per_token(rounds: int) -> dict[str, float]:
    """Return the milliseconds that asking, restricting and accepting take at single tokens of Gemma 3.

    The tokens come from the logits of the model itself: the likeliest one is asked about, and only if
    it may not come, the 256 likeliest are restricted, then eight times as many, up to all.
    """
    import numpy as np
    from llama_cpp import llama_cpp as api

    from app.engine.grammar import Grammar
    from app.engine.json_schema import grammar_from_schema
    from app.engine.model import LoadedModel

    model = LoadedModel(GEMMA, lambda _done: True)
    parameters = api.llama_context_default_params()
    parameters.n_ctx = 2048
    times, misses = [], 0
    for _round in range(rounds):
        context = api.llama_init_from_model(model.handle, parameters)
        grammar = Grammar(model, grammar_from_schema(json.dumps(PERSON)))
        tokens = model.tokenize("A JSON list of people with name, age and email:\n", special=False)
        for _step in range(150):
            held = (api.llama_token * len(tokens))(*tokens)  # the batch only points to it
            assert api.llama_decode(context, api.llama_batch_get_one(held, len(tokens))) == 0
            logits = np.ctypeslib.as_array(api.llama_get_logits_ith(context, -1), (model.vocabulary_size,))
            token, size = int(logits.argmax()), 256
            started = time.perf_counter()
            missed = not grammar.allows(token)
            while missed:
                order = (
                    np.argpartition(-logits, size - 1)[:size]
                    if size < len(logits)
                    else np.arange(len(logits))
                )
                data = (api.llama_token_data * len(order))()
                for index, candidate in enumerate(order.tolist()):
                    data[index] = api.llama_token_data(candidate, logits[candidate], 0.0)
                grammar.restrict(api.llama_token_data_array(data, len(order), -1, False))
                best = max(data, key=lambda entry: entry.logit)
                if best.logit > -np.inf:
                    token = best.id
                    break
                size *= 8
            grammar.accept(token)
            times.append((time.perf_counter() - started) * 1000)
            misses += missed
            if model.is_end(token):
                break
            tokens = [token]
        grammar.close()
        api.llama_free(context)
    model.close()
    return {
        "tokens": len(times),
        "refused_first": misses,
        "median": statistics.median(times),
        "p95": statistics.quantiles(times, n=20)[-1],
    }


def _is_valid(validator: Any, text: str) -> bool:
    try:
        return validator.is_valid(json.loads(text))
    except ValueError:
        return False


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--schemas", type=int, default=200)
    parser.add_argument("--max-tokens", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    engine = Engine(Changes(lambda call: call()))
    try:
        found: dict[str, Any] = {"answers": validity(engine, options.schemas, options.max_tokens)}
        found["gemma_extra_ms_per_token_through_the_engine"] = overhead(engine, options.rounds)
    finally:
        engine.close()
    found["gemma_grammar_ms_per_token"] = per_token(options.rounds)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
