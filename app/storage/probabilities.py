"""How likely the tokens of an answer were, as they lie in the database.

Each row of the table holds the tokens of one moment, one line of JSON for each:
`[id, text, logprob, [[id, text, logprob], …]]`, the likeliest ones at its place last. Lines that make
no sense are left out when they are read.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from app.domain.generation import Choice, Chosen
from app.storage.rows import storable

if TYPE_CHECKING:
    from sqlite_utils import Database

MOST_ALTERNATIVES = 20
"""Of each token; more are not kept."""
_DIGITS = 4  # of a natural logarithm: a hundredth of a percent


def add(db: "Database", message_id: int, chosen: Iterable[Chosen]) -> None:
    """Add the next tokens of an answer that is being written; for one that is no longer, do nothing."""
    db.execute(
        "INSERT INTO probabilities (message_id, tokens)"
        " SELECT id, ? FROM messages WHERE id = ? AND status = 'writing'",
        [storable("\n".join(map(_line, chosen))), message_id],
    )


def insert(db: "Database", message_id: int, chosen: Iterable[Chosen]) -> None:
    """Add all tokens of an answer that comes from elsewhere."""
    row = {"message_id": message_id, "tokens": storable("\n".join(map(_line, chosen)))}
    db.table("probabilities").insert(row)


def read_chat(db: "Database", chat_id: int) -> list[tuple[int, tuple[Chosen, ...]]]:
    """Return the answers of a chat of which tokens were kept, and these."""
    sql = (
        "SELECT DISTINCT message_id FROM probabilities JOIN messages ON messages.id = message_id"
        " WHERE chat_id = ?"
    )
    ids = [row[0] for row in db.execute(sql, [chat_id]).fetchall()]
    return [(message_id, tuple(chosen)) for message_id in ids if (chosen := read(db, message_id))]


def read(db: "Database", message_id: int) -> list[Chosen]:
    """Return the tokens of an answer in order, as far as they were kept."""
    rows = db.execute("SELECT tokens FROM probabilities WHERE message_id = ? ORDER BY id", [message_id])
    return [chosen for (tokens,) in rows for line in tokens.split("\n") if (chosen := _parsed(line))]


def _line(chosen: Chosen) -> str:
    top = [_values(choice) for choice in chosen.top[:MOST_ALTERNATIVES]]
    return json.dumps([*_values(chosen.choice), top], ensure_ascii=False, separators=(",", ":"))


def _values(choice: Choice) -> list[Any]:
    return [choice.token, choice.text, round(max(choice.logprob, -1e9), _DIGITS)]  # JSON knows no infinity


def _parsed(line: str) -> Chosen | None:
    try:
        token, text, logprob, top = json.loads(line)
        return Chosen(_choice(token, text, logprob), tuple(_choice(*values) for values in top))
    except (ValueError, TypeError):
        return None


def _choice(token: Any, text: Any, logprob: Any) -> Choice:
    return Choice(int(token), str(text), float(logprob))
