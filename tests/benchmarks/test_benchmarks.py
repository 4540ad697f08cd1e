"""The benchmarks at tiny sizes: that they run and say what they should; no figure is asserted."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import conversion
from benchmarks.__main__ import Sizes, machine, run, table
from benchmarks.measure import Row, Took, paired, skipped
from benchmarks.project import write_project
from flows.compose import compose_project
from flows.source.project import read_project


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder)}\n".encode() + path.read_bytes())
    return total.hexdigest()


@pytest.mark.parametrize("components", [10, 57, 1000])
def test_a_generated_project_has_exactly_the_components_that_were_asked_for(tmp_path: Path, components: int) -> None:
    bundle, converted = compose_project(read_project(write_project(tmp_path, components)))
    assert len(bundle.components) == components
    assert converted.skipped == ()


def test_a_generated_project_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = write_project(tmp_path / "a", 100), write_project(tmp_path / "b", 100)
    assert digest(first) == digest(second)
    assert digest(first) != digest(write_project(tmp_path / "c", 101))


def test_a_generated_project_is_heavy_in_profiles(tmp_path: Path) -> None:
    root = write_project(tmp_path, 1000)
    sizes = {path: path.stat().st_size for path in root.rglob("*.xml")}
    assert sum(size for path, size in sizes.items() if "profiles" in path.parts) > sum(sizes.values()) / 2


def test_a_run_yields_all_rows_and_says_why_one_was_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(conversion.MODULES, str(tmp_path / "absent"))
    environment = dict(os.environ)
    rows = list(run(Sizes(components=20, small=20, objects=2, rounds=1, seconds=1), tmp_path))
    assert [row.name for row in rows] == ["federation", "conversion", "conversion by sf", "objects", "planning"]
    assert all(
        row.skipped if row.name.startswith("conversion") else len(row.kit) == len(row.other) == 1 for row in rows
    )
    assert dict(os.environ) == environment
    json.dumps([row.as_json() for row in rows])
    assert table(rows).row_count == len(rows)


def test_a_row_carries_medians_and_spread_of_the_ratios_of_each_round() -> None:
    kit, other = (Took(1.0, 0.5), Took(2.0, 1.5), Took(4.0, 2.5)), (Took(3.0, 9.0), Took(2.0, 9.0), Took(2.0, 9.0))
    data = Row("a", "task", "peer", kit, other).as_json()
    assert data["peer_over_kit"] == {"median": 1.0, "min": 0.5, "max": 3.0}
    assert data["kit_seconds"] == {"median": 2.0, "min": 1.0, "max": 4.0}
    assert data["kit_processor_seconds"] == {"median": 1.5, "min": 0.5, "max": 2.5}
    assert data["rounds"] == 3
    assert "bound" not in data


@pytest.mark.parametrize(("took", "verdict"), [(10.0, "10: met"), (9.9, "10: not met")])
def test_a_row_with_a_bound_says_whether_it_is_met(took: float, verdict: str) -> None:
    row = Row("a", "task", "peer", (Took(1.0, 1.0),), (Took(took, 1.0),), bound=10)
    assert row.as_json()["bound"] == verdict
    assert skipped(row, "no Node").verdict == ""


def test_what_child_processes_cost_counts_too() -> None:
    work = "sum(range(3_000_000))"
    row = paired(
        Row("a", "", ""),
        lambda: subprocess.run([sys.executable, "-c", work], check=True),
        lambda: None,
        rounds=1,
        seconds=1,
    )
    assert row.kit[0].processors > row.other[0].processors


def test_a_project_without_profiles_is_one_of_many_small_files(tmp_path: Path) -> None:
    root = write_project(tmp_path, 1000, profiles=False)
    sizes = [path.stat().st_size for path in root.rglob("*.xml") if "labels" not in path.parts]
    assert len(sizes) >= 900
    assert max(sizes) < 2000


def test_a_skipped_row_has_a_reason_and_no_figures() -> None:
    data = skipped(Row("a", "task", "peer"), "no Node").as_json()
    assert data == {"name": "a", "task": "task", "peer": "peer", "skipped": "no Node"}


def test_the_two_sides_take_turns_and_each_warms_up_first() -> None:
    order: list[str] = []
    row = paired(Row("a", "", ""), lambda: order.append("k"), lambda: order.append("p"), rounds=3, seconds=60)
    assert "".join(order) == "kp" + "kp" + "pk" + "kp"
    assert len(row.kit) == 3


def test_no_round_begins_after_the_time_is_up() -> None:
    assert len(paired(Row("a", "", ""), lambda: None, lambda: None, rounds=9, seconds=0).kit) == 1


@pytest.mark.parametrize(("said", "reason"), [("v20.1.0", "needs 22"), ("", "no Node")])
def test_a_node_that_the_converter_doesn_t_run_on_is_a_reason_to_skip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, reason: str
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {said}\n")
    node.chmod(0o755)
    monkeypatch.setenv(conversion.NODE, str(node))
    row = conversion.measure(tmp_path, 10, tmp_path, rounds=1, seconds=1)
    assert reason in row.skipped
    assert row.kit == ()


def test_the_machine_is_described_with_the_figures() -> None:
    about = machine()
    assert int(str(about["processors"])) >= 1
    assert float(str(about["memory_gib"])) > 0
