"""A validation as SARIF: what the gates found, and what the kit or the org refused, in one run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flows.failures import PromotionFailed
from flows.gates.finding import Finding
from flows.gates.report import results
from flows.sarif import Level, Result, Rule, sarif
from kit.problems import Problem, Refused

BY_ORG = Rule(
    "release/refused-by-org",
    "The org refuses a component or a test of the release. / 目标组织拒绝了该版本中的组件或测试。",
    "The org checked the release without deploying it, and nothing in it was changed.",
    Level.ERROR,
)
BY_KIT = Rule(
    "release/refused",
    "The release can't be built, or may not go to the org. / 该版本无法构建,或不得发布到该组织。",
    "The org was not asked.",
    Level.ERROR,
)


def checked(org: str, findings: Sequence[Finding], refused: Refused | None = None) -> dict[str, object]:
    """Return the SARIF log of one validation: `findings` of the gates, and of what was `refused` all that isn't among
    them already."""
    told = {one.as_problem() for one in findings}
    rule = BY_ORG if isinstance(refused, PromotionFailed) else BY_KIT
    rest = (problem for problem in (refused.problems if refused else ()) if problem not in told)
    return sarif([*results(org, findings), *_refused(org, rule, rest)])


def _refused(org: str, rule: Rule, problems: Iterable[Problem]) -> list[Result]:
    return [Result(rule, _message(problem), f"{org}/{problem.what}", problem.place) for problem in problems]


def _message(problem: Problem) -> str:
    return "\n".join(filter(None, (problem.what, problem.what_zh, problem.rule, problem.fix, problem.fix_zh)))
