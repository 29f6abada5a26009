"""Every example in the documentation is run: the package's docstrings, and the rows of the registry."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import rushlight

FLAGS = doctest.ELLIPSIS


def modules():
    """The root and every module below it whose own dependencies are installed."""
    yield rushlight
    for found in pkgutil.walk_packages(rushlight.__path__, "rushlight.", onerror=lambda name: None):
        if found.name.rsplit(".", 1)[-1].startswith("_"):  # __main__ runs, _core holds rows: see below
            continue
        try:
            yield importlib.import_module(found.name)
        except ModuleNotFoundError as missing:
            if (missing.name or "").split(".")[0] == "rushlight":
                raise


def module_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in modules():
        for test in finder.find(module, module.__name__):
            if test.examples:
                yield test


def row_examples():
    parser = doctest.DocTestParser()
    for name in dir(rushlight._core):
        text = inspect.getdoc(getattr(rushlight._core, name))
        if not name.startswith("__") and text and ">>>" in text:
            yield parser.get_doctest(text, {}, f"rushlight._core.{name}", None, 0)


EXAMPLES = {test.name: test for test in [*module_examples(), *row_examples()]}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name):
    test = EXAMPLES[name]
    test.globs = {"__name__": "__main__", **test.globs, "torch": rushlight}
    report = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def test_examples_were_found():
    assert len(EXAMPLES) > 20
