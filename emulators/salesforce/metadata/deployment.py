"""What a deploy does to an org: every component checked, every problem told, and the changes that follow.

From knowledge of the Metadata API (`deploy()`, its options and their rules, `DeployResult`), not from opened pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from emulators.salesforce.metadata import access, settings
from emulators.salesforce.metadata.apextests import TestRun, run_tests, test_methods
from emulators.salesforce.metadata.checks import check_alone, check_references
from emulators.salesforce.metadata.components import Key, OrgComponent, OrgComponents
from emulators.salesforce.metadata.deletion import delete_all
from emulators.salesforce.metadata.messages import DeployMessage, error, manifest_error, warning
from emulators.salesforce.metadata.options import DeployOptions
from emulators.salesforce.metadata.package import Incoming, Package, UnusablePackage, api_version, read_zip
from emulators.salesforce.metadata.state import OrgState
from emulators.salesforce.metadata.types import MetadataType, type_table
from emulators.salesforce.orgs import OrgRecord
from emulators.salesforce.packages import TYPE as INSTALLED_PACKAGE
from emulators.salesforce.packages import PackageVersion, installed, misuse, offered, refusal, version_in
from emulators.store import Document


@dataclass
class Outcome:
    """How a deploy went. `error` is set when it could not be carried out at all (code, message)."""

    messages: list[DeployMessage] = field(default_factory=list)
    total: int = 0
    tests: TestRun = field(default_factory=TestRun)
    error: tuple[str, str] | None = None
    state: OrgState | None = None

    @property
    def failures(self) -> list[DeployMessage]:
        """The messages of what did not succeed."""
        return [message for message in self.messages if not message.success]

    @property
    def successes(self) -> list[DeployMessage]:
        """The messages of what did succeed."""
        return [message for message in self.messages if message.success]

    def status(self, options: DeployOptions) -> str:
        """Return `Succeeded`, `SucceededPartial` (only without rollbackOnError) or `Failed`."""
        if self.error or self.tests.failures or self.tests.coverage_lacks:
            return "Failed"
        if not self.failures:
            return "Succeeded"
        real = [message for message in self.successes if message.component_type]
        return "SucceededPartial" if real and not options.rollback_on_error else "Failed"


def evaluate(
    org: OrgRecord, components: OrgComponents, zip_data: bytes, options: DeployOptions, declared: Document
) -> Outcome:
    """Return what deploying a zip to an org comes to. Changes nothing; `apply` does.

    `declared` is the org's part of the world file, which says how its Apex tests end, and which packages there are.
    """
    try:
        packages = read_zip(zip_data, single_package=options.single_package)
    except UnusablePackage as unusable:
        message = manifest_error("package.xml", unusable.message)
        found = [message] if unusable.code == "NO_PACKAGE_XML" else []
        return Outcome(found, error=None if found else (unusable.code, unusable.message))
    state = OrgState.of(components)
    outcome = Outcome(state=state)
    for package in packages:
        _evaluate_package(org, state, package, options, outcome, offered(declared))
    if not outcome.failures or not options.rollback_on_error:
        outcome.tests = run_tests(org, state, options, declared)
        outcome.messages += outcome.tests.problems
    return outcome


def apply(state: OrgState, now: float, username: str) -> None:
    """Carry out the changes of an evaluated deploy, in the transaction of the caller."""
    components = state.components
    for key in state.gone:
        if key in state.held:
            components.delete(key)
    for key, coming in state.incoming.items():
        held = state.held.get(key)
        if held is not None and not state.differs(coming):
            continue
        components.put(
            OrgComponent(
                key=key,
                files={path: components.keep(data) for path, data in coming.files.items()},
                parent=coming.parent,
                references=state.targets(key),
                tests=test_methods(key, coming.files),
                standard=held.standard if held else False,
                id=held.id if held else "",
                created=held.created if held else now,
                created_by=held.created_by if held else username,
                modified=now,
                modified_by=username,
            )
        )


def _evaluate_package(
    org: OrgRecord,
    state: OrgState,
    package: Package,
    options: DeployOptions,
    outcome: Outcome,
    versions: tuple[PackageVersion, ...],
) -> None:
    path = package.manifest.path
    problems = [*package.problems, *_manifest_problems(org, package, options)]
    coming = _deployable(package, options, problems)
    problems += _package_problems(state, package, coming, versions)
    outcome.total += len(coming) + sum(map(len, package.destructive.values()))
    ignore = options.ignore_warnings
    messages = list(delete_all(state, package.destructive["pre"], ignore_warnings=ignore))
    failed = {Key(problem.component_type, problem.full_name) for problem in problems}
    messages += problems + _lay_over(org, state, coming, failed)
    messages += delete_all(state, package.destructive["post"], ignore_warnings=ignore)
    if all(message.success for message in messages):
        messages.insert(0, DeployMessage(path, "package.xml", changed=True))
    outcome.messages += messages


def _lay_over(org: OrgRecord, state: OrgState, coming: list[Incoming], failed: set[Key]) -> list[DeployMessage]:
    """Lay components over the org and return what each comes to; those that fail are taken back.

    A component that fails is missing for the others that name it, so this goes on until no more fail.
    """
    failures: list[DeployMessage] = []
    standing: dict[Key, Incoming] = {}
    for each in coming:
        if each.key in failed:
            continue
        lay_over = _LAID_OVER.get(each.key.type)
        if lay_over and state.holds(each.key) and (held := state.element(each.key)) is not None:
            each = lay_over(held, each)
        wrong = list(check_alone(each, known=state.holds(each.key), ceiling=org.api_ceiling))
        failures += wrong
        if not wrong:
            standing[each.key] = each
            state.add(each)
    shells = _shells(state, standing.values())
    for shell in shells:
        state.add(shell)
    failed |= {Key(message.component_type, message.full_name) for message in failures}
    while True:
        wrong = []
        for each in standing.values():
            if each.parent is not None and not state.holds(each.parent):
                why = "Parent entity failed to deploy" if each.parent in failed else _no_parent(each.parent)
                wrong.append(error(each.key, each.path, why, each.line, 1))
            else:
                wrong += check_references(state, each)
        if not wrong:
            break
        failures += wrong
        for message in wrong:
            key = Key(message.component_type, message.full_name)
            failed.add(key)
            standing.pop(key, None)
            state.take_back(key)
    return failures + [_success(state, each) for each in standing.values()]


# Types of which a deploy leaves alone what it doesn't bring.
_LAID_OVER: Mapping[str, Callable[[etree._Element, Incoming], Incoming]] = {
    "Profile": access.over,
    "Settings": settings.over,
}


def _success(state: OrgState, each: Incoming) -> DeployMessage:
    created, changed = each.key not in state.held, state.differs(each)
    ident = state.components.id_of(each.key) if created else state.held[each.key].id
    return DeployMessage(
        each.path, each.key.full_name, each.key.type, id=ident, created=created, changed=changed, line=0
    )


def _package_problems(
    state: OrgState, package: Package, coming: list[Incoming], versions: tuple[PackageVersion, ...]
) -> Iterator[DeployMessage]:
    """Yield what is wrong with the managed packages that a deploy installs."""
    held = [version for _, version in installed(state.components, versions)]
    for each in coming:
        if each.key.type == INSTALLED_PACKAGE:
            xml = next(iter(each.files.values()))
            types = {member.key.type for member in package.manifest.members}
            why = misuse(xml, types, api_version(package.manifest.version))
            if why := why or refusal(each.key.full_name, version_in(xml), versions, held):
                yield error(each.key, each.path, why)


def _no_parent(parent: Key) -> str:
    return f"In field: fullName - no {parent.type} named {parent.full_name} found"


def _shells(state: OrgState, standing: Iterable[Incoming]) -> list[Incoming]:
    """Return the containers (`Workflow`, `CustomLabels`, …) that come into being with their first child."""
    found: dict[Key, Incoming] = {}
    for each in standing:
        parent = each.parent
        if parent and parent.type != "CustomObject" and parent not in found and not state.holds(parent):
            path = next(iter(each.files))
            empty = f"<{parent.type}/>".encode()
            found[parent] = Incoming(parent, each.path, {path: empty}, None, empty)
    return list(found.values())


def _manifest_problems(org: OrgRecord, package: Package, options: DeployOptions) -> list[DeployMessage]:
    manifest, table = package.manifest, type_table()
    problems: list[DeployMessage] = []
    version = api_version(manifest.version)
    if not package.problems and not (version and org.api_floor <= version <= org.api_ceiling):
        why = f"Invalid version specified:{manifest.version or '(none)'}"
        problems.append(manifest_error(manifest.path, why))
    bad = {Key(problem.component_type, problem.full_name) for problem in package.problems}
    for member in manifest.members:
        key = member.key
        if not table.knows(key.type):
            why = f"Unknown type name '{key.type}' specified in package.xml"
            problems.append(manifest_error(manifest.path, why, member.line))
        elif key.full_name != "*" and key not in package.incoming and key not in bad:
            kind = table.types.get(key.type)
            if kind and kind.folder and Key(kind.folder, key.full_name) in package.incoming:
                continue
            why = (
                f"An object '{key.full_name}' of type {key.type} was named in package.xml, "
                "but was not found in zipped directory"
            )
            if options.allow_missing_files:
                problems.append(warning(key, manifest.path, why, ignored=True))
            else:
                problems.append(error(key, manifest.path, why, member.line))
    return problems


def _deployable(package: Package, options: DeployOptions, problems: list[DeployMessage]) -> list[Incoming]:
    """Return what the manifest names, alone or by its parent; the rest is a problem, save with autoUpdatePackage."""
    table, manifest = type_table(), package.manifest
    with_children = {each.parent for each in package.incoming.values() if each.parent}
    named: list[Incoming] = []
    for key, each in package.incoming.items():
        kind = table.types.get(key.type)
        base = table.folders.get(key.type)
        if (
            manifest.names(key)
            or (each.parent and manifest.names(each.parent))
            or (base and manifest.names(Key(base.name, key.full_name)))
        ):
            if not (_is_empty_container(each, kind) and key in with_children):
                named.append(each)
        elif options.auto_update_package:
            named.append(each)
        elif not (key in with_children and _only_children_named(package, each)):
            problems.append(error(key, each.path, "Not in package.xml", each.line, 1 if each.line else 0))
    return named


def _is_empty_container(each: Incoming, kind: MetadataType | None) -> bool:
    """Return whether a file holds nothing but children, so that the container itself is not deployed."""
    return bool(kind and kind.children) and next(iter(each.files.values())).endswith(b"/>\n")


def _only_children_named(package: Package, each: Incoming) -> bool:
    return any(other.parent == each.key and package.manifest.names(other.key) for other in package.incoming.values())
