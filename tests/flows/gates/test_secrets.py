"""What makes the patterns of secrets and ids fast changes nothing of what they find."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.gates.safety import Shape, _id_shape, table

ASSIGNED = table()["assigned"]
PATTERN = re.compile(ASSIGNED["pattern"])
SHAPE = Shape(PATTERN, ASSIGNED, tuple(ASSIGNED["words"]))

TWINS = {"s": "ſ", "k": "\N{KELVIN SIGN}", "i": "İı"}
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


STARTS = st.sampled_from(sorted(table()["id_prefixes"]))
RUNS = st.text(st.sampled_from("a0Z1-_é \n."), max_size=18)
# As it would be written without a thought for speed.
PLAIN_ID = re.compile(
    rf"(?<![\w-])((?:{'|'.join(sorted(table()['id_prefixes']))})(?:[A-Za-z0-9]{{12,13}}|[A-Za-z0-9]{{15,16}}))(?![\w-])"
)


@given(st.lists(STARTS | RUNS | st.sampled_from(["000000000001", "00000000000AAA1", "0000001abcAAA"]), max_size=6))
@settings(max_examples=400)
def test_ids_are_found_where_a_pattern_finds_them_that_looks_behind_first(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert [match.span(1) for match in _id_shape().finditer(text)] == [
        match.span(1) for match in PLAIN_ID.finditer(text)
    ]
