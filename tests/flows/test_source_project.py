from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.metadata_types import metadata_types
from flows.source.project import read_project
from kit.problems import Refused
from tests.flows.source_samples import write


def test_a_project_says_where_its_metadata_lies_and_for_which_api(tmp_path: Path) -> None:
    project = read_project(write(tmp_path, {"app/x.txt": ""}))
    assert project.package_directories == ("app",)
    assert (project.api_version, project.api_version_given) == ("64.0", True)


def test_without_a_version_the_table_s_stands_in_and_the_project_tells_so(tmp_path: Path) -> None:
    project = read_project(write(tmp_path, {"app/x.txt": ""}, project='{"packageDirectories": [{"path": "app"}]}'))
    assert (project.api_version, project.api_version_given) == (metadata_types().api_version, False)


def test_a_folder_without_a_project_file_is_a_package_directory(tmp_path: Path) -> None:
    folder = tmp_path / "classes"
    folder.mkdir()
    (folder / "A.cls").write_text("class A {}")
    project = read_project(folder)
    assert [file.name for file in project.files(project.package_directories[0])] == ["classes/A.cls"]


def test_everything_wrong_with_a_project_file_is_told_at_once(tmp_path: Path) -> None:
    data = {
        "packageDirectories": [{"path": "gone"}, {"default": True}],
        "replacements": [{"filename": "a", "stringToReplace": "b"}],
        "sourceBehaviorOptions": ["decomposeEverything"],
    }
    with pytest.raises(Refused) as refused:
        read_project(write(tmp_path, {}, project=json.dumps(data)))
    told = "\n".join(problem.what for problem in refused.value.problems)
    assert len(refused.value.problems) == 4
    for part in ("doesn't exist", "has no path", "replacements", "no preset decomposeEverything"):
        assert part in told


def test_a_project_file_that_is_no_json_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        read_project(write(tmp_path, {}, project='{\n  "packageDirectories": [,]\n}'))
    place = refused.value.problems[0].place
    assert place is not None
    assert place.line == 2


def test_a_source_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such folder"):
        read_project(tmp_path / "absent")


def test_symbolic_links_are_followed(tmp_path: Path) -> None:
    root = write(tmp_path, {"common/tabs/A.tab-meta.xml": "", "app/README.md": ""})
    (root / "app/tabs").symlink_to("../common/tabs")
    (root / "app/B.tab-meta.xml").symlink_to("../common/tabs/A.tab-meta.xml")
    names = [file.name for file in read_project(root).files("app")]
    assert names == ["app/B.tab-meta.xml", "app/README.md", "app/tabs/A.tab-meta.xml"]


@pytest.mark.parametrize(
    ("link", "target", "what"),
    [
        ("app/a/up", "..", "a folder above itself"),
        ("app/a/b", "../../other", "a folder above itself"),
    ],
)
def test_a_symbolic_link_that_leads_around_in_a_circle_is_refused(
    link: str, target: str, what: str, tmp_path: Path
) -> None:
    root = write(tmp_path, {"app/a/x.txt": "", "other/x.txt": ""})
    (root / "other/back").symlink_to("../app")
    (root / link).symlink_to(target)
    with pytest.raises(Refused, match=what):
        list(read_project(root).files("app"))
