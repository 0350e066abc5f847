"""The program: `convcost` as it is installed, and `python -m convcost`."""

from __future__ import annotations

import sys


def main() -> int:
    """Runs the command line, whose import takes long enough to be interrupted: that ends as any interrupt does."""
    try:
        from convcost import cli

        return cli.main()
    except KeyboardInterrupt:
        return 130  # failure.INTERRUPTED, which may not be there yet


def _forget_the_current_folder() -> None:
    """Undoes what `python -m` adds: a file that lies where the user stands must not be imported by its name alone."""
    if not sys.flags.safe_path:
        del sys.path[0]


if __name__ == "__main__":
    _forget_the_current_folder()
    sys.exit(main())
