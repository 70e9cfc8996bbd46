"""Fireside: private, offline chat with open models on your own computer."""

__version__ = "0.1.0"
