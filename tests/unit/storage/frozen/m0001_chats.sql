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
        ) STRICT;
CREATE TABLE chunks (
            message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (message_id, number)
        ) STRICT, WITHOUT ROWID;
INSERT INTO "_sqlite_migrations" ("id", "migration_set", "name", "applied_at") VALUES (1, 'fireside', 'm0001_chats', '2026-11-24 00:00:00');
INSERT INTO "chats" ("id", "tip_message_id", "pinned", "created_at", "updated_at", "deleted_at", "title", "model_path", "system_prompt", "draft") VALUES (1, 2, 1, 10.5, 20.25, NULL, 'A tale 故事', '/models/a.gguf', 'Be kind.', 'unsent
lines');
INSERT INTO "chats" ("id", "tip_message_id", "pinned", "created_at", "updated_at", "deleted_at", "title", "model_path", "system_prompt", "draft") VALUES (2, NULL, 0, 30.0, 31.0, 32.0, 'Gone', '', '', '');
INSERT INTO "chats" ("id", "tip_message_id", "pinned", "created_at", "updated_at", "deleted_at", "title", "model_path", "system_prompt", "draft") VALUES (3, NULL, 0, 40.0, 41.0, NULL, '', '', '', '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text") VALUES (1, 1, NULL, 'user', 'complete', 11.0, NULL, NULL, NULL, NULL, NULL, NULL, '', 'Tell me “a tale” 讲个故事 🦊
	tab, ''quote'', \ and %');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text") VALUES (2, 1, 1, 'assistant', 'complete', 12.0, NULL, 'A', 'abababababababababababababababababababababababababababababababab', '/models/a.gguf', '{"temperature": 0.5, "seed": 7}', '{"stop_reason": "end", "prompt_tokens": 40, "reused_tokens": 2, "generated_tokens": 9, "prefill_seconds": 0.5, "decode_seconds": 1.5, "first_token_seconds": 0.6, "seed": 7, "context": 4096}', '', 'Once
```python
print(''x'')
```');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text") VALUES (3, 1, 1, 'assistant', 'failed', 13.0, NULL, NULL, NULL, NULL, NULL, NULL, 'It could not be.', '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text") VALUES (4, 2, NULL, 'user', 'complete', 30.5, NULL, NULL, NULL, NULL, NULL, NULL, '', '');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text") VALUES (5, 3, NULL, 'user', 'complete', 40.5, NULL, NULL, NULL, NULL, NULL, NULL, '', 'long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long long ');
INSERT INTO "messages" ("id", "chat_id", "parent_id", "role", "status", "created_at", "writer", "model_name", "model_sha256", "model_path", "settings", "stats", "error", "text") VALUES (6, 3, 5, 'assistant', 'writing', 40.6, '1:1.00', 'A', '', '/models/a.gguf', NULL, NULL, '', '');
INSERT INTO "chunks" ("message_id", "number", "text") VALUES (6, 1, 'so ');
INSERT INTO "chunks" ("message_id", "number", "text") VALUES (6, 2, 'far');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX messages_by_chat ON messages(chat_id);
CREATE INDEX messages_by_parent ON messages(parent_id);
CREATE INDEX messages_writing ON messages(id) WHERE status = 'writing';
