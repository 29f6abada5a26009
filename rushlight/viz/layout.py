"""Layered drawing of a directed acyclic graph.

The method is that of Sugiyama, Tagawa and Toda (1981): put the vertices on layers, break long edges into chains of
dummy vertices, order every layer so that few edges cross, then choose x coordinates. The edges that leave one vertex
share their dummies: a weight that is used a hundred times is drawn as one line with a hundred branches.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

GAP_X = 22.0
GAP_Y = 34.0
# Above this number of dummies the longest edges are drawn straight through, so that time stays in proportion.
MAX_DUMMIES = 12_000


@dataclass
class Layout:
    """Centres of the vertices, routes of the edges, and the size of the drawing.

    A route is ``(points, arrow)``: points through which a smooth line goes downwards, and whether it ends in an arrow.
    """

    centers: list[tuple[float, float]]
    routes: list[tuple[list[tuple[float, float]], bool]]
    width: float
    height: float


class _Layered:
    """Vertices 0..n-1 and, after them, dummies; edges join neighbouring layers only."""

    def __init__(self, count: int, edges: Sequence[tuple[int, int]]):
        self.count = count
        edges = list(dict.fromkeys(edges))
        self.layer = _assign_layers(count, edges)
        self.above: list[list[int]] = [[] for _ in range(count)]
        self.below: list[list[int]] = [[] for _ in range(count)]
        self.direct: list[tuple[int, int]] = []  # edges too long for dummies
        self._add_edges(edges)
        self.layers: list[list[int]] = [[] for _ in range(max(self.layer, default=-1) + 1)]

    def _add_edges(self, edges: list[tuple[int, int]]) -> None:
        layer = self.layer
        spans: dict[int, int] = {}
        for tail, head in edges:
            spans[tail] = max(spans.get(tail, 0), layer[head] - layer[tail])
        budget, allowed = MAX_DUMMIES, set()
        for tail in sorted(spans, key=lambda v: (spans[v], v)):
            budget -= spans[tail] - 1
            if budget < 0:
                break
            allowed.add(tail)
        chains: dict[int, list[int]] = {}
        for tail, head in edges:
            if tail not in allowed and layer[head] - layer[tail] > 1:
                self.direct.append((tail, head))
                continue
            chain = chains.setdefault(tail, [tail])
            while layer[chain[-1]] < layer[head] - 1:
                dummy = len(layer)
                layer.append(layer[chain[-1]] + 1)
                self.above.append([])
                self.below.append([])
                self._join(chain[-1], dummy)
                chain.append(dummy)
            self._join(chain[layer[head] - layer[tail] - 1], head)

    def _join(self, tail: int, head: int) -> None:
        self.below[tail].append(head)
        self.above[head].append(tail)


def _assign_layers(count: int, edges: list[tuple[int, int]]) -> list[int]:
    """Longest path from the sources; then down as far as possible whatever has no more edges above it than below.

    Edges from sources do not count in that: a source follows its consumers, and its lines are shared.
    """
    successors: list[list[int]] = [[] for _ in range(count)]
    inputs = [0] * count
    for tail, head in edges:
        successors[tail].append(head)
        inputs[head] += 1
    missing = list(inputs)
    order = [v for v in range(count) if missing[v] == 0]
    layer = [0] * count
    for tail in order:
        for head in successors[tail]:
            layer[head] = max(layer[head], layer[tail] + 1)
            missing[head] -= 1
            if missing[head] == 0:
                order.append(head)
    if len(order) != count:
        raise ValueError("[layout] the graph must not have cycles. Received one that has.")
    stems = [0] * count
    for tail, head in edges:
        stems[head] += inputs[tail] > 0
    for v in reversed(order):
        if successors[v] and len(successors[v]) >= stems[v]:
            layer[v] = min(layer[head] for head in successors[v]) - 1
    return layer


def _initial_order(graph: _Layered) -> None:
    """Depth first from the sinks, so that what belongs together starts together."""
    seen = [False] * len(graph.layer)
    for root in range(len(graph.layer)):
        if graph.below[root]:
            continue
        stack = [root]
        while stack:
            v = stack.pop()
            if seen[v]:
                continue
            seen[v] = True
            graph.layers[graph.layer[v]].append(v)
            stack.extend(reversed(graph.above[v]))


def _crossings(graph: _Layered, position: list[float]) -> int:
    """Number of pairs of edges that cross, counted layer by layer as inversions."""
    total = 0
    for row in graph.layers[:-1]:
        ends: list[float] = []
        for tail in row:
            heads = sorted(position[head] for head in graph.below[tail])
            total += sum(len(ends) - bisect_left(ends, head + 0.5) for head in heads)
            for head in heads:
                insort(ends, head)
    return total


def _median(values: list[float]) -> float:
    values.sort()
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    return (values[middle - 1] + values[middle]) / 2


def _order_layers(graph: _Layered) -> None:
    """Sweeps down and up, sorting each layer by the median of its neighbours; keeps the best order seen."""
    _initial_order(graph)
    position = [0.0] * len(graph.layer)
    for row in graph.layers:
        for i, v in enumerate(row):
            position[v] = i
    best, fewest = [list(row) for row in graph.layers], _crossings(graph, position)
    size = len(graph.layer)
    sweeps = 24 if size < 500 else 12 if size < 3_000 else 6
    idle = 0
    for sweep in range(sweeps):
        if fewest == 0 or idle >= 4:
            break
        down = sweep % 2 == 0
        neighbours = graph.above if down else graph.below
        for row in graph.layers if down else reversed(graph.layers):
            wish = {v: _median([position[u] for u in neighbours[v]]) if neighbours[v] else position[v] for v in row}
            row.sort(key=wish.__getitem__)
            for i, v in enumerate(row):
                position[v] = i
        crossings = _crossings(graph, position)
        idle += 1
        if crossings < fewest:
            best, fewest, idle = [list(row) for row in graph.layers], crossings, 0
    graph.layers = best


def _spine(graph: _Layered) -> list[list[int]]:
    """For every vertex, the neighbours above that it may stand in line with.

    Leaves give way: an operator stands below the operator that it continues, and its weight stands beside that one.
    Where a line between two dummies crosses another edge, the other edge gives way, so that long edges are straight.
    """
    position = [0] * len(graph.layer)
    for row in graph.layers:
        for i, v in enumerate(row):
            position[v] = i
    spine: list[list[int]] = [[] for _ in graph.layer]
    for row in graph.layers:
        inner = sorted(
            (position[u], position[v]) for v in row if v >= graph.count for u in graph.above[v] if u >= graph.count
        )
        for v in row:
            stems = [u for u in graph.above[v] if graph.above[u]] or graph.above[v]
            if v < graph.count:
                stems = [u for u in stems if not _crosses(position[u], position[v], inner)]
            spine[v] = sorted(stems, key=position.__getitem__)
    return spine


def _crosses(upper: int, lower: int, inner: list[tuple[int, int]]) -> bool:
    """Whether the edge crosses one of the lines, which are sorted and do not cross one another."""
    i = bisect_left(inner, (upper, lower))
    return (i > 0 and inner[i - 1][1] > lower) or (i < len(inner) and inner[i][0] > upper and inner[i][1] < lower)


def _blocks(layers: list[list[int]], candidates: list[list[int]], size: int) -> list[int]:
    """Joins every vertex with one of the two middle candidates in the layer before; returns the root of its block."""
    root = list(range(size))
    position = [0] * size
    for row in layers:
        for i, v in enumerate(row):
            position[v] = i
    for row in layers:
        last = -1
        for v in row:
            near = candidates[v]
            for middle in sorted({(len(near) - 1) // 2, len(near) // 2}) if near else ():
                u = near[middle]
                if position[u] > last:
                    root[v] = root[u]
                    last = position[u]
                    break
    return root


def _compact(layers: list[list[int]], root: list[int], widths: list[float]) -> list[float]:
    """x of every vertex: blocks as far left as the gaps allow, then right as far as the next block allows."""
    after: dict[int, dict[int, float]] = {r: {} for r in root}
    before: dict[int, dict[int, float]] = {r: {} for r in root}
    for row in layers:
        for left, right in pairwise(row):
            gap = (widths[left] + widths[right]) / 2 + GAP_X
            a, b = root[left], root[right]
            after[a][b] = before[b][a] = max(gap, after[a].get(b, 0.0))
    missing = {block: len(before[block]) for block in before}
    order = [block for block in before if missing[block] == 0]
    for block in order:
        for successor in after[block]:
            missing[successor] -= 1
            if missing[successor] == 0:
                order.append(successor)
    x = dict.fromkeys(before, 0.0)
    for block in order:
        x[block] = max((x[b] + gap for b, gap in before[block].items()), default=0.0)
    for block in reversed(order):
        if after[block]:
            x[block] = max(x[block], min(x[b] - gap for b, gap in after[block].items()))
    return [x[r] for r in root]


def _coordinates(graph: _Layered, widths: list[float]) -> list[float]:
    """x of every vertex, after Brandes and Köpf (2001): the mean of the middle two of four extreme alignments."""
    size = len(graph.layer)
    if size == 0:
        return []
    above = _spine(graph)
    below: list[list[int]] = [[] for _ in range(size)]
    for row in graph.layers:
        for v in row:
            for u in above[v]:
                below[u].append(v)
    versions = []
    for candidates, layers in ((above, graph.layers), (below, graph.layers[::-1])):
        for sign in (1, -1):
            rows = [row[::sign] for row in layers]
            near = [item[::sign] for item in candidates]
            versions.append([sign * x for x in _compact(rows, _blocks(rows, near, size), widths)])
    # All four are moved to the narrowest one: those packed to the left by its left end, the others by its right end.
    narrowest = min(versions, key=lambda x: max(x) - min(x))
    low, high = min(narrowest), max(narrowest)
    shifts = [low - min(x) if i % 2 == 0 else high - max(x) for i, x in enumerate(versions)]
    return [sum(sorted(x[v] + shift for x, shift in zip(versions, shifts, strict=True))[1:3]) / 2 for v in range(size)]


def layered(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]) -> Layout:
    """Lays out vertices of the given (width, height) so that every edge (tail, head) points downwards.

    Raises:
        ValueError: if the edges form a cycle.
    """
    graph = _Layered(len(sizes), edges)
    _order_layers(graph)
    dummies = len(graph.layer) - len(sizes)
    widths = [width for width, _ in sizes] + [4.0] * dummies
    heights = [height for _, height in sizes] + [0.0] * dummies
    x = _coordinates(graph, widths)

    left = min((x[v] - widths[v] / 2 for v in range(len(x))), default=0.0)
    x = [value - left for value in x]
    y = [0.0] * len(x)
    top = 0.0
    halves: list[float] = []
    for row in graph.layers:
        height = max(heights[v] for v in row)
        # Where many lines leave a layer, they need more room below it.
        spread = min(60.0, 0.04 * max((abs(x[v] - x[u]) for v in row for u in graph.below[v]), default=0.0))
        for v in row:
            y[v] = top + height / 2
        halves.append(height / 2)
        top += height + GAP_Y + spread
    bottom = max((y[v] + heights[v] / 2 for v in range(len(y))), default=0.0)
    routes = _routes(graph, x, y, heights, halves)
    right = max((x[v] + widths[v] / 2 for v in range(len(x))), default=0.0)
    return Layout([(x[v], y[v]) for v in range(len(sizes))], routes, right, bottom)


def _routes(
    graph: _Layered, x: list[float], y: list[float], heights: list[float], halves: list[float]
) -> list[tuple[list[tuple[float, float]], bool]]:
    """Every piece of line once: from a vertex or a dummy to the layer below it."""
    routes = []
    for tail in range(len(x)):
        half = halves[graph.layer[tail]]
        for head in graph.below[tail]:
            start = (x[tail], y[tail] + heights[tail] / 2)
            end = (x[head], y[head] - heights[head] / 2)
            low, high = (x[tail], y[tail] + half), (x[head], y[head] - halves[graph.layer[head]])
            routes.append(([start, low, high, end], head < graph.count))
    for tail, head in graph.direct:
        start, end = (x[tail], y[tail] + heights[tail] / 2), (x[head], y[head] - heights[head] / 2)
        routes.append(([start, start, end, end], True))
    return routes
