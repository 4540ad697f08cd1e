"""Work that is shared out comes to the same as work that isn't."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from flows import parallel
from flows.convert import convert
from flows.source.project import read_project
from tests.flows.source_samples import write

SCRIPT = """
import os, sys
from pathlib import Path
from flows import convert, parallel
from flows.source.project import read_project
parallel.processors = lambda: int(sys.argv[2])
project = read_project(Path(sys.argv[1]))
done = convert.convert(project, project.package_directories, "core")
for component in done.components:
    print(component)
for problem in done.problems:
    print(problem)
"""


def field(name: str) -> str:
    return (
        '<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">'
        f"<fullName>{name}</fullName><label>{name}</label></CustomField>"
    )


def test_a_big_project_converts_to_the_same_in_one_process_and_in_three(tmp_path: Path) -> None:
    files = {
        f"force-app/objects/O{number % 40}__c/fields/F{number}__c.field-meta.xml": field(f"F{number}__c")
        for number in range(2100)
    }
    files["force-app/objects/O7__c/fields/F7__c.field-meta.xml"] = "<CustomField>"  # both must tell of it
    files["force-app/other/objects/O9__c/fields/F9__c.field-meta.xml"] = field("F9__c")  # and of what stands twice
    files["sfdx-project.json"] = '{"packageDirectories": [{"path": "force-app"}], "sourceApiVersion": "62.0"}'
    write(tmp_path, files)

    def converted(processes: str) -> str:
        command = [sys.executable, "-c", SCRIPT, str(tmp_path), processes]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    alone = converted("1")
    assert "malformed XML" in alone
    assert "twice" in alone
    assert alone.count("CustomField") >= 2099
    assert converted("3") == alone


def test_shares_are_in_order_and_a_copy_that_dies_leaves_its_share_to_the_parent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parent = os.getpid()

    def work(share: Sequence[int]) -> list[int]:
        if 9 in share and os.getpid() != parent:
            os._exit(3)
        return list(share)

    monkeypatch.setattr(parallel, "processors", lambda: 3)
    shares = parallel.shared_out(work, range(10), [1] * 10)
    assert [item for share in shares for item in share] == list(range(10))
    assert len(shares) == 3


def test_an_error_in_a_copy_is_raised_as_it_would_be_without_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(share: Sequence[int]) -> int:
        return sum(1 // (item - 9) for item in share)

    monkeypatch.setattr(parallel, "processors", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        parallel.shared_out(work, range(10), [1] * 10)


def test_beside_other_threads_no_copy_is_made() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        assert parallel.processors() == 1
    finally:
        done.set()
        other.join()


def test_a_library_s_own_thread_counts_as_well() -> None:
    """Python's `threading` doesn't know it."""
    begun, done = _thread.allocate_lock(), _thread.allocate_lock()
    begun.acquire()
    done.acquire()

    def other() -> None:
        begun.release()
        done.acquire()

    _thread.start_new_thread(other, ())
    begun.acquire()
    try:
        assert parallel.processors() == 1
    finally:
        done.release()


def test_nothing_to_do_is_one_empty_share(tmp_path: Path) -> None:
    assert parallel.shared_out(len, [], []) == [0]
    write(tmp_path, {"sfdx-project.json": '{"packageDirectories": [{"path": "."}]}'})
    project = read_project(tmp_path)
    assert convert(project, project.package_directories, "core").components == ()
