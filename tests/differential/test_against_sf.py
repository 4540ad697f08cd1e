"""The kit's conversion against `sf project convert source|mdapi`, the command that people run.

The command takes seconds to start, so the library is asked about most inputs (`test_against_salesforce`), and the
command about the sample, one component of each type, and a refusal.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests/flows"))

from comparing import compare, types_of  # noqa: E402
from salesforce_converter import Sf, files_below  # noqa: E402
from source_samples import write  # noqa: E402
from synthetic import REFUSED, one_of_each  # noqa: E402

from flows.convert import convert  # noqa: E402
from flows.source.project import read_project  # noqa: E402
from tests.clients.node import NotAvailable, locked  # noqa: E402

AT_LEAST = 100  # types, issue 7


@pytest.fixture(scope="module")
def sf(tmp_path_factory: pytest.TempPathFactory) -> Sf:
    try:
        return Sf(tmp_path_factory.mktemp("home"))
    except NotAvailable as why:
        pytest.skip(f"not run, the command sf can't be had here: {why}")


def test_the_sample_and_each_type_of_the_table_are_converted_as_by_sf(
    sf: Sf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = files_below(ROOT / "metadata/core/main/default")
    files = {name: content for name, content in one_of_each().items() if name.removeprefix("app/") not in sample}
    files |= {f"core/main/default/{name}": content for name, content in sample.items()}
    compared = compare(sf, write(tmp_path / "project", files), ["core", "app"], tmp_path)
    types = types_of(compared)
    with capsys.disabled():
        print(f"\nsf {locked('@salesforce/cli')}: {len(compared)} components of {len(types)} types compared")
    assert len(types) >= AT_LEAST


def test_a_project_that_sf_refuses_is_refused_with_the_file(sf: Sf, tmp_path: Path) -> None:
    root = write(tmp_path / "project", REFUSED["an unknown suffix"])
    error = sf.source(root, ["app"], tmp_path / "package").error
    (problem,) = convert(read_project(root), ["app"], "core").problems
    assert "A.novelty-meta.xml" in error
    assert problem.place
    assert problem.place.file.endswith("app/novelties/A.novelty-meta.xml")
    assert "novelty" in problem.what
