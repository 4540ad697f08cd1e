"""The catalogue of the gates, for reading: as text, as data, and as the generated pages docs/gates*.md.

`python -m flows.gates.catalogue` writes the pages anew; a test holds them to the catalogue.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from flows.gates.finding import DISCLAIMER, Rule, checks, families, rules
from kit.problems import Problem, Refused


class Language(StrEnum):
    """A language of the catalogue."""

    EN = "en"
    ZH = "zh"


PAGES = {Language.EN: "gates.md", Language.ZH: "gates.zh-CN.md"}
DOCS = Path(__file__).parents[2] / "docs"

_OWN = "Rule of this kit"
_WORDS = {
    Language.EN: {
        "law": "Law",
        "in_force": "in force since",
        "source": "Source",
        "waiver": "May be waived by",
        "nobody": "nobody",
        "asks": "Asks for",
        "check": "Check",
        "severity": "Severity",
        "what": "Says",
        "fix": "Fix",
        "own": _OWN,
        "none": "no check of its own",
        "title": "The gates",
        "intro": "What is asked of a bundle before it goes to an org. `block` stops a release. `needs-info` means that "
        "a fact is not known, which is never a pass; every rule that asks for facts has it. `warn` is shown. "
        "Words in braces are filled in.",
        "generated": "Generated from flows/gates/rules_*.yml by `python -m flows.gates.catalogue`.",
    },
    Language.ZH: {
        "law": "法律",
        "in_force": "施行日期",
        "source": "来源",
        "waiver": "可由谁豁免",
        "nobody": "不可豁免",
        "asks": "需要的事实",
        "check": "检查",
        "severity": "级别",
        "what": "提示",
        "fix": "处理",
        "own": "本工具的规则",
        "none": "无单独检查",
        "title": "发布关卡",
        "intro": "发布包进入组织前须通过的检查。`block` 阻断发布;`needs-info` 表示事实未知,未知不等于通过,"
        "凡需要事实的规则均可能给出;`warn` 仅提示。花括号中的内容在运行时填入。",
        "generated": "由 `python -m flows.gates.catalogue` 根据 flows/gates/rules_*.yml 生成。",
    },
}


def rule_of(name: str) -> Rule:
    """Return the rule of an id ("R07", or a finding's "R07.claim"). Raises `Refused` with the nearest one."""
    known = rules()
    wanted = re.sub(r"^([A-Z])(\d)$", r"\g<1>0\2", name.partition(".")[0].upper())  # R7 is R07
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, 1)
    fix = f"did you mean {near[0]}?" if near else "sfoa gates list shows all"
    raise Refused(Problem(f"no rule is called {name}", "an id of the catalogue, as R07", fix))


def checks_of(rule: Rule) -> dict[str, dict[str, str]]:
    """Return the checks of a rule by id."""
    return {name: check for name, check in checks().items() if name.startswith(f"{rule.id}.")}


def as_json(rule: Rule) -> dict[str, object]:
    """Return a rule with its checks as plain data."""
    names = ("severity", "what", "what_zh", "fix", "fix_zh")
    return {
        "id": rule.id,
        "family": rule.family,
        "title": rule.title,
        "title_zh": rule.title_zh,
        "law": rule.law,
        "article": rule.article,
        "in_force": rule.in_force.isoformat(),
        "source": rule.source,
        "waiver": rule.waiver,
        "asks": list(rule.asks),
        "checks": [{"id": name, **{key: check[key] for key in names}} for name, check in checks_of(rule).items()],
    }


def listing(languages: Sequence[Language]) -> str:
    """Return the catalogue, one line a rule, by family."""
    lines = []
    for family, document in families().items():
        lines.append(" / ".join(document[_titled(language)] for language in languages))
        mine = [rule for rule in rules().values() if rule.family == family]
        lines += [f"  {rule.id}  {' / '.join(_title(rule, each) for each in languages)}" for rule in mine]
    return "\n".join([*lines, *_disclaimer(languages)])


def explain(rule: Rule, language: Language) -> str:
    """Return all about a rule: where it comes from, what it asks for, and each check with its fix."""
    words = _WORDS[language]
    lines = [f"{rule.id}  {_title(rule, language)}", *(f"  {key}: {text}" for key, text in _basis(rule, language))]
    for name, check in checks_of(rule).items():
        lines += [f"  {check['severity']} {name}", f"      {_text(check, 'what', language)}"]
        lines.append(f"      {words['fix']}: {_text(check, 'fix', language)}")
    return "\n".join([*lines, *_disclaimer([language])])


def page(language: Language) -> str:
    """Return the page docs/gates*.md of a language."""
    words = _WORDS[language]
    (warning,) = _disclaimer([language])
    lines = [f"# {words['title']}", "", f"<!-- {words['generated']} -->", "", f"**{warning}**", "", words["intro"]]
    for family, document in families().items():
        lines += ["", f"## {document[_titled(language)]}"]
        for rule in rules().values():
            if rule.family == family:
                lines += ["", *_section(rule, language)]
    return "\n".join(lines) + "\n"


def write_pages(folder: Path) -> None:
    """Write the pages of both languages into `folder`."""
    for language, name in PAGES.items():
        (folder / name).write_text(page(language), encoding="utf-8")


def _section(rule: Rule, language: Language) -> list[str]:
    words = _WORDS[language]
    lines = [f"### {rule.id} {_title(rule, language)}", ""]
    lines += [f"- {key}: {_cell(text)}" for key, text in _basis(rule, language)]
    found = checks_of(rule)
    if not found:
        return [*lines, "", words["none"]]
    lines += ["", f"| {words['check']} | {words['severity']} | {words['what']} | {words['fix']} |", "|---|---|---|---|"]
    for name, check in found.items():
        says, fix = (_cell(_text(check, key, language)) for key in ("what", "fix"))
        lines.append(f"| {name} | {check['severity']} | {says} | {fix} |")
    return lines


def _basis(rule: Rule, language: Language) -> list[tuple[str, str]]:
    words = _WORDS[language]
    law = words["own"] if rule.law == _OWN else rule.law
    basis = [
        (words["law"], f"{law}, {rule.article} ({words['in_force']} {rule.in_force})"),
        (words["source"], rule.source),
        (words["waiver"], rule.waiver or words["nobody"]),
    ]
    return [*basis, (words["asks"], "; ".join(rule.asks))] if rule.asks else basis


def _disclaimer(languages: Sequence[Language]) -> list[str]:
    texts = dict(zip(Language, DISCLAIMER.splitlines(), strict=True))
    return [texts[language] for language in languages]


def _titled(language: Language) -> str:
    return "title" if language is Language.EN else "zh"


def _title(rule: Rule, language: Language) -> str:
    return rule.title if language is Language.EN else rule.title_zh


def _text(check: dict[str, str], key: str, language: Language) -> str:
    return check[key] if language is Language.EN else check[f"{key}_zh"]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    write_pages(DOCS)
