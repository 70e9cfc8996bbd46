"""JSON Schema, draft 2020-12, as a grammar: every text of the grammar is JSON that is valid.

What is supported, and how far:

- `true`, `false`, `type` (one or several), `enum`, `const`, `$ref` within the schema (also to itself),
  `$defs`, `allOf` (everything in it is asked for together) and `anyOf`.
- `oneOf`, when no two of its schemas can fit the same value, which must follow from types, constants,
  ranges, patterns, lengths or required members; else it is refused.
- Objects: `properties`, `required`, `additionalProperties`, `patternProperties` (up to four),
  `minProperties`, `maxProperties`. Members come in the order in which the schema names them, others
  after them.
- Arrays: `prefixItems`, `items`, `minItems`, `maxItems`.
- Strings: `minLength`, `maxLength` (code points), `pattern` (see `patterns`), and of `format` those that
  `formats` holds; every other format is an annotation and has no effect. No format decides a `oneOf`.
- Numbers: `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf`, `integer`.
- Annotations, `$schema`, `$comment`, `$id` at the top and names that begin with `x-` have no effect.

Everything else (`not`, `if`, `contains`, `uniqueItems`, `propertyNames`, the `dependent…` and
`unevaluated…` keywords, names that nobody knows) is refused with its name and its JSON pointer, and so
is a schema that nothing is valid against. Nothing is loosened. Some things are told more narrowly:

- Members that a schema allows but does not describe are not written when it describes others; the same
  for items after `prefixItems`. Only `minProperties` and `minItems` can ask for them.
- White space is at most one space or one line break with forty spaces or tabs, after `{`, `[`, `:` and
  `,` and before `}` and `]`.
- Numbers have at most fifteen digits on each side of the point; an exponent only where no bound is set.
- Strings with a pattern or a format escape only what must be escaped.
"""

from app.domain.errors import UserError
from app.domain.language import _
from app.engine import gbnf
from app.engine.json_schema.automata import TooLargeError
from app.engine.json_schema.document import Document, too_large
from app.engine.json_schema.reader import Reader
from app.engine.json_schema.writer import Writer


def grammar_from_schema(schema_json: str) -> str:
    """Return GBNF for the JSON texts that are valid against a schema.

    Raises:
        UserError: When it is not JSON, is not supported (with what and where), is too large, or nothing
            is valid against it.
    """
    try:
        grammar = Writer(Reader(Document(schema_json))).write()
    except TooLargeError:
        raise too_large() from None
    if grammar is None:
        raise UserError(
            _("No value can match this JSON Schema."), _("Some of its parts contradict each other.")
        )
    try:
        gbnf.check(grammar)
    except UserError:
        raise too_large() from None
    return grammar
