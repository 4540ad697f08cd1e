"""Which Apex classes and triggers name which: what needs which in a deployment, and which tests a change concerns.

Read from the text, not from a compiler: a class is used where its name stands in the code. So what is found may be too
much (a variable of that name), and is too little only where a name is put together at run time (`Type.forName`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from flows.components import Component, ComponentKey

APEX = frozenset({"ApexClass", "ApexTrigger"})

# Comments and string literals of Apex: an annotation inside one is none.
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_NO_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])*'", re.DOTALL)
# A test method stands inside the class: an annotation on the class alone makes a helper, which the org can't run.
# Two searches, since one pattern over both would try every class of a file that has no tests.
_CLASS = re.compile(r"\bclass\s+\w+", re.IGNORECASE)
_TEST_METHOD = re.compile(r"@istest\b|\btestmethod\b", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]\w*")


def code_of(component: Component) -> str:
    """Return the code of an Apex class or trigger without comments and strings; "" of anything else."""
    return _NO_CODE.sub(" ", _text(component))


def test_methods(component: Component) -> int:
    """Return how many test methods a class has; 0 for what is no test class."""
    if component.key.type != "ApexClass":
        return 0
    text = _text(component)
    if not _mentions_tests(text):
        return 0
    code = _NO_CODE.sub(" ", text)
    opened = _CLASS.search(code)
    return len(_TEST_METHOD.findall(code, opened.end())) if opened else 0


def _mentions_tests(text: str) -> bool:
    # Most classes are no tests, and two searches for words are ten times as fast as one that doesn't tell cases apart.
    folded = text.lower()
    return "istest" in folded or "testmethod" in folded


def is_test(component: Component) -> bool:
    """Return whether it is a class with a test method."""
    return test_methods(component) > 0


def words_of(component: Component, *, strings: bool = False) -> frozenset[str]:
    """Return the names in the code of a class or trigger, in lower case: Apex doesn't tell cases apart. With `strings`
    those in string literals too: queries and flows are called by such."""
    code = _COMMENT.sub(" ", _text(component)) if strings else code_of(component)
    return frozenset(word.lower() for word in _WORD.findall(code))


def uses(components: Iterable[Component]) -> dict[ComponentKey, frozenset[ComponentKey]]:
    """Return which of the classes each class or trigger names, itself left out."""
    apex = [each for each in components if each.key.type in APEX]
    classes: Mapping[str, ComponentKey] = {e.key.full_name.lower(): e.key for e in apex if e.key.type == "ApexClass"}
    return {
        each.key: frozenset(classes[word] for word in words_of(each) & classes.keys()) - {each.key} for each in apex
    }


def _text(component: Component) -> str:
    if component.key.type not in APEX:
        return ""
    code = (file.data.decode(errors="replace") for file in component.files if not file.path.endswith("-meta.xml"))
    return "\n".join(code)
