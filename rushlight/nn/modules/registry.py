"""The dictionaries `_parameters`, `_buffers` and `_modules` of a module."""

import weakref

MISSING = object()


class Registry(dict):
    """One of a module's three dictionaries: what is written here is written to the module's attributes as well."""

    __slots__ = ("_owner",)

    def __init__(self, owner, entries=()):
        super().__init__(entries)
        self._owner = weakref.ref(owner)  # weak, so that a module is freed as soon as it is dropped
        owner.__dict__.update(self)

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        owner = self._owner()
        if owner is not None:
            owner.__dict__[name] = value

    def _forget(self, name, value):
        owner = self._owner()
        if owner is not None and owner.__dict__.get(name, MISSING) is value:
            del owner.__dict__[name]

    def __delitem__(self, name):
        value = self[name]
        super().__delitem__(name)
        self._forget(name, value)

    def pop(self, name, *default):
        value = self.get(name, MISSING)
        if value is MISSING:
            return super().pop(name, *default)
        del self[name]
        return value

    def popitem(self):
        name, value = super().popitem()
        self._forget(name, value)
        return name, value

    def clear(self):
        for name in list(self):
            del self[name]

    def update(self, *args, **kwargs):
        for name, value in dict(*args, **kwargs).items():
            self[name] = value

    def setdefault(self, name, default=None):
        if name not in self:
            self[name] = default
        return self[name]

    def __ior__(self, other):
        self.update(other)
        return self

    def __reduce_ex__(self, protocol):
        return dict, (dict(self),)  # copies belong to no module until __setstate__ binds them
