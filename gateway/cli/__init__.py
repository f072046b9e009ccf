"""What does `gsc` do? Pure verbs on files, the month's verbs on a home folder, and what runs a gateway.

Everything heavy is imported inside the commands, so that `gsc --help` is instant.
"""

import sys


def main() -> None:
    """Run `gsc`; errors end in one message on stderr, never in a traceback."""
    from gateway.cli.app import run

    sys.exit(run(sys.argv[1:]))
