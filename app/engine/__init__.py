"""llama.cpp in this process: the only importer of llama_cpp."""
