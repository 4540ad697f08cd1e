"""A hand-made SFDX project with at least one component of each kind of type, as a mapping of path to content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
PROJECT = json.dumps({"packageDirectories": [{"path": "app", "default": True}], "sourceApiVersion": "64.0"})


def xml(root: str, **values: str) -> str:
    """Return a metadata file: `root` with one element for each value."""
    inner = "".join(f"    <{name}>{value}</{name}>\n" for name, value in values.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">\n{inner}</{root}>\n'


def container(root: str, *elements: str) -> str:
    """Return a metadata file whose root holds the elements given as XML text."""
    inner = "".join(f"    {element}\n" for element in elements)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">\n{inner}</{root}>\n'


def write(root: Path, files: Mapping[str, str | bytes], *, project: str = PROJECT) -> Path:
    """Write the files below `root`, with an sfdx-project.json, and return `root`."""
    for name, content in {"sfdx-project.json": project, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def _single(folder: str, name: str, suffix: str, root: str, **values: str) -> dict[str, str | bytes]:
    return {f"app/{folder}/{name}.{suffix}-meta.xml": xml(root, **(values or {"label": name}))}


def _object() -> dict[str, str | bytes]:
    base = "app/objects/Ticket__c"
    files: dict[str, str | bytes] = {
        f"{base}/Ticket__c.object-meta.xml": xml("CustomObject", label="Ticket", pluralLabel="Tickets"),
        "app/objects/Account/fields/Tier__c.field-meta.xml": xml("CustomField", fullName="Tier__c", type="Text"),
    }
    children = {
        "fields/Status__c.field": ("CustomField", "Status__c"),
        "fields/Board__c.field": ("CustomField", "Board__c"),
        "recordTypes/Complaint.recordType": ("RecordType", "Complaint"),
        "validationRules/Needs_Status.validationRule": ("ValidationRule", "Needs_Status"),
        "listViews/All.listView": ("ListView", "All"),
        "webLinks/Open.webLink": ("WebLink", "Open"),
        "fieldSets/Short.fieldSet": ("FieldSet", "Short"),
        "compactLayouts/Brief.compactLayout": ("CompactLayout", "Brief"),
        "businessProcesses/Fast.businessProcess": ("BusinessProcess", "Fast"),
        "indexes/ByStatus.index": ("Index", "ByStatus"),
        "sharingReasons/Team__c.sharingReason": ("SharingReason", "Team__c"),
    }
    for path, (root, name) in children.items():
        files[f"{base}/{path}-meta.xml"] = xml(root, fullName=name, label=f"{name} label")
    return files


def _bundles() -> dict[str, str | bytes]:
    site, pages = "app/digitalExperiences/site/shop", "app/uiBundles/pages"
    return {
        f"{site}/shop.digitalExperience-meta.xml": xml("DigitalExperienceBundle", label="shop"),
        f"{site}/sfdc_cms__view/home/_meta.json": "{}",
        f"{site}/sfdc_cms__view/home/content.json": "{}",
        f"{site}/sfdc_cms__view/home/zh_CN.json": "{}",
        f"{site}/sfdc_cms__view/home/mobile/mobile.json": "{}",
        f"{site}/sfdc_cms__lwc/comp/_meta.json": "{}",
        f"{site}/sfdc_cms__lwc/comp/comp.js-meta.xml": xml("LightningComponentBundle", apiVersion="64.0"),
        f"{site}/sfdc_cms__lwc/comp/classes/inner/help.cls": "help",
        "app/digitalExperiences/workspace/news/sfdc_cms__news/one/_meta.json": "{}",
        "app/digitalExperiences/workspace/news/sfdc_cms__news/one/content.json": "{}",
        f"{pages}/pages.uibundle-meta.xml": xml("UIBundle", label="pages"),
        f"{pages}/ui-bundle.json": '{"outputDir": "dist", "routing": {"fallback": "/index.html"}}',
        f"{pages}/dist/index.html": "<html></html>",
        f"{pages}/src/classes/A.cls": "A",
        "app/waveTemplates/sales/template-info.json": "{}",
        "app/waveTemplates/sales/dashboards/board.json": "{}",
    }


def every_type() -> dict[str, str | bytes]:
    """Return files of the project's package directory `app`."""
    files = _object() | _bundles()
    for folder, suffix, root in (
        ("classes", "cls", "ApexClass"),
        ("triggers", "trigger", "ApexTrigger"),
        ("pages", "page", "ApexPage"),
        ("components", "component", "ApexComponent"),
    ):
        files[f"app/{folder}/Sample.{suffix}"] = f"// {root}\n"
        files[f"app/{folder}/Sample.{suffix}-meta.xml"] = xml(root, apiVersion="64.0")
    files |= {
        "app/lwc/board/board.js": "export default 1;\n",
        "app/lwc/board/board.html": "<template></template>\n",
        "app/lwc/board/board.js-meta.xml": xml("LightningComponentBundle", apiVersion="64.0"),
        "app/lwc/board/__tests__/board.test.js": "test\n",
        "app/lwc/board/parts/row.html": "<template></template>\n",
        "app/lwc/jsconfig.json": "{}\n",
        "app/lwc/.eslintrc.json": "{}\n",
        "app/aura/panel/panel.cmp": "<aura:component/>\n",
        "app/aura/panel/panelController.js": "({})\n",
        "app/aura/panel/panel.cmp-meta.xml": xml("AuraDefinitionBundle", apiVersion="64.0"),
        "app/README.md": "not metadata\n",
        "app/staticresources/script.js": "var a;\n",
        "app/staticresources/script.resource-meta.xml": xml("StaticResource", contentType="text/javascript"),
        "app/staticresources/kit.resource-meta.xml": xml("StaticResource", contentType="application/zip"),
        "app/staticresources/kit/b.css": "b{}\n",
        "app/staticresources/kit/img/a.png": b"\x89PNG\r\n\x00",
        "app/staticresources/kit/classes/Sample.cls": "in a zip\n",
        "app/labels/CustomLabels.labels-meta.xml": container(
            "CustomLabels",
            "<labels>\n        <fullName>Hello</fullName>\n        <value>Hello &amp; welcome</value>\n    </labels>",
            "<labels><fullName>Bye</fullName><value>再见</value></labels>",
        ),
        "app/workflows/Ticket__c.workflow-meta.xml": container(
            "Workflow",
            "<alerts><fullName>Mail</fullName><template>a/b</template></alerts>",
            "<rules><fullName>Escalate</fullName><active>true</active></rules>",
            "<tasks><fullName>Call</fullName></tasks>",
        ),
        "app/sharingRules/Ticket__c.sharingRules-meta.xml": container(
            "SharingRules",
            "<sharingCriteriaRules><fullName>Open</fullName></sharingCriteriaRules>",
            "<sharingOwnerRules><fullName>Team</fullName></sharingOwnerRules>",
        ),
        "app/objectTranslations/Ticket__c-zh_CN/Ticket__c-zh_CN.objectTranslation-meta.xml": xml(
            "CustomObjectTranslation", nameFieldLabel="工单"
        ),
        "app/objectTranslations/Ticket__c-zh_CN/Status__c.fieldTranslation-meta.xml": xml(
            "CustomFieldTranslation", name="Status__c", label="状态"
        ),
        "app/reports/Sales.reportFolder-meta.xml": xml("ReportFolder", name="Sales"),
        "app/reports/Sales/Pipeline.report-meta.xml": xml("Report", name="Pipeline"),
        "app/reports/Sales/East.reportFolder-meta.xml": xml("ReportFolder", name="East"),
        "app/reports/Sales/East/Deals.report-meta.xml": xml("Report", name="Deals"),
        "app/dashboards/Ops.dashboardFolder-meta.xml": xml("DashboardFolder", name="Ops"),
        "app/dashboards/Ops/Daily.dashboard-meta.xml": xml("Dashboard", title="Daily"),
        "app/email/Letters.emailFolder-meta.xml": xml("EmailFolder", name="Letters"),
        "app/email/Letters/Welcome.email": "Hello\n",
        "app/email/Letters/Welcome.email-meta.xml": xml("EmailTemplate", name="Welcome"),
        "app/documents/Art.documentFolder-meta.xml": xml("DocumentFolder", name="Art"),
        "app/documents/Art/logo.png": b"\x89PNG",
        "app/documents/Art/logo.document-meta.xml": xml("Document", name="logo"),
        "app/customMetadata/Region.East.md-meta.xml": xml("CustomMetadata", label="East"),
        "app/layouts/Ticket__c-Ticket Layout %28A%29.layout-meta.xml": xml("Layout", showEmailCheckbox="false"),
        "app/territory2Models/Asia/Asia.territory2Model-meta.xml": xml("Territory2Model", name="Asia"),
        "app/territory2Models/Asia/territories/CN.territory2-meta.xml": xml("Territory2", name="CN"),
        "app/territory2Models/Asia/rules/R1.territory2Rule-meta.xml": xml("Territory2Rule", name="R1"),
        "app/experiences/shop.site-meta.xml": xml("ExperienceBundle", label="shop"),
        "app/experiences/shop/config/shop.json": "{}\n",
        "app/sites/shop.site-meta.xml": xml("CustomSite", masterLabel="shop"),
        "app/bots/Helper/Helper.bot-meta.xml": xml("Bot", label="Helper"),
        "app/bots/Helper/v1.botVersion-meta.xml": xml("BotVersion", fullName="v1"),
    }
    for folder, element, name in (
        ("assignmentRules", "assignmentRule", "AssignmentRules"),
        ("autoResponseRules", "autoResponseRule", "AutoResponseRules"),
        ("escalationRules", "escalationRule", "EscalationRules"),
    ):
        rule = f"<{element}><fullName>Standard</fullName><active>true</active></{element}>"
        files[f"app/{folder}/Case.{folder}-meta.xml"] = container(name, rule)
    files["app/matchingRules/Account.matchingRule-meta.xml"] = container(
        "MatchingRules", "<matchingRules><fullName>Exact</fullName></matchingRules>"
    )
    for folder, name, suffix, root in (
        ("flows", "Route", "flow", "Flow"),
        ("flowDefinitions", "Route", "flowDefinition", "FlowDefinition"),
        ("permissionsets", "Agent", "permissionset", "PermissionSet"),
        ("permissionsetgroups", "Agents", "permissionsetgroup", "PermissionSetGroup"),
        ("profiles", "Admin", "profile", "Profile"),
        ("tabs", "Ticket__c", "tab", "CustomTab"),
        ("applications", "Service", "app", "CustomApplication"),
        ("flexipages", "Home", "flexipage", "FlexiPage"),
        ("translations", "zh_CN", "translation", "Translations"),
        ("globalValueSets", "Tiers", "globalValueSet", "GlobalValueSet"),
        ("standardValueSets", "CaseStatus", "standardValueSet", "StandardValueSet"),
        ("queues", "Tier1", "queue", "Queue"),
        ("groups", "Leads", "group", "Group"),
        ("roles", "Manager", "role", "Role"),
        ("remoteSiteSettings", "Hub", "remoteSite", "RemoteSiteSetting"),
        ("cspTrustedSites", "Cdn", "cspTrustedSite", "CspTrustedSite"),
        ("corsWhitelistOrigins", "Web", "corsWhitelistOrigin", "CorsWhitelistOrigin"),
        ("namedCredentials", "Erp", "namedCredential", "NamedCredential"),
        ("externalCredentials", "Erp", "externalCredential", "ExternalCredential"),
        ("samlssoconfigs", "Idaas", "samlssoconfig", "SamlSsoConfig"),
        ("settings", "Case", "settings", "CaseSettings"),
        ("quickActions", "Ticket__c.Close", "quickAction", "QuickAction"),
        ("customPermissions", "Override", "customPermission", "CustomPermission"),
        ("reportTypes", "Tickets", "reportType", "ReportType"),
        ("pathAssistants", "Ticket", "pathAssistant", "PathAssistant"),
        ("duplicateRules", "Account.Same", "duplicateRule", "DuplicateRule"),
        ("platformEventChannels", "Chan__chn", "platformEventChannel", "PlatformEventChannel"),
        ("messageChannels", "Board", "messageChannel", "LightningMessageChannel"),
        ("networks", "shop", "network", "Network"),
        ("audience", "All", "audience", "Audience"),
    ):
        files |= _single(folder, name, suffix, root)
    return files
