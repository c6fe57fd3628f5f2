"""A process of its own that holds a folder: in a module that a spawned process can import."""

from morphorl.studies import lock


def hold(folder, ready, done):
    with lock.locked(folder):
        ready.set()
        done.wait()
