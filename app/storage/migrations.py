"""The schema, step by step: never change a step that was released, add the next one.

Imported by the database's writer thread, as sqlite_utils is slow to import. All pending steps run in
one transaction, so none may need to stand outside of one.
"""

from pathlib import Path

from sqlite_utils import Database, Migrations

from app.domain.errors import UserError
from app.domain.language import _
from app.storage import digests


def m0001_chats(db: Database) -> None:
    """Chats, their trees of messages, and the pieces of the answers that are being written.

    `messages.writer` names the process that is at a message, as "process id:start time".
    `messages.parent_id` does not cascade: SQLite follows a chain no deeper than 1,000 rows.
    Long text comes last in a row, so that reading the rest does not read it.
    """
    db.executescript("""
        CREATE TABLE chats (
            id INTEGER PRIMARY KEY,
            tip_message_id INTEGER REFERENCES messages(id),
            pinned INTEGER NOT NULL DEFAULT 0,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            deleted_at REAL,
            title TEXT NOT NULL DEFAULT '',
            model_path TEXT NOT NULL DEFAULT '',
            system_prompt TEXT NOT NULL DEFAULT '',
            draft TEXT NOT NULL DEFAULT ''
        ) STRICT;
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY,
            chat_id INTEGER NOT NULL REFERENCES chats(id) ON DELETE CASCADE,
            parent_id INTEGER REFERENCES messages(id),
            role TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at REAL NOT NULL,
            writer TEXT,
            model_name TEXT,
            model_sha256 TEXT,
            model_path TEXT,
            settings TEXT,
            stats TEXT,
            error TEXT NOT NULL DEFAULT '',
            text TEXT NOT NULL DEFAULT ''
        ) STRICT;
        CREATE INDEX messages_by_chat ON messages(chat_id);
        CREATE INDEX messages_by_parent ON messages(parent_id);
        CREATE INDEX messages_writing ON messages(id) WHERE status = 'writing';
        CREATE TABLE chunks (
            message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (message_id, number)
        ) STRICT, WITHOUT ROWID;
    """)


def m0002_preferences(db: Database) -> None:
    """What a person has set, each value as JSON."""
    db.executescript("""
        CREATE TABLE preferences (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
    """)


def m0003_reasoning(db: Database) -> None:
    """What a model thinks before it answers, and how likely each of its tokens was.

    Probabilities are rare, long, and read only when somebody asks: in a table of their own they are in
    nobody's way. `tokens` is written as `app.storage.probabilities` says.
    """
    db.executescript("""
        ALTER TABLE messages ADD COLUMN reasoning_seconds REAL NOT NULL DEFAULT 0;
        ALTER TABLE messages ADD COLUMN reasoning TEXT NOT NULL DEFAULT '';
        ALTER TABLE chunks ADD COLUMN reasoning_seconds REAL NOT NULL DEFAULT 0;
        ALTER TABLE chunks ADD COLUMN reasoning TEXT NOT NULL DEFAULT '';
        CREATE TABLE probabilities (
            id INTEGER PRIMARY KEY,
            message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
            tokens TEXT NOT NULL
        ) STRICT;
        CREATE INDEX probabilities_by_message ON probabilities(message_id);
    """)


def m0004_downloads(db: Database) -> None:
    """Models on their way to this computer, in the order of `position`.

    `parts` are the files as JSON: [{"path", "size", "sha256"}]. `fetcher` names the process that fetches
    one, as `messages.writer` does.
    """
    db.executescript("""
        CREATE TABLE downloads (
            id INTEGER PRIMARY KEY,
            position INTEGER NOT NULL,
            created_at REAL NOT NULL,
            state TEXT NOT NULL,
            fetcher TEXT,
            endpoint TEXT NOT NULL DEFAULT '',
            repository TEXT NOT NULL,
            commit_id TEXT NOT NULL,
            quantization TEXT NOT NULL DEFAULT '',
            name TEXT NOT NULL,
            problem TEXT NOT NULL DEFAULT '',
            hint TEXT NOT NULL DEFAULT '',
            parts TEXT NOT NULL
        ) STRICT;
    """)


def m0005_model_uses(db: Database) -> None:
    """When each model last answered, and how fast; known without the answers, which may be deleted.

    `model` is the sha256 of the file, or its path as long as that is not known. Tokens and seconds are sums
    in which newer answers weigh more: see `app.storage.uses`. What the answers so far tell is taken over.
    """
    db.executescript("""
        CREATE TABLE model_uses (
            model TEXT PRIMARY KEY,
            used_at REAL NOT NULL,
            written REAL NOT NULL,
            writing_seconds REAL NOT NULL,
            read REAL NOT NULL,
            reading_seconds REAL NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO model_uses
            SELECT model, max(created_at),
                total(written) FILTER (WHERE written > 0 AND writing > 0),
                total(writing) FILTER (WHERE written > 0 AND writing > 0),
                total(read) FILTER (WHERE read >= 32 AND reading > 0),
                total(reading) FILTER (WHERE read >= 32 AND reading > 0)
            FROM (
                SELECT coalesce(nullif(model_sha256, ''), model_path) AS model, created_at,
                    CAST(stats ->> 'generated_tokens' AS INTEGER) - 1 AS written,
                    CAST(stats ->> 'decode_seconds' AS REAL) AS writing,
                    CAST(stats ->> 'prompt_tokens' AS INTEGER) - (stats ->> 'reused_tokens') AS read,
                    CAST(stats ->> 'prefill_seconds' AS REAL) AS reading
                FROM (
                    SELECT model_sha256, model_path, created_at,
                        CASE WHEN json_valid(stats) THEN stats END AS stats
                    FROM messages
                )
            )
            WHERE model != '' AND written >= 0
            GROUP BY model;
    """)


def m0006_budget(db: Database) -> None:
    """What of a long chat its model sees: the policy, pinned messages, summaries of what it does not see.

    `messages.seen_from` is the first message that was read for an answer, `messages.summary_id` what stood
    for those before it. `summaries.kept` is the part of a text that a person wrote, with which it begins.
    """
    db.executescript("""
        CREATE TABLE summaries (
            id INTEGER PRIMARY KEY,
            chat_id INTEGER NOT NULL REFERENCES chats(id) ON DELETE CASCADE,
            until_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
            created_at REAL NOT NULL,
            kept TEXT NOT NULL DEFAULT '',
            text TEXT NOT NULL
        ) STRICT;
        CREATE INDEX summaries_by_chat ON summaries(chat_id);
        ALTER TABLE chats ADD COLUMN policy TEXT;
        ALTER TABLE chats ADD COLUMN context INTEGER;
        ALTER TABLE messages ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE messages ADD COLUMN seen_from INTEGER;
        ALTER TABLE messages ADD COLUMN summary_id INTEGER;
    """)


def m0007_organising(db: Database) -> None:
    """Folders, tags and the archive; and what was deleted of a chat or of its summaries, but is not gone yet.

    A chat lies in one folder or in none, and bears any number of tags: a tag is its name. `deleted_at`, in
    seconds since the epoch, is set for what is neither shown, read by a model, searched nor exported.

    `messages.parent_id` stays as it is when the parent is deleted: what stands above a message is the next
    one above it that is not. So to bring a message back is to clear its `deleted_at`.
    """
    db.executescript("""
        CREATE TABLE folders (
            id INTEGER PRIMARY KEY,
            created_at REAL NOT NULL,
            name TEXT NOT NULL
        ) STRICT;
        CREATE TABLE chat_tags (
            chat_id INTEGER NOT NULL REFERENCES chats(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            PRIMARY KEY (chat_id, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX chat_tags_by_name ON chat_tags(name);
        ALTER TABLE chats ADD COLUMN folder_id INTEGER REFERENCES folders(id) ON DELETE SET NULL;
        ALTER TABLE chats ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX chats_by_folder ON chats(folder_id) WHERE folder_id IS NOT NULL;
        ALTER TABLE messages ADD COLUMN deleted_at REAL;
        CREATE INDEX messages_deleted ON messages(chat_id, id, parent_id, deleted_at)
            WHERE deleted_at IS NOT NULL;
        ALTER TABLE summaries ADD COLUMN deleted_at REAL;
    """)


def m0008_search(db: Database) -> None:
    """The words of all messages, and the ids of those whose words are not in it yet: `search_index`."""
    db.executescript("""
        CREATE VIRTUAL TABLE search USING fts5(
            text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
        );
        CREATE TABLE search_queue (message_id INTEGER PRIMARY KEY) STRICT;
        INSERT INTO search_queue SELECT id FROM messages;
        CREATE TRIGGER search_inserted AFTER INSERT ON messages WHEN new.status != 'writing'
        BEGIN
            INSERT INTO search_queue SELECT new.id
                WHERE NOT EXISTS (SELECT 1 FROM search_queue WHERE message_id = new.id);
        END;
        CREATE TRIGGER search_updated AFTER UPDATE OF text, status ON messages
            WHEN new.text != old.text OR new.status != old.status
        BEGIN
            INSERT INTO search_queue SELECT new.id
                WHERE NOT EXISTS (SELECT 1 FROM search_queue WHERE message_id = new.id);
        END;
        CREATE TRIGGER search_deleted AFTER DELETE ON messages
        BEGIN
            INSERT INTO search_queue SELECT old.id
                WHERE NOT EXISTS (SELECT 1 FROM search_queue WHERE message_id = old.id);
            INSERT INTO search_queue SELECT -1
                WHERE NOT EXISTS (SELECT 1 FROM search_queue WHERE message_id = -1);
        END;
    """)


def m0009_digests(db: Database) -> None:
    """The sha256 of each finished message, and when it was found not to match: see `app.storage.digests`."""
    digests.define(db)
    db.executescript("""
        CREATE TABLE digests (
            message_id INTEGER PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE,
            sha256 BLOB NOT NULL,
            damaged_at REAL
        ) STRICT;
        CREATE INDEX digests_damaged ON digests(message_id) WHERE damaged_at IS NOT NULL;
        INSERT INTO digests
            SELECT id, message_sha256(CAST(text AS BLOB), CAST(reasoning AS BLOB)), NULL
            FROM messages WHERE status != 'writing';
    """)


def m0010_references(db: Database) -> None:
    """What looks for the chats and summaries that name a message, as SQLite does for each one that goes.

    Without these it reads all chats for every message of a chat that is erased.
    """
    db.executescript("""
        CREATE INDEX chats_by_tip ON chats(tip_message_id) WHERE tip_message_id IS NOT NULL;
        CREATE INDEX summaries_by_until ON summaries(until_id);
    """)


STEPS = (
    m0001_chats,
    m0002_preferences,
    m0003_reasoning,
    m0004_downloads,
    m0005_model_uses,
    m0006_budget,
    m0007_organising,
    m0008_search,
    m0009_digests,
    m0010_references,
)
migrations = Migrations("fireside")
for _step in STEPS:
    migrations()(_step)


def apply(db: Database) -> None:
    """Bring the schema up to date, inside the transaction that is open."""
    if migrations.pending(db):
        migrations.apply(db)


def is_older(db: Database) -> bool:
    """Return whether there are chats in an older schema."""
    return (
        bool(migrations.applied(db))
        and bool(migrations.pending(db))
        and bool(db.execute("SELECT 1 FROM chats LIMIT 1").fetchone())
    )


def refuse_newer(db: Database) -> None:
    """Raise UserError when the database knows a step that this Fireside does not."""
    if {step.name for step in migrations.applied(db)} - {step.__name__ for step in STEPS}:
        raise UserError(
            _(
                "Your chats were last opened by a newer version of Fireside, "
                "and this version cannot read them."
            ),
            _("Install the newest version of Fireside."),
        )


def require_current(db: Database, path: Path) -> None:
    """Raise UserError unless the schema is exactly the one of this Fireside."""
    refuse_newer(db)
    if migrations.pending(db):
        raise UserError(
            _(
                "Your chats are from an older version of Fireside and need an update, "
                "but the folder {folder} is write-protected."
            ).format(folder=path.parent),
            _("Make this folder writable, then start Fireside again."),
        )
