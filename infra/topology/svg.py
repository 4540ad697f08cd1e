"""Writes a scene as one SVG that needs nothing else, with each icon in it once; the same scene, the same bytes."""

from __future__ import annotations

import base64
import importlib.util
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from infra.topology.scene import HEAD, ICON, WIDTH, Arrow, Box, Scene, lines_of, text_width

# Fill, line and text of each tone; calm, and told apart without colour too: what lies abroad is dashed.
TONES = {
    "mainland": ("#fbfcfd", "#c0563f", "#a3452f"),
    "outside": ("#f4f4f2", "#b9b7b0", "#5f5d57"),
    "region": ("#f1f6fb", "#8fb0cf", "#2c5478"),
    "frame": ("#ffffff", "#c8d5e1", "#33475b"),
    "zone": ("#f3f8f4", "#a9cbb2", "#33604a"),
    "card": ("#f8fafc", "#d5dee7", "#1f2d3a"),
    "chip": ("#ffffff", "#bcd8c4", "#24452f"),
    "org": ("#eef1fb", "#b3bfe6", "#27356b"),
}
ARROWS = {"flow": "#3c6ea5", "abroad": "#c0563f"}
FONT = "Noto Sans, Noto Sans CJK SC, Helvetica, Arial, sans-serif"


@cache
def icons() -> Path:
    """Return the folder with the icons of Alibaba Cloud, which the `diagrams` package brings beside itself."""
    spec = importlib.util.find_spec("diagrams")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("diagrams")
    return Path(spec.origin).parents[1] / "resources" / "alibabacloud"


def as_svg(scene: Scene) -> str:
    """Return the picture as SVG."""
    used = sorted({box.icon for box in scene.boxes if box.icon})
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{scene.height:g}" '
        f'viewBox="0 0 {WIDTH} {scene.height:g}" font-family={quoteattr(FONT)} role="img">'
    )
    parts = [head, f"<title>{escape(scene.title)}</title>", "<defs>"]
    parts += [_marker(name, colour) for name, colour in ARROWS.items()]
    parts += [_symbol(name) for name in used]
    parts += ["</defs>", f'<rect width="{WIDTH}" height="{scene.height:g}" fill="#ffffff"/>']
    parts += [_text(20, 34, scene.title, 20, "#1f2d3a", bold=True), _text(20, 53, scene.about, 11, "#6b7885")]
    parts += [_box(box) for box in sorted(scene.boxes, key=lambda box: (not box.is_frame, -box.w * box.h))]
    parts += [_arrow(arrow) for arrow in scene.arrows]
    first = scene.height - 20 * len(scene.notes)
    parts += [_text(20, first + 20 * index, note, 11, "#6b7885") for index, note in enumerate(scene.notes)]
    return "\n".join([*parts, "</svg>", ""])


def _id(icon: str) -> str:
    return icon.replace("/", "-")


def _symbol(icon: str) -> str:
    data = base64.b64encode((icons() / f"{icon}.png").read_bytes()).decode("ascii")
    image = f'<image width="256" height="256" href="data:image/png;base64,{data}"/>'
    return f'<symbol id="{_id(icon)}" viewBox="0 0 256 256">{image}</symbol>'


def _marker(name: str, colour: str) -> str:
    shape = f'<path d="M0,0 L10,5 L0,10 z" fill="{colour}"/>'
    size = 'viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto-start-reverse"'
    return f'<marker id="{name}" {size}>{shape}</marker>'


def _text(x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False, middle: bool = False) -> str:
    style = (' font-weight="600"' if bold else "") + (' text-anchor="middle"' if middle else "")
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}"{style}>{escape(text)}</text>'


def _box(box: Box) -> str:
    fill, line, ink = TONES[box.tone]
    dashes = ' stroke-dasharray="7 4"' if box.tone in ("mainland", "outside") else ""
    width = 2 if box.tone == "mainland" else 1
    rect = f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.w:g}" height="{box.h:g}" rx="6"'
    whole = f"<title>{escape(box.title)}{escape(f': {box.sub}' if box.sub else '')}</title>"
    parts = ["<g>", whole, f'{rect} fill="{fill}" stroke="{line}" stroke-width="{width}"{dashes}/>']
    lines = lines_of(box)
    title, size, _ = lines["title"]
    if box.is_frame:
        parts.append(_text(box.x + 12, box.y + HEAD - 11, title, size, ink, bold=True))
    else:
        left = box.x + 10
        if box.icon:
            place = f'x="{left - 2:g}" y="{box.middle - ICON / 2:g}" width="{ICON}" height="{ICON}"'
            parts.append(f'<use href="#{_id(box.icon)}" {place}/>')
            left += ICON + 4
        sub, small, _ = lines["sub"]
        parts.append(_text(left, box.middle + (-3 if sub else 4), title, size, ink, bold=True))
        if sub:
            parts.append(_text(left, box.middle + 13, sub, small, "#5b6b7a"))
    return "".join([*parts, "</g>"])


def label_of(arrow: Arrow) -> tuple[float, float, float, float]:
    """Return the room that an arrow's label takes: x, y, width and height in pixels."""
    wide = text_width(arrow.label, 11) + 8
    if arrow.x1 == arrow.x2:
        return arrow.x1 + 6, (arrow.y1 + arrow.y2) / 2 - 8, wide, 16
    return (arrow.x1 + arrow.x2) / 2 - wide / 2, arrow.y1 - 20, wide, 16


def _arrow(arrow: Arrow) -> str:
    colour = ARROWS[arrow.tone]
    ends = f' marker-end="url(#{arrow.tone})"' + (f' marker-start="url(#{arrow.tone})"' if arrow.both else "")
    points = f'x1="{arrow.x1:g}" y1="{arrow.y1:g}" x2="{arrow.x2:g}" y2="{arrow.y2:g}"'
    x, y, wide, _ = label_of(arrow)
    line = f'<line {points} stroke="{colour}" stroke-width="2"{ends}/>'
    return line + _text(x + wide / 2, y + 12, arrow.label, 11, colour, middle=True)
