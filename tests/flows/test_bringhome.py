from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.bringhome import Homecoming, bring_home, refuse_data, summary
from flows.components import ComponentKey
from flows.compose import compose_for
from flows.package import lay_out
from flows.source.project import read_project
from infra.outputs import parse_outputs
from kit.problems import Refused
from orgs.federation import load_federation
from tests.flows.source_samples import container, write, xml
from tests.landed import OUTPUTS

PROJECT = json.dumps({"packageDirectories": [{"path": "metadata/core"}], "sourceApiVersion": "62.0"})
CORE, CHINA, OWN = "metadata/core", "metadata/china", "metadata/orgs/china-uat"
FEDERATION = load_federation()
FIELD = "<fields><fullName>{}</fullName><label>{}</label></fields>"
LABEL = "<labels><fullName>{}</fullName><value>{}</value></labels>"
BASE: dict[str, str | bytes] = {
    f"{CORE}/tabs/A__c.tab-meta.xml": xml("CustomTab", label="core"),
    f"{CHINA}/desk/labels/CustomLabels.labels-meta.xml": container(
        "CustomLabels", LABEL.format("Hello", "Hi"), "<!-- kept -->", LABEL.format("Bye", "Bye")
    ),
    f"{CORE}/objects/O__c/O__c.object-meta.xml": container(
        "CustomObject", FIELD.format("In__c", "In"), "<label>O</label>"
    ),
    f"{CORE}/objects/O__c/fields/Own__c.field-meta.xml": xml("CustomField", fullName="Own__c", label="Own"),
}


def home(
    root: Path,
    retrieved: dict[str, str],
    *keys: tuple[str, str],
    org: str = "china-uat",
    layer: str = "",
    more: dict[str, str | bytes] | None = None,
    project: str = PROJECT,
) -> Homecoming:
    source = read_project(write(root, {**BASE, **(more or {})}, project=project))
    files = {path: text.encode() for path, text in retrieved.items()}
    wanted = [ComponentKey(*key) for key in keys]
    outputs = parse_outputs(OUTPUTS, "outputs.json")
    return bring_home(source, FEDERATION.org(org), wanted, files, layer=layer, outputs=outputs)


def apply(root: Path, found: Homecoming) -> None:
    for name, data in found.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def object_file(*elements: str) -> dict[str, str]:
    return {"objects/O__c.object": container("CustomObject", *elements)}


def test_a_label_goes_into_its_file_of_its_layer_and_nothing_else_there_changes(tmp_path: Path) -> None:
    file = f"{CHINA}/desk/labels/CustomLabels.labels-meta.xml"
    retrieved = {"labels/CustomLabels.labels": container("CustomLabels", LABEL.format("Bye", "再见"))}
    found = home(tmp_path, retrieved, ("CustomLabel", "Bye"))
    assert [(str(each.key), each.layer) for each in found.brought] == [("CustomLabel:Bye", "china")]
    text = found.files[file].decode()
    assert LABEL.format("Hello", "Hi") in text
    assert "<!-- kept -->" in text
    assert "<value>再见</value>" in text
    assert "<value>Bye</value>" not in text


def test_a_field_goes_where_it_stands_in_its_own_file_or_inside_of_its_object(tmp_path: Path) -> None:
    retrieved = object_file(FIELD.format("In__c", "Inner"), FIELD.format("Own__c", "Mine"))
    found = home(tmp_path, retrieved, ("CustomField", "O__c.In__c"), ("CustomField", "O__c.Own__c"))
    assert set(found.files) == {
        f"{CORE}/objects/O__c/O__c.object-meta.xml",
        f"{CORE}/objects/O__c/fields/Own__c.field-meta.xml",
    }
    assert b"<label>O</label>" in found.files[f"{CORE}/objects/O__c/O__c.object-meta.xml"]
    apply(tmp_path, found)
    bundle = compose_for(FEDERATION, "china-uat", tmp_path)
    again = lay_out(bundle.components.values()).files["objects/O__c.object"]
    assert b"<label>Inner</label>" in again
    assert b"<label>Mine</label>" in again


def test_an_object_s_own_part_comes_home_without_losing_its_fields(tmp_path: Path) -> None:
    retrieved = object_file("<label>Other</label>", FIELD.format("In__c", "not asked for"))
    found = home(tmp_path, retrieved, ("CustomObject", "O__c"))
    text = found.files[f"{CORE}/objects/O__c/O__c.object-meta.xml"].decode()
    assert "<label>Other</label>" in text
    assert "<label>In</label>" in text
    assert "not asked for" not in text


def test_what_is_new_goes_into_the_org_s_own_layer_or_into_the_one_that_is_named(tmp_path: Path) -> None:
    retrieved = {"tabs/B__c.tab": xml("CustomTab", label="new")}
    found = home(tmp_path, retrieved, ("CustomTab", "B__c"))
    assert list(found.files) == [f"{OWN}/main/default/tabs/B__c.tab-meta.xml"]
    found = home(tmp_path, retrieved, ("CustomTab", "B__c"), layer="china")
    assert list(found.files) == [f"{CHINA}/main/default/tabs/B__c.tab-meta.xml"]
    with pytest.raises(Refused, match="china-uat gets no layer chnia"):
        home(tmp_path, retrieved, ("CustomTab", "B__c"), layer="chnia")


def test_a_patched_component_comes_home_whole_for_this_org_and_composes_to_what_the_org_has(tmp_path: Path) -> None:
    change = {f"{CHINA}/labels/CustomLabels.labels-patch.xml": container("CustomLabels", LABEL.format("Two", "二"))}
    base = {f"{CORE}/labels/CustomLabels.labels-meta.xml": container("CustomLabels", LABEL.format("Two", "two"))}
    retrieved = {"labels/CustomLabels.labels": container("CustomLabels", LABEL.format("Two", "deux"))}
    found = home(tmp_path, retrieved, ("CustomLabel", "Two"), more={**base, **change})
    assert [each.layer for each in found.brought] == ["orgs/china-uat"]
    apply(tmp_path, found)
    component = compose_for(FEDERATION, "china-uat", tmp_path).components[ComponentKey("CustomLabel", "Two")]
    assert component.fragment
    assert b"deux" in component.fragment.xml


def test_what_is_the_same_and_what_is_not_in_the_org_is_said_and_not_written(tmp_path: Path) -> None:
    retrieved = {"tabs/A__c.tab": xml("CustomTab", label="core").replace("    ", "  ")}
    found = home(tmp_path, retrieved, ("CustomTab", "A__c"), ("CustomTab", "Gone__c"))
    assert not found.files
    assert found.same == (ComponentKey("CustomTab", "A__c"),)
    assert found.absent == (ComponentKey("CustomTab", "Gone__c"),)


def test_a_value_of_the_landing_zone_comes_home_as_its_name(tmp_path: Path) -> None:
    path = "remoteSiteSettings/Egress.remoteSite"
    url = "https://@{outputs.network_egress_ips[0]}/x"
    more: dict[str, str | bytes] = {f"{CORE}/{path}-meta.xml": xml("RemoteSiteSetting", isActive="true", url=url)}
    retrieved = {path: xml("RemoteSiteSetting", isActive="false", url="https://47.100.0.1/x")}
    found = home(tmp_path, retrieved, ("RemoteSiteSetting", "Egress"), more=more)
    text = found.files[f"{CORE}/{path}-meta.xml"].decode()
    assert "<isActive>false</isActive>" in text
    assert url in text
    own = home(tmp_path, retrieved, ("RemoteSiteSetting", "Egress"), layer="orgs/china-uat")
    assert [url in data.decode() for data in own.files.values()] == [True]


def test_data_stops_a_component_of_a_china_org_until_it_is_accepted_by_name(tmp_path: Path) -> None:
    retrieved = {"tabs/A__c.tab": xml("CustomTab", label="core", description="ask wei.zhang@acme.cn")}
    found = home(tmp_path, retrieved, ("CustomTab", "A__c"))
    with pytest.raises(Refused) as refused:
        refuse_data(found, frozenset())
    (problem,) = refused.value.problems
    assert str(problem.place) == f"{CORE}/tabs/A__c.tab-meta.xml:4"
    assert "mail address" in problem.what
    assert "zhang" not in str(problem) + summary("china-uat", "2026-11-22", found)
    refuse_data(found, frozenset({ComponentKey("CustomTab", "A__c")}))
    assert "accepted by name" in summary("china-uat", "2026-11-22", found)


def test_what_comes_home_from_an_org_outside_china_is_not_held_back(tmp_path: Path) -> None:
    retrieved = {"tabs/A__c.tab": xml("CustomTab", label="core", description="ask wei.zhang@acme.cn")}
    refuse_data(home(tmp_path, retrieved, ("CustomTab", "A__c"), org="global-uat"), frozenset())


def test_what_an_org_has_no_more_of_a_component_is_removed_at_home(tmp_path: Path) -> None:
    js = xml("LightningComponentBundle", apiVersion="62.0")
    board = {f"{CHINA}/main/default/lwc/board/{name}": text for name, text in (("board.js", "1"), ("old.js", "2"))}
    sets = f"{CORE}/main/default/permissionsets/Agent"
    part = "<PermissionSet><{0}><{1}>A</{1}></{0}></PermissionSet>"
    more: dict[str, str | bytes] = {
        **board,
        f"{CHINA}/main/default/lwc/board/board.js-meta.xml": js,
        f"{CHINA}/main/default/lwc/other/other.js-meta.xml": js,
        f"{sets}/Agent.permissionset-meta.xml": container("PermissionSet", "<label>Agent</label>"),
        f"{sets}/Agent.classAccess-meta.xml": part.format("classAccesses", "apexClass"),
        f"{sets}/Agent.pageAccess-meta.xml": part.format("pageAccesses", "apexPage"),
    }
    pages = "<pageAccesses><apexPage>A</apexPage></pageAccesses>"
    retrieved = {
        "lwc/board/board.js": "1",
        "lwc/board/board.js-meta.xml": js,
        "permissionsets/Agent.permissionset": container("PermissionSet", "<label>Agent</label>", pages),
    }
    keys = [("LightningComponentBundle", "board"), ("PermissionSet", "Agent")]
    project = {**json.loads(PROJECT), "sourceBehaviorOptions": ["decomposePermissionSetBeta2"]}
    found = home(tmp_path, retrieved, *keys, more=more, project=json.dumps(project))
    assert found.files == {}
    assert found.removed == (f"{CHINA}/main/default/lwc/board/old.js", f"{sets}/Agent.classAccess-meta.xml")
    assert [(str(each.key), each.files) for each in found.brought] == [
        ("LightningComponentBundle:board", found.removed[:1]),
        ("PermissionSet:Agent", found.removed[1:]),
    ]
    text = summary("china-uat", "2026-11-22", found)
    assert "## Removed, since the org doesn't have it" in text
    for file in found.removed:
        (tmp_path / file).unlink()
    again = home(tmp_path, retrieved, *keys, project=json.dumps(project))
    assert (again.brought, again.removed) == ((), ())
