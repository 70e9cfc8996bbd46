"""What the grammar of a schema lets through is valid, and what is valid and in order it lets through."""

import json
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from llama_cpp import llama_cpp as api

from app.domain.errors import UserError
from app.engine.grammar import Grammar
from app.engine.json_schema import grammar_from_schema
from app.engine.model import LoadedModel

TREE = {
    "$defs": {
        "tree": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z]{1,5}$"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2},
            },
            "required": ["name"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/tree",
}


def closed(**properties: object) -> dict:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


ORDERED = (
    TREE,
    {"type": "integer", "minimum": -37, "maximum": 12345},
    {"type": "integer", "exclusiveMinimum": 9, "multipleOf": 7, "maximum": 99999},
    {"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"enum": ["a", 1, None]}, "maxItems": 4},
    {"type": "string", "minLength": 2, "maxLength": 6},
    {"type": ["string", "null"], "pattern": "^(ab?|[x-z]+)[0-9]{2}$"},
    closed(
        a={"type": "integer", "minimum": 5}, b={"type": "array", "items": {"type": "boolean"}, "minItems": 1}
    ),
    {"anyOf": [closed(x={"const": {"q": [1, "é"]}}), {"type": "array", "maxItems": 0}]},
    {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 20, "multipleOf": 4}]},
)
# Valid instances of each of them, with their members in order.
INSTANCES = (
    st.recursive(
        st.from_regex("[a-z]{1,5}", fullmatch=True).map(lambda name: {"name": name}),
        lambda trees: st.builds(
            lambda tree, more: tree | {"children": more}, trees, st.lists(trees, max_size=2)
        ),
    ),
    st.integers(-37, 12345),
    st.integers(2, 14285).map(lambda count: count * 7),
    st.just([])
    | st.builds(
        lambda head, tail: [head, *tail], st.booleans(), st.lists(st.sampled_from(["a", 1, None]), max_size=3)
    ),
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), min_size=2, max_size=6),
    st.none() | st.from_regex("(ab?|[x-z]{1,9})[0-9]{2}", fullmatch=True),
    st.builds(
        lambda a, b: {"a": a, "b": b},
        st.integers(5, 10**9),
        st.lists(st.booleans(), min_size=1, max_size=5),
    ),
    st.sampled_from([[], {"x": {"q": [1, "é"]}}]),
    st.sampled_from([4, 8, 12, 16, 20]),
)
REFUSED = (
    ({"not": {}}, "#/not", "“not”"),
    ({"if": {}, "then": {}}, "#/if", "“if”"),
    (closed(a={"uniqueItems": True}), "#/properties/a/uniqueItems", "“uniqueItems”"),
    ({"minLenght": 3}, "#/minLenght", "“minLenght”"),
    ({"type": "text"}, "#/type", "null, boolean, integer, number, string, array, object"),
    ({"$ref": "other.json"}, "#/$ref", "within the schema"),
    ({"$ref": "#/$defs/a"}, "#/$ref", "points to nothing"),
    ({"$ref": "#"}, "#", "back to itself"),
    ({"pattern": "(?=a)"}, "#/pattern", "look-around"),
    ({"pattern": "a\\b"}, "#/pattern", "\\b"),
    ({"patternProperties": {"(": {}}}, "#/patternProperties/(", "“(” has no matching “)”"),
    ({"items": [{}]}, "#/items", "prefixItems"),
    ({"minimum": "3"}, "#/minimum", "number"),
    ({"multipleOf": 0}, "#/multipleOf", "above zero"),
    ({"properties": []}, "#/properties", "“properties” must be an object"),
    ({"exclusiveMinimum": True}, "#/exclusiveMinimum", "number"),
    (
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        "#/oneOf",
        "both “oneOf/0” and “oneOf/1”; use “anyOf” instead",
    ),
    ({"type": "object", "minProperties": 2}, "#/minProperties", "at most 1, one more"),
    ({"items": {"a/b": 1}}, "#/items/a~1b", "“a/b”"),
)
IMPOSSIBLE = (
    False,
    {"enum": []},
    {"type": "integer", "minimum": 2, "maximum": 1},
    {"type": "integer", "exclusiveMinimum": 2, "exclusiveMaximum": 3},
    {"type": "string", "pattern": "^aaa$", "maxLength": 2},
    {"allOf": [{"type": "string"}, {"type": "null"}]},
    {"const": 1, "type": "string"},
    closed(a=False),
    {"$defs": {"a": closed(b={"$ref": "#/$defs/a"})}, "$ref": "#/$defs/a"},
)


class Walk:
    """Writes at random what a grammar allows, with tokens of a few characters."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        letters = [chr(code) for code in range(32, 127)] + [
            "\n",
            "é",
            "语",
            '":',
            '",',
            "true",
            "false",
            "null",
            "ab",
        ]
        found = {tuple(model.tokenize(text, special=False)) for text in letters}
        self.tokens = sorted({token for tokens in found for token in tokens})
        self.end = next(token for token in range(model.vocabulary_size) if model.is_end(token))
        self.closing = {model.tokenize(text, special=False)[0] for text in '"}]'}

    def write(self, gbnf: str, seed: int) -> str | None:
        """Return a whole text of the grammar, or None when it does not end in time."""
        chance = random.Random(seed)
        grammar = Grammar(self.model, gbnf)
        text = b""
        choices = [*self.tokens, self.end]
        for step in range(400):
            data = (api.llama_token_data * len(choices))(
                *(api.llama_token_data(t, 0.0, 0.0) for t in choices)
            )
            grammar.restrict(api.llama_token_data_array(data, len(choices), -1, False))
            left = [entry.id for entry in data if entry.logit > -np.inf]
            assert left, text
            closing = [token for token in left if token in self.closing]
            if self.end in left and (step > 30 or chance.random() < 0.3):
                break
            if closing and chance.random() < step / 40:
                left = closing
            token = chance.choice(left)
            if token == self.end:
                break
            grammar.accept(token)
            text += self.model.piece(token)
        else:
            text = b""
        grammar.close()
        return text.decode() or None


@pytest.fixture(scope="module")
def walk(model: LoadedModel) -> Walk:
    return Walk(model)


def schemas() -> st.SearchStrategy:
    bounds = st.integers(-50, 50)
    numbers = st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={"minimum": bounds, "exclusiveMaximum": bounds.map(lambda high: high + 101)},
    )
    strings = st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": st.integers(0, 3),
            "maxLength": st.integers(3, 12),
            "pattern": st.sampled_from(
                ["^[a-z]+$", "x", "^a?", "(1|23)$", "^[^ab]*$", '["\\\\]', "^(ab|c.)*"]
            ),
        },
    )
    formats = st.builds(
        lambda name: {"type": "string", "format": name},
        st.sampled_from(
            ["date", "time", "date-time", "uuid", "ipv4", "ipv6", "email", "hostname", "uri", "other"]
        ),
    )
    values = st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab"\\é\n', max_size=4)
    simple = (
        numbers
        | strings
        | formats
        | st.builds(lambda found: {"enum": found}, st.lists(values, min_size=1, max_size=4))
        | st.sampled_from([{"type": "boolean"}, {"type": ["null", "integer"]}, {"const": {"a": [1, None]}}])
    )

    def larger(inner: st.SearchStrategy) -> st.SearchStrategy:
        names = st.sampled_from(["a", "b", "long name", 'quote"d', "é"])
        objects = st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(names, inner, max_size=3)},
            optional={
                "required": st.lists(names, unique=True, max_size=2),
                "additionalProperties": st.just(False) | st.just(True) | inner,
                "maxProperties": st.integers(2, 4),
                "minProperties": st.integers(0, 1),
                "patternProperties": st.dictionaries(st.sampled_from(["^x", "[0-9]$"]), inner, max_size=2),
            },
        )
        arrays = st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={
                "prefixItems": st.lists(inner, min_size=1, max_size=2),
                "minItems": st.integers(0, 2),
                "maxItems": st.integers(2, 4),
            },
        )
        several = st.lists(inner, min_size=1, max_size=2)
        return (
            objects
            | arrays
            | several.map(lambda parts: {"anyOf": parts})
            | several.map(lambda parts: {"allOf": parts})
            | several.map(lambda parts: {"oneOf": parts})
        )

    return st.recursive(simple, larger, max_leaves=5)


@pytest.mark.real_model
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schema=schemas(), seed=st.integers(0, 2**32))
def test_whatever_the_grammar_lets_through_is_valid(walk: Walk, schema: dict, seed: int) -> None:
    try:
        gbnf = grammar_from_schema(json.dumps(schema))
    except UserError:
        return  # the parts contradict each other, or oneOf is not exclusive
    text = walk.write(gbnf, seed)
    if text is not None:
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            json.loads(text)
        )


@pytest.mark.real_model
@pytest.mark.parametrize("schema", [True, {}, {"type": "object"}, *ORDERED])
def test_walks_end_and_are_valid(walk: Walk, schema: dict) -> None:
    gbnf = grammar_from_schema(json.dumps(schema))
    texts = [text for seed in range(6) if (text := walk.write(gbnf, seed)) is not None]
    assert len(texts) >= 3
    for text in texts:
        Draft202012Validator(schema).validate(json.loads(text))


@pytest.mark.real_model
@pytest.mark.parametrize("schema", ORDERED)
def test_valid_instances_in_the_order_of_the_schema_are_let_through(model: LoadedModel, schema: dict) -> None:
    gbnf = grammar_from_schema(json.dumps(schema))
    end = next(token for token in range(model.vocabulary_size) if model.is_end(token))

    @settings(max_examples=10, deadline=None)
    @given(instance=INSTANCES[ORDERED.index(schema)])
    def check(instance: object) -> None:
        Draft202012Validator(schema).validate(instance)
        text = json.dumps(instance, ensure_ascii=False)
        grammar = Grammar(model, gbnf)
        for token in model.tokenize(text, special=False):
            assert grammar.allows(token), text
            grammar.accept(token)
        assert grammar.allows(end), text
        grammar.close()

    check()


@pytest.mark.parametrize(("schema", "pointer", "reason"), REFUSED)
def test_what_is_not_supported_is_refused_by_name_and_place(schema: dict, pointer: str, reason: str) -> None:
    with pytest.raises(UserError) as refused:
        grammar_from_schema(json.dumps(schema))
    assert f"“{pointer}”" in refused.value.message
    assert reason in refused.value.hint


@pytest.mark.parametrize("schema", IMPOSSIBLE)
def test_a_schema_that_nothing_fits_is_refused(schema: object) -> None:
    with pytest.raises(UserError, match="No value can match"):
        grammar_from_schema(json.dumps(schema))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 5000 + "]" * 5000, '{"a":1,"a":2}', "NaN", '{"const":"\\ud800"}', "[]", "3", '"object"'],
)
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="JSON Schema "):
        grammar_from_schema(text)
