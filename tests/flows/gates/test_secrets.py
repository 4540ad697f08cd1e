"""Looking for words before a pattern finds the same as the pattern alone."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.gates.safety import Shape, table

ASSIGNED = table()["assigned"]
PATTERN = re.compile(ASSIGNED["pattern"])
SHAPE = Shape(PATTERN, ASSIGNED, tuple(ASSIGNED["words"]))

# Names as the pattern takes them, in any case, and with letters outside of ASCII that it takes for s, k and i.
NAMES = st.sampled_from(
    [
        "secret",
        "passwd",
        "password",
        "apikey",
        "api_key",
        "accesskey",
        "access_key",
        "authtoken",
        "auth_token",
        "apiKeys",
    ]
).flatmap(
    lambda word: st.tuples(*(st.sampled_from([letter, letter.upper(), *TWINS.get(letter, "")]) for letter in word)).map(
        "".join
    )
)
TWINS = {"s": "ſ", "k": "\N{KELVIN SIGN}", "i": "İı"}
PIECES = st.sampled_from(
    ["=", " = ", "=>", ":", "'", '"', "'a1b2c3d4e5f6g7h8'", '"0123456789abcdef"', "'short1'", "x", "\n", "键"]
)
TEXTS = st.lists(NAMES | PIECES | st.text(max_size=3), max_size=8).map("".join)
LITERALS = st.builds(
    "{}{}{}".format, NAMES, st.sampled_from([" = ", "=>", ":"]), st.sampled_from(["'a1b2c3d4e5f6g7h8'", "''"])
)


@given(TEXTS | LITERALS)
@settings(max_examples=400)
def test_what_the_pattern_fits_is_found_and_nothing_else(text: str) -> None:
    assert SHAPE.fits(text) is bool(PATTERN.search(text))


@given(LITERALS)
@settings(max_examples=50)
def test_such_literals_are_found_in_whatever_case_they_are_written(text: str) -> None:
    assert SHAPE.fits(text) is ("a1b2" in text)
