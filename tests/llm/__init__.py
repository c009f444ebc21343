"""The model side: prompts, the cache of answers, and the adapter against a stand-in server."""
