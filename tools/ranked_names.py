"""Count which of the names that programs use exist here, or say clearly why not.

    python tools/ranked_names.py LIST.tsv [--first 500] [--show]

LIST.tsv has a name such as "torch.nn.Linear" at the beginning of each line, the most used first. Names that PyTorch
does not have itself are left out. "Refused" is a name that cannot be found and whose error says what is missing.
"""

import argparse
import importlib
import pathlib
import sys
import warnings

ROOT = pathlib.Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


def exists(module, name):
    """Whether a path such as "torch.nn.Linear" leads somewhere from the module `torch`."""
    found, path = module, module.__name__
    for part in name.split(".")[1:]:
        path = f"{path}.{part}"
        try:
            found = getattr(found, part)
        except Exception:
            try:
                found = importlib.import_module(path)
            except Exception:
                return False
    return True


def verdict(name):
    """ "exists", "refused" or "missing"."""
    from rushlight import unsupported
    from rushlight.compat.names import lookup

    try:
        lookup(name)
    except AttributeError:
        return "refused" if unsupported.reason(name[6:]) else "missing"
    return "exists"


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list", type=pathlib.Path)
    parser.add_argument("--first", type=int, nargs="*", default=[500, 1000])
    parser.add_argument("--show", action="store_true", help="list the missing names")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    names = [line.split("\t")[0] for line in options.list.read_text().splitlines()]
    names = [name for name in names if name.startswith("torch.") and exists(torch, name)]
    for name in [name for name in sys.modules if name.split(".")[0] == "torch"]:
        del sys.modules[name]
    from rushlight.compat import install

    install()
    verdicts = [verdict(name) for name in names]
    for first in options.first:
        told = verdicts[:first]
        share = 100 * (1 - told.count("missing") / len(told))
        counts = ", ".join(f"{told.count(verdict)} {verdict}" for verdict in ("exists", "refused", "missing"))
        print(f"of the first {len(told)}: {counts} ({share:.1f} % exist or say why not)")
    if options.show:
        last = max(options.first)
        print("\n".join(name for name, told in zip(names[:last], verdicts, strict=False) if told == "missing"))


if __name__ == "__main__":
    main()
