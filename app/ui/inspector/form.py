"""What the answer must look like: a grammar, a JSON Schema, tokens that are made more or less likely."""

import json
import re

from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.domain.errors import UserError
from app.domain.language import _
from app.ui.appearance import Appearance
from app.ui.inspector.desk import Desk
from app.ui.inspector.text_field import TextField


class Form(QWidget):
    """Three fields. A grammar and a schema are checked elsewhere before they are set.

    Attributes:
        grammar: GBNF.
        schema: JSON Schema.
        bias: One token a line.
    """

    def __init__(self, appearance: Appearance, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.schema = TextField(
            appearance,
            _("JSON Schema"),
            lambda text: desk.set_settings(json_schema=text if text.strip() else ""),
            hint='{"type": "object"}',
            meaning=_("the answer is JSON that matches this schema"),
            code=True,
            check=lambda text, good, bad: desk.check_form("", text, good, bad),
        )
        self.grammar = TextField(
            appearance,
            _("Grammar (GBNF)"),
            lambda text: desk.set_settings(grammar=text if text.strip() else ""),
            hint='root ::= "yes" | "no"',
            meaning=_("the answer follows this grammar, starting from the rule “root”"),
            code=True,
            check=lambda text, good, bad: desk.check_form(text, "", good, bad),
        )
        self.bias = TextField(
            appearance,
            _("Logit bias"),
            self._set_bias,
            hint=_("word=-5"),
            meaning=_("one token a line, as text or number, with how much likelier it becomes"),
            code=True,
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        for field in (self.schema, self.grammar, self.bias):
            column.addWidget(field)

    def refresh(self) -> None:
        """Show what is set."""
        settings = self._desk.choices.settings
        self.schema.show_value(settings.json_schema)
        self.grammar.show_value(settings.grammar)
        self.bias.show_value("\n".join(bias_text(*each) for each in settings.logit_bias))

    def finish_edits(self) -> None:
        """Set what is being written."""
        for field in (self.schema, self.grammar, self.bias):
            field.commit()

    def _set_bias(self, text: str) -> None:
        lines = [line for line in text.splitlines() if line.strip()]
        self._desk.set_settings(logit_bias=tuple(read_bias(line) for line in lines))


def read_bias(line: str) -> tuple[str | int, float]:
    """Read `TOKEN=BIAS`: digits are a token's number, `"…"` is a text as in JSON, all else a text as it is.

    Raises:
        UserError: For anything else.
    """
    token, separator, amount = line.rpartition("=")
    try:
        if separator and token:
            return int(token) if re.fullmatch(r"\d{1,10}", token) else _unquoted(token), float(amount)
    except ValueError:
        pass
    raise UserError(_("{text} is not a bias; write it like word=-5 or 1234=2.5").format(text=line))


def bias_text(token: str | int, bias: float) -> str:
    """Return what `read_bias` reads as `token` and `bias`."""
    plain = isinstance(token, int) or not (token.isdigit() or '"' in token or "\n" in token)
    return f"{token if plain else json.dumps(token, ensure_ascii=False)}={bias:g}"


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text
