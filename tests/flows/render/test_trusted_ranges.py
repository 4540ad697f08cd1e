"""What becomes of an org's trusted ranges: ours come and go, everybody else's stay."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.render.elements import whole
from flows.render.network import MARK, PATH, IpRange, as_elements, diff_lines, merge, ranges_of, wanted
from infra.outputs import parse_outputs
from kit.problems import Place
from orgs.access import OrgAccess
from tests.landed import OUTPUTS

HAND = IpRange("198.51.100.7", "198.51.100.7", "VPN of the auditors")
OFFICE = {"name": "Shanghai office", "start": "203.0.113.0", "end": "203.0.113.31"}

addresses = st.integers(0, 40).map(lambda number: str(IPv4Address(0x0A000000 + number)))


@st.composite
def ranges(draw: st.DrawFn, descriptions: st.SearchStrategy[str]) -> tuple[IpRange, ...]:
    """Ranges of different bounds, as an org holds them."""
    pairs = draw(st.lists(st.tuples(addresses, addresses), max_size=8, unique=True))
    bounds = (sorted(pair, key=IPv4Address) for pair in dict.fromkeys(pairs))
    return tuple(IpRange(start, end, draw(descriptions)) for start, end in bounds)


foreign = st.sampled_from(["", "VPN", "by hand", "sfoa-kit"])
ours = st.sampled_from([f"{MARK}egress of stack local", f"{MARK}Shanghai office"])


def unique(found: tuple[IpRange, ...]) -> tuple[IpRange, ...]:
    return tuple({each.bounds: each for each in found}.values())


@given(ranges(ours).map(unique), ranges(ours | foreign).map(unique))
def test_everything_that_is_not_ours_stays_as_it_is(want: tuple[IpRange, ...], held: tuple[IpRange, ...]) -> None:
    merged = merge(want, held)
    assert {each for each in held if not each.ours} <= set(merged.ranges)


@given(ranges(ours).map(unique), ranges(ours | foreign).map(unique))
def test_the_org_trusts_all_that_is_wanted_and_nothing_that_was_ours_before(
    want: tuple[IpRange, ...], held: tuple[IpRange, ...]
) -> None:
    merged = merge(want, held)
    bounds = [each.bounds for each in merged.ranges]
    assert {each.bounds for each in want} <= set(bounds)
    assert len(bounds) == len(set(bounds))
    assert {each for each in merged.ranges if each.ours} <= set(want)
    before, after = {each.bounds for each in held}, set(bounds)
    assert {each.bounds for each in merged.added} == after - before
    assert {each.bounds for each in merged.removed} == before - after


@given(ranges(ours).map(unique), ranges(ours | foreign).map(unique))
def test_a_second_merge_changes_nothing(want: tuple[IpRange, ...], held: tuple[IpRange, ...]) -> None:
    once = merge(want, held)
    again = merge(want, once.ranges)
    assert again.ranges == once.ranges
    assert (again.added, again.removed) == ((), ())


@given(ranges(ours | foreign).map(unique))
def test_ranges_come_back_from_metadata_as_they_were_written(held: tuple[IpRange, ...]) -> None:
    written = whole("Settings", "Security", PATH, as_elements(held), Place("outputs"))
    assert ranges_of(written) == held


def test_the_egress_addresses_and_the_offices_are_marked_as_ours() -> None:
    outputs = parse_outputs({**OUTPUTS, "network_egress_ips": ["47.100.0.2", "47.100.0.1"]}, "outputs")
    access = OrgAccess.model_validate({"office_ranges": [OFFICE]})
    found = wanted(outputs, access)
    assert [each.start for each in found] == ["47.100.0.1", "47.100.0.2", "203.0.113.0"]
    assert all(each.ours for each in found)


def test_an_address_that_left_the_landing_zone_goes_and_the_diff_says_so() -> None:
    outputs = parse_outputs({**OUTPUTS, "network_egress_ips": ["47.100.0.1"]}, "outputs")
    gone = IpRange("47.100.0.9", "47.100.0.9", f"{MARK}egress of stack local")
    merged = merge(wanted(outputs, OrgAccess.model_validate({})), [HAND, gone])
    assert diff_lines(merged) == [
        f"+ 47.100.0.1 {MARK}egress of stack local",
        f"- 47.100.0.9 {MARK}egress of stack local",
        "= 198.51.100.7 VPN of the auditors",
    ]
    assert diff_lines(merge(merged.ranges[:0], [HAND])) == []


@pytest.mark.parametrize(("address", "inside"), [("203.0.113.31", True), ("203.0.113.32", False), ("::1", False)])
def test_a_range_holds_its_first_and_its_last_address(address: str, inside: bool) -> None:
    assert IpRange("203.0.113.0", "203.0.113.31").holds(address) is inside
