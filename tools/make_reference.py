"""Writes docs/reference/: a page for each namespace of functions, read from the rows and the docstrings.

python tools/make_reference.py            write the pages
python tools/make_reference.py --check    fail when they are not what the registry and the docstrings say
"""

import argparse
import inspect
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import rushlight  # noqa: E402
from rushlight import _core  # noqa: E402
from tests.ops.samples import evaluate, lines  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
NAMESPACES = {
    "": "tensors and the operators on them",
    "nn.functional": "layers and losses as functions",
    "linalg": "linear algebra",
    "fft": "Fourier transforms",
    "special": "functions of mathematical physics and statistics",
    "signal.windows": "window functions",
    "masked": "reductions that leave elements out",
    "func": "functions of functions: gradients, Jacobians, vectorisation",
    "sparse": "sparse tensors",
}
NOTE = "<!-- Written by tools/make_reference.py; do not edit. -->"
CATEGORIES = {
    "bool": ("bool",),
    "integers": ("uint8", "int8", "int16", "int32", "int64"),
    "floating point": ("float16", "bfloat16", "float32", "float64"),
    "complex": ("complex64", "complex128"),
}


def dtypes_text(row):
    given = {str(d).removeprefix("torch.") for d in row["dtypes"]}
    return ", ".join(name for name, members in CATEGORIES.items() if given & set(members))


def forms_text(row, place):
    forms = set(row["forms"]) - ({"method"} if row["home"] else set())
    shown = {"function": f"`{place}`", "method": "a method", "inplace": f"in place `{row['name']}_`", "out": "`out=`"}
    return ", ".join(text for form, text in shown.items() if form in forms)


def value_text(value):
    """float64[3, 4]; numbers and texts as they are."""
    if isinstance(value, _core.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, tuple) and not isinstance(value, _core.Size):
        return f"({', '.join(value_text(v) for v in value)})"
    return repr(value)


def example(row, function):
    """The row's first sample, and the shape of what it really gives."""
    for line in lines(row["samples"])[:1]:
        args, kwargs = evaluate(line, rushlight)
        return f"    {row['name']}({line}) -> {value_text(function(*args, **kwargs))}"
    return None


def expression(formula):
    """What a row's lambda returns."""
    return formula.partition("return ")[2].rpartition(";")[0]


def row_entry(name, function, place):
    row = function.row
    head = [f"## {name}", "", f"`{row['signature']}`", ""]
    if name != row["name"]:
        return [*head[:2], f"Another name of `{row['name']}`.", ""]
    facts = [f"As {forms_text(row, place)}. For {dtypes_text(row)}."]
    if row["gradients"]:
        facts += [f"Gradient of {k}: `{expression(formula)}`." for k, formula in row["gradients"].items()]
    made = example(row, function)
    return [*head, row["doc"], "", *facts, "", *([made, ""] if made else [])]


def python_entry(name, function):
    try:
        # A default that is a module shows the path of its file, which is another one on every machine.
        signature = re.sub(r"<module '([\w.]+)'[^>]*>", r"\1", f"`{name}{inspect.signature(function)}`")
    except (TypeError, ValueError):
        signature = f"`{name}(...)`"
    text, _, examples = (inspect.getdoc(function) or "").partition("\n>>>")
    shown = ["```python", ">>>" + examples, "```", ""] if examples else []
    return [f"## {name}", "", signature, "", text.strip(), "", *shown]


def functions(module):
    """name -> function: what the namespace shows, without classes, modules and what Python itself defines."""
    found = {}
    for name in sorted(dir(module)):
        if name.startswith("_") or name in ("annotations",):
            continue
        o = getattr(module, name, None)
        if inspect.ismodule(o) or inspect.isclass(o) or not callable(o):
            continue
        in_place = name.endswith("_") and hasattr(module, name[:-1])  # said in the entry of the plain form
        if not in_place and (getattr(o, "__module__", None) or "rushlight").split(".")[0] == "rushlight":
            found[name] = o
    return found


def page(space, what):
    module = rushlight
    for part in filter(None, space.split(".")):
        module = getattr(module, part)
    place = f"torch.{space}" if space else "torch"
    text = [NOTE, "", f"# {place}: {what}", ""]
    for name, function in functions(module).items():
        text += row_entry(name, function, place) if isinstance(function, _core.Op) else python_entry(name, function)
    return "\n".join(text).rstrip() + "\n"


def pages():
    """file name -> text."""
    made = {}
    for space, what in NAMESPACES.items():
        if hasattr(rushlight, space.split(".")[0]) or not space:
            made[f"torch{'.' + space if space else ''}.md"] = page(space, what)
    index = [f"- [{name.removesuffix('.md')}]({name})" for name in made]
    made["README.md"] = "\n".join([NOTE, "", "# Reference", "", *index]) + "\n"
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is not up to date")
    check = parser.parse_args().check
    stale = []
    for name, text in pages().items():
        path = FOLDER / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if check and stale:
        print(f"docs/reference is stale: {', '.join(stale)}.\nCure: python tools/make_reference.py")
    return bool(check and stale)


if __name__ == "__main__":
    sys.exit(main())
