"""Rows that nobody inserts: what an org's record, its users and its components say through SOQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from emulators.salesforce import ids
from emulators.salesforce.metadata.components import OrgComponent, OrgComponents
from emulators.salesforce.orgs import OrgRecord
from emulators.salesforce.packages import PackageVersion, installed
from emulators.salesforce.schema import ObjectType, Schema, parsed, profile_names, text_of

Row = dict[str, Any]

_ADMINISTRATOR = "System Administrator"


def stamp(seconds: float) -> str:
    """Return a time as the REST API prints it: `2026-11-22T02:00:00.000+0000`."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + ".000+0000"


@dataclass(frozen=True)
class Catalog:
    """The declared rows of one org. `deploys` gives the rows of its deploys; `packages` are what it can install."""

    org: OrgRecord
    schema: Schema
    components: OrgComponents
    deploys: Callable[[], Iterable[Row]] = tuple
    packages: Sequence[PackageVersion] = ()

    def rows(self, obj: ObjectType) -> list[Row]:
        """Return the rows that an object has by declaration; most objects have none."""
        if obj.custom and obj.name.endswith("__mdt"):
            return list(self._custom_metadata(obj))
        source = _SOURCES.get(obj.name)
        return list(source(self)) if source else []

    def id_of(self, object_name: str, name: str) -> str:
        """Return the id of a declared record: the same in every run."""
        return ids.derived(self.schema.objects[object_name.lower()].prefix, self.org.id, object_name, name)

    def _row(self, ident: str, **values: Any) -> Row:
        born = stamp(self.org.created)
        system = {"CreatedDate": born, "LastModifiedDate": born, "SystemModstamp": born, "IsDeleted": False}
        return {"Id": ident, **system, **values}

    def _of(self, component: OrgComponent, **values: Any) -> Row:
        """Return the row of a component: its id, times and authors, and what its content says."""
        row = self._row(component.id, NamespacePrefix=None, **values)
        if component.created:
            row |= {"CreatedDate": stamp(component.created), "CreatedById": component.created_by or None}
        if component.modified:
            modified = stamp(component.modified)
            row |= {
                "LastModifiedDate": modified,
                "SystemModstamp": modified,
                "LastModifiedById": component.modified_by or None,
            }
        return row

    def _each(self, type_name: str) -> Iterator[tuple[OrgComponent, etree._Element]]:
        for component in self.components.of_type(type_name):
            yield component, parsed(self.components, component)

    def _organization(self) -> Iterator[Row]:
        china = self.org.edition == "alibaba"
        yield self._row(
            self.org.id,
            Name=self.org.name,
            OrganizationType="Enterprise Edition",
            IsSandbox=self.org.is_sandbox,
            InstanceName=self.org.instance,
            NamespacePrefix=None,
            TrialExpirationDate=None,
            LanguageLocaleKey=self.org.language,
            DefaultLocaleSidKey=self.org.language,
            TimeZoneSidKey="Asia/Shanghai" if china else "America/Los_Angeles",
            Country="CN" if china else "US",
            FiscalYearStartMonth=1,
            IsReadOnly=False,
        )

    def _users(self) -> Iterator[Row]:
        for user in self.org.users:
            name = user.username.partition("@")[0]
            yield self._row(
                user.id,
                Username=user.username,
                Name=name,
                LastName=name,
                Alias=name[:8],
                Email=user.username,
                IsActive=user.active,
                UserType="Standard",
                ProfileId=self.id_of("Profile", user.profile),
                TimeZoneSidKey="Asia/Shanghai" if self.org.edition == "alibaba" else "America/Los_Angeles",
                LocaleSidKey=self.org.language,
                LanguageLocaleKey=self.org.language,
                EmailEncodingKey="UTF-8",
            )

    def _profiles(self) -> Iterator[Row]:
        deployed = [component.key.full_name for component in self.components.of_type("Profile")]
        named = [profile_names().get(name, name) for name in deployed]
        for name in dict.fromkeys([_ADMINISTRATOR, *(user.profile for user in self.org.users), *named]):
            licence = self.id_of("UserLicense", "Salesforce")
            yield self._row(
                self.id_of("Profile", name), Name=name, UserType="Standard", UserLicenseId=licence, **_rights(name)
            )

    def _user_logins(self) -> Iterator[Row]:
        for user in self.org.users:
            ident = self.id_of("UserLogin", user.username)
            yield self._row(ident, UserId=user.id, IsFrozen=user.frozen, IsPasswordLocked=False)

    def _login_history(self) -> Iterator[Row]:
        for number, login in enumerate(self.org.logins):
            user = self.org.user(login.username)
            yield self._row(
                self.id_of("LoginHistory", str(number)),
                UserId=user.id if user else None,
                LoginTime=login.at,
                LoginType=login.kind,
                SourceIp=login.address,
                Status=login.status,
            )

    def _licences(self) -> Iterator[Row]:
        yield self._row(
            self.id_of("UserLicense", "Salesforce"),
            Name="Salesforce",
            MasterLabel="Salesforce",
            LicenseDefinitionKey="SFDC",
            TotalLicenses=100,
            UsedLicenses=len(self.org.users),
            Status="Active",
        )

    def _permission_sets(self) -> Iterator[Row]:
        for component, xml in self._each("PermissionSet"):
            session = text_of(xml, "hasActivationRequired") == "true"
            yield self._of(
                component,
                Name=component.key.full_name,
                Label=text_of(xml, "label") or component.key.full_name,
                Description=text_of(xml, "description") or None,
                IsOwnedByProfile=False,
                IsCustom=True,
                HasActivationRequired=session,
                Type="Session" if session else "Regular",
            )

    def _permission_set_groups(self) -> Iterator[Row]:
        for component, xml in self._each("PermissionSetGroup"):
            name = component.key.full_name
            yield self._of(component, DeveloperName=name, MasterLabel=text_of(xml, "label") or name, Status="Updated")

    def _record_types(self) -> Iterator[Row]:
        for component, xml in self._each("RecordType"):
            owner, _, name = component.key.full_name.partition(".")
            yield self._of(
                component,
                Name=text_of(xml, "label") or name,
                DeveloperName=name,
                FullName=component.key.full_name,
                SobjectType=owner,
                IsActive=text_of(xml, "active") != "false",
                Description=text_of(xml, "description") or None,
            )

    def _groups(self) -> Iterator[Row]:
        for type_name, kind in (("Group", "Regular"), ("Queue", "Queue")):
            for component, xml in self._each(type_name):
                name = component.key.full_name
                yield self._of(component, Name=text_of(xml, "name") or name, DeveloperName=name, Type=kind)

    def _roles(self) -> Iterator[Row]:
        for component, xml in self._each("Role"):
            name = component.key.full_name
            yield self._of(component, Name=text_of(xml, "name") or name, DeveloperName=name)

    def _code(self, type_name: str, body_field: str) -> Iterator[Row]:
        for component in self.components.of_type(type_name):
            meta = next((path for path in component.files if path.endswith("-meta.xml")), None)
            xml = etree.fromstring(self.components.content(component, meta)) if meta else None
            source = next((path for path in component.files if not path.endswith("-meta.xml")), None)
            body = self.components.content(component, source).decode("utf-8", "replace") if source else ""
            version = text_of(xml, "apiVersion") if xml is not None else ""
            yield self._of(
                component,
                Name=component.key.full_name,
                MasterLabel=(text_of(xml, "label") if xml is not None else "") or component.key.full_name,
                ApiVersion=float(version) if version else None,
                Status=(text_of(xml, "status") if xml is not None else "") or "Active",
                IsValid=True,
                ManageableState="unmanaged",
                LengthWithoutComments=len(body),
                **{body_field: body},
            )

    def _static_resources(self) -> Iterator[Row]:
        for component in self.components.of_type("StaticResource"):
            meta = next((path for path in component.files if path.endswith("-meta.xml")), None)
            xml = etree.fromstring(self.components.content(component, meta)) if meta else None
            kind = text_of(xml, "contentType") if xml is not None else None
            yield self._of(component, Name=component.key.full_name, ContentType=kind)

    def _flows(self) -> Iterator[Row]:
        for component, xml in self._each("Flow"):
            version = text_of(xml, "apiVersion")
            yield self._of(
                component,
                DefinitionId=self.id_of("FlowDefinition", component.key.full_name),
                MasterLabel=text_of(xml, "label") or component.key.full_name,
                VersionNumber=1,
                Status=text_of(xml, "status") or "Draft",
                ProcessType=text_of(xml, "processType") or None,
                ApiVersion=float(version) if version else None,
                Description=text_of(xml, "description") or None,
                ManageableState="unmanaged",
            )

    def _flow_definitions(self) -> Iterator[Row]:
        for component, xml in self._each("Flow"):
            name, active = component.key.full_name, text_of(xml, "status") == "Active"
            yield self._row(
                self.id_of("FlowDefinition", name),
                DeveloperName=name,
                MasterLabel=text_of(xml, "label") or name,
                NamespacePrefix=None,
                ActiveVersionId=component.id if active else None,
                LatestVersionId=component.id,
                ManageableState="unmanaged",
                Metadata={"activeVersionNumber": 1 if active else None},
            )

    def _entities(self) -> Iterator[Row]:
        for obj in self.schema.objects.values():
            yield self._row(
                "000000000000000AAA",
                DurableId=_durable(obj),
                QualifiedApiName=obj.name,
                DeveloperName=obj.name.rpartition("__")[0] or obj.name,
                NamespacePrefix=None,
                Label=obj.label,
                MasterLabel=obj.label,
                PluralLabel=obj.label_plural,
                KeyPrefix=obj.prefix,
                IsCustomizable=bool(obj.dml),
                IsCustomSetting=False,
                IsQueryable=True,
                IsLayoutable=bool(obj.dml),
                InternalSharingModel=obj.sharing.get("sharingModel", "ReadWrite"),
                ExternalSharingModel=obj.sharing.get("externalSharingModel", "Private"),
            )

    def _fields(self) -> Iterator[Row]:
        for obj in self.schema.objects.values():
            for f in obj.fields.values():
                yield self._row(
                    "000000000000000AAA",
                    DurableId=f"{_durable(obj)}.{f.name}",
                    EntityDefinitionId=_durable(obj),
                    QualifiedApiName=f.name,
                    DeveloperName=f.name.removesuffix("__c"),
                    NamespacePrefix=None,
                    Label=f.label,
                    MasterLabel=f.label,
                    DataType=f.type.capitalize() + (f"({f.length})" if f.length else ""),
                    Length=f.length,
                    IsNillable=not f.required,
                    IsCalculated=f.calculated,
                    RelationshipName=f.relationship or None,
                )

    def _custom_objects(self) -> Iterator[Row]:
        for component, xml in self._each("CustomObject"):
            name = component.key.full_name
            if "__" in name:
                sharing = text_of(xml, "sharingModel") or None
                yield self._of(
                    component,
                    DeveloperName=name.rpartition("__")[0],
                    SharingModel=sharing,
                    ManageableState="unmanaged",
                )

    def _custom_fields(self) -> Iterator[Row]:
        for component in self.components.of_type("CustomField"):
            owner, _, name = component.key.full_name.partition(".")
            if name.endswith("__c"):
                obj = self.schema.objects.get(owner.lower())
                table = _durable(obj) if obj else owner
                yield self._of(component, DeveloperName=name.removesuffix("__c"), TableEnumOrId=table)

    def _validation_rules(self) -> Iterator[Row]:
        for component, xml in self._each("ValidationRule"):
            owner, _, name = component.key.full_name.partition(".")
            yield self._of(
                component,
                ValidationName=name,
                EntityDefinitionId=_durable_of(self.schema, owner),
                Active=text_of(xml, "active") == "true",
                ErrorMessage=text_of(xml, "errorMessage") or None,
                Description=text_of(xml, "description") or None,
            )

    def _layouts(self) -> Iterator[Row]:
        for component in self.components.of_type("Layout"):
            owner, _, name = component.key.full_name.partition("-")
            yield self._of(
                component, Name=name, EntityDefinitionId=_durable_of(self.schema, owner), LayoutType="Standard"
            )

    def _installed_packages(self) -> Iterator[Row]:
        for ident, version in installed(self.components, self.packages):
            yield self._row(ident, SubscriberPackageId=version.package_id, SubscriberPackageVersionId=version.id)

    def _packages(self) -> Iterator[Row]:
        for version in {each.namespace: each for each in self.packages}.values():
            yield self._row(
                version.package_id, Name=version.name, NamespacePrefix=version.namespace, IsPackageValid=True
            )

    def _package_versions(self) -> Iterator[Row]:
        for version in self.packages:
            major, minor, patch = version.numbers
            yield self._row(
                version.id,
                SubscriberPackageId=version.package_id,
                Name=version.name,
                MajorVersion=major,
                MinorVersion=minor,
                PatchVersion=patch,
                BuildNumber=1,
                IsBeta=False,
                IsManaged=True,
                ReleaseState="Released",
                Package2ContainerOptions="Managed",
                InstallValidationStatus="NO_ERRORS_DETECTED",
                IsDeprecated=False,
                IsOrgDependent=False,
                IsPasswordProtected=False,
                IsSecurityReviewed=False,
                CspTrustedSites={"settings": []},
                RemoteSiteSettings={"settings": []},
            )

    def _custom_metadata(self, obj: ObjectType) -> Iterator[Row]:
        """Yield the records of a custom metadata type: components `Type.Record`."""
        for component, xml in self._each("CustomMetadata"):
            owner, _, name = component.key.full_name.partition(".")
            if f"{owner}__mdt".lower() != obj.name.lower():
                continue
            values: Row = {}
            for value in xml.iterchildren("{*}values"):
                own = obj.field(text_of(value, "field"))
                if own is not None:
                    values[own.name] = _typed(own.type, text_of(value, "value"))
            label = text_of(xml, "label") or name
            yield self._of(component, DeveloperName=name, MasterLabel=label, QualifiedApiName=name, **values)


def _rights(profile: str) -> Row:
    """Return what a profile's users may do; of the profiles that come with an org, the administrator's alone may."""
    return {"PermissionsManageUsers": profile == _ADMINISTRATOR, "PermissionsIsSsoEnabled": False}


def _durable(obj: ObjectType) -> str:
    return obj.prefix + ids.derived("01I", obj.name)[3:15] if obj.custom else obj.name


def _durable_of(schema: Schema, name: str) -> str:
    obj = schema.objects.get(name.lower())
    return _durable(obj) if obj else name


def _typed(kind: str, text: str) -> Any:
    if text == "":
        return None
    if kind == "boolean":
        return text == "true"
    return float(text) if kind in ("double", "currency", "percent", "int") else text


_SOURCES: dict[str, Callable[[Catalog], Iterator[Row]]] = {
    "Organization": Catalog._organization,
    "User": Catalog._users,
    "Profile": Catalog._profiles,
    "UserLogin": Catalog._user_logins,
    "LoginHistory": Catalog._login_history,
    "UserLicense": Catalog._licences,
    "PermissionSet": Catalog._permission_sets,
    "PermissionSetGroup": Catalog._permission_set_groups,
    "RecordType": Catalog._record_types,
    "Group": Catalog._groups,
    "UserRole": Catalog._roles,
    "ApexClass": lambda catalog: catalog._code("ApexClass", "Body"),
    "ApexTrigger": lambda catalog: catalog._code("ApexTrigger", "Body"),
    "ApexPage": lambda catalog: catalog._code("ApexPage", "Markup"),
    "StaticResource": Catalog._static_resources,
    "Flow": Catalog._flows,
    "FlowDefinition": Catalog._flow_definitions,
    "EntityDefinition": Catalog._entities,
    "FieldDefinition": Catalog._fields,
    "CustomObject": Catalog._custom_objects,
    "CustomField": Catalog._custom_fields,
    "ValidationRule": Catalog._validation_rules,
    "Layout": Catalog._layouts,
    "InstalledSubscriberPackage": Catalog._installed_packages,
    "SubscriberPackage": Catalog._packages,
    "SubscriberPackageVersion": Catalog._package_versions,
    "DeployRequest": lambda catalog: iter(catalog.deploys()),
}
