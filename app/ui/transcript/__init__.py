"""The transcript: a windowed column of messages that stream Markdown."""
