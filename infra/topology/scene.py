"""Lays a landing zone out: frames, cards and arrows, with their places in pixels."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from infra.topology.catalogue import Kind, Language, catalogue
from infra.topology.state import PROVIDER, Piece
from orgs.federation import Edition, Federation, Org

WIDTH = 1720
PAD, GAP, HEAD, CARD = 12, 8, 32, 48
ICON = 30
OUTSIDE_X, SIDE_W = 20, 226
BORDER_X = 300
ORGS_X = BORDER_X + 16
REGION_X = ORGS_X + SIDE_W + 140
BASIS = "legal-basis"
STACK = "pulumi:pulumi:Stack"
LINKS = ("TransitRouterPeerAttachment", "TransitRouterVbrAttachment", "TransitRouterVpnAttachment")


def text_width(text: str, size: float) -> float:
    """Return how wide a text is at most, in pixels: a CJK character takes an em, any other 0.58 of one."""
    return sum(size if unicodedata.east_asian_width(each) in "WF" else size * 0.58 for each in text)


def fitted(text: str, size: float, width: float) -> str:
    """Return the text, cut with an ellipsis where it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


@dataclass(frozen=True)
class Box:
    """A frame (without icon) or a card; `tone` is its colour's name."""

    x: float
    y: float
    w: float
    h: float
    title: str
    sub: str = ""
    tone: str = "card"
    icon: str = ""
    flow: str = ""

    @property
    def is_frame(self) -> bool:
        """Whether other boxes may lie in it."""
        return self.tone in ("mainland", "outside", "region", "frame", "zone")

    @property
    def middle(self) -> float:
        """Return the height of its middle line."""
        return self.y + self.h / 2

    @property
    def bottom(self) -> float:
        """Return where it ends."""
        return self.y + self.h


@dataclass(frozen=True)
class Arrow:
    """A flow of data from the first point to the second, straight; its label stands over the line's middle."""

    x1: float
    y1: float
    x2: float
    y2: float
    label: str
    tone: str = "flow"
    both: bool = False


@dataclass
class Scene:
    """What is drawn, in order."""

    title: str
    about: str
    notes: list[str] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    missing: tuple[str, ...] = ()
    height: float = 0


def scene_of(pieces: Sequence[Piece], federation: Federation, language: Language) -> Scene:
    """Return the laid-out picture of a state and the orgs around it."""
    return _Layout(pieces, federation, language).scene


class _Layout:
    def __init__(self, pieces: Sequence[Piece], federation: Federation, language: Language) -> None:
        self._pieces, self._orgs, self._language = pieces, federation.orgs, language
        stack = next((piece for piece in pieces if piece.type == STACK), Piece("", "", {}))
        self._stack = stack
        regions = [piece.text("region") for piece in (stack, *pieces) if piece.type in (STACK, f"{PROVIDER}alicloud")]
        self._region = next(filter(None, regions), "")
        missing = tuple(sorted({piece.type for piece in pieces if not catalogue().knows(piece.type)}))
        self.scene = Scene(self._say("title", stack=stack.name), self._say("about"), missing=missing)
        placed: dict[str, list[Piece]] = {}
        for piece in pieces:
            placed.setdefault(piece.region or self._region, []).append(piece)
        self._cards = self._all_cards(placed.pop(self._region, []))
        cards = {region: self._all_cards(found).values() for region, found in sorted(placed.items())}
        boxes = {region: [box for row in rows for _, box in row] for region, rows in cards.items()}
        self._elsewhere = {region: found for region, found in boxes.items() if found}
        self._y: float = 64 + 2 * HEAD
        self._region_w = WIDTH - 36 - REGION_X
        self._rows()

    def _say(self, word: str, **values: str) -> str:
        return catalogue().words[word].say(self._language, **values)

    def _of(self, ending: str) -> list[Piece]:
        return [piece for piece in self._pieces if piece.type.endswith(f":{ending}")]

    def _all_cards(self, pieces: Sequence[Piece]) -> dict[str, list[tuple[Kind, Box]]]:
        """Return the cards of a region's pieces, by the frame that they lie in."""
        cards: dict[str, list[tuple[Kind, Box]]] = {}
        for type_, kind in catalogue().cards.items():
            found = [each for each in pieces if each.type == type_ and kind.only in (None, each.area)]
            said = kind.say(self._language)
            if kind.together and found:
                made = [Box(0, 0, 0, CARD, said, f"{len(found)}: " + ", ".join(each.short for each in found))]
            else:
                made = [self._card(each, kind, said, alone=len(found) == 1) for each in found]
            entries = [(kind, replace(box, icon=kind.icon, flow=kind.flow or "")) for box in made]
            cards.setdefault(kind.frame, []).extend(entries)
        return cards

    def _card(self, piece: Piece, kind: Kind, said: str, *, alone: bool) -> Box:
        """Return a card without a place. Its first line is the name, or what it is where there is only one."""
        shown = piece.text(kind.shows) if kind.shows else self._kept(piece)
        if kind.shows and shown:
            return Box(0, 0, 0, CARD, said, shown.removeprefix("https://"))
        return Box(0, 0, 0, CARD, *((said, piece.short) if alone else (piece.short, shown or said)))

    def _kept(self, piece: Piece) -> str:
        """Return how a bucket keeps what is in it, "" for anything else."""
        bucket = piece.text("bucket")
        if not bucket:
            return ""
        for lock in self._of("BucketWorm"):
            if lock.text("bucket") == bucket:
                word = "locked" if lock.text("status") == "Locked" else "unlocked"
                return self._say(word, days=lock.text("retentionPeriodInDays"))
        kept = any(each.text("bucket") == bucket for each in self._of("BucketVersioning"))
        return self._say("versions") if kept else ""

    def _grid(self, frame: Box, cards: Sequence[Box], columns: int) -> Box:
        """Add a frame that is as high as its cards want, and the cards in rows; return the frame."""
        wide = (frame.w - 2 * PAD - (columns - 1) * GAP) / columns
        rows = math.ceil(len(cards) / columns)
        frame = replace(frame, h=max(frame.h, HEAD + rows * (CARD + GAP) - GAP + PAD))
        self.scene.boxes.append(frame)
        for index, card in enumerate(cards):
            x = frame.x + PAD + index % columns * (wide + GAP)
            y = frame.y + HEAD + index // columns * (CARD + GAP)
            self.scene.boxes.append(replace(card, x=round(x, 1), y=y, w=round(wide, 1)))
        return frame

    def _frame(self, name: str, x: float, w: float, columns: int, title: str = "") -> Box | None:
        cards = [card for _, card in self._cards.get(name, [])]
        if not cards:
            return None
        return self._grid(Box(x, self._y, w, 0, title or self._say(name), tone="frame"), cards, columns)

    def _rows(self) -> None:
        boxes = self.scene.boxes
        x, w = REGION_X + PAD, self._region_w - 2 * PAD
        heads = [Box(0, 0, 0, 0, "")] * 3  # mainland, region and the outside: their heights are known in the end
        boxes.extend(heads)
        console = self._frame("console", x, w, 6)
        self._next(console)
        first = self._y
        integration = self._integration(x, w)
        self._next(integration)
        self._next(self._frame("identity", x, w, 4))
        vpc = self._network(x, w)
        self._next(vpc)
        half = (w - PAD) / 2
        storage = self._frame("storage", x, half, 3)
        lower = [storage, self._frame("audit", x + half + PAD, half, 3)]
        self._next(max((each for each in lower if each), key=lambda each: each.h, default=None))
        ends = self._y
        for region, cards in self._elsewhere.items():
            if not _foreign(region):
                # An arrow to one that lies below another region would run over that one's cards.
                self._second_region(region, cards, storage if self._y == ends else None)
        # What lies beside the region may reach lower than it.
        bottom = max(self._y, self._around(first, vpc, console) + PAD)
        said = self._say("region", region=self._region, account=self._stack.text("account_id") or "–")
        boxes[0] = Box(BORDER_X, 64, WIDTH - 20 - BORDER_X, bottom + PAD - 64, self._say("mainland"), tone="mainland")
        own = bottom if self._y == ends else ends
        boxes[1] = Box(REGION_X, 64 + HEAD, self._region_w, own - 64 - HEAD, said, tone="region")
        boxes[2] = Box(OUTSIDE_X, 64, SIDE_W + 2 * PAD, bottom + PAD - 64, self._say("outside"), tone="outside")
        self.scene.height = bottom + PAD + 16
        if self.scene.missing:
            self.scene.notes.append(self._say("missing", types=", ".join(self.scene.missing)))
        self.scene.height += 20 * len(self.scene.notes) + 8

    def _second_region(self, region: str, cards: list[Box], source: Box | None) -> None:
        """Add another region of the mainland under the stack's own, with the copies that it holds."""
        top = self._y + 4 * PAD  # room for the arrow's label
        frame = Box(REGION_X + PAD, top + HEAD, self._region_w - 2 * PAD, 0, self._say("copies"), tone="frame")
        frame = self._grid(frame, cards, 6)
        said = self._say("second_region", region=region)
        self.scene.boxes.append(Box(REGION_X, top, self._region_w, frame.bottom + PAD - top, said, tone="region"))
        if source:
            middle = source.x + source.w / 2
            self.scene.arrows.append(Arrow(middle, source.bottom, middle, frame.y, self._say("flow_copies")))
        self._y = frame.bottom + PAD

    def _next(self, frame: Box | None) -> None:
        self._y = frame.bottom + PAD if frame else self._y

    def _integration(self, x: float, w: float) -> Box | None:
        entries = self._cards.get("integration", [])
        if not entries:
            return None
        # Two lanes, each from its entrance inwards: callbacks from outside, events of the orgs.
        lanes: list[list[Box]] = [[], []]
        for kind, card in entries:
            second = kind.lane == 2 or (
                kind.icon.endswith("function-compute") and "callback" not in (card.title, card.sub)
            )
            lanes[second].append(card)
        lanes[1].sort(key=lambda card: card.flow != "events")
        columns = max(4, *map(len, lanes))
        frame = Box(x, self._y, w, HEAD + 2 * (CARD + GAP) - GAP + PAD, self._say("integration"), tone="frame")
        self._grid(frame, lanes[0], columns)
        made = len(self.scene.boxes)
        self._grid(replace(frame, y=frame.y + CARD + GAP), lanes[1], columns)
        del self.scene.boxes[made]  # the second lane's frame is the first one's
        return frame

    def _network(self, x: float, w: float) -> Box | None:
        networks = self._of("Network")
        vpc = next((each for each in networks if each.text("cidrBlock")), None)
        if vpc is None:
            return None
        switches = self._of("Switch")
        zones = sorted({each.text("zoneId") for each in switches})
        tiers = max((sum(each.text("zoneId") == zone for each in switches) for zone in zones), default=0)
        sides = [[card for _, card in self._cards.get(name, [])] for name in ("egress", "inside")]
        lines = max(tiers, *map(len, sides), 1)
        frame = Box(x, self._y, w, HEAD * 2 + lines * (CARD + GAP) - GAP + 2 * PAD, "", tone="frame")
        frame = replace(frame, title=self._say("network", cidr=vpc.text("cidrBlock")))
        self.scene.boxes.append(frame)
        side = 206.0
        for left, cards in zip((x + PAD, x + w - PAD - side), sides, strict=True):
            for index, card in enumerate(cards):
                y = frame.y + 2 * HEAD + index * (CARD + GAP)
                self.scene.boxes.append(replace(card, x=left, y=y, w=side))
        inner = w - 2 * (PAD + side + PAD)
        wide = (inner - (len(zones) - 1) * GAP) / max(len(zones), 1)
        for index, zone in enumerate(zones):
            at = x + PAD + side + PAD + index * (wide + GAP)
            chips = [each for each in switches if each.text("zoneId") == zone]
            titled = [Box(0, 0, 0, CARD, self._tier(each, zone), each.text("cidrBlock"), "chip") for each in chips]
            self._grid(Box(at, frame.y + HEAD, wide, 0, zone, tone="zone"), titled, 1)
        return frame

    @staticmethod
    def _tier(switch: Piece, zone: str) -> str:
        return switch.short.removesuffix(f"-{zone}")

    def _around(self, first: float, vpc: Box | None, console: Box | None) -> float:
        """Add what lies around the region, and the flows; return how low it reaches."""
        inside = [self._org(org) for org in self._orgs if org.edition is Edition.ALIBABA]
        outside = [self._org(org) for org in self._orgs if org.edition is Edition.GLOBAL]
        ends = {flow: [box for box in self.scene.boxes if box.flow == flow] for flow in
                ("callbacks", "events", "sign_on", "egress")}  # fmt: skip
        top = first
        if ends["callbacks"]:
            card = [Box(0, 0, 0, CARD, self._say("wechat"), tone="org")]
            top = self._grid(Box(ORGS_X, first, SIDE_W, 0, self._say("senders"), tone="frame"), card, 1).bottom + GAP
        reach = max([end[0].middle + 30 for end in ends.values() if end] + [top])
        orgs = self._grid(Box(ORGS_X, top, SIDE_W, reach - top, self._say("orgs"), tone="frame"), inside, 1)
        right = ORGS_X + SIDE_W
        for flow, end in ends.items():
            if end:
                y, inwards = end[0].middle, flow in ("callbacks", "events")
                there = REGION_X + PAD if flow == "sign_on" else end[0].x  # its cards stand behind others
                a, b = (right, there) if inwards else (there, right)
                self.scene.arrows.append(Arrow(a, y, b, y, self._say(f"flow_{flow}")))
        low = self._abroad(outside, console)
        return max(orgs.bottom, low, self._link(max(orgs.bottom + 30, low + GAP + CARD / 2), vpc))

    def _abroad(self, outside: list[Box], console: Box | None) -> float:
        """Add what lies outside the mainland; return how low it reaches."""
        x, y = OUTSIDE_X + PAD, 64 + HEAD + PAD
        issuers = [piece for piece in self._of("OidcProvider") if piece.text("issuerUrl")]
        lower = console.bottom + 40 if console else y
        if issuers and console:
            hosts = ", ".join(piece.text("issuerUrl").removeprefix("https://") for piece in issuers)
            ci = Box(x, console.y + HEAD, SIDE_W, CARD, self._say("ci"), hosts, "org")
            self.scene.boxes.append(ci)
            self.scene.arrows.append(Arrow(x + SIDE_W, ci.middle, console.x, ci.middle, self._say("flow_oidc")))
        if outside:
            title = self._say("global")
            made = self._grid(Box(x, lower, SIDE_W, 0, title, tone="frame"), outside, 1)
            if issuers and console:
                middle, start = x + SIDE_W / 2, console.y + HEAD + CARD
                self.scene.arrows.append(Arrow(middle, start, middle, made.y, self._say("flow_releases")))
            lower = made.bottom + PAD
        for region, cards in self._elsewhere.items():
            if _foreign(region):
                said = self._say("second_region", region=region)
                lower = self._grid(Box(x, lower, SIDE_W, 0, said, tone="frame"), cards, 1).bottom + PAD
        return lower

    def _link(self, least: float, vpc: Box | None) -> float:
        """Add the link abroad, at `least` so low, with its legal basis, or the note that there is none; return how low
        it reaches. It ends at the region where the state has no VPC, or where others lie beside that."""
        links = [each for ending in LINKS for each in self._of(ending)]
        abroad = [each for each in links if each.tag(BASIS) or _foreign(each.text("peerTransitRouterRegionId"))]
        if not abroad:
            self.scene.notes.append(self._say("no_link"))
            return 0
        y = max(least, vpc.bottom - 24) if vpc else least
        here = vpc.x if vpc and y < vpc.bottom else REGION_X
        where = ", ".join(each.text("peerTransitRouterRegionId") or each.short for each in abroad)
        end = Box(OUTSIDE_X + PAD, y - CARD / 2, SIDE_W, CARD, self._say("premises"), where, "org")
        self.scene.boxes.append(end)
        bases = sorted({each.tag(BASIS) or self._say("no_basis") for each in abroad})
        said = self._say("flow_link", basis=", ".join(bases))
        self.scene.arrows.append(Arrow(here, y, end.x + end.w, y, said, "abroad", both=True))
        return end.bottom

    def _org(self, org: Org) -> Box:
        said = self._say("ring", kind=self._say(org.kind.value), ring=str(org.ring))
        return Box(0, 0, 0, CARD, org.name, said, "org")


def _foreign(region: str) -> bool:
    """Whether a region lies outside the mainland; Hong Kong's does, whatever its id begins with."""
    return bool(region) and (not region.startswith("cn-") or region == "cn-hongkong")


def lines_of(box: Box) -> Mapping[str, tuple[str, float, float]]:
    """Return a box's texts as they are drawn: what, size, and the room there is, in pixels."""
    if box.is_frame:
        return {"title": (fitted(box.title, 13, box.w - 2 * PAD), 13, box.w - 2 * PAD)}
    room = box.w - (ICON + 20 if box.icon else 20)
    return {"title": (fitted(box.title, 12, room), 12, room), "sub": (fitted(box.sub, 10.5, room), 10.5, room)}
