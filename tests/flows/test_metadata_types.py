from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from flows import refresh_metadata_types
from flows.metadata_types import TABLE, metadata_types
from flows.refresh_metadata_types import refresh, rendered, table_of

REGISTRY: dict[str, Any] = {
    "types": {
        "report": {
            "id": "report",
            "name": "Report",
            "directoryName": "reports",
            "suffix": "report",
            "inFolder": True,
            "folderType": "reportfolder",
        },
        "reportfolder": {
            "id": "reportfolder",
            "name": "ReportFolder",
            "directoryName": "reports",
            "suffix": "reportFolder",
            "inFolder": False,
            "folderContentType": "report",
        },
        "customlabels": {
            "id": "customlabels",
            "name": "CustomLabels",
            "directoryName": "labels",
            "suffix": "labels",
            "strategies": {"adapter": "default", "recomposition": "startEmpty"},
            "children": {
                "types": {
                    "customlabel": {
                        "id": "customlabel",
                        "name": "CustomLabel",
                        "directoryName": "labels",
                        "suffix": "labels",
                        "isAddressable": False,
                    }
                }
            },
        },
    },
    "suffixes": {"report": "report", "reportFolder": "reportfolder", "labels": "customlabels"},
}


def test_the_table_says_where_and_when_its_facts_are_from() -> None:
    table = metadata_types()
    assert table.source.startswith("@salesforce/source-deploy-retrieve ")
    assert date.fromisoformat(table.as_of) >= date(2026, 11, 22)
    assert len(table.by_name) > 500


def test_every_reference_between_types_leads_to_a_type() -> None:
    table = metadata_types()
    for kind in table.by_name.values():
        for name in filter(None, (kind.folder_type, kind.folder_content_type)):
            assert name in table.by_name, kind.name


def test_of_types_that_share_a_suffix_the_one_that_salesforce_means_goes_first() -> None:
    shared = json.loads(TABLE.read_text(encoding="utf-8"))["suffixes"]
    for suffix, kinds in metadata_types().by_suffix.items():
        if shared.get(suffix) in {kind.name for kind in kinds}:
            assert kinds[0].name == shared[suffix], suffix


def test_a_refresh_keeps_facts_and_turns_references_into_names() -> None:
    table = table_of(REGISTRY, "package 1.0", "2026-01-02", "67.0")
    labels, report, folder = table["types"]
    assert report["folder_type"] == "ReportFolder"
    assert folder["folder_content_type"] == "Report"
    assert "in_folder" not in folder
    assert labels["recomposition"] == "startEmpty"
    assert labels["children"][0]["addressable"] is False
    assert json.loads(rendered(table)) == table


def test_the_refresh_command_writes_the_table_and_that_of_file_extensions(tmp_path: Path, monkeypatch: Any) -> None:
    package, mime = tmp_path / "@salesforce/source-deploy-retrieve", tmp_path / "mime"
    (mime / "types").mkdir(parents=True)
    (mime / "package.json").write_text('{"name": "mime", "version": "2.0.0"}')
    (mime / "types/standard.js").write_text('module.exports = {"text/a":["a","b"],"text/x":["s"]};')
    (mime / "types/other.js").write_text('module.exports = {"text/x":["*x"],"text/y":["*y"]};')
    (package / "lib/src/registry/presets").mkdir(parents=True)
    labels = {**REGISTRY["types"]["customlabels"], "strategies": {"adapter": "decomposed"}}
    preset = {"types": {"customlabels": labels}}
    (package / "lib/src/registry/presets/apart.json").write_text(json.dumps(preset))
    (package / "package.json").write_text('{"name": "@salesforce/source-deploy-retrieve", "version": "1.2.3"}')
    (package / "lib/src/registry/metadataRegistry.json").write_text(json.dumps(REGISTRY))
    monkeypatch.setattr(refresh_metadata_types, "TABLE", tmp_path / "table.json")
    monkeypatch.setattr(refresh_metadata_types, "CONTENT_TYPES", tmp_path / "extensions.json")
    monkeypatch.setattr(refresh_metadata_types, "PRESETS", tmp_path / "presets.json")
    result = CliRunner().invoke(refresh, [str(tmp_path), "--api-version", "67.0", "--as-of", "2026-01-02"])
    assert result.exit_code == 0, result.output
    table = json.loads((tmp_path / "table.json").read_text())
    assert table["source"] == "@salesforce/source-deploy-retrieve 1.2.3"
    assert table["as_of"] == "2026-01-02"
    laid_out = json.loads((tmp_path / "presets.json").read_text())
    assert (laid_out["source"], laid_out["as_of"]) == (table["source"], table["as_of"])
    assert [(kind["name"], kind["adapter"]) for kind in laid_out["presets"]["apart"]] == [
        ("CustomLabels", "decomposed")
    ]
    extensions = json.loads((tmp_path / "extensions.json").read_text())
    assert extensions["source"] == "@salesforce/source-deploy-retrieve 1.2.3 and mime 2.0.0"
    assert (
        extensions["extensions"].items() >= {"text/a": "a", "text/x": "s", "text/y": "y", "image/x-png": "png"}.items()
    )
