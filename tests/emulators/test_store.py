"""What is remembered, in which order, and what a broken request leaves behind: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.store import Store
from emulators.testing import running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "world.db")


def test_a_block_that_raises_leaves_no_trace(store: Store) -> None:
    def break_off() -> None:
        with store.transaction():
            store.put("a", "1", {"v": 2})
            store.put("a", "2", {})
            store.next("n")
            with store.transaction():
                store.delete("a", "1")
            raise RuntimeError

    store.put("a", "1", {"v": 1})
    with pytest.raises(RuntimeError):
        break_off()
    assert store.all("a") == [("1", {"v": 1})]
    assert store.next("n") == 1


def test_a_nested_block_that_raises_takes_back_its_own_part_only(store: Store) -> None:
    def break_off() -> None:
        with store.transaction():
            store.put("a", "inner", {})
            raise RuntimeError

    with store.transaction():
        store.put("a", "outer", {})
        with pytest.raises(RuntimeError):
            break_off()
    assert store.all("a") == [("outer", {})]


def test_a_replaced_document_keeps_its_place(store: Store) -> None:
    for ident in ("b", "a", "c"):
        store.put("k", ident, {})
    store.put("k", "b", {"new": True})
    assert [ident for ident, _ in store.all("k")] == ["b", "a", "c"]


def test_a_prefix_is_taken_literally(store: Store) -> None:
    for ident in ("a%b", "axb", "a_b", "中文/x"):
        store.put("k", ident, {})
    assert [ident for ident, _ in store.all("k", "a%")] == ["a%b"]
    assert [ident for ident, _ in store.all("k", "a_")] == ["a_b"]
    assert [ident for ident, _ in store.all("k", "中文/")] == ["中文/x"]


LETTERS = st.sampled_from("ab%/\x00\ud7ff\ue000\uffff\U0010ffff")


@given(st.sets(st.text(LETTERS, max_size=4)), st.text(LETTERS, max_size=3))
def test_what_begins_with_a_prefix_is_found_and_nothing_else(idents: set[str], prefix: str) -> None:
    store = Store(":memory:")
    for ident in idents:
        store.put("a", ident, {})
        store.put("b", ident, {})
    assert {ident for ident, _ in store.all("a", prefix)} == {each for each in idents if each.startswith(prefix)}
    store.close()


def test_everything_survives_reopening(tmp_path: Path) -> None:
    first = Store(tmp_path / "world.db")
    first.put("k", "1", {"text": "中文"})
    digest = first.put_blob(b"bytes")
    first.next("n")
    first.close()
    second = Store(tmp_path / "world.db")
    assert second.get("k", "1") == {"text": "中文"}
    assert second.blob(digest) == b"bytes"
    assert second.next("n") == 2
    second.reset()
    assert second.kinds() == {}
    with pytest.raises(KeyError):
        second.blob(digest)


def test_blobs_that_no_document_names_are_dropped(store: Store) -> None:
    used, nested, old = (store.put_blob(text) for text in (b"used", b"nested", b"old"))
    store.put("object", "a", {"digest": old})
    store.put("object", "a", {"digest": used, "versions": [{"files": {"path": nested}}]})
    assert store.drop_unused_blobs() == 1
    assert (store.blob(used), store.blob(nested)) == (b"used", b"nested")
    with pytest.raises(KeyError):
        store.blob(old)
    store.delete("object", "a")
    assert store.drop_unused_blobs() == 2


def test_a_start_drops_what_was_overwritten_and_uses_its_space_again(tmp_path: Path) -> None:
    file = tmp_path / "emulators" / "world.db"
    for number in range(5):
        with running(tmp_path) as emulators:
            digest = emulators.store.put_blob(bytes([number]) * 1_000_000)
            emulators.store.put("object", "a", {"digest": digest})
    assert file.stat().st_size < 3_000_000
    with running(tmp_path) as emulators:
        assert emulators.store.blob(digest) == bytes([4]) * 1_000_000
