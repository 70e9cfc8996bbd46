"""SQLite and the folders on disk: the only importer of a database driver."""
