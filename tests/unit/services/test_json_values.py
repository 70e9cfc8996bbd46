"""Values one after the other, however the file is cut into pieces."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.services.imports import values as module
from app.services.imports.values import values

LEAVES = st.none() | st.booleans() | st.integers(-9, 10**6) | st.text(max_size=6)
OBJECTS = st.dictionaries(
    st.text(max_size=4),
    LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=3), LEAVES, max_size=2),
)
SHORT = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(module, "_CHUNK", 20)
    return monkeypatch


def contents(data: bytes) -> list[object]:
    return [value.damage or value.content for value in values(io.BytesIO(data))]


@SHORT
@given(
    st.lists(OBJECTS, max_size=4), st.booleans(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.data()
)
def test_a_list_lines_and_values_behind_each_other(
    cut: pytest.MonkeyPatch, wanted: list, plain: bool, encoding: str, data: st.DataObject
) -> None:
    indent = data.draw(st.sampled_from([None, 1]))
    texts = [json.dumps(each, ensure_ascii=plain, indent=indent) for each in wanted]
    for whole in (
        f"[{', '.join(texts)}]",
        "\n".join(texts),
        "".join(texts),
        f" \r\n[\n{','.join(texts)},]\n",
    ):
        assert contents(whole.encode(encoding)) == wanted


@SHORT
@given(st.binary(max_size=80) | st.text(alphabet='[]{},:"\\u0d\n 1', max_size=80).map(str.encode))
def test_no_bytes_do_any_harm(cut: pytest.MonkeyPatch, data: bytes) -> None:
    for value in values(io.BytesIO(data)):
        assert not value.damage or value.damage.endswith(".")


@SHORT
@given(st.lists(OBJECTS, min_size=1, max_size=4), st.integers(0, 300))
def test_a_file_that_was_cut_off_gives_what_is_whole(
    cut: pytest.MonkeyPatch, wanted: list, where: int
) -> None:
    lines = [json.dumps(each) for each in wanted]
    whole = "\n".join(lines)
    found = contents(whole[:where].encode())
    complete = sum(len("\n".join(lines[: count + 1])) <= where for count in range(len(lines)))
    assert found[:complete] == wanted[:complete]
    assert all(isinstance(each, str) for each in found[complete:])
