"""What a gate asks for, it asks for in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import flows.gates
from flows.gates.finding import unknown

GATES = Path(flows.gates.__file__).parent
FACT, ZH = 3, 5  # positions among the arguments of `unknown`


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield each place where a gate says that it doesn't know a fact."""
    for file in sorted(GATES.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "unknown":
                yield f"{file.stem}:{node.lineno}", node


def is_field(where: str, fact: ast.expr) -> bool:
    """Return whether a fact is named by the key that states it, `impact_assessed_on`: that is no word to translate."""
    first = fact.values[0] if isinstance(fact, ast.JoinedStr) else fact
    if isinstance(first, ast.Constant):
        return re.fullmatch(r"[a-z_.]+( \()?", str(first.value)) is not None
    return where.startswith("crossborder")  # whose table names fields only


def test_a_fact_that_is_told_in_words_is_told_in_chinese_too() -> None:
    found = list(calls())
    assert len(found) > 30
    assert [where for where, call in found if len(call.args) <= ZH and not is_field(where, call.args[FACT])] == []


def test_the_chinese_text_holds_no_english_words() -> None:
    found = unknown(
        "K10", "org:x", None, "the highest API version", "--facts (a), or a plan", "最高 API 版本", "--facts (a) 或计划"
    )
    assert (found.what_zh, found.fix_zh) == ("无法判断:尚不清楚 最高 API 版本", "请在 --facts (a) 或计划 中说明")
    assert found.what == "not judged: the highest API version is not known"
