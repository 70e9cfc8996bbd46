"""GGUF files without loading them: header and library. Needs neither the app, nor Qt, nor llama.cpp."""
