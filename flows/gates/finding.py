"""What a gate says: a finding, with its rule and the law behind it, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from kit.problems import Place, Problem
from kit.yamlfile import read_yaml

FAMILIES = ("law", "edition", "identity", "safety", "federation")
UNKNOWN_FILE = Path(__file__).with_name("unknown.yml")

DISCLAIMER = (
    "Nothing here is legal advice: the rules are dated readings of public texts. Ask counsel.\n"
    "以上内容不构成法律意见:规则是对公开文本在注明日期的解读,请咨询法律顾问。"
)


class Severity(StrEnum):
    """What a finding means for a release. A fact that nobody stated is `needs-info`, and never a pass."""

    BLOCK = "block"
    NEEDS_INFO = "needs-info"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and where it comes from. `waiver` is the power that may waive it, "" for nobody.

    `asks` names the facts that the rule is judged by and that no machine can see, each with the file that states it.
    """

    id: str
    family: str
    title: str
    title_zh: str
    law: str
    article: str
    in_force: date
    source: str
    waiver: str
    asks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver that holds: who waived, why, and until which day (included)."""

    by: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a gate found. `component` is "Type:FullName", or the register's entry, or the org."""

    id: str
    severity: Severity
    component: str
    place: Place | None
    rule: Rule
    what: str
    what_zh: str
    fix: str
    fix_zh: str
    waived: Waived | None = None

    @property
    def blocks(self) -> bool:
        """Whether this finding stops a release."""
        return self.severity is Severity.BLOCK and self.waived is None

    def as_problem(self) -> Problem:
        """Return the finding as a problem of the kit."""
        basis = f"{self.rule.id}: {self.rule.law}, {self.rule.article} ({self.rule.in_force})"
        return Problem(self.what, basis, self.fix, self.place, self.component, self.what_zh, self.fix_zh)

    def as_json(self) -> dict[str, object]:
        """Return the finding as plain data."""
        rule = self.rule
        return {
            "id": self.id,
            "severity": self.severity.value,
            "component": self.component,
            "file": self.place.file if self.place else "",
            "line": self.place.line if self.place else 0,
            "rule": {
                "id": rule.id,
                "title": rule.title,
                "title_zh": rule.title_zh,
                "law": rule.law,
                "article": rule.article,
                "in_force": rule.in_force.isoformat(),
                "source": rule.source,
            },
            "what": self.what,
            "what_zh": self.what_zh,
            "fix": self.fix,
            "fix_zh": self.fix_zh,
            "waived": None
            if self.waived is None
            else {"by": self.waived.by, "reason": self.waived.reason, "until": self.waived.until.isoformat()},
        }


@cache
def families() -> dict[str, dict[str, Any]]:
    """Return the files of the catalogue by family, in the catalogue's order."""
    return {family: read_yaml(Path(__file__).with_name(f"rules_{family}.yml")).data for family in FAMILIES}


@cache
def rules() -> dict[str, Rule]:
    """Return the catalogue of rules by id, in the catalogue's order."""
    return {
        entry["id"]: Rule(
            id=entry["id"],
            family=family,
            title=entry["title"],
            title_zh=entry["zh"],
            law=entry["law"],
            article=str(entry["article"]),
            in_force=entry["in_force"],
            source=entry["source"],
            waiver=entry.get("waiver", ""),
            asks=tuple(entry.get("asks", ())),
        )
        for family, entry in _entries()
    }


@cache
def checks() -> dict[str, dict[str, str]]:
    """Return each check's texts and severity by id ("R12.expired")."""
    return {f"{entry['id']}.{name}": check for _, entry in _entries() for name, check in entry["checks"].items()}


def finding(check: str, component: object, place: Place | None, **values: object) -> Finding:
    """Return the finding of a check of the catalogue; `values` fill the places of its texts."""
    texts = checks()[check]
    what, what_zh, fix, fix_zh = (texts[name].format(**values) for name in ("what", "what_zh", "fix", "fix_zh"))
    rule = rules()[check.partition(".")[0]]
    return Finding(check, Severity(texts["severity"]), str(component), place, rule, what, what_zh, fix, fix_zh)


def unknown(
    rule: str, component: object, place: Place | None, fact: str, where: str, zh: str = "", where_zh: str = ""
) -> Finding:
    """Return the finding that says: rule `rule` can't be judged, `fact` is not known; it is stated in `where`.

    `zh` and `where_zh` are the same in Chinese, where they are words and not the name of a field, file or option.
    """
    texts = _unknown_texts()
    what, fix = (texts[name].format(fact=fact, where=where) for name in ("what", "fix"))
    chinese = {"fact": zh or fact, "where": where_zh or where}
    what_zh, fix_zh = (texts[name].format(**chinese) for name in ("what_zh", "fix_zh"))
    found = f"{rule}.unknown"
    return Finding(found, Severity.NEEDS_INFO, str(component), place, rules()[rule], what, what_zh, fix, fix_zh)


def _entries() -> list[tuple[str, dict[str, Any]]]:
    return [(family, entry) for family, document in families().items() for entry in document["rules"]]


@cache
def _unknown_texts() -> dict[str, str]:
    texts: dict[str, str] = read_yaml(UNKNOWN_FILE).data
    return texts
