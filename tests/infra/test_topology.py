"""The picture of a landing zone: everything of the state is in it, and it can be read."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from infra.commands import topology
from infra.topology.catalogue import Language, catalogue
from infra.topology.scene import WIDTH, Box, Scene, lines_of, scene_of, text_width
from infra.topology.state import Piece, parse_state, read_state
from infra.topology.svg import as_svg, icons, label_of
from kit.problems import Refused
from orgs.federation import load_federation
from tests.browser import seen

STATE = Path(__file__).parent / "data" / "local-state.json"
OLDER = Path(__file__).parents[1] / "e2e" / "data" / "last-release.json"
PICTURE = Path(__file__).parents[2] / "docs" / "topology.svg"
PEER = "alicloud:cen/transitRouterPeerAttachment:TransitRouterPeerAttachment"
ABROAD = Piece(PEER, "link-hq", {"peerTransitRouterRegionId": "eu-central-1", "tags": {"legal-basis": "cac-scc/42"}})
BUCKET, KEY = "alicloud:oss/bucket:Bucket", "alicloud:kms/key:Key"
PARTS = ("releases", "ledger", "backups", "logs", "state")


def copies(region: str) -> tuple[Piece, ...]:
    """Return what a second copy of the buckets adds to a state."""
    buckets = [Piece(BUCKET, f"storage-replica-{part}", {"bucket": f"acme-{part}"}, region) for part in PARTS]
    return *buckets, Piece(KEY, "storage-replica-key", {}, region)


def scene(language: Language = "en", file: Path = STATE, *more: Piece) -> Scene:
    return scene_of((*read_state(file), *more), load_federation(), language)


SCENES = {
    "english": scene(),
    "chinese": scene("zh"),
    "older": scene("en", OLDER),
    "linked": scene("en", STATE, ABROAD),
    "linked and nothing else": scene_of((ABROAD,), load_federation(), "en"),
    "copied": scene("en", STATE, *copies("cn-beijing")),
    "copied twice, and linked": scene("zh", STATE, *copies("cn-beijing"), *copies("cn-hangzhou"), ABROAD),
    "copied abroad, and linked": scene("en", STATE, *copies("cn-hongkong"), ABROAD),
    "empty": scene_of((), load_federation(), "en"),
}
every_scene = pytest.mark.parametrize("drawn", SCENES.values(), ids=SCENES.keys())


def apart(a: Box, b: Box) -> bool:
    return a.x + a.w <= b.x or b.x + b.w <= a.x or a.bottom <= b.y or b.bottom <= a.y


def within(a: Box, b: Box) -> bool:
    return b.x <= a.x and a.x + a.w <= b.x + b.w and b.y <= a.y and a.bottom <= b.bottom


@every_scene
def test_boxes_lie_beside_each_other_or_a_whole_one_in_a_frame(drawn: Scene) -> None:
    for a, b in itertools.combinations(drawn.boxes, 2):
        nested = (b.is_frame and within(a, b)) or (a.is_frame and within(b, a))
        assert apart(a, b) or nested, f"{a.title} and {b.title} overlap"
    for box in drawn.boxes:
        assert within(box, Box(0, 0, WIDTH, drawn.height, "")), box.title


@every_scene
def test_a_frame_keeps_its_title_free(drawn: Scene) -> None:
    for frame in (box for box in drawn.boxes if box.is_frame):
        head = Box(frame.x, frame.y, frame.w, 22, frame.title)
        for box in drawn.boxes:
            assert box is frame or within(frame, box) or apart(head, box), f"{box.title} covers {frame.title}"


@every_scene
def test_texts_fit_their_boxes(drawn: Scene) -> None:
    for box in drawn.boxes:
        for text, size, room in lines_of(box).values():
            assert text_width(text, size) <= room, text


@every_scene
def test_no_arrow_and_no_label_runs_over_a_card(drawn: Scene) -> None:
    labels = [Box(*label_of(arrow), arrow.label) for arrow in drawn.arrows]
    lines = [
        Box(
            min(a.x1, a.x2) + 1,
            min(a.y1, a.y2) + 1,
            max(abs(a.x2 - a.x1) - 2, 0),
            max(abs(a.y2 - a.y1) - 2, 0),
            a.label,
        )
        for a in drawn.arrows
    ]
    cards = [box for box in drawn.boxes if not box.is_frame]
    for one, card in itertools.product(labels + lines, cards):
        assert apart(one, card), f"{one.title} runs over {card.title}"
    for one, other in itertools.combinations(labels, 2):
        assert apart(one, other), f"{one.title} and {other.title} overlap"


def test_every_type_of_the_local_stack_is_drawn_or_left_out_on_purpose() -> None:
    types = {piece.type for piece in read_state(STATE)}
    assert len(types) > 40
    assert {each for each in types if not catalogue().knows(each)} == set()
    assert SCENES["english"].missing == ()


def test_every_type_of_the_example_of_a_production_is_drawn_or_left_out_on_purpose() -> None:
    urns = (STATE.parents[1] / "urns.example-production.txt").read_text(encoding="utf-8").split()
    types = {urn.split("::")[-2].split("$")[-1] for urn in urns if "::" in urn}
    assert len(types) > 40
    assert {each for each in types if not catalogue().knows(each)} == set()


def test_every_resource_with_a_card_of_its_own_is_there() -> None:
    said = [f"{box.title} {box.sub}" for box in SCENES["english"].boxes if not box.is_frame]
    for piece in read_state(STATE):
        kind = catalogue().cards.get(piece.type)
        if kind and kind.only in (None, piece.area):
            shown = piece.text(kind.shows).removeprefix("https://") if kind.shows else piece.short
            assert any(shown in each for each in said), piece.name
        if piece.type.endswith(":Switch"):
            assert any(piece.text("cidrBlock") in each for each in said), piece.name
    for org in load_federation().orgs:
        assert any(each.startswith(f"{org.name} ") for each in said)


def test_a_type_that_the_catalogue_does_not_know_is_named_under_the_picture() -> None:
    drawn = scene("en", STATE, Piece("alicloud:new/thing:Thing", "thing", {}))
    assert drawn.missing == ("alicloud:new/thing:Thing",)
    assert any("alicloud:new/thing:Thing" in note for note in drawn.notes)


def test_china_orgs_lie_inside_the_border_and_global_ones_outside() -> None:
    boxes = {box.title: box for box in SCENES["english"].boxes}
    for org in load_federation().orgs:
        frame = boxes["Chinese mainland" if org.edition.value == "alibaba" else "Outside the mainland"]
        assert within(boxes[org.name], frame)


def test_what_stands_in_another_region_is_drawn_there_and_what_is_copied_to_it_is_an_arrow() -> None:
    drawn = SCENES["copied"]
    regions = {box.title.partition(",")[0]: box for box in drawn.boxes if box.tone == "region"}
    own, other = regions["Alibaba Cloud cn-shanghai"], regions["Alibaba Cloud cn-beijing"]
    (mainland,) = [box for box in drawn.boxes if box.tone == "mainland"]
    assert within(own, mainland)
    assert within(other, mainland)
    inside = {f"{box.title} {box.sub}" for box in drawn.boxes if within(box, other) and not box.is_frame}
    assert {each for each in inside if "replica" in each} == inside
    assert len(inside) == len(copies("cn-beijing"))
    (arrow,) = [arrow for arrow in drawn.arrows if arrow.label == "copies of what is written"]
    assert own.y < arrow.y1 < own.bottom
    assert other.y < arrow.y2 < other.bottom


def test_copies_off_the_mainland_lie_outside_it() -> None:
    drawn = SCENES["copied abroad, and linked"]
    (outside,) = [box for box in drawn.boxes if box.tone == "outside"]
    found = [box for box in drawn.boxes if "replica" in box.title + box.sub]
    assert len(found) == len(copies("cn-hongkong"))
    assert all(within(box, outside) for box in found)


def test_a_resource_is_in_the_region_of_its_provider_whatever_its_name_and_the_stack_s_own_is_none_besides() -> None:
    root = "urn:pulumi:local::p::"
    default, second = f"{root}pulumi:providers:alicloud::default", f"{root}pulumi:providers:alicloud::storage-second"
    rows = [
        {"type": "pulumi:providers:alicloud", "urn": default, "outputs": {"region": "cn-shanghai"}},
        {"type": "pulumi:providers:alicloud", "urn": second, "outputs": {"region": "cn-beijing"}},
        {"type": BUCKET, "urn": f"{root}{BUCKET}::storage-here", "provider": f"{default}::1-2", "outputs": {}},
        {"type": BUCKET, "urn": f"{root}{BUCKET}::storage-there", "provider": f"{second}::3-4", "outputs": {}},
    ]
    pieces = parse_state(json.dumps({"deployment": {"resources": rows}}), "state.json")
    assert {piece.name: piece.region for piece in pieces if piece.type == BUCKET} == {
        "storage-here": "cn-shanghai",
        "storage-there": "cn-beijing",
    }
    drawn = scene_of(pieces, load_federation(), "en")
    assert [box.title for box in drawn.boxes if box.tone == "region"] == [
        "Alibaba Cloud cn-shanghai, account –",
        "Alibaba Cloud cn-beijing",
    ]


def test_a_link_abroad_says_its_legal_basis_in_a_state_without_a_vpc_too() -> None:
    (link,) = [arrow for arrow in SCENES["linked and nothing else"].arrows if arrow.tone == "abroad"]
    assert "cac-scc/42" in link.label
    assert not SCENES["linked and nothing else"].notes


def test_links_abroad_say_the_legal_basis_of_each() -> None:
    vbr = Piece(PEER.replace("Peer", "Vbr"), "link-vbr", {"tags": {"legal-basis": "cert/7"}})
    (link,) = [arrow for arrow in scene("en", STATE, ABROAD, vbr).arrows if arrow.tone == "abroad"]
    assert "cac-scc/42, cert/7" in link.label


def test_a_link_abroad_is_drawn_only_when_there_is_one_and_says_its_legal_basis() -> None:
    assert not [arrow for arrow in SCENES["english"].arrows if arrow.tone == "abroad"]
    assert "No private link leads abroad." in SCENES["english"].notes
    (link,) = [arrow for arrow in SCENES["linked"].arrows if arrow.tone == "abroad"]
    assert "cac-scc/42" in link.label
    assert not SCENES["linked"].notes


def test_the_same_state_in_any_order_gives_the_same_bytes() -> None:
    data = json.loads(STATE.read_text(encoding="utf-8"))
    data["deployment"]["resources"].reverse()
    turned = scene_of(parse_state(json.dumps(data), "turned"), load_federation(), "en")
    assert as_svg(turned) == as_svg(SCENES["english"])


@every_scene
def test_the_picture_is_well_formed_and_holds_each_icon_once(drawn: Scene) -> None:
    root = ElementTree.fromstring(as_svg(drawn))
    space = "{http://www.w3.org/2000/svg}"
    symbols = [each.get("id") for each in root.iter(f"{space}symbol")]
    used = {str(each.get("href")).removeprefix("#") for each in root.iter(f"{space}use")}
    assert len(symbols) == len(set(symbols))
    assert used == set(symbols)


def test_every_icon_of_the_catalogue_is_in_the_library() -> None:
    assert [kind.icon for kind in catalogue().cards.values() if not (icons() / f"{kind.icon}.png").is_file()] == []


def test_secret_values_stay_out_of_the_picture() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
    pieces = [Piece(type_, "storage-x", dict.fromkeys(("bucket", "ipAddress", "zoneName"), secret)) for type_ in
              catalogue().cards]  # fmt: skip
    drawn = as_svg(scene_of(pieces, load_federation(), "en"))
    assert "v1:abc" not in drawn
    assert "ciphertext" not in drawn


@pytest.mark.parametrize("text", ["", "[]", '{"deployment": {}}', '{"deployment": {"resources": [{"type": "a"}]}}'])
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(Refused, match=r"state\.json"):
        parse_state(text, "state.json")


def test_the_picture_in_the_docs_is_current_and_small(tmp_path: Path) -> None:
    out = tmp_path / "topology.svg"
    done = CliRunner().invoke(topology, ["--state", str(STATE), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == PICTURE.read_bytes(), "run: sfoa topology --state tests/infra/data/local-state.json"
    assert PICTURE.stat().st_size < 400_000


def test_chromium_shows_the_picture_in_full_size(tmp_path: Path) -> None:
    height = int(SCENES["english"].height)
    picture = seen(PICTURE, tmp_path, WIDTH, height)
    assert (picture.width, picture.height) == (WIDTH, height)
    assert picture.values > 100
