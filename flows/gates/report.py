"""Findings as text for people, and as JUnit and SARIF for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from flows.gates.finding import DISCLAIMER, Finding, Severity
from flows.sarif import Level, Result, Rule, sarif

_LEVELS = {Severity.BLOCK: Level.ERROR, Severity.NEEDS_INFO: Level.WARNING, Severity.WARN: Level.NOTE}


def counts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings block, need facts, warn, and are waived."""
    number = Counter("waived" if one.waived else one.severity.value for one in findings)
    return {name: number[name] for name in (*(severity.value for severity in Severity), "waived")}


def text(org: str, findings: Sequence[Finding]) -> str:
    """Return the findings in English and Chinese, the gravest first, and what they are not: legal advice."""
    lines = [line for one in findings for line in _lines(one)]
    number = counts(findings)
    verdict = "blocked 阻断" if number["block"] else "no block 未阻断"
    sums = ", ".join(f"{name}: {value}" for name, value in number.items())
    return "\n".join([*lines, f"{org}: {verdict} ({sums})", DISCLAIMER])


def junit(org: str, findings: Sequence[Finding]) -> str:
    """Return a JUnit document: what blocks fails, what needs facts or is waived is skipped, a warning passes."""
    root = ElementTree.Element("testsuites", name=f"gate {org}")
    suite = ElementTree.SubElement(root, "testsuite", name=f"{org} gates")
    for one in findings:
        case = ElementTree.SubElement(suite, "testcase", classname=one.id, name=f"{one.component}: {one.what}")
        if one.place:
            case.set("file", one.place.file)
            case.set("line", str(one.place.line))
        body = "\n".join(_lines(one))
        if one.blocks:
            ElementTree.SubElement(case, "failure", message=one.what).text = body
        elif one.severity is Severity.WARN:
            ElementTree.SubElement(case, "system-out").text = body
        else:
            ElementTree.SubElement(case, "skipped", message=one.what).text = body
    if not findings:
        ElementTree.SubElement(suite, "testcase", classname="gates", name="no finding")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ElementTree.SubElement(suite, "system-out").text = DISCLAIMER
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def as_sarif(org: str, findings: Sequence[Finding]) -> dict[str, object]:
    """Return a SARIF log: an error blocks, a warning needs facts; a waived finding is a note under its own rule."""
    return sarif(results(org, findings))


def results(org: str, findings: Sequence[Finding]) -> list[Result]:
    """Return the findings as results of a SARIF log, see `as_sarif`."""
    known: dict[str, Rule] = {}
    found = []
    for one in findings:
        name = f"{one.id}.waived" if one.waived else one.id
        level = Level.NOTE if one.waived else _LEVELS[one.severity]
        basis = f"{one.rule.title} / {one.rule.title_zh}"
        rule = known.setdefault(name, Rule(name, basis, f"{one.rule.law}, {one.rule.article}\n{DISCLAIMER}", level))
        message = f"{one.component}: {one.what}\n{one.what_zh}\n{one.fix}\n{one.fix_zh}"
        found.append(Result(rule, message, f"{org}/{one.component}", one.place))
    return found


def _lines(one: Finding) -> list[str]:
    where = f"{one.place}: " if one.place else ""
    lines = [
        f"{one.severity.value} {one.id} {where}{one.component}",
        f"    {one.what}",
        f"    {one.what_zh}",
        f"    rule 规则: {one.rule.law}, {one.rule.article} ({one.rule.in_force})",
        f"    fix: {one.fix}",
        f"    处理: {one.fix_zh}",
    ]
    if one.waived:
        lines.append(f"    waived 已豁免: {one.waived.by}, until {one.waived.until}: {one.waived.reason}")
    return lines
