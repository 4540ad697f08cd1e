"""What an administrator does to an org by hand: deployed past the kit's ledger, as their own tool does."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flows.components import Component, ComponentKey
from flows.compose import compose_for
from flows.metadata_api import MetadataApi
from flows.package import assemble
from flows.project import federation_of
from flows.tokens import mint
from tests.e2e.released import Project


def by_hand(
    project: Project, *changed: Component, deleted: tuple[ComponentKey, ...] = (), name: str = "china-uat"
) -> None:
    """Change and delete components in the org of that name."""
    federation = federation_of(project.root)
    org = federation.org(name)
    api = MetadataApi(mint(org), federation.api_version, renew=partial(mint, org))
    package = assemble(changed, federation.api_version, destructive_post=deleted)
    result = api.wait(api.deploy(package.zip, None, check_only=False), lambda _: None, 60)
    assert result.success, result.failures


def shipped(project: Project, key: ComponentKey, name: str = "china-uat") -> Component:
    """Return a component as the project's release for the org of that name has it."""
    return compose_for(federation_of(project.root), name, project.root).components[key]


def edited(component: Component, old: bytes, new: bytes) -> Component:
    """Return the component with one text replaced."""
    if component.fragment:
        assert old in component.fragment.xml
        return replace(component, fragment=replace(component.fragment, xml=component.fragment.xml.replace(old, new)))
    file = component.files[0]
    assert old in file.data
    return replace(component, files=(file._replace(data=file.data.replace(old, new)), *component.files[1:]))
