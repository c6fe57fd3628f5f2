"""`python -m morphorl`."""

from morphorl.cli import main

if __name__ == "__main__":
    main()
