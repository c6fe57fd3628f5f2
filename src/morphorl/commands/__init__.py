"""The commands, one module each: a dataclass of options whose call does the work.

`cli` imports a module only when its command is asked for. Commands that train need JAX set up before anything else of
morphorl is imported; the others do without JAX, and start at once.
"""
