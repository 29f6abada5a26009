"""Weak references to tensors, and dicts that tensors key by who they are rather than by what they hold."""

import copy
import weakref
from collections.abc import Mapping, MutableMapping

import rushlight

__all__ = ["TensorWeakRef", "WeakIdKeyDictionary", "WeakIdRef", "WeakTensorKeyDictionary"]


class WeakIdRef(weakref.ref):
    """A weak reference that is equal to another one of the same object, and hashed by the object's identity."""

    __slots__ = ["_id"]

    def __init__(self, key, callback=None):
        super().__init__(key, callback)
        self._id = id(key)

    def __hash__(self):
        return self._id

    def __eq__(self, other):
        mine, theirs = self(), other()
        return self is other if mine is None or theirs is None else mine is theirs

    def __ne__(self, other):  # weakref.ref has one of its own, which compares the objects
        return not self == other


class WeakIdKeyDictionary(MutableMapping):
    """A dict whose keys are compared by identity and disappear, with their values, when nobody else holds them.

    >>> from rushlight.utils.weak import WeakTensorKeyDictionary
    >>> x = torch.ones(2)
    >>> names = WeakTensorKeyDictionary({x: "x"})
    >>> names[x], torch.ones(2) in names
    ('x', False)
    >>> del x
    >>> len(names)
    0
    """

    def __init__(self, dict=None, ref_type=WeakIdRef):
        self.data = {}
        self.ref_type = ref_type
        data = self.data  # the callback must not keep this dictionary alive by itself
        self._remove = lambda reference: data.pop(reference, None)
        self.update(dict or {})

    def __getitem__(self, key):
        return self.data[self.ref_type(key)]

    def __setitem__(self, key, value):
        self.data[self.ref_type(key, self._remove)] = value

    def __delitem__(self, key):
        del self.data[self.ref_type(key)]

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        for reference in list(self.data):  # keys may die meanwhile
            key = reference()
            if key is not None:
                yield key

    def __contains__(self, key):
        try:
            return self.ref_type(key) in self.data
        except TypeError:  # of a type without weak references
            return False

    def keyrefs(self):
        """The weak references to the keys, a list."""
        return list(self.data)

    def copy(self):
        """A new dictionary of the same entries."""
        return type(self)(self, self.ref_type)

    __copy__ = copy

    def __deepcopy__(self, memo):
        made = type(self)(ref_type=self.ref_type)
        for key, value in self.items():
            made[key] = copy.deepcopy(value, memo)
        return made

    def __or__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        made = type(self)(other, self.ref_type)
        made.update(self)
        return made

    def __ior__(self, other):
        self.update(other)
        return self

    def __eq__(self, other):
        if not isinstance(other, Mapping):
            return NotImplemented
        return {id(key): value for key, value in self.items()} == {id(key): value for key, value in other.items()}

    def __repr__(self):
        return f"<{type(self).__name__} at {id(self):#x}>"


WeakTensorKeyDictionary = WeakIdKeyDictionary


class TensorWeakRef:
    """A weak reference to a tensor: called, it gives the tensor, or None when it is gone."""

    def __init__(self, tensor):
        if not isinstance(tensor, rushlight.Tensor):
            raise AssertionError(f"[TensorWeakRef] expected torch.Tensor, got {type(tensor)}.")
        self.ref = weakref.ref(tensor)

    def __call__(self):
        return self.ref()
