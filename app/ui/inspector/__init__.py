"""The panel at the right: what can be set for the model, and what an answer took."""
