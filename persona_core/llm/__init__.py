"""The local language model: one protocol, the Ollama adapter, the cache of paid answers, and prompts as text files."""
