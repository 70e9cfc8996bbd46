"""Chats of other apps, and our own files: a module for each source."""
