"""Runs CumulusCI's own `cci` again and again in one process: a line of JSON arguments in, a line of JSON out.

Only the start of the interpreter is saved; each line goes through `cci`'s entry point as from a shell.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback

from cumulusci.cli.cci import main


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    try:
        main(["cci", *arguments])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception:  # an end like any other: reported as such
        traceback.print_exc()
        return 1
    return 0


answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        code = run(json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    answers.write(json.dumps({"code": code, "output": output}) + "\n")
    answers.flush()
