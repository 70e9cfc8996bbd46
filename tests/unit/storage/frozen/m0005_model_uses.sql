CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
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
        , reasoning_seconds REAL NOT NULL DEFAULT 0, reasoning TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE chunks (
            message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            text TEXT NOT NULL, reasoning_seconds REAL NOT NULL DEFAULT 0, reasoning TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (message_id, number)
        ) STRICT, WITHOUT ROWID;
CREATE TABLE preferences (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
CREATE TABLE probabilities (
            id INTEGER PRIMARY KEY,
            message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
            tokens TEXT NOT NULL
        ) STRICT;
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
CREATE TABLE model_uses (
            model TEXT PRIMARY KEY,
            used_at REAL NOT NULL,
            written REAL NOT NULL,
            writing_seconds REAL NOT NULL,
            read REAL NOT NULL,
            reading_seconds REAL NOT NULL
        ) STRICT, WITHOUT ROWID;
INSERT INTO "_sqlite_migrations" ("id", "migration_set", "name", "applied_at") VALUES (1, 'fireside', 'm0001_chats', '2026-11-24 00:00:00');
INSERT INTO "_sqlite_migrations" ("id", "migration_set", "name", "applied_at") VALUES (2, 'fireside', 'm0002_preferences', '2026-11-24 00:00:00');
INSERT INTO "_sqlite_migrations" ("id", "migration_set", "name", "applied_at") VALUES (3, 'fireside', 'm0003_reasoning', '2026-11-24 00:00:00');
INSERT INTO "_sqlite_migrations" ("id", "migration_set", "name", "applied_at") VALUES (4, 'fireside', 'm0004_downloads', '2026-11-24 00:00:00');
INSERT INTO "_sqlite_migrations" ("id", "migration_set", "name", "applied_at") VALUES (5, 'fireside', 'm0005_model_uses', '2026-11-24 00:00:00');
INSERT INTO "chats" ("id", "tip_message_id", "pinned", "created_at", "updated_at", "deleted_at", "title", "model_path", "system_prompt", "draft") VALUES (1, 2, 1, 10.5, 20.25, NULL, 'A tale 故事', '/models/a.gguf', 'Be kind.', 'unsent
lines');
INSERT INTO "chats" ("id", "tip_message_id", "pinned", "created_at", "updated_at", "deleted_at", "title", "model_path", "system_prompt", "draft") VALUES (2, NULL, 0, 30.0, 31.0, 32.0, 'Gone', '', '', '');
INSERT INTO "chats" ("id", "tip_message_id", "pinned", "created_at", "updated_at", "deleted_at", "title", "model_path", "system_prompt", "draft") VALUES (3, NULL, 0, 40.0, 41.0, NULL, '', '', '', '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text", "reasoning_seconds", "reasoning") VALUES (1, 1, NULL, 'user', 'complete', 11.0, NULL, NULL, NULL, NULL, NULL, NULL, '', 'Tell me “a tale” 讲个故事 🦊
	tab, ''quote'', \ and %', 0.0, '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text", "reasoning_seconds", "reasoning") VALUES (2, 1, 1, 'assistant', 'complete', 12.0, NULL, 'A', 'abababababababababababababababababababababababababababababababab', '/models/a.gguf', '{"temperature": 0.5, "seed": 7}', '{"stop_reason": "end", "prompt_tokens": 40, "reused_tokens": 2, "generated_tokens": 9, "prefill_seconds": 0.5, "decode_seconds": 1.5, "first_token_seconds": 0.6, "seed": 7, "context": 4096}', '', 'Once
```python
print(''x'')
```', 1.5, 'Hm, 嗯.');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text", "reasoning_seconds", "reasoning") VALUES (3, 1, 1, 'assistant', 'failed', 13.0, NULL, NULL, NULL, NULL, NULL, NULL, 'It could not be.', '', 0.0, '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text", "reasoning_seconds", "reasoning") VALUES (4, 2, NULL, 'user', 'complete', 30.5, NULL, NULL, NULL, NULL, NULL, NULL, '', '', 0.0, '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text", "reasoning_seconds", "reasoning") VALUES (5, 3, NULL, 'user', 'complete', 40.5, NULL, NULL, NULL, NULL, NULL, NULL, '', 'long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ', 0.0, '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text", "reasoning_seconds", "reasoning") VALUES (6, 3, 5, 'assistant', 'writing', 40.6, '1:1.00', 'A', '', '/models/a.gguf', NULL, NULL, '', '', 0.0, '');
INSERT INTO "chunks" ("message_id", "number", "text", "reasoning_seconds", "reasoning") VALUES (6, 1, 'so ', 0.0, '');
INSERT INTO "chunks" ("message_id", "number", "text", "reasoning_seconds", "reasoning") VALUES (6, 2, 'far', 0.0, '');
INSERT INTO "preferences" ("key", "value") VALUES ('language', '"zh_CN"');
INSERT INTO "preferences" ("key", "value") VALUES ('open_chat', '1');
INSERT INTO "probabilities" ("id", "message_id", "tokens") VALUES (1, 2, '[]');
INSERT INTO "downloads" ("id", "position", "created_at", "state", "fetcher", "endpoint", "repository", "commit_id", "quantization", "name", "problem", "hint", "parts") VALUES (1, 1, 50.0, 'waiting', NULL, '', 'a/b', 'c', '', 'B', '', '', '[{"path": "b.gguf", "size": 1, "sha256": ""}]');
INSERT INTO "model_uses" ("model", "used_at", "written", "writing_seconds", "read", "reading_seconds") VALUES ('abababababababababababababababababababababababababababababababab', 12.0, 8.0, 1.5, 38.0, 0.5);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX messages_by_chat ON messages(chat_id);
CREATE INDEX messages_by_parent ON messages(parent_id);
CREATE INDEX messages_writing ON messages(id) WHERE status = 'writing';
CREATE INDEX probabilities_by_message ON probabilities(message_id);
