"""`python -m ganvas` and the command `ganvas`. Ctrl-C is one line also while the modules are imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Import the command line and run it."""
    try:
        from ganvas.cli.app import main as run
    except KeyboardInterrupt:
        print("ganvas: interrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
