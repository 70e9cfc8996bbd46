import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.engine.text import TextStream


def stream(pieces: list[bytes], stop: tuple[str, ...] = (), strip_start: bool = True) -> str:
    text = TextStream(stop, strip_start)
    return "".join([text.push(piece) for piece in pieces] + [text.finish()])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(st.text(), st.lists(st.integers(0, 200)))
def test_any_cut_of_the_bytes_gives_the_same_text(text: str, places: list[int]) -> None:
    assert stream(cut(text.encode(), places)) == text.lstrip()


@given(st.text("ab\n", max_size=30), st.lists(st.text("ab\n", min_size=1, max_size=4), max_size=3),
       st.lists(st.integers(0, 40)))  # fmt: skip
def test_text_ends_before_the_first_stop_string(text: str, stop: list[str], places: list[int]) -> None:
    # Which of several strings is met first depends on when bytes arrive, one byte at a time is exact.
    ends = [text.find(s) + len(s) for s in stop if s in text]
    first = min(ends, default=None)
    expected = text if first is None else min(text[: text.find(s)] for s in stop if s in text[:first])
    assert stream(cut(text.encode(), list(range(len(text)))), tuple(stop), strip_start=False) == expected


def test_no_character_is_given_out_by_halves() -> None:
    text = TextStream()
    assert [text.push(bytes([b])) for b in "火".encode()] == ["", "", "火"]


def test_a_stop_string_never_shows_its_beginning() -> None:
    text = TextStream(("\nUser:",))
    assert text.push(b"Paris.\nUs") == "Paris."
    assert text.push(b"ually") == "\nUsually"
    assert text.push(b" so.\nUser: and") == " so."
    assert text.stopped
    assert text.push(b"more") == ""


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert stream([b"a\xff\xfeb", b"\xe7\x81"]) == "a\ufffd\ufffdb\ufffd"
