import itertools

from hypothesis import given
from hypothesis import strategies as st

from app.domain.chat import TITLE_LENGTH, Message, Role, Tree, title_from


def message(number: int, parent: int | None, role: Role = Role.USER) -> Message:
    return Message(number, 1, parent, role, str(number))


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Any tree: each message answers one that came before it, or none."""
    count = draw(st.integers(1, 30))
    parents = [draw(st.none() | st.integers(1, n - 1)) if n > 1 else None for n in range(1, count + 1)]
    roles = [draw(st.sampled_from([Role.USER, Role.ASSISTANT])) for _ in parents]
    return Tree.of(message(n, p, r) for n, (p, r) in enumerate(zip(parents, roles, strict=True), 1))


@given(trees())
def test_every_message_ends_exactly_one_path_from_a_first_message(tree: Tree) -> None:
    for tip in tree.messages:
        path = tree.path(tip)
        assert path[0].parent_id is None
        assert path[-1].id == tip
        assert all(b.parent_id == a.id for a, b in itertools.pairwise(path))


@given(trees())
def test_a_switch_of_versions_leads_to_an_end_below_the_version(tree: Tree) -> None:
    for number in tree.messages:
        leaf = tree.newest_leaf(number)
        assert leaf not in tree.children
        assert number in [m.id for m in tree.path(leaf)]
        versions = tree.versions(number)
        assert number in versions
        assert versions == sorted(versions)


def test_a_damaged_tree_still_gives_a_path() -> None:
    circle = Tree.of([message(1, 2), message(2, 1)])
    assert len(circle.path(1)) <= 2
    assert Tree.of([message(5, 4)]).path(5) == [message(5, 4)]
    assert Tree.of([]).path(7) == []


@given(st.text())
def test_a_title_is_one_short_line(text: str) -> None:
    title = title_from(text)
    assert len(title) <= TITLE_LENGTH + 1
    assert len(title.splitlines()) <= 1
    assert bool(title) == bool(text.strip())


def test_a_title_is_cut_at_a_word() -> None:
    assert title_from("\n\n## Rust lifetimes\nmore") == "Rust lifetimes"
    assert title_from("word " * 30) == ("word " * 12).strip() + "…"
    assert title_from("火" * 80) == "火" * 60 + "…"
