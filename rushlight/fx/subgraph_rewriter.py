"""Parts of a graph that look like a pattern, replaced."""

from collections import namedtuple
from dataclasses import dataclass, field

import rushlight
from rushlight.fx._symbolic_trace import symbolic_trace
from rushlight.fx.graph import Graph
from rushlight.fx.graph_module import GraphModule, _copy_attr, _get_attr
from rushlight.fx.node import Node

__all__ = ["Match", "ReplacedPatterns", "replace_pattern", "replace_pattern_with_filters"]

# anchor: the pattern's last node; nodes_map: nodes of the pattern -> of the graph.
Match = namedtuple("Match", ("anchor", "nodes_map"))


@dataclass
class ReplacedPatterns:
    """A Match, and the nodes that came in its place."""

    anchor: Node
    nodes_map: dict
    replacements: list


@dataclass
class InternalMatch:
    """A place that looks like the pattern, while it is looked at."""

    anchors: list  # the pattern's ends
    nodes_map: dict = field(default_factory=dict)
    placeholder_nodes: list = field(default_factory=list)  # what the pattern's inputs stand for there
    returning_nodes: list = field(default_factory=list)  # the nodes there that the pattern returns


class _Matcher:
    def __init__(self, pattern, ignore_literals=False):
        self.ignore_literals = ignore_literals
        if any(n.op != "output" and not n.users and not n.is_impure() for n in pattern.nodes):
            raise AssertionError(
                "[fx.replace_pattern] the pattern must return all that it computes: a node has no users. Remove it."
            )
        self.inputs = pattern.find_nodes(op="placeholder")
        self.returned = pattern.output_node().all_input_nodes
        self.anchors = [n for n in self.returned if len(n.users) == 1]

    def matches(self, graph):
        """The places in order, of which none shares a node with another."""
        candidates = [[(anchor, n) for n in graph.nodes if self.alike(anchor, n)] for anchor in self.anchors]
        found = []

        def grow(match, rest):
            if rest:
                for anchor, node in rest[0]:
                    extended = InternalMatch(match.anchors, dict(match.nodes_map))
                    if self.walk(anchor, node, extended.nodes_map):
                        grow(extended, rest[1:])
            elif self.closed(match.nodes_map):
                match.placeholder_nodes = [match.nodes_map[p] for p in self.inputs if p in match.nodes_map]
                match.returning_nodes = [match.nodes_map[p] for p in self.returned]
                found.append(match)

        for anchor, node in candidates[0] if candidates else ():
            start = InternalMatch(self.anchors)
            if self.walk(anchor, node, start.nodes_map):
                grow(start, candidates[1:])
        taken, apart = set(), []
        for match in found:
            own = [n for p, n in match.nodes_map.items() if p.op not in ("placeholder", "output")]
            if taken.isdisjoint(own):
                taken.update(own)
                apart.append(match)
        return apart

    def alike(self, p, n):
        if p.op == "placeholder":
            return True
        if p.op == n.op == "get_attr":
            ours, theirs = (_get_attr(x.graph.owning_module, x.target) for x in (p, n))
            return type(ours) is type(theirs)
        return p.op == n.op and p.target == n.target

    def walk(self, p, n, nodes_map):
        """Whether `n` and what it reads look like `p` and what that reads; notes what stands for what."""
        if p in nodes_map:
            return nodes_map[p] == n
        if n in nodes_map.values() or not self.alike(p, n):
            return False
        nodes_map[p] = n
        if p.op == "placeholder":
            return True
        same_form = len(p.args) == len(n.args) and list(p.kwargs) == list(n.kwargs)
        return same_form and self.walk_all((*p.args, *p.kwargs.values()), (*n.args, *n.kwargs.values()), nodes_map)

    def walk_all(self, pattern, given, nodes_map):
        if len(pattern) != len(given):
            return False
        for p, n in zip(pattern, given, strict=True):
            if isinstance(p, Node) and isinstance(n, Node):
                same = self.walk(p, n, nodes_map)
            elif isinstance(p, (list, tuple)) and isinstance(n, (list, tuple)):
                same = self.walk_all(p, n, nodes_map)
            elif isinstance(p, Node):  # an input may stand for a plain value
                same = p.op == "placeholder" and nodes_map.setdefault(p, n) == n
            else:
                same = not isinstance(n, Node) and type(p) is type(n) and p == n
            if not same and not (self.ignore_literals and not isinstance(n, Node)):
                return False
        return True

    def closed(self, nodes_map):
        """Whether nothing outside reads what is inside, but for what is returned."""
        inside = {n: p for p, n in nodes_map.items() if p.op != "placeholder"}
        return all(p in self.returned or all(user in inside for user in n.users) for n, p in inside.items())


def replace_pattern(gm, pattern, replacement):
    """Puts `replacement` in place of each part of gm's graph that looks like `pattern`.

    Args:
        gm: a GraphModule, which is changed.
        pattern, replacement: functions, modules or graphs with the same inputs and results. What stands for an input
            may be any node or value; of parts that share nodes, the first is replaced.

    Returns:
        A Match for each.

    >>> traced = torch.fx.symbolic_trace(lambda x, y: torch.relu(x + y) * 2)
    >>> matches = torch.fx.replace_pattern(traced, lambda a, b: torch.relu(a + b), lambda a, b: torch.sigmoid(a - b))
    >>> print(traced.code.strip())
    def forward(self, x, y):
        sub = x - y;  x = y = None
        sigmoid = torch.sigmoid(sub);  sub = None
        mul = sigmoid * 2;  sigmoid = None
        return mul
    """
    return [Match(r.anchor, r.nodes_map) for r in replace_pattern_with_filters(gm, pattern, replacement)]


def replace_pattern_with_filters(
    gm, pattern, replacement=None, match_filters=None, ignore_literals=False, replacement_callback=None
):
    """replace_pattern(), for the matches that all `match_filters(match, graph, pattern_graph)` hold for.

    Args:
        ignore_literals: plain values in the pattern stand for any.
        replacement_callback: (match, graph, pattern_graph) -> the graph that replaces this match.

    Returns:
        A ReplacedPatterns for each.
    """
    graph, pattern_graph = gm.graph, _graph_of(pattern)
    matches = _Matcher(pattern_graph, ignore_literals).matches(graph)
    matches = [m for m in matches if all(f(m, graph, pattern_graph) for f in match_filters or ())]
    if replacement is None and replacement_callback is None:
        raise AssertionError(
            "[fx.replace_pattern] Must provide either a replacement GraphModule or a replacement callback"
        )
    common = None if replacement_callback else _graph_of(replacement)
    replaced_by, replaced = {}, []
    for match in matches:
        new = common if common is not None else replacement_callback(match, graph, pattern_graph)
        # What stood for an input may have been replaced itself.
        match.placeholder_nodes = [replaced_by.get(n, n) for n in match.placeholder_nodes]
        match.nodes_map.update({p: replaced_by.get(n, n) for p, n in match.nodes_map.items() if p.op == "placeholder"})
        replaced.append(_replace(graph, pattern_graph, match, new, replaced_by))
    gm.recompile()
    if isinstance(replacement, rushlight.nn.Module):
        _bring_attributes(gm, replacement)
    return replaced


def _graph_of(x):
    return x if isinstance(x, Graph) else x.graph if isinstance(x, GraphModule) else symbolic_trace(x).graph


def _replace(graph, pattern_graph, match, new, replaced_by):
    inputs = new.find_nodes(op="placeholder")
    if len(inputs) != len(match.placeholder_nodes):
        raise AssertionError(
            f"[fx.replace_pattern] the replacement must have the pattern's inputs. Placeholder count mismatch: "
            f"{len(match.placeholder_nodes)} vs {len(inputs)}."
        )
    made = dict(zip(inputs, match.placeholder_nodes, strict=True))
    users = {user for node in match.returning_nodes for user in node.users}
    place = next((n for n in graph.nodes if n in users), None)
    if place is None:  # nobody reads it: after its end
        place = next(n for n in reversed(graph.nodes) if n in match.returning_nodes).next
    with graph.inserting_before(place):
        results = graph.graph_copy(new, made)
    results = (results,) if isinstance(results, Node) else results
    if len(results) != len(match.returning_nodes):
        raise AssertionError(
            f"[fx.replace_pattern] the replacement must return what the pattern does. Returning nodes count mismatch: "
            f"{len(match.returning_nodes)} vs {len(results)}."
        )
    for old, result in zip(match.returning_nodes, results, strict=True):
        old.replace_all_uses_with(result)
        replaced_by[old] = result
    for node in reversed(pattern_graph.nodes):
        if node.op not in ("placeholder", "output"):
            graph.erase_node(match.nodes_map[node])
    return ReplacedPatterns(match.anchors[0], match.nodes_map, [n for p, n in made.items() if p.op != "placeholder"])


def _bring_attributes(gm, replacement):
    """Gives gm what the replacement's nodes name, and takes away the submodules that no node names any more."""
    for node in gm.graph.nodes:
        if node.op in ("call_module", "get_attr"):
            try:
                _get_attr(gm, node.target)
            except AttributeError:
                _copy_attr(replacement, gm, node.target)
    gm.delete_all_unused_submodules()
    gm.graph.lint()
