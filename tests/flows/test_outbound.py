from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.outbound import is_citizen_id, is_record_id, scan

FILE = "metadata/china/main/default/x/X.x-meta.xml"
RECORD = "metadata/china/main/default/customMetadata/Level.High.md-meta.xml"
# Made up: 11010119900307 is a place and a date of birth, 001 a counter; the last character is computed.
CITIZEN = "110101199003070011"


def kinds(text: str, file: str = FILE, before: str = "") -> list[str]:
    return [finding.kind for finding in scan(file, text.encode(), before.encode())]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<description>ask wei.zhang@acme.cn</description>", "mail address"),
        ("<runningUser>wei.zhang@acme.cn</runningUser>", "user name"),
        ("<value>0015g00000XyZabAAF</value>", "record id"),
        ("<value>0015g00000XyZabAAA</value>", ""),
        ("<url>/0015g00000XyZab</url>", "record id"),
        ("call 13812345678 please", "telephone number"),
        ("call +86 138 1234 5678", "telephone number"),
        ("call 021-61234567", "telephone number"),
        ("Unique_Name_2024", ""),
        ("<apiVersion>62.0</apiVersion><fullName>Site_Visit__c</fullName>", ""),
        ("20240101120000 and 12345678901", ""),
        ("<masterLabel>ServiceEntitles</masterLabel>", ""),
    ],
)
def test_data_is_told_from_names(text: str, kind: str) -> None:
    assert kinds(text) == ([kind] if kind else [])


def test_a_citizen_identification_number_counts_only_with_its_check_character() -> None:
    number = next(f"{CITIZEN[:17]}{last}" for last in "0123456789X" if is_citizen_id(f"{CITIZEN[:17]}{last}"))
    assert kinds(f"<description>{number}</description>") == ["citizen identification number"]
    wrong = number[:17] + ("1" if number[17] != "1" else "2")
    assert kinds(f"<description>{wrong}</description>") == []
    assert not is_citizen_id("110101199013070011")


@given(st.text("ABCabc0123456789", min_size=15, max_size=15))
def test_an_id_of_18_characters_needs_the_right_suffix(ident: str) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    bits = "".join("1" if each.isupper() else "0" for each in ident)
    suffix = "".join(alphabet[int(bits[start : start + 5][::-1], 2)] for start in (0, 5, 10))
    enough = sum(each.isdigit() for each in ident) >= 4
    assert is_record_id(ident + suffix) is enough
    assert not is_record_id(ident + ("AAA" if suffix != "AAA" else "BBB"))


def test_a_known_id_of_salesforce_s_documentation_has_its_suffix() -> None:
    assert is_record_id("001A0000006Vm9uIAC") is True


def test_values_of_custom_metadata_are_reference_data() -> None:
    text = '<values><field>H__c</field><value xsi:type="xsd:double">4</value></values>'
    assert kinds(text, RECORD) == ["reference data"]
    assert kinds(text) == []


def test_what_is_at_home_already_does_not_leave_anew() -> None:
    before = "<a>old@acme.cn</a>"
    assert kinds("<a>old@acme.cn</a><b>x</b>", before=before) == []
    [finding] = scan(FILE, b"<a>old@acme.cn</a>\n<b>new@acme.cn</b>", before.encode())
    assert finding.place.line == 2


def test_a_finding_does_not_give_away_what_it_found() -> None:
    [finding] = scan(FILE, b"<a>wei.zhang@acme.cn</a>")
    assert "zhang" not in str(finding)
    assert finding.hint.startswith("w")


def test_content_that_is_no_text_is_a_finding_unless_it_is_the_same() -> None:
    assert [each.kind for each in scan("a.png", b"\xff\xfe\x00")] == ["content that is no text"]
    assert scan("a.png", b"\xff\xfe\x00", b"\xff\xfe\x00") == []
