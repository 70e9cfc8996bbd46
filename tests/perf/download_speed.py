"""How fast a model is downloaded, beside curl, from a hub on this computer to the same disk.

    python tests/perf/download_speed.py [--size 2048] [--rounds 5] [--folder DIR]

curl writes the bytes and the disk keeps them (fsync); ours are checked against their sha256 besides. Each
side runs in a process of its own, in turn. Prints JSON: seconds, the ratio of the speeds, peak memory.
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

REPOSITORY, FILE = "maker/Model-GGUF", "model-Q4_K_M.gguf"


def main() -> None:
    """Run both sides in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=2048, help="in MiB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to write to")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--fetch", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.size << 20)
    elif given.fetch:
        print(json.dumps(fetch(*given.fetch)))
    else:
        print(json.dumps(compare(given.size << 20, given.rounds, given.folder), indent=2))


def serve(size: int) -> None:
    """Be the hub, in a process of its own, until the standard input ends."""
    from loopback_hub import LoopbackHub, Seeded

    with LoopbackHub() as hub:
        content = Seeded(size, 1, b"GGUF")
        repository = hub.add(REPOSITORY, {FILE: content})
        print(json.dumps([hub.endpoint, repository.head, content.sha256]), flush=True)
        sys.stdin.read()


def fetch(endpoint: str, commit: str, size: str, sha256: str, target: str) -> dict[str, float]:
    """Fetch as the queue does; return the seconds, and the peak memory of this process."""
    import models_registry.hub.wire  # imported when the page of the model was opened  # noqa: F401
    from models_registry.hub.client import Hub
    from models_registry.transfer import Transfer, Wanted

    began = time.perf_counter()
    with Hub(endpoint) as hub:
        transfer = Transfer(Wanted(Path(target), int(size), sha256))
        if not transfer.run(lambda start: hub.open(REPOSITORY, commit, FILE, start)):
            raise SystemExit("it did not arrive")
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def curl(url: str, target: Path) -> float:
    """Return the seconds that curl and the disk take."""
    began = time.perf_counter()
    subprocess.run(["curl", "-sfL", "-o", str(target), url], check=True)
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return time.perf_counter() - began


def compare(size: int, rounds: int, folder: Path | None) -> dict[str, object]:
    """Return what both sides take."""
    command = [sys.executable, __file__, "--serve", "--size", str(size >> 20)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server,
        tempfile.TemporaryDirectory(dir=folder) as place,
    ):
        assert server.stdout
        assert server.stdin
        endpoint, commit, sha256 = json.loads(server.stdout.readline())
        target = Path(place, FILE)
        ours: list[dict[str, float]] = []
        theirs: list[float] = []
        for _round in range(rounds):
            theirs.append(curl(f"{endpoint}/{REPOSITORY}/resolve/{commit}/{FILE}", target))
            with target.open("rb") as file:
                assert hashlib.file_digest(file, "sha256").hexdigest() == sha256
            target.unlink()
            call = [sys.executable, __file__, "--fetch", endpoint, commit, str(size), sha256, str(target)]
            ours.append(json.loads(subprocess.run(call, check=True, stdout=subprocess.PIPE).stdout))
            target.unlink()
        server.stdin.close()
    seconds = [each["seconds"] for each in ours]
    ratios = [other / mine for mine, other in zip(seconds, theirs, strict=True)]
    return {
        "bytes": size,
        "our_seconds": round(statistics.median(seconds), 2),
        "curl_seconds": round(statistics.median(theirs), 2),
        "ratio": round(statistics.median(ratios), 3),
        "spread": [round(min(ratios), 3), round(max(ratios), 3)],
        "peak_memory": max(each["peak"] for each in ours),
    }


if __name__ == "__main__":
    main()
