"""Our environments that are written out as `Environment`, one idea a file; the registry finds each by itself.

A file here that offers environments has `IDS`, the ids that are listed, and `make(env_id)`, which gives the environment
of an id of its own and None for any other. Nothing else needs to know of it.
"""
