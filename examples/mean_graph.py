"""The graph of a computation, recorded while it runs, and a picture of it."""

import sys

import rushlight as torch
from rushlight.viz import make_dot

a = torch.tensor(1.0, requires_grad=True)
b = torch.tensor(2.0, requires_grad=True)
c = a + b
d = c * 2
e = d.mean()
e.backward()

print("e      =", e)
print("de/da  =", a.grad)
print("de/db  =", b.grad)

folder = sys.argv[1] if len(sys.argv) > 1 else "."
path = make_dot(e, params={"a": a, "b": b}).render("computation_graph", directory=folder)
print("drawn in", path)
