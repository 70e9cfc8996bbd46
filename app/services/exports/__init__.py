"""Chats as text for people and for programs: a module for each kind."""
