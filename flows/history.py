"""The project as it was at a commit: its files in a folder of their own. The work tree isn't touched."""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.gitbranch import run_git
from kit.problems import Problem, Refused


def fork_point(root: Path, revision: str) -> str:
    """Return the commit (hex) at which HEAD left `revision`: what came to that since is no part of the change.

    Raises `Refused` when git knows no such revision, or no commit that both share.
    """
    for arguments, what, fix in (
        (
            ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"),
            f"git knows no revision {revision}",
            "name a branch or a commit; fetch it first: git fetch origin BRANCH",
        ),
        (
            ("merge-base", revision, "HEAD"),
            f"HEAD and {revision} share no commit that is here",
            "fetch the whole history: fetch-depth: 0 (GitHub), GIT_DEPTH: 0 (GitLab), git fetch --unshallow",
        ),
    ):
        done = run_git(root, arguments)
        if done.returncode:
            raise Refused(Problem(what, "what a change reaches is told from the commit that it began at", fix))
    return done.stdout.decode().strip()


@contextmanager
def project_at(root: Path, commit: str) -> Iterator[Path]:
    """Have the project of `root` as it was at `commit` in a temporary folder. Raises `Refused` when git refuses."""
    done = run_git(root, ("archive", "--format=tar", commit))  # from a folder below the top, that folder alone
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()
        raise Refused(Problem(f"git archive failed: {words}", "the commit holds the project", "name a later commit"))
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
        yield Path(folder)
