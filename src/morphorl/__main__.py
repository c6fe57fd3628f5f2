"""Entry point of `morphorl` and `python -m morphorl`."""

from morphorl.devices import use_all_cores


def main() -> None:
    """Set JAX up, and only then import the rest, which imports gymnax, which computes."""
    use_all_cores()
    from morphorl import cli

    cli.main()


if __name__ == "__main__":
    main()
