"""A graph as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rushlight.viz.layout import layered

if TYPE_CHECKING:
    from rushlight.viz.graph import Vertex

FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"
TITLE_SIZE, DETAIL_SIZE = 13.0, 11.0
MARGIN, PAD_X, PAD_Y, LEADING = 20.0, 12.0, 7.0, 1.3

# Fill, outline and text colour of each kind of vertex.
COLORS = {
    "operator": ("#f4f5f7", "#9aa1ac", "#22262e"),
    "parameter": ("#d6e8fb", "#4a90d9", "#123a63"),
    "tensor": ("#e9eefb", "#8496c9", "#2b3661"),
    "saved": ("#fdead2", "#e0913a", "#5f3a0e"),
    "output": ("#d8f3d8", "#4caf50", "#1c4a1e"),
    "summary": ("#fffbe6", "#b59a2b", "#4d4110"),
}

# Advance widths of Helvetica, in thousandths of the font size, for the characters from space to tilde.
_WIDTHS = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 "
    "584 584 584 556 1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 "
    "667 667 611 278 278 278 469 556 333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 "
    "278 556 500 722 500 500 500 334 260 334 584"
)
_WIDTH = [int(width) / 1000 for width in _WIDTHS.split()]


def text_width(text: str, size: float) -> float:
    """Width of a line of text in Helvetica of the given size; an em for characters beyond ASCII."""
    return size * sum(_WIDTH[ord(c) - 32] if 32 <= ord(c) < 127 else 1.0 for c in text)


def _box(vertex: Vertex) -> tuple[float, float]:
    title, *details = vertex.lines
    # The title is semi-bold, which is about 6% wider.
    width = max([1.06 * text_width(title, TITLE_SIZE), *(text_width(line, DETAIL_SIZE) for line in details)])
    height = LEADING * (TITLE_SIZE + DETAIL_SIZE * len(details))
    return max(44.0, width + 2 * PAD_X), height + 2 * PAD_Y


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _lines(vertices: Sequence[Vertex], edges: Sequence[tuple[int, int]], boxes: list[tuple[float, float]]):
    layout = layered(boxes, edges)
    paths, arrows = [], []
    for (start, low, high, end), arrow in layout.routes:
        x0, y0, x1, y1 = *low, *high
        tip = 7.0 if arrow else 0.0
        middle = (y0 + y1) / 2
        path = f"M{_number(start[0])} {_number(start[1])}"
        if low != start:
            path += f"V{_number(y0)}"
        if abs(x0 - x1) < 0.5 and arrow and high == end:
            path += f"V{_number(end[1] - tip)}"
        else:
            stop = y1 - tip if high == end else y1
            curve = (x0, middle, x1, middle, x1, stop)
            path += "C" + " ".join(map(_number, curve))
            if high != end:
                path += f"V{_number(end[1] - tip)}"
        paths.append(path)
        if arrow:
            x, y = end
            arrows.append(f"M{_number(x)} {_number(y)}l-3.5 -8h7z")
    return layout, paths, arrows


def _vertex(vertex: Vertex, center: tuple[float, float], box: tuple[float, float]) -> str:
    fill, stroke, color = COLORS[vertex.kind]
    width, height = box
    x, y = center[0] - width / 2, center[1] - height / 2
    radius = 8 if vertex.kind in ("operator", "summary") else min(height / 2, 16)
    dash = ' stroke-dasharray="4 3"' if vertex.kind in ("saved", "summary") else ""
    parts = [
        f'<g fill="{color}"><title>{escape(vertex.tooltip)}</title>'
        f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}" '
        f'rx="{_number(radius)}" fill="{fill}" stroke="{stroke}"{dash}/>'
    ]
    baseline = y + PAD_Y
    for i, line in enumerate(vertex.lines):
        size = DETAIL_SIZE if i else TITLE_SIZE
        baseline += LEADING * size
        style = ' fill-opacity=".75"' if i else f' font-size="{TITLE_SIZE:g}" font-weight="600"'
        text_y = baseline - 0.3 * size
        parts.append(f'<text x="{_number(center[0])}" y="{_number(text_y)}"{style}>{escape(line)}</text>')
    parts.append("</g>")
    return "".join(parts)


def draw(vertices: Sequence[Vertex], edges: Sequence[tuple[int, int]], remark: str = "") -> str:
    """The SVG text of a graph, with an optional remark above the drawing."""
    boxes = [_box(vertex) for vertex in vertices]
    layout, paths, arrows = _lines(vertices, edges, boxes)
    head = 30.0 if remark else 0.0
    inner = max(layout.width, text_width(remark, TITLE_SIZE))
    width, height = inner + 2 * MARGIN, layout.height + 2 * MARGIN + head
    left, top = MARGIN + (inner - layout.width) / 2, MARGIN + head
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_number(width)}" height="{_number(height)}" '
        f'viewBox="0 0 {_number(width)} {_number(height)}" font-family="{FONT}" font-size="{DETAIL_SIZE:g}" '
        f'text-anchor="middle">',
        "<title>computation graph</title>",
        f'<rect width="{_number(width)}" height="{_number(height)}" fill="#ffffff"/>',
    ]
    if remark:
        out.append(
            f'<text x="{_number(width / 2)}" y="{_number(MARGIN + 12)}" font-size="{TITLE_SIZE:g}" '
            f'font-style="italic" fill="#4d4110">{escape(remark)}</text>'
        )
    out.append(f'<g transform="translate({_number(left)} {_number(top)})">')
    out.append(f'<path d="{"".join(paths)}" fill="none" stroke="#8a919c" stroke-width="1.3"/>')
    out.append(f'<path d="{"".join(arrows)}" fill="#6b7280"/>')
    out.extend(_vertex(*item) for item in zip(vertices, layout.centers, boxes, strict=True))
    out.append("</g></svg>\n")
    return "\n".join(out)
