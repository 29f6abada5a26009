"""Runs a program as Python would, after seeding every generator: seeded.py [OPTIONS] SCRIPT [ARGUMENTS ...].

--name NAME     what `__name__` is in the program ("__main__")
--call TEXT     Python that runs in the program's names when the program has ended
--absent NAMES  modules, parted by commas, that the program imports and does not need here
"""

import argparse
import importlib.machinery
import os
import random
import runpy
import sys
import unittest.mock

import numpy
import torch

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="__main__")
    parser.add_argument("--call", default="")
    parser.add_argument("--absent", default="")
    parser.add_argument("program", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    for name in filter(None, options.absent.split(",")):
        sys.modules[name] = unittest.mock.MagicMock(__spec__=importlib.machinery.ModuleSpec(name, None))
    sys.argv = options.program
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    random.seed(0)
    numpy.random.seed(0)
    torch.manual_seed(0)
    names = runpy.run_path(sys.argv[0], run_name=options.name)
    exec(options.call, names)
