"""`python -m persona_core`: the command line."""

import sys


def run() -> None:
    try:
        from persona_core.cli import main

        main()
    except ModuleNotFoundError as error:
        sys.exit(f"The package {error.name!r} is not installed here.\nTo mend it: pip install -r requirements.txt")


run()
