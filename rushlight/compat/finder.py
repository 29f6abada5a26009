"""The finder that serves Rushlight wherever `torch` is imported, and shows a distribution of that name.

It needs the standard library alone and loads Rushlight when `torch` is first imported, so that a process which never
does pays nothing for it.
"""

import importlib
import importlib.machinery
import os
import sys

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEFAULT_VERSION = "2.8.0+rushlight"


class TorchFinder:
    """A meta-path finder for `torch`, its submodules, and the distribution called torch."""

    def __init__(self, version):
        self.version = version

    def find_spec(self, name, path=None, target=None):
        """The spec of a module of `torch`: its loader gives the module of Rushlight's itself."""
        top, _, below = name.partition(".")
        if top == "torch":
            return self._below_torch(name, below) if below else self._spec(name, _find("rushlight"))
        if top == "rushlight":
            return self._of_ours(name, path) if below else self._package()
        return None

    def _package(self):
        """The package beside this file, wherever sys.path would lead."""
        from importlib.util import spec_from_file_location

        return spec_from_file_location("rushlight", os.path.join(PACKAGE, "__init__.py"))

    def _of_ours(self, name, path):
        """A module of Rushlight's that is loaded while `torch` is there: it will be shown as torch's."""
        spec = importlib.machinery.PathFinder.find_spec(name, path) if "torch" in sys.modules else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Mirror(spec.loader)
        return spec

    def _below_torch(self, name, below):
        from rushlight import unsupported
        from rushlight.compat.aliases import ALIASES, module_path

        found = module_path(name)
        if found is not None:
            return self._spec(name, _find(found))
        if below in unsupported.STAND_INS:
            return importlib.machinery.ModuleSpec(name, _StandIn(), is_package=True)
        reason = unsupported.reason(below)
        if reason or name in ALIASES:  # an alias of nothing: the parent's folder has something else of that name
            raise ModuleNotFoundError(f"No module named {name!r}" + (f": {reason}" if reason else ""), name=name)
        return None

    def _spec(self, name, own):
        spec = importlib.machinery.ModuleSpec(name, _Loader(own, self), origin=own.origin)
        spec.submodule_search_locations = own.submodule_search_locations
        return spec

    def find_distributions(self, context):
        """The distribution called torch, for importlib.metadata."""
        if context.name is None or context.name.lower() == "torch":
            from rushlight.compat.distribution import TorchDistribution

            yield TorchDistribution(self.version)

    def invalidate_caches(self):
        """Nothing is cached."""


class _Loader:
    """Gives a module that Rushlight has, under a second name."""

    def __init__(self, own_spec, finder):
        self.own_spec = own_spec
        self.finder = finder

    def create_module(self, spec):
        """The module itself, imported under its own name."""
        return importlib.import_module(self.own_spec.name)

    def exec_module(self, module):
        """Gives the module its own spec back, which the import replaced; it was run when it was imported."""
        module.__spec__ = self.own_spec
        if self.own_spec.name == "rushlight":
            from rushlight.compat import root

            root.show_version(self.finder.version)
            root.add_compatible_names()
            for loaded in [name for name in sys.modules if name.startswith("rushlight.")]:
                _show(sys.modules[loaded])
            _move_classes(module, "rushlight", "torch")


class _Mirror:
    """Runs a module of Rushlight's that is loaded while `torch` is there, and shows it under `torch` as well."""

    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        """As the module's own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module):
        """As the module's own loader does."""
        module.__spec__.loader = module.__loader__ = self.loader
        self.loader.exec_module(module)
        _show(module)


class _StandIn:
    """Makes a module that is there to be imported, and raises when it is used."""

    def create_module(self, spec):
        """The module."""
        from rushlight import unsupported

        return unsupported.stand_in(spec.name[6:])

    def exec_module(self, module):
        """It needs no code."""


def _find(name):
    from importlib.util import find_spec

    return find_spec(name)


def _show(module):
    """A module under the name that it has below `torch`, so that an import of that finds it and binds nothing."""
    from rushlight.compat.aliases import bind, torch_path

    name = torch_path(module.__name__)
    if name:
        sys.modules.setdefault(name, module)
        bind(module)
        _move_classes(module, module.__name__, name)


def _move_classes(module, before, after):
    """What classes say of their module, which programs print, compare with "torch", and write to files."""
    for kind in list(vars(module).values()):
        if isinstance(kind, type) and kind.__module__ == before:
            try:
                kind.__module__ = after
            except TypeError:  # a class of the core that cannot change
                continue


def installed():
    """The finder that is at work in this process, or None."""
    return next((finder for finder in sys.meta_path if isinstance(finder, TorchFinder)), None)


def install(version=DEFAULT_VERSION):
    """Puts the finder before all others, and a hint after the traceback of a name that is missing."""
    if installed() is None:
        sys.meta_path.insert(0, TorchFinder(version))
        sys.excepthook = _Hook(sys.excepthook)


class _Hook:
    """sys.excepthook, and below the traceback what is known of a missing name."""

    def __init__(self, before):
        self.before = before

    def __call__(self, kind, error, traceback):
        self.before(kind, error, traceback)
        if "rushlight" in sys.modules and isinstance(error, (AttributeError, ImportError)):
            from rushlight.compat.names import hint

            text = hint(error)
            if text:
                print(text, file=sys.stderr)


def uninstall():
    """Takes the finder, the second names and the hook away again."""
    finder = installed()
    if finder is None:
        return
    sys.meta_path.remove(finder)
    if isinstance(sys.excepthook, _Hook):
        sys.excepthook = sys.excepthook.before
    for name in [name for name in sys.modules if name == "torch" or name.startswith("torch.")]:
        module = sys.modules.pop(name)
        _move_classes(module, name, module.__name__)
    if "rushlight.compat.root" in sys.modules:
        sys.modules["rushlight.compat.root"].restore()
