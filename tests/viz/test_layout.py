"""What any drawing of a graph must satisfy, on chosen and random graphs."""

import random

import pytest

from rushlight.viz import layout as layout_module
from rushlight.viz.layout import GAP_X, layered


def random_graph(seed, count, reach=10):
    rng = random.Random(seed)
    sizes = [(rng.uniform(40, 200), rng.choice([30.0, 46.0, 60.0])) for _ in range(count)]
    edges = []
    for head in range(1, count):
        first = max(0, head - reach) if rng.random() < 0.9 else 0
        edges += [(rng.randrange(first, head), head) for _ in range(rng.randint(0, 3))]
    return sizes, edges


def assert_sound(sizes, edges):
    drawing = layered(sizes, edges)
    boxes = [
        (x - w / 2, y - h / 2, x + w / 2, y + h / 2) for (x, y), (w, h) in zip(drawing.centers, sizes, strict=True)
    ]
    for left, top, right, bottom in boxes:
        assert left >= -1e-6 and top >= -1e-6
        assert right <= drawing.width + 1e-6 and bottom <= drawing.height + 1e-6
    for tail, head in edges:
        assert boxes[tail][3] < boxes[head][1], "edges point downwards"
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            apart = a[2] + GAP_X <= b[0] + 1e-6 or b[2] + GAP_X <= a[0] + 1e-6 or a[3] < b[1] or b[3] < a[1]
            assert apart, "boxes do not overlap"
    for points, _ in drawing.routes:
        ys = [y for _, y in points]
        assert ys == sorted(ys), "lines go downwards"
    # Following the lines from box to box must give back the edges, no more and no fewer.
    starts = {}
    for points, arrow in drawing.routes:
        starts.setdefault(points[0], []).append((points[-1], arrow))
    bottoms = [((left + right) / 2, bottom) for left, _, right, bottom in boxes]
    tops = {(round((left + right) / 2, 6), round(top, 6)): v for v, (left, top, right, _) in enumerate(boxes)}
    found = set()
    for tail, start in enumerate(bottoms):
        pending = [point for point in starts if abs(point[0] - start[0]) < 1e-6 and abs(point[1] - start[1]) < 1e-6]
        while pending:
            for end, arrow in starts.get(pending.pop(), ()):
                if arrow:
                    found.add((tail, tops[round(end[0], 6), round(end[1], 6)]))
                else:
                    pending.append(end)
    assert found == set(edges)


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs(seed):
    assert_sound(*random_graph(seed, random.Random(seed).choice([1, 2, 5, 20, 80])))


def test_edges_beyond_the_budget_are_drawn_directly(monkeypatch):
    monkeypatch.setattr(layout_module, "MAX_DUMMIES", 5)
    assert_sound(*random_graph(3, 60))


def test_nothing_and_single_boxes():
    assert layered([], []).centers == []
    assert layered([(10.0, 20.0)], []).centers == [(5.0, 10.0)]


def test_a_chain_is_straight():
    drawing = layered([(50.0 + i, 30.0) for i in range(20)], [(i, i + 1) for i in range(19)])
    assert len({round(x, 6) for x, _ in drawing.centers}) == 1


def test_crossings_that_can_be_avoided_are_avoided():
    edges = [(0, 5), (1, 4), (2, 3)]
    drawing = layered([(40.0, 30.0)] * 6, edges)
    x = [center[0] for center in drawing.centers]
    assert (x[0] < x[1]) == (x[5] < x[4]) and (x[1] < x[2]) == (x[4] < x[3])


def test_a_leaf_sits_just_above_its_consumer():
    edges = [(i, i + 1) for i in range(9)] + [(10, 9)]
    drawing = layered([(40.0, 30.0)] * 11, edges)
    assert drawing.centers[10][1] == drawing.centers[8][1]


def test_cycles_are_refused():
    with pytest.raises(ValueError, match="must not have cycles"):
        layered([(1.0, 1.0)] * 2, [(0, 1), (1, 0)])
