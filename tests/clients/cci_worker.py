"""Runs CumulusCI's own `cci` again and again in one process: a line of JSON in, a line of JSON out.

In: `arguments`, and `environment` for this command alone. Out: exit `code`, `output`, and what the last task
`returned`: some stock tasks only hand their findings to the next step of a flow, and print nothing.
Only the start of the interpreter is saved; each line goes through `cci`'s entry point as from a shell.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from typing import Any

from cumulusci.cli.cci import main
from cumulusci.core.tasks import BaseTask

_call = BaseTask.__call__
returned: list[Any] = []


def _noted(task: BaseTask) -> Any:
    result = _call(task)
    returned[:] = [task.return_values]
    return result


BaseTask.__call__ = _noted


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
before = dict(os.environ)
for line in sys.stdin:
    question = json.loads(line)
    os.environ.update(question["environment"])
    returned.clear()
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        code = run(question["arguments"])
        sys.stdout.flush()
        sys.stderr.flush()
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    os.environ.clear()
    os.environ.update(before)
    answers.write(json.dumps({"code": code, "output": output, "returned": repr(*returned or [None])}) + "\n")
    answers.flush()
