"""Projects for comparing conversions: one component of each type of the table, and projects at random."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from hypothesis import strategies as st

from flows.archive import zip_bytes
from flows.metadata_types import MetadataType, metadata_types
from tests.flows.source_samples import container, every_type, xml

Files = Mapping[str, str | bytes]

# Salesforce's library takes the content of these for their metadata when it reads its own result, and gives up.
NOT_THEIRS = frozenset({"AccessControlPolicy"})
IGNORED = "**/__tests__/**\n"

_SITE = "app/digitalExperiences/site/shop"
_PAGES = "app/uiBundles/pages"


def one_of_each() -> dict[str, str | bytes]:
    """Return files of the package directory `app` with a component of each type that the kit converts."""
    files: dict[str, str | bytes] = {".forceignore": IGNORED}
    for kind in metadata_types().by_name.values():
        if kind.name not in NOT_THEIRS:
            files |= _minimal(kind)
    # Folders that hold objects and components, and objects in folders of another name.
    field = xml("CustomField", fullName="F__c")
    for name in ("A__c", "B__c"):
        files[f"app/more/objects/group/{name}/{name}.object-meta.xml"] = xml("CustomObject", label=name)
        files[f"app/more/objects/group/{name}/fields/F__c.field-meta.xml"] = field
    files["app/more/objects/any/C__c.object-meta.xml"] = xml("CustomObject", label="C")
    files["app/more/objects/any/fields/F__c.field-meta.xml"] = field
    files["app/more/lwc/group/lwc/inner/inner.js"] = "1"
    files["app/more/lwc/group/lwc/inner/inner.js-meta.xml"] = xml("LightningComponentBundle", apiVersion="64.0")
    # A site's description may have another name than its folder.
    site = "app/digitalExperiences/site/renamed"
    files[f"{site}/before.digitalExperience-meta.xml"] = xml("DigitalExperienceBundle", label="renamed")
    return {**files, **every_type()}


def awkward() -> dict[str, str | bytes]:
    """Return files of the package directory `app` as editors, systems and people leave them: line ends of Windows, byte
    order marks, UTF-16, blanks and other scripts in names, folders that mean nothing, hidden and half-known files."""
    field = xml("CustomField", fullName="A__c", description="a\nb&#13;&#10;c&#160;d")
    labels = container("CustomLabels", "<labels><fullName>A</fullName><value>a\nb&#13;&#10;c</value></labels>")
    tab = xml("CustomTab", label="票")
    return {
        ".forceignore": f"\ufeff# rules\r\n{IGNORED}**/旧/**\r\n*.Map   \r\n",
        "app/a/b/c/classes/d/A.cls": "a\r\nb\ufeff",
        "app/a/b/c/classes/d/A.cls-meta.xml": xml("ApexClass", apiVersion="64.0").replace("\n", "\r\n"),
        "app/my tabs & more/tabs/A&B.tab-meta.xml": "\ufeff" + tab,
        "app/tabs/C.tab-meta.xml": tab.replace("UTF-8", "UTF-16").encode("utf-16"),
        "app/布局/layouts/Account-客户 布局 (1).layout-meta.xml": xml("Layout"),
        "app/旧/tabs/Old.tab-meta.xml": tab,
        "app/labels/CustomLabels.labels-meta.xml": ("\ufeff" + labels).replace("\n", "\r\n"),
        "app/objects/O__c/O__c.object-meta.xml": "\ufeff" + xml("CustomObject", label="O").replace("\n", "\r\n"),
        "app/objects/O__c/fields/more/A__c.field-meta.xml": field.replace("\n", "\r\n"),
        "app/objects/O__c/listViews/B__c.field-meta.xml": xml("CustomField", fullName="B__c"),
        "app/reports/销售.reportFolder-meta.xml": xml("ReportFolder", name="x"),
        "app/reports/销售/报 表.report-meta.xml": xml("Report"),
        "app/staticresources/资源/文 件.txt": "a",
        "app/staticresources/资源/a.map": "left out",
        "app/staticresources/资源.resource-meta.xml": xml("StaticResource", contentType="application/zip"),
        "app/profiles/A%2FB.profile-meta.xml": xml("Profile"),
        "app/tabs/.DS_Store": b"\0",
        "app/docs/README.md": "# x",
        "app/manifest/package.xml": "<Package/>",
    }


def _minimal(kind: MetadataType) -> Files:
    """Return one component of a type that needs nothing special; those that do are in `every_type`."""
    adapters = ("", "default", "matchingContentFile", "bundle")
    if kind.adapter not in adapters or kind.alias_for or kind.fixed_name or kind.folder_type == "Territory2Model":
        return {}
    folder, text = f"app/{kind.directory}", xml(kind.name, label=kind.name)
    if kind.adapter == "bundle":
        meta = {"schema.json": "schema.json"}.get(
            kind.meta_file_suffix, f"One.{kind.meta_file_suffix or 'js-meta.xml'}"
        )
        return {f"{folder}/one/one.json": "{}", f"{folder}/one/{meta}".replace("One.", "one."): text}
    if kind.folder_content_type:
        return {f"{folder}/One.{kind.suffix}-meta.xml": text}
    path = f"{folder}/One/One.{kind.suffix}" if kind.in_folder else f"{folder}/One.{kind.suffix}"
    content = {path: "content"} if kind.adapter == "matchingContentFile" else {}
    return {**content, f"{path}-meta.xml": text}


_names = st.from_regex(r"[A-Z][A-Za-z0-9]{0,8}", fullmatch=True)
_spoken = st.text(st.sampled_from("aB9 -%28.&'()中文é_"), min_size=1, max_size=8).map(lambda text: f"A{text}Z")
_texts = st.text(st.sampled_from("ab <>&\"'中\n\t]"), min_size=1, max_size=12).map(lambda text: escape(f"x{text}x"))
_types = st.sampled_from(
    ["text/javascript", "text/css", "image/png", "text/xml", "application/json", "Text/Plain", "no/such", "font/woff2"]
)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, str | bytes]:
    """Draw files of the package directory `app`: objects, labels, code, static resources, layouts, reports."""
    files: dict[str, str | bytes] = {".forceignore": IGNORED}
    top = draw(st.sampled_from(["app", "app/main/default", "app/one/two"]))
    for name in draw(st.lists(_names, min_size=1, max_size=3, unique_by=str.lower)):
        folder = f"{top}/objects/{name}__c"
        if draw(st.booleans()):
            files[f"{folder}/{name}__c.object-meta.xml"] = xml("CustomObject", label=draw(_texts))
        for child in draw(st.lists(_names, min_size=1, max_size=3, unique_by=str.lower)):
            text = xml("CustomField", fullName=f"{child}__c", label=draw(_texts), description=draw(_texts))
            files[f"{folder}/fields/{child}__c.field-meta.xml"] = text
            files[f"{folder}/listViews/{child}.listView-meta.xml"] = xml("ListView", fullName=child, label=draw(_texts))
    for name in draw(st.lists(_names, max_size=3, unique_by=str.lower)):
        files[f"{top}/classes/{name}.cls"] = draw(st.binary(max_size=9))
        files[f"{top}/classes/{name}.cls-meta.xml"] = xml("ApexClass", apiVersion="64.0")
    for name in draw(st.lists(_names, max_size=3, unique_by=str.lower)):
        content_type = draw(_types)
        base = f"{top}/staticresources/{name}"
        if draw(st.booleans()):
            content_type = "application/zip"
            files |= {f"{base}/{inner}/{inner}.txt": draw(st.binary(max_size=9)) for inner in ("a", "lwc", "classes")}
        else:
            files[f"{base}.txt"] = draw(st.binary(max_size=9)) + b"."
        files[f"{base}.resource-meta.xml"] = xml("StaticResource", contentType=content_type)
    for name in draw(st.lists(_spoken, max_size=3, unique_by=str.lower)):
        files[f"{top}/layouts/{name}.layout-meta.xml"] = xml("Layout", label=draw(_texts))
        files[f"{top}/customMetadata/T.{name}.md-meta.xml"] = xml("CustomMetadata", label=draw(_texts))
    for name in draw(st.lists(_names, max_size=2, unique_by=str.lower)):
        files[f"{top}/reports/{name}.reportFolder-meta.xml"] = xml("ReportFolder", name=name)
        files[f"{top}/reports/{name}/In/{name}.report-meta.xml"] = xml("Report", name=draw(_texts))
    labels = draw(st.lists(_names, max_size=3, unique_by=str.lower))
    if labels:
        elements = [f"<labels><fullName>{name}</fullName><value>{draw(_texts)}</value></labels>" for name in labels]
        files[f"{top}/labels/CustomLabels.labels-meta.xml"] = container("CustomLabels", *elements)
    return files


def _resource(content_type: str, content: bytes) -> Files:
    return {
        "staticresources/a.resource": content,
        "staticresources/a.resource-meta.xml": xml("StaticResource", contentType=content_type),
    }


# Inputs that Salesforce's library refuses, and those that it takes but makes nothing or something broken of.
REFUSED: Mapping[str, Files] = {
    "a meta file without its class": {"app/classes/A.cls-meta.xml": xml("ApexClass")},
    "an unknown suffix": {"app/novelties/A.novelty-meta.xml": xml("Novelty")},
    "a static resource folder of another type": {
        "app/staticresources/a/a.txt": "a",
        "app/staticresources/a.resource-meta.xml": xml("StaticResource", contentType="text/plain"),
    },
    "another name of a type as a suffix": {"app/email/A.emailTemplateFolder-meta.xml": xml("EmailFolder")},
    "a bundle without its schema": {"app/lightningTypes/a/a.json": "{}"},
    "a UI bundle without its meta file": {f"{_PAGES}/dist/index.html": "1"},
    "a content without its description": {f"{_SITE}/sfdc_cms__view/home/content.json": "{}"},
    "a file beside the contents of a site": {f"{_SITE}/notes.txt": "1"},
    **{
        f"a UI bundle that says {text}": {
            f"{_PAGES}/pages.uibundle-meta.xml": xml("UIBundle", label="pages"),
            f"{_PAGES}/dist/index.html": "1",
            f"{_PAGES}/ui-bundle.json": text,
        }
        for text in (
            "{}",
            "[]",
            "no JSON",
            '{"unknown": 1}',
            '{"outputDir": "build"}',
            '{"outputDir": "../dist"}',
            '{"outputDir": "dist", "routing": {"fallback": "home.html"}}',
            '{"routing": {"trailingSlash": "often"}}',
            '{"routing": {"redirects": [{"route": "/a", "statusCode": 200}]}}',
            '{"headers": [{"headers": [{"key": ""}]}]}',
            '{"mcpResources": [{"name": "a", "path": "index.txt"}]}',
            '{"mcpResources": [{"name": "a", "path": "index.html"}, {"name": "a", "path": "index.html"}]}',
        )
    },
}
REFUSED_BY_THE_KIT_ALONE: Mapping[str, Files] = {
    "a class without its meta file": {"app/classes/A.cls": "class A {}"},
    "a component that stands twice": {
        "app/one/tabs/A.tab-meta.xml": xml("CustomTab", label="1"),
        "app/two/tabs/A.tab-meta.xml": xml("CustomTab", label="2"),
    },
    "names that differ in case alone": {
        "app/tabs/A.tab-meta.xml": xml("CustomTab"),
        "app/tabs/a.tab-meta.xml": xml("CustomTab"),
    },
    "a field whose file has another name": {
        "app/objects/O__c/fields/A__c.field-meta.xml": xml("CustomField", fullName="B__c")
    },
    "a component below a folder of lwc": {
        "app/lwc/group/a/a.js": "1",
        "app/lwc/group/a/a.js-meta.xml": xml("LightningComponentBundle", apiVersion="64.0"),
    },
    "a static resource without its meta file": {"app/staticresources/a.txt": "a"},
    "malformed XML": {"app/tabs/A.tab-meta.xml": "<CustomTab><label></CustomTab>"},
}
REFUSED_PACKAGES: Mapping[str, Files] = {
    "an unknown type": {"novelties/A.novelty": xml("Novelty"), "novelties/A.novelty-meta.xml": xml("Novelty")},
    "a static resource that is no archive": _resource("application/zip", b"no zip"),
    "a static resource without content type": {
        "staticresources/a.resource": "a",
        "staticresources/a.resource-meta.xml": xml("StaticResource"),
    },
}
PACKAGES_REFUSED_BY_THE_KIT_ALONE: Mapping[str, Files] = {
    "a class without its meta file": {"classes/A.cls": "class A {}"},
    "an archive that leads out of its folder": _resource("application/zip", zip_bytes({"../../../a": b"a"})),
    "malformed XML of an object": {"objects/A__c.object": "<CustomObject><label></CustomObject>"},
}
