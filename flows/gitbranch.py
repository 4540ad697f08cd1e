"""Leaves changes as a branch of one commit on top of HEAD. Neither the work tree nor the index is touched."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.problems import Place, Problem, Refused

_FILE_MODE = "100644"


@dataclass(frozen=True, slots=True)
class Repository:
    """The git repository that a project lies in; `prefix` is the project's folder in it, "" or "a/b/"."""

    root: Path
    prefix: str

    def branch(self, name: str, files: Mapping[str, bytes], message: str, removed: Iterable[str] = ()) -> str:
        """Make the branch with `files` changed and others `removed` in one commit; return its id. Paths are from the
        project's root.

        Raises `Refused` when there is such a branch, or when git doesn't know who commits.
        """
        self.refuse_branch(name)
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            self.git("read-tree", "HEAD", environment=index)
            for path, data in files.items():
                blob = self.git("hash-object", "-w", "--stdin", data=data)
                entry = f"{_FILE_MODE},{blob},{self.prefix}{path}"
                self.git("update-index", "--add", "--cacheinfo", entry, environment=index)
            for path in removed:
                self.git("update-index", "--force-remove", "--", path, environment=index)
            tree = self.git("write-tree", environment=index)
        commit = self.git("commit-tree", tree, "-p", "HEAD", data=message.encode())
        # The empty old value has git refuse when somebody else made the branch in the meantime.
        self.git("update-ref", f"refs/heads/{name}", commit, "")
        return commit

    def refuse_branch(self, name: str) -> None:
        """Raise `Refused` when the branch exists."""
        if run_git(self.root, ("show-ref", "--verify", "--quiet", f"refs/heads/{name}")).returncode == 0:
            what = f"there is a branch {name} already"
            fix = f"merge it, or delete it: git branch -D {name}"
            raise Refused(Problem(what, "what comes home gets a branch of its own", fix))

    def refuse_uncommitted(self, files: Iterable[str]) -> None:
        """Raise `Refused` when any of the files isn't in the work tree as in HEAD: it would come along unasked."""
        names = sorted(files)
        changed = self.git("status", "--porcelain", "--untracked-files=all", "--", *names) if names else ""
        problems = [
            Problem(
                "the file has changes that are not committed",
                "what comes home is put on top of HEAD, with nothing else",
                "commit it, or set it aside: git stash",
                Place(line[3:].strip('"').removeprefix(self.prefix)),
            )
            for line in changed.splitlines()
        ]
        if problems:
            raise Refused(problems, "the files that would be changed are being worked on")

    def git(self, *arguments: str, data: bytes | None = None, environment: Mapping[str, str] | None = None) -> str:
        """Run git in the project and return what it printed. Raises `Refused` with its words when it fails."""
        done = run_git(self.root, arguments, data, environment)
        if done.returncode:
            words = done.stderr.decode(errors="replace").strip().splitlines()
            what = f"`git {arguments[0]}` failed: {words[-1] if words else 'it said nothing'}"
            fix = "set user.name and user.email of git" if "ident" in what or "email" in what else "mend it with git"
            raise Refused(Problem(what, "what comes home is committed on top of HEAD", fix))
        return done.stdout.decode(errors="replace").rstrip("\n")


def repository(root: Path) -> Repository:
    """Return the repository of a project. Raises `Refused` when it lies in none, or in one without a commit."""
    done = run_git(root, ("rev-parse", "--show-prefix"))
    if done.returncode or run_git(root, ("rev-parse", "--verify", "--quiet", "HEAD")).returncode:
        raise Refused(
            Problem(
                "the project is in no git repository with a commit",
                "what comes home is left as a branch",
                "run the flow in a clone of the project",
                Place(str(root)),
            )
        )
    return Repository(root, done.stdout.decode().rstrip("\n"))


def run_git(
    root: Path, arguments: Iterable[str], data: bytes | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run git in a project. Raises `Refused` when there is no git."""
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(
            command, input=data or b"", capture_output=True, env={**os.environ, **(environment or {})}
        )
    except FileNotFoundError as error:
        problem = Problem("git is not here", "a project is kept in git", "install git")
        raise Refused(problem) from error
