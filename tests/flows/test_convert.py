from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from flows.components import Component, ComponentKey
from flows.convert import Converted, convert
from flows.direct import package_of
from flows.source.project import read_project
from kit.problems import Refused
from tests.flows.source_samples import NAMESPACE, container, every_type, write, xml


def converted(root: Path, files: Mapping[str, str | bytes]) -> Converted:
    return convert(read_project(write(root, files)), ["app"], "core")


def by_name(result: Converted) -> dict[str, Component]:
    assert result.problems == ()
    return {str(component.key): component for component in result.components}


def only_problem(result: Converted) -> str:
    assert len(result.problems) == 1, list(map(str, result.problems))
    return str(result.problems[0])


def test_every_kind_of_type_becomes_the_components_that_package_xml_names(tmp_path: Path) -> None:
    found = by_name(converted(tmp_path, every_type()))
    expected = {
        "CustomObject:Ticket__c": "objects/Ticket__c.object",
        "LightningComponentBundle:board": "lwc/board/board.html",
        "AuraDefinitionBundle:panel": "aura/panel/panel.cmp",
        "ApexClass:Sample": "classes/Sample.cls",
        "StaticResource:script": "staticresources/script.resource",
        "StaticResource:kit": "staticresources/kit.resource",
        "Report:Sales/East/Deals": "reports/Sales/East/Deals.report",
        "ReportFolder:Sales/East": "reports/Sales/East-meta.xml",
        "EmailFolder:Letters": "email/Letters-meta.xml",
        "EmailTemplate:Letters/Welcome": "email/Letters/Welcome.email",
        "Document:Art/logo": "documents/Art/logo.png",
        "CustomMetadata:Region.East": "customMetadata/Region.East.md",
        "Layout:Ticket__c-Ticket Layout %28A%29": "layouts/Ticket__c-Ticket Layout %28A%29.layout",
        "Territory2:Asia.CN": "territory2Models/Asia/territories/CN.territory2",
        "Territory2Model:Asia": "territory2Models/Asia/Asia.territory2Model",
        "ExperienceBundle:shop": "experiences/shop/config/shop.json",
        "Settings:Case": "settings/Case.settings",
        "QuickAction:Ticket__c.Close": "quickActions/Ticket__c.Close.quickAction",
        "CustomObjectTranslation:Ticket__c-zh_CN": "objectTranslations/Ticket__c-zh_CN.objectTranslation",
    }
    for name, path in expected.items():
        assert path in [file.path for file in found[name].files], name
    fragments = {
        "CustomField:Ticket__c.Status__c": "objects/Ticket__c.object",
        "CustomField:Account.Tier__c": "objects/Account.object",
        "Index:Ticket__c.ByStatus": "objects/Ticket__c.object",
        "CustomLabel:Hello": "labels/CustomLabels.labels",
        "WorkflowRule:Ticket__c.Escalate": "workflows/Ticket__c.workflow",
        "SharingOwnerRule:Ticket__c.Team": "sharingRules/Ticket__c.sharingRules",
        "AssignmentRule:Case.Standard": "assignmentRules/Case.assignmentRules",
        "MatchingRule:Account.Exact": "matchingRules/Account.matchingRule",
        "BotVersion:Helper.v1": "bots/Helper.bot",
    }
    for name, path in fragments.items():
        fragment = found[name].fragment
        assert fragment is not None
        assert fragment.path == path, name
    assert len(found) == 88
    for absent in ("CustomLabels:CustomLabels", "Workflow:Ticket__c", "CustomObject:Account"):
        assert absent not in found


def test_tests_of_components_stay_out_and_what_is_no_metadata_is_told(tmp_path: Path) -> None:
    result = converted(tmp_path, every_type())
    paths = [file.path for component in result.components for file in component.files]
    assert not [path for path in paths if "__tests__" in path or "jsconfig" in path or "eslintrc" in path]
    assert result.skipped == ("app/README.md",)


def test_a_field_is_a_fragment_that_stands_line_for_line_as_in_its_file(tmp_path: Path) -> None:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- why -->\n'
        f'<CustomField xmlns="{NAMESPACE}"\n   xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        '    <fullName>A__c</fullName>\n    <defaultValue xsi:nil="true"/>\n</CustomField>\n<!-- </CustomField> -->\n'
    )
    field = by_name(converted(tmp_path, {"app/objects/O__c/fields/A__c.field-meta.xml": text}))["CustomField:O__c.A__c"]
    assert field.fragment is not None
    assert field.source.line == 4
    assert field.fragment.xml == (
        b'<fields xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n    <fullName>A__c</fullName>\n'
        b'    <defaultValue xsi:nil="true"/>\n</fields>'
    )
    assert field.parent == ComponentKey("CustomObject", "O__c")


def test_translations_of_fields_join_their_object_s_file_even_when_that_is_empty(tmp_path: Path) -> None:
    folder = "app/objectTranslations/O__c-de"
    files: dict[str, str | bytes] = {
        f"{folder}/O__c-de.objectTranslation-meta.xml": "<CustomObjectTranslation/>",
        f"{folder}/B__c.fieldTranslation-meta.xml": xml("CustomFieldTranslation", name="B__c", label="Be"),
        f"{folder}/A__c.fieldTranslation-meta.xml": xml("CustomFieldTranslation", name="A__c", label="Ah"),
    }
    component = by_name(converted(tmp_path, files))["CustomObjectTranslation:O__c-de"]
    root = etree.fromstring(component.files[0].data)
    assert [name.text for name in root.iter(f"{{{NAMESPACE}}}name")] == ["A__c", "B__c"]


def test_a_container_keeps_what_is_its_own_and_gives_its_children_away(tmp_path: Path) -> None:
    text = container("CustomObject", "<label>O</label>", "<fields><fullName>A__c</fullName></fields>")
    found = by_name(converted(tmp_path, {"app/objects/O__c/O__c.object-meta.xml": text}))
    assert set(found) == {"CustomObject:O__c", "CustomField:O__c.A__c"}
    assert b"fields" not in found["CustomObject:O__c"].files[0].data
    assert found["CustomField:O__c.A__c"].source.line == 4


def test_a_folder_of_a_static_resource_is_zipped_the_same_whatever_its_files_are_dated(tmp_path: Path) -> None:
    first = by_name(converted(tmp_path / "a", every_type()))["StaticResource:kit"]
    for path in (write(tmp_path / "b", every_type()) / "app/staticresources/kit").rglob("*.css"):
        path.chmod(0o755)
    second = by_name(convert(read_project(tmp_path / "b"), ["app"], "core"))["StaticResource:kit"]
    assert (first.files[0].data, first.digest) == (second.files[0].data, second.digest)
    with zipfile.ZipFile(io.BytesIO(first.files[0].data)) as archive:
        assert archive.namelist() == ["b.css", "classes/Sample.cls", "img/a.png"]


def test_an_unknown_suffix_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    told = only_problem(converted(tmp_path, {"app/layouts/A.layoot-meta.xml": xml("Layout")}))
    assert "app/layouts/A.layoot-meta.xml" in told
    assert ".layout-meta.xml (Layout)" in told


def test_a_site_and_each_content_of_it_are_components(tmp_path: Path) -> None:
    site = "app/digitalExperiences/site/shop"
    found = by_name(
        converted(
            tmp_path,
            {
                f"{site}/shop.digitalExperience-meta.xml": xml("DigitalExperienceBundle"),
                f"{site}/sfdc_cms__view/home/_meta.json": "{}",
                f"{site}/sfdc_cms__view/home/mobile/mobile.json": "{}",
            },
        )
    )
    assert {name: [file.path for file in component.files] for name, component in found.items()} == {
        "DigitalExperience:site/shop.sfdc_cms__view/home": [
            "digitalExperiences/site/shop/sfdc_cms__view/home/_meta.json",
            "digitalExperiences/site/shop/sfdc_cms__view/home/mobile/mobile.json",
        ],
        "DigitalExperienceBundle:site/shop": ["digitalExperiences/site/shop/shop.digitalExperience-meta.xml"],
    }


def test_a_ui_bundle_s_descriptor_is_checked_with_its_file(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "app/uiBundles/a/a.uibundle-meta.xml": xml("UIBundle"),
        "app/uiBundles/a/ui-bundle.json": '{"outputDir": "dist"}',
    }
    told = only_problem(converted(tmp_path, files))
    assert "app/uiBundles/a/ui-bundle.json" in told
    assert "dist holds no file" in told


def test_all_problems_of_a_tree_are_told_together(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "app/classes/NoMeta.cls": "class NoMeta {}",
        "app/classes/NoContent.cls-meta.xml": xml("ApexClass"),
        "app/classes/Wrong.clz": "class Wrong {}",
        "app/layouts/Broken.layout-meta.xml": "<Layout>\n  <a>\n</Layout>\n",
        "app/objects/O__c/fields/A__c.field-meta.xml": xml("CustomField", fullName="B__c"),
        "app/objects/O__c/fields/Root__c.field-meta.xml": xml("Field", fullName="Root__c"),
        "app/objects/O__c/layouts/L.layout-meta.xml": xml("Layout"),
        "app/lwc/bare/bare.js": "export default 1;",
        "app/lwc/stray.js-meta.xml": xml("LightningComponentBundle"),
        "app/staticresources/dir/a.txt": "a",
        "app/staticresources/dir.resource-meta.xml": xml("StaticResource", contentType="text/plain"),
        "app/one/classes/Twice.cls": "1",
        "app/one/classes/Twice.cls-meta.xml": xml("ApexClass"),
        "app/two/classes/Twice.cls": "2",
        "app/two/classes/Twice.cls-meta.xml": xml("ApexClass"),
        "app/labels/CustomLabels.labels-meta.xml": container("CustomLabels", "<labels><value>x</value></labels>"),
        "app/tabs/X.tab-meta.xml": '<!DOCTYPE x [<!ENTITY e "e">]><CustomTab>&e;</CustomTab>',
    }
    told = {problem.place.file: problem for problem in converted(tmp_path, files).problems if problem.place}
    what = {file.split("/app/")[-1]: problem.what for file, problem in told.items()}
    assert what.keys() == {
        "classes/NoMeta.cls",
        "classes/NoContent.cls-meta.xml",
        "classes/Wrong.clz",
        "layouts/Broken.layout-meta.xml",
        "objects/O__c/fields/A__c.field-meta.xml",
        "objects/O__c/fields/Root__c.field-meta.xml",
        "objects/O__c/layouts/L.layout-meta.xml",
        "lwc/bare",
        "lwc/stray.js-meta.xml",
        "staticresources/dir.resource-meta.xml",
        "two/classes/Twice.cls",
        "labels/CustomLabels.labels-meta.xml",
        "tabs/X.tab-meta.xml",
    }
    assert "stands twice" in what["two/classes/Twice.cls"]
    broken = next(problem for file, problem in told.items() if file.endswith("Broken.layout-meta.xml"))
    assert broken.place is not None
    assert broken.place.line == 3


def test_a_file_that_cannot_be_read_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    root = write(tmp_path, {"app/classes/A.cls-meta.xml": xml("ApexClass")})
    (root / "app/classes/A.cls").symlink_to(root / "gone")
    (root / "app/layouts").mkdir()
    (root / "app/layouts/L.layout-meta.xml").symlink_to(root / "gone")
    (root / "app/notes.txt").symlink_to(root / "gone")
    result = convert(read_project(root), ["app"], "core")
    told = [problem.what.split(":")[0] for problem in result.problems]
    assert told == ["a symbolic link to nothing", "cannot read the file", "cannot read the file"]


def test_a_class_beside_its_meta_file_is_found_in_any_folder(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "app/domain/A.cls": "class A {}",
        "app/domain/A.cls-meta.xml": xml("ApexClass"),
        "app/web/button.component": "an Angular file",
    }
    result = converted(tmp_path, files)
    assert set(by_name(result)) == {"ApexClass:A"}
    assert result.skipped == ("app/web/button.component",)


def test_forceignore_keeps_files_out(tmp_path: Path) -> None:
    files = {**every_type(), ".forceignore": "**/profiles/**\n*.workflow-meta.xml\n"}
    types = {component.key.type for component in converted(tmp_path, files).components}
    assert not types & {"Profile", "WorkflowRule"}


@given(st.lists(st.sampled_from(["\n", "  ", "\t", "\r\n", "<!-- note -->", "\n\n"]), min_size=6, max_size=6))
@settings(max_examples=40, deadline=None)
def test_whitespace_and_comments_between_elements_do_not_change_a_digest(gaps: list[str]) -> None:
    def digests(spaces: list[str]) -> dict[str, str]:
        a, b, c, d, e, f = spaces
        field = f'<CustomField xmlns="{NAMESPACE}">{a}<fullName>A__c</fullName>{b}<label> x </label>{c}</CustomField>'
        layout = f'<Layout xmlns="{NAMESPACE}">{d}<s>{e}<t/>{f}</s></Layout>'
        with tempfile.TemporaryDirectory() as folder:
            files: dict[str, str | bytes] = {
                "app/objects/O__c/fields/A__c.field-meta.xml": field,
                "app/layouts/L.layout-meta.xml": layout,
            }
            return {name: component.digest for name, component in by_name(converted(Path(folder), files)).items()}

    assert digests(gaps) == digests([""] * 6)


def test_a_changed_value_changes_the_digest_of_that_component_alone(tmp_path: Path) -> None:
    files = every_type()
    before = by_name(converted(tmp_path / "a", files))
    files["app/objects/Ticket__c/fields/Status__c.field-meta.xml"] = xml(
        "CustomField", fullName="Status__c", label="State"
    )
    after = by_name(converted(tmp_path / "b", files))
    changed = {name for name in before if before[name].digest != after[name].digest}
    assert changed == {"CustomField:Ticket__c.Status__c"}


def test_a_child_has_one_digest_whether_it_lies_in_its_own_file_or_in_its_container_s(tmp_path: Path) -> None:
    inline = container("CustomObject", "<fields><fullName>A__c</fullName><label>A</label></fields>")
    own = by_name(
        converted(
            tmp_path / "a",
            {"app/objects/O__c/fields/A__c.field-meta.xml": xml("CustomField", fullName="A__c", label="A")},
        )
    )
    contained = by_name(converted(tmp_path / "b", {"app/objects/O__c/O__c.object-meta.xml": inline}))
    assert {name: component.digest for name, component in own.items()} == {
        name: component.digest for name, component in contained.items()
    }


def test_a_file_in_another_encoding_goes_over_as_utf_8(tmp_path: Path) -> None:
    text = f'<?xml version="1.0" encoding="UTF-16"?>\n<CustomField xmlns="{NAMESPACE}"><fullName>A__c</fullName>'
    data = (text + "<label>工单</label></CustomField>").encode("utf-16")
    field = by_name(converted(tmp_path, {"app/objects/O__c/fields/A__c.field-meta.xml": data}))["CustomField:O__c.A__c"]
    assert field.fragment is not None
    assert "工单".encode() in field.fragment.xml


def test_a_name_that_differs_from_another_in_case_alone_is_refused(tmp_path: Path) -> None:
    """An org takes both for one component, and a disk of some systems for one file."""
    files = {"app/a/tabs/Board.tab-meta.xml": xml("CustomTab"), "app/b/tabs/board.tab-meta.xml": xml("CustomTab")}
    (problem,) = converted(tmp_path, files).problems
    assert "CustomTab:board differs from CustomTab:Board" in problem.what
    with pytest.raises(Refused, match="upper and lower case"):
        package_of(read_project(tmp_path))


def test_folders_that_hold_objects_or_components_are_looked_into(tmp_path: Path) -> None:
    field = xml("CustomField", fullName="F__c")
    files = {
        "app/objects/sales/A__c/A__c.object-meta.xml": xml("CustomObject", label="A"),
        "app/objects/sales/A__c/fields/F__c.field-meta.xml": field,
        "app/objects/sales/B__c/B__c.object-meta.xml": xml("CustomObject", label="B"),
        "app/objects/any/C__c.object-meta.xml": xml("CustomObject", label="C"),
        "app/objects/any/fields/F__c.field-meta.xml": field,
        "app/lwc/shared/lwc/board/board.js": "1",
        "app/lwc/shared/lwc/board/board.js-meta.xml": xml("LightningComponentBundle"),
        "app/lwc/own/own.js-meta.xml": xml("LightningComponentBundle"),
        "app/lwc/own/lwc/helper.js": "1",
    }
    assert by_name(converted(tmp_path, files)).keys() == {
        "CustomObject:A__c", "CustomField:A__c.F__c", "CustomObject:B__c", "CustomObject:C__c", "CustomField:C__c.F__c",
        "LightningComponentBundle:board", "LightningComponentBundle:own",
    }  # fmt: skip
