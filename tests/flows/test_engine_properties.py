"""Whatever is written into the layers, and whatever an org received before: its plan gives it the composed state, and
planning again finds nothing to do. For three shapes of change generated at random: whole trees, overlays, edits."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.bundle import Bundle
from flows.components import Component, ComponentKey
from flows.compose import compose_for
from flows.ledger import Ledger
from flows.metadata_results import unzip
from flows.objectstore import Buckets, MemoryStore
from flows.package import assemble, lay_out
from flows.plan import make_plan, state_after
from flows.promote import Promotion
from flows.snapshot import components_of
from flows.verify import verify
from orgs.federation import load_federation
from tests.flows.emulated_org import emulated_api
from tests.flows.source_samples import container, write, xml

FEDERATION = load_federation()
UAT = FEDERATION.org("china-uat")
PROJECT = json.dumps({"packageDirectories": [{"path": "metadata/core"}], "sourceApiVersion": "62.0"})
META = xml("ApexClass", apiVersion="62.0", status="Active")
TEST = "@IsTest private class AllTest { @IsTest static void works() {} }"
OBJECT = {
    "label": "Ticket",
    "pluralLabel": "Tickets",
    "nameField": "<label>Name</label><type>Text</type>",
    "deploymentStatus": "Deployed",
    "sharingModel": "ReadWrite",
}
Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Tree:
    """What a layer holds: classes, fields ("Account.A__c") and labels with a version each, whether there is the object
    Ticket__c, and the fields that its permission set names (None: there is none)."""

    classes: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    ticket: bool = False
    agent: frozenset[str] | None = None

    def whole(self) -> Tree:
        """Return it without what refers to nothing."""
        fields = {name: version for name, version in self.fields.items() if self.ticket or "Ticket" not in name}
        agent = None if self.agent is None else self.agent & fields.keys()
        return replace(self, fields=fields, agent=agent)

    def files(self, layer: str) -> dict[str, str | bytes]:
        """Return it in source format."""
        base = f"metadata/{layer}"
        made: dict[str, str | bytes] = {}
        for name, version in self.classes.items():
            made[f"{base}/classes/{name}.cls"] = f"public class {name} {{ Integer v = {version}; }}\n"
            made[f"{base}/classes/{name}.cls-meta.xml"] = META
        for name, version in self.fields.items():
            owner, _, own = name.partition(".")
            path = f"{base}/objects/{owner}/fields/{own}.field-meta.xml"
            made[path] = xml("CustomField", fullName=own, label=f"Label {version}", length="20", type="Text")
        if self.ticket:
            made[f"{base}/objects/Ticket__c/Ticket__c.object-meta.xml"] = xml("CustomObject", **OBJECT)
        if self.labels:
            values = [
                f"<labels><fullName>{name}</fullName><language>en_US</language><protected>false</protected>"
                f"<shortDescription>{name}</shortDescription><value>Text {version}</value></labels>"
                for name, version in sorted(self.labels.items())
            ]
            made[f"{base}/labels/CustomLabels.labels-meta.xml"] = container("CustomLabels", *values)
        if self.agent is not None:
            made[f"{base}/permissionsets/Agent.permissionset-meta.xml"] = permissions(self.agent)
        return made


def permissions(fields: frozenset[str], remove: bool = False) -> str:
    mark = ' patch="remove"' if remove else ""
    rights = "" if remove else "<editable>true</editable><readable>true</readable>"
    parts = [f"<fieldPermissions{mark}><field>{name}</field>{rights}</fieldPermissions>" for name in sorted(fields)]
    return container("PermissionSet", *parts, *([] if remove else ["<label>Agent</label>"]))


@dataclass(frozen=True)
class Source:
    """Two layers: what headquarters ships, and what China replaces, adds, removes and patches."""

    core: Tree
    china: Tree = Tree()
    removed: frozenset[str] = frozenset()

    @property
    def files(self) -> Files:
        """The project's files."""
        files = self.core.files("core") | self.china.files("china")
        files |= {"metadata/core/classes/AllTest.cls": TEST, "metadata/core/classes/AllTest.cls-meta.xml": META}
        held = {f"ApexClass:{name}" for name in self.core.classes} | {
            f"CustomField:{name}" for name in self.core.fields
        }
        gone = sorted(self.removed & held - {f"CustomField:{name}" for name in self.china.fields})
        if gone:
            rows = "".join(f"  - {{component: '{name}', reason: not in China}}\n" for name in gone)
            files["metadata/china/remove.yml"] = f"remove:\n{rows}"
        lost = frozenset(name.partition(":")[2] for name in gone) & (self.core.agent or frozenset())
        if lost:
            files["metadata/china/permissionsets/Agent.permissionset-patch.xml"] = permissions(lost, remove=True)
        return files

    def composed(self) -> Bundle:
        """Return what china-uat gets of it."""
        with tempfile.TemporaryDirectory() as folder:
            return compose_for(FEDERATION, UAT, write(Path(folder), dict(self.files), project=PROJECT))


versions = st.integers(1, 3)
CLASSES, LABELS = ["One", "Two", "Three"], ["Hello", "Bye"]
FIELDS = ["Account.A__c", "Account.B__c", "Case.A__c", "Ticket__c.A__c", "Ticket__c.B__c"]
trees = st.builds(
    Tree,
    classes=st.dictionaries(st.sampled_from(CLASSES), versions),
    fields=st.dictionaries(st.sampled_from(FIELDS), versions),
    labels=st.dictionaries(st.sampled_from(LABELS), versions),
    ticket=st.booleans(),
    agent=st.none() | st.frozensets(st.sampled_from(FIELDS)),
).map(Tree.whole)
overlays = st.builds(
    Tree,
    classes=st.dictionaries(st.sampled_from([*CLASSES, "Own"]), versions, max_size=2),
    fields=st.dictionaries(st.sampled_from(["Account.A__c", "Account.Own__c"]), versions, max_size=2),
    labels=st.dictionaries(st.sampled_from([*LABELS, "Own"]), versions, max_size=2),
)
removals = st.frozensets(st.sampled_from([*(f"ApexClass:{c}" for c in CLASSES), *(f"CustomField:{f}" for f in FIELDS)]))
layered = st.builds(Source, trees, overlays, removals).map(
    lambda source: replace(
        source, removed=frozenset(name for name in source.removed if name.partition(":")[2] not in source.china.classes)
    )
)


@st.composite
def edited(draw: st.DrawFn) -> list[Source]:
    """A tree and what comes of a few edits, one after the other."""
    tree = draw(trees)
    story = [Source(tree)]
    for _ in range(draw(st.integers(1, 4))):
        part, names = draw(st.sampled_from([("classes", CLASSES), ("fields", FIELDS), ("labels", LABELS)]))
        name, version = draw(st.sampled_from(names)), draw(st.none() | versions)
        held = {key: value for key, value in getattr(tree, part).items() if key != name}
        changed: Any = {part: held | ({name: version} if version else {})}
        tree = replace(tree, **changed).whole()
        story.append(Source(tree))
    return story


stories = st.one_of(
    st.lists(trees.map(Source), min_size=2, max_size=3), st.lists(layered, min_size=2, max_size=3), edited()
)


@dataclass
class ModelOrg:
    """Holds components, and takes a package as an org does: by its files and what it destroys."""

    parts: dict[ComponentKey, Component] = field(default_factory=dict)

    def take(self, files: Mapping[str, bytes], touched: Sequence[ComponentKey], gone: Sequence[ComponentKey]) -> None:
        came = components_of(files, touched)
        assert came.keys() == set(touched), "the package holds what the plan says"
        for key in gone:
            del self.parts[key]  # a plan that deletes what is not there fails here
        self.parts |= came

    @property
    def holds(self) -> dict[ComponentKey, str]:
        return {key: part.digest for key, part in self.parts.items()}


def as_held(bundle: Bundle) -> dict[ComponentKey, str]:
    """Return the digests that an org's answer has when it holds exactly the bundle."""
    found = components_of(lay_out(bundle.components.values()).files, bundle.components)
    return {key: each.digest for key, each in found.items()}


def carried(story: Sequence[Source]) -> None:
    org, shipped = ModelOrg(), dict[ComponentKey, str]()
    for source in story:
        bundle = source.composed()
        plan = make_plan(bundle, shipped, org=UAT.name, production=False)
        package = assemble([bundle.components[key] for key in plan.touched], "62.0", destructive_post=plan.deletes)
        org.take(unzip(package.zip), plan.touched, plan.deletes)
        shipped = state_after(plan, bundle, shipped)
        assert org.holds == as_held(bundle)
        assert make_plan(bundle, shipped, org=UAT.name, production=False).empty


@settings(max_examples=40, deadline=None)
@given(st.lists(trees.map(Source), min_size=2, max_size=3))
def test_any_tree_after_any_other_leaves_what_it_says(story: list[Source]) -> None:
    carried(story)


@settings(max_examples=40, deadline=None)
@given(st.lists(layered, min_size=2, max_size=3))
def test_any_overlay_that_replaces_adds_removes_and_patches_leaves_what_is_composed(story: list[Source]) -> None:
    carried(story)


@settings(max_examples=40, deadline=None)
@given(edited())
def test_any_edits_leave_what_they_come_to(story: list[Source]) -> None:
    carried(story)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stories)
def test_an_emulated_org_holds_what_is_composed_after_each_release(story: list[Source]) -> None:
    api = emulated_api()
    buckets = Buckets(MemoryStore("releases"), MemoryStore("ledger"), MemoryStore("backups"))
    promotion = Promotion(UAT, lambda: api, Ledger.of(buckets), buckets.releases, buckets.backups)
    ever: set[ComponentKey] = set()
    for source in story:
        bundle = source.composed()
        promotion.promote(bundle)
        ever |= bundle.components.keys()
        files = api.retrieve(sorted(ever)).files
        found = verify(bundle.components.values(), files)
        assert (found.missing, found.differs) == ((), ())
        assert components_of(files, ever).keys() == bundle.components.keys(), "and nothing else of all it ever got"
        assert promotion.plan(bundle).empty
    assert promotion.ledger.verify()[1] == []
