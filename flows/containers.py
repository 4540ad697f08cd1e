"""Container files of the Metadata API: taken apart into fragments, and put together from any of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from flows.components import Run
from flows.xmltext import NAMESPACE, ChildSpan
from kit.problems import Place

_INDENT = b"    "


class Container(NamedTuple):
    """A container's file in the making: `data`, its `runs`, and where each fragment lies in it (start, length).

    `own_length` is how many bytes stem from the container's own content, 0 without any.
    """

    data: bytes
    runs: tuple[Run, ...]
    spans: tuple[tuple[int, int], ...]
    own_length: int


def closing(root: str) -> bytes:
    """Return the last line of every container file that the kit writes."""
    return f"</{root}>\n".encode()


def own_content(
    data: bytes, end: int, children: Iterable[ChildSpan], root: str, file: str
) -> tuple[bytes, tuple[Run, ...]]:
    """Return a container's file without `children`, ending in `closing(root)`, and its lines' origin.

    `data` is the source file, `end` where its root's end tag starts.
    """
    pieces: list[tuple[int, int]] = []
    position = 0
    for child in children:
        start, stop = _whole_lines(data, child)
        pieces.append((position, start))
        position = stop
    pieces.append((position, end))
    out, runs, line = bytearray(), [], 1
    counted = 0
    for start, stop in pieces:
        if start >= stop:
            continue
        line += data.count(b"\n", counted, start)
        counted = start
        runs.append(Run(1 + out.count(b"\n"), Place(file, line)))
        out += data[start:stop]
    text = bytes(out).rstrip() + b"\n"
    runs.append(Run(1 + text.count(b"\n"), None))
    return text + closing(root), tuple(runs)


def put_together(
    root: str, own: tuple[bytes, tuple[Run, ...]] | None, fragments: Iterable[tuple[bytes, Iterable[Run]]]
) -> Container:
    """Return the container's file of `own` content (as `own_content` makes it) and `fragments` in their order.

    Every fragment starts on a line of its own, and comes with its runs, counted from its own first line.
    """
    end = closing(root)
    head, runs = _head(root, own[0] if own else b""), list(own[1][:-1]) if own else [Run(1, None)]
    parts, spans = [head], []
    position, line = len(head), 1 + head.count(b"\n")
    for xml, lines in fragments:
        runs += [Run(line + run.line - 1, run.source) for run in lines]
        spans.append((position + len(_INDENT), len(xml)))
        parts += [_INDENT, xml, b"\n"]
        position += len(_INDENT) + len(xml) + 1
        line += xml.count(b"\n") + 1
    runs.append(Run(line, None))
    parts.append(end)
    return Container(b"".join(parts), tuple(runs), tuple(spans), len(head) if own else 0)


def joined(root: str, own: bytes, fragments: Iterable[bytes]) -> bytes:
    """Return the data that `put_together` gives, where nobody asks what came from where; `own` is b"" for none."""
    parts = [_head(root, own)]
    for xml in fragments:
        parts += (_INDENT, xml, b"\n")
    parts.append(closing(root))
    return b"".join(parts)


def _head(root: str, own: bytes) -> bytes:
    if own:
        return own.removesuffix(closing(root))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">\n'.encode()


def _whole_lines(data: bytes, child: ChildSpan) -> tuple[int, int]:
    """Return the child's span, widened to whole lines where nothing else stands on them."""
    line_start = data.rfind(b"\n", 0, child.start) + 1
    line_end = data.find(b"\n", child.end)
    if line_end < 0 or data[line_start : child.start].strip() or data[child.end : line_end].strip():
        return child.start, child.end
    return line_start, line_end + 1
