"""What is deployed is what comes back, and checking changes nothing: for any set of components."""

from __future__ import annotations

from xml.sax.saxutils import escape

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.emulators.salesforce.metadata.metadata_support import CUSTOM_OBJECT, EmulatedOrg, manifest, xml

from emulators.salesforce.metadata.xmlform import canonical, parse
from tests.emulated_org import cites

NAMES = st.from_regex(r"[A-Z][a-z0-9]{0,6}(_[A-Z][a-z]{0,3})?", fullmatch=True)
TEXTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"), min_size=1, max_size=20
).filter(lambda text: text.strip() == text)
FIELDS = st.dictionaries(NAMES, TEXTS, max_size=4)


@st.composite
def packages(draw: st.DrawFn) -> dict[str, str | bytes]:
    """A package of permissions, labels, objects with fields, classes and web components, all valid."""
    files: dict[str, str | bytes] = {}
    types: dict[str, list[str]] = {}
    for name, text in draw(st.dictionaries(NAMES, TEXTS, max_size=3)).items():
        types.setdefault("CustomPermission", []).append(name)
        inner = f"<label>{escape(text)}</label><description>{escape(text)}</description>"
        files[f"customPermissions/{name}.customPermission"] = xml("CustomPermission", inner)
    labels = draw(FIELDS)
    if labels:
        types["CustomLabel"] = list(labels)
        files["labels/CustomLabels.labels"] = xml("CustomLabels", "".join(map(_label, labels, labels.values())))
    for name, fields in draw(st.dictionaries(NAMES, FIELDS, max_size=3)).items():
        types.setdefault("CustomObject", []).append(f"{name}__c")
        files[f"objects/{name}__c.object"] = xml(
            "CustomObject", CUSTOM_OBJECT + "".join(map(_field, fields, fields.values()))
        )
    for name, body in draw(st.dictionaries(NAMES, st.binary(max_size=30), max_size=2)).items():
        types.setdefault("StaticResource", []).append(name)
        files[f"staticresources/{name}.resource"] = body
        meta = "<cacheControl>Private</cacheControl><contentType>text/plain</contentType>"
        files[f"staticresources/{name}.resource-meta.xml"] = xml("StaticResource", meta)
    return {"package.xml": manifest(types), **files}


def _label(name: str, text: str) -> str:
    return (
        f"<labels><fullName>{name}</fullName><language>en_US</language><protected>false</protected>"
        f"<shortDescription>{name}</shortDescription><value>{escape(text)}</value></labels>"
    )


def _field(name: str, text: str) -> str:
    inner = f"<label>{escape(text)}</label><length>9</length><type>Text</type>"
    return f"<fields><fullName>{name}__c</fullName>{inner}</fields>"


def asked(files: dict[str, str | bytes]) -> dict[str, list[str]]:
    """Return what a package's manifest names, by type."""
    root = etree.fromstring(str(files["package.xml"]).encode())
    return {
        types.findtext("{*}name") or "": [member.text or "" for member in types.iterfind("{*}members")]
        for types in root.iterfind("{*}types")
    }


def same(path: str, sent: str | bytes) -> bytes:
    """Return a file as the org keeps it: canonical XML with the children of a container by type and name."""
    data = sent.encode() if isinstance(sent, str) else sent
    if path.endswith(".resource"):
        return data
    root = parse(data)
    children = sorted(root, key=lambda e: (etree.QName(e).localname, e.findtext("{*}fullName") or ""))
    root[:] = children
    return canonical(root)


@cites("zip file", "knowledge")
@settings(max_examples=25, deadline=None)
@given(packages())
def test_what_is_deployed_comes_back(files: dict[str, str | bytes]) -> None:
    """A retrieve gives back what was deployed: elements sorted, white space as the API writes it, content as it was."""
    org = EmulatedOrg()
    assert org.problems(files) == []
    back = org.retrieve(asked(files))
    del back["package.xml"]
    assert back == {path: same(path, data) for path, data in files.items() if path != "package.xml"}
    again = org.deploy(files)
    assert not [m for m in again["details"]["componentSuccesses"] if m["changed"] and m["componentType"]]


@cites("deploy options")
@settings(max_examples=10, deadline=None)
@given(packages())
def test_checking_changes_nothing(files: dict[str, str | bytes]) -> None:
    org = EmulatedOrg()
    before = org.snapshot()
    assert org.deploy(files, checkOnly=True)["status"] == "Succeeded"
    assert org.snapshot() == before
