"""Sources made to hurt: whatever a model or a pasted file holds, the window goes on."""

import random
import time

import pytest

from app.ui.transcript.body import Body
from app.ui.transcript.stream import SLICE

HOSTILE = {
    "quotes": ">" * 10_000,
    "brackets": "[" * 10_000,
    "images": "![" * 5_000,
    "links": "[" * 3_000 + "](a)" * 3_000,
    "stars": "*a " * 10_000,
    "star runs": "*" * 20_000 + "a" + "*" * 20_000,
    "underscores": "_a" * 10_000,
    "strikes": "~~a" * 10_000,
    "backticks": " ".join("`" * length + "a" for length in range(300)),
    "dashes": "- " * 5_000,
    "nested list": "\n".join(" " * depth * 2 + "- x" for depth in range(400)),
    "numbers": "\n".join(f"{number}. x" for number in range(2_000)),
    "one line": "a" * 1_000_000,
    "one line of words": "lorem ipsum " * 85_000,
    "one line of Chinese": "中文" * 100_000,
    "lines": "a\n" * 50_000,
    "blank lines": "\n" * 200_000,
    "wide table": "|" + "a|" * 2_000 + "\n|" + "-|" * 2_000 + "\n" + ("|" + "x|" * 2_000 + "\n") * 5,
    "long table": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 20_000,
    "code line": "```\n" + "x" * 500_000,
    "code lines": "```python\n" + "x = (1\n" * 20_000,
    "fences": "```\nx\n```\n" * 3_000,
    "inline code": "`a` " * 20_000,
    "rules": "---\n\n" * 5_000,
    "definitions": "".join(f"[a{number}]: b\n\n" for number in range(3_000)),
    "entities": "&#0;&amp;&nosuch;" * 10_000,
    "control characters": "".join(map(chr, range(32))) * 500,
    "Qt's own characters": "a\u2028b\u2029c\ufdd0d\ufdd1e\ufffcf\ufeffg\u0000h " * 500,
    "directions": "\u202e\u202dשלום\u2067abc\u2069\u202c مرحبا " * 2_000,
    "combining": "a" + "\u0301" * 20_000,
    "joined emoji": "👩‍👩‍👧‍👦\u200d" * 3_000,
    "html": "<div>" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sources_neither_hang_nor_crash(body, name):
    began = time.monotonic()
    body.show_markdown(HOSTILE[name])
    longest = 0.0
    written = False
    while not written:
        step = time.monotonic()
        written = body.step()
        longest = max(longest, time.monotonic() - step)
        assert time.monotonic() - began < 60
    height = body.lay_out(500)
    body.resize(500, min(height, 2_000))
    body.grab()
    assert longest < 5  # a step of ordinary text takes a few milliseconds


@pytest.mark.parametrize(
    "name", ["brackets", "stars", "backticks", "nested list", "one line", "wide table", "fences"]
)
def test_hostile_streams_do_not_slow_down(body, name):
    """Every flush parses what is new and the last block, never all."""
    source = HOSTILE[name][:60_000]
    body.show_markdown("", streaming=True)
    slowest = 0.0
    for start in range(0, len(source), SLICE):
        began = time.monotonic()
        body.append(source[start : start + SLICE])
        slowest = max(slowest, time.monotonic() - began)
    body.finish()
    assert slowest < 5
    assert body.written == source


def test_nothing_is_loaded(body: Body, tmp_path, monkeypatch):
    """Pictures are words; and were one ever asked for, it would not be read."""
    picture = tmp_path / "secret.png"
    picture.write_bytes(b"not to be read")
    asked = []
    real = Body.loadResource
    monkeypatch.setattr(Body, "loadResource", lambda self, *what: asked.append(what) or real(self, *what))
    source = f"![a]({picture}) ![b](file://{picture}) ![c](https://example.org/c.png) <img src='{picture}'>"
    body.show_markdown(source)
    body.flush()
    body.grab()
    assert asked == []
    body.document().setHtml(f"<img src='file://{picture}'>")
    body.grab()
    assert len(asked) <= 2
    loaded = real(body, 2, f"file://{picture}")
    assert (loaded.width(), loaded.height()) == (1, 1)


def test_random_bytes_are_shown(body):
    source = random.Random(7)
    text = "".join(
        chr(source.choice([source.randrange(1, 0xD800), source.randrange(32, 127)])) for _ in range(5_000)
    )
    body.show_markdown(text)
    body.flush()
    body.grab()
    assert body.document().characterCount() > 1_000
