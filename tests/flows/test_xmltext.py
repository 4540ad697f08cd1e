"""A document that is only checked says the same of itself as one of which a tree was made."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows import xmltext
from flows.xmltext import NAMESPACE, Document, MalformedXmlError

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
PIECES = st.sampled_from(
    [
        "<fullName>A__c</fullName>", "<fullName> </fullName>", "<fullName> A </fullName>", "<fullName/>",
        "<fullName>A&amp;B</fullName>", "<fullName>A<!-- b -->C</fullName>", "<fullName><![CDATA[A]]></fullName>",
        "<label>中文 é</label>", "<fields>", "</fields>", "<a:b>1</a:b>", '<b xsi:nil="true"/>', '<b a="1" a="2"/>',
        "<!-- fullName -->", "<!-- -- -->", "<?php 1 ?>", "<?xml 1 ?>", "&gt;", "&none;", "&#0;", "]]>", "<", ">", "&",
        "\n", "\r\n", "    ", "\t", "\x0b", "text", "\ufffe", "<x xmlns='urn:y'>z</x>", "<x xmlns:xml='y'/>",
        "<a><b>1</b></a>", "<a>\n<b>1</b> <b/></a>", "<a><b>1</b>x</a>", "<a><b>1</a></b>", "<a><b><c>1</c></b></a>",
        "<a></a>", "</CustomField>", "<!DOCTYPE a>", "</CustomField >", "<1/>", "<é/>", "<x.y-z>1</x.y-z>",
    ]
)  # fmt: skip
STARTS = st.sampled_from(
    [
        '<?xml version="1.0" encoding="UTF-8"?>\n', '<?xml version="1.0" encoding="utf-8"?>', "", "\ufeff", "\n",
        '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-8"?><!-- a -->', '<?xml version="1.1"?>',
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n', '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE a>',
    ]
)  # fmt: skip
ROOTS = st.sampled_from(
    [
        f'<CustomField xmlns="{NAMESPACE}">', f'<CustomField xmlns="{NAMESPACE}" {XSI}>', "<CustomField>",
        f'<CustomField xmlns="{NAMESPACE}"/>', f'<m:CustomField xmlns:m="{NAMESPACE}">',
        '<CustomField xmlns="urn:other">', f'<CustomField\n  xmlns="{NAMESPACE}">',
    ]
)  # fmt: skip
ENDS = st.sampled_from(
    ["</CustomField>", "</CustomField>\n", "</CustomField><!-- </CustomField> -->", "</CustomField>x", ""]
)
TEXTS = st.builds(
    lambda start, root, pieces, end: (start + root + "".join(pieces) + end).encode(errors="surrogatepass"),
    STARTS,
    ROOTS,
    st.lists(PIECES, max_size=5),
    ENDS,
)


def told(data: bytes, read: object) -> object:
    """Return all that a document says of itself, or why it is refused."""
    assert callable(read)
    try:
        document = read(data)
    except MalformedXmlError as error:
        return str(error), error.line
    assert isinstance(document, Document)
    texts = [document.child_text(name) for name in ("fullName", "label", "b")]
    element = document.as_element("fields")
    about = document.name, document.line, document.declares_namespace, document.data, element
    return (*about, *texts, xmltext.canonical(document.root))


@given(TEXTS)
@example(f'<?xml version="1.0" encoding="UTF-8"?>\n<A xmlns="{NAMESPACE}">\n<a/></A>'.encode())
def test_a_checked_document_says_what_a_parsed_one_says(data: bytes) -> None:
    assert told(data, xmltext.checked) == told(data, xmltext.parse)


@given(TEXTS, st.binary(min_size=1, max_size=2), st.integers(0, 200))
def test_so_does_one_with_any_bytes_in_it(data: bytes, more: bytes, at: int) -> None:
    data = data[:at] + more + data[at:]
    assert told(data, xmltext.checked) == told(data, xmltext.parse)


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        ('<A xmlns="other"/>', 1),
        ("<A>\n<b xmlns:x = 'a/b'/></A>", 2),
        (f'<A xmlns="{NAMESPACE}" {XSI}>\n\n<b><c xmlns="&#104;ttp"/></b></A>', 3),
    ],
    ids=["root", "prefix", "below"],
)
def test_a_namespace_without_a_canonical_form_is_refused_where_it_is_declared(declared: str, line: int) -> None:
    for read in (xmltext.parse, xmltext.checked):
        with pytest.raises(MalformedXmlError, match="no absolute URI") as refused:
            read(declared.encode())
        assert refused.value.line == line


@given(TEXTS)
def test_what_the_text_says_is_not_in_a_document_is_not_in_its_tree(data: bytes) -> None:
    try:
        document = xmltext.checked(data)
    except MalformedXmlError:
        return
    names = {xmltext.local_name(element) for element in document.root}
    if not document.may_hold(["fields", "label"]):
        assert names
        assert not names & {"fields", "label"}


@given(
    st.lists(
        st.sampled_from(
            [
                "<a>1</a>", "<a></a>", "<a><b>1</b><fullName>N</fullName></a>", "<a><a> 中 </a>\n</a>", " ", "\n",
                "<a>\n    <fullName> </fullName><fullName>Z</fullName>\n</a>", "<c><b/></c>", "<c>&lt;</c>",
            ]
        ),
        max_size=5,
    )
)  # fmt: skip
def test_children_that_are_told_from_the_text_are_those_of_the_tree(pieces: list[str]) -> None:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<A xmlns="{NAMESPACE}">{"".join(pieces)}</A>\n'
    document = xmltext.checked(text.encode())
    children = document.flat_children()
    assert (children is None) == ("/>" in text or "&" in text)
    if children is not None:
        spans = xmltext.child_spans(document.data, xmltext.root_span(document.data))
        assert [xml for _, xml in children] == [document.data[span.start : span.end] for span in spans]
        assert [name for name, _ in children] == [xmltext.local_name(element) for element in document.root]
        for element, (_, xml) in zip(document.root, children, strict=True):
            for name in ("a", "b", "fullName"):
                assert xmltext.text_in(xml, name).strip() == xmltext.child_text(element, name).strip()


def test_no_tree_is_made_of_a_file_as_salesforce_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xmltext, "parse", None)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<CustomField xmlns="{NAMESPACE}">\n    <fullName>A__c</fullName>\n'
    document = xmltext.checked(f"{text}    <label>标签 &amp; A</label>\n</CustomField>\n".encode())
    assert document.child_text("fullName") == "A__c"
    assert document.line == 2
    assert not document.may_hold(["fields"])
    assert document.as_element("fields").startswith(b"<fields>\n    <fullName>A__c</fullName>\n")


@pytest.mark.parametrize("text", ["é", "中", "😀"])
def test_what_is_no_utf_8_is_refused_whatever_it_is_declared_as(text: str) -> None:
    data = f'<?xml version="1.0" encoding="UTF-8"?>\n<A xmlns="{NAMESPACE}"><a>{text}</a></A>'
    assert xmltext.checked(data.encode()).data == data.encode()
    with pytest.raises(MalformedXmlError):
        xmltext.checked(
            data.encode("utf-16-le").replace(b"\0", b"") if text == "é" else data.encode()[:-9] + b"\xff</a></A>"
        )
