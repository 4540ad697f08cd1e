from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flows.gitbranch import repository
from kit.problems import Refused


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project in a folder of a repository, with work under way: changed, staged and new files."""
    root = tmp_path / "kit" / "project"
    root.mkdir(parents=True)
    git(tmp_path, "init", "-q", "-b", "main")
    for key, value in (("user.name", "T"), ("user.email", "t@example.invalid"), ("commit.gpgsign", "false")):
        git(tmp_path, "config", key, value)
    for name in ("a.xml", "b.xml", "c.xml"):
        (root / name).write_text("old\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "First")
    (root / "b.xml").write_text("being worked on\n")
    (root / "c.xml").write_text("staged\n")
    git(tmp_path, "add", "kit/project/c.xml")
    (root / "new.txt").write_text("new\n")
    return root


def test_a_branch_holds_the_files_on_top_of_head_and_leaves_work_tree_and_index_alone(project: Path) -> None:
    before = git(project, "status", "--porcelain", "--branch")
    repository(project).branch("bring-home/x", {"a.xml": b"from the org\n", "d/e.xml": b"new\n"}, "Bring home\n")
    assert git(project, "status", "--porcelain", "--branch") == before
    assert git(project, "diff", "--name-status", "HEAD", "bring-home/x") == (
        "M\tkit/project/a.xml\nA\tkit/project/d/e.xml\n"
    )
    assert git(project, "show", "bring-home/x:kit/project/a.xml") == "from the org\n"
    assert git(project, "rev-parse", "bring-home/x^", "HEAD").split()[0] == git(project, "rev-parse", "HEAD").strip()


def test_a_branch_that_exists_is_refused(project: Path) -> None:
    repository(project).branch("bring-home/x", {"a.xml": b"1\n"}, "One")
    first = git(project, "rev-parse", "bring-home/x")
    with pytest.raises(Refused, match="there is a branch bring-home/x already"):
        repository(project).branch("bring-home/x", {"a.xml": b"2\n"}, "Two")
    assert git(project, "rev-parse", "bring-home/x") == first


def test_files_that_are_being_worked_on_are_refused_and_no_others(project: Path) -> None:
    home = repository(project)
    home.refuse_uncommitted(["a.xml", "absent.xml"])
    with pytest.raises(Refused) as refused:
        home.refuse_uncommitted(["a.xml", "b.xml", "c.xml", "new.txt"])
    assert [str(problem.place) for problem in refused.value.problems] == ["b.xml", "c.xml", "new.txt"]


def test_without_a_repository_or_a_commit_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(Refused, match="in no git repository with a commit"):
        repository(tmp_path)
    git(tmp_path, "init", "-q")
    with pytest.raises(Refused, match="in no git repository with a commit"):
        repository(tmp_path)


def test_a_branch_is_without_the_files_that_are_removed(project: Path) -> None:
    repository(project).branch("bring-home/x", {"d/e.xml": b"new\n"}, "Bring home\n", ["a.xml"])
    assert git(project, "diff", "--name-status", "HEAD", "bring-home/x") == (
        "D\tkit/project/a.xml\nA\tkit/project/d/e.xml\n"
    )
    assert (project / "a.xml").is_file()
