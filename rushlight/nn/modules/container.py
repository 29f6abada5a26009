"""Modules and parameters in sequences and dictionaries."""

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import chain, groupby

import rushlight
from rushlight.nn.modules.module import Module
from rushlight.nn.modules.text import block, indented
from rushlight.nn.parameter import Parameter

__all__ = ["Container", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


def _position(container, index):
    """`index` as a position from 0 to len - 1."""
    position, size = operator.index(index), len(container)
    if not -size <= position < size:
        raise IndexError(f"index {position} is out of range")
    return position % size


class _Numbered(Module):
    """Children under the names "0", "1", ...: what Sequential and ModuleList have in common."""

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __setitem__(self, index, module):
        setattr(self, str(_position(self, index)), module)

    def _replace_all(self, modules):
        self._modules.clear()
        for position, module in enumerate(modules):
            self.add_module(str(position), module)

    def __delitem__(self, index):
        modules = list(self)
        if not isinstance(index, slice):
            index = _position(self, index)
        del modules[index]
        self._replace_all(modules)

    def append(self, module):
        """Add a module at the end. Returns the container."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index, module):
        """Put a module before position `index`."""
        if not isinstance(module, Module):
            raise AssertionError("module should be of type: " + str(Module))
        modules = list(self)
        modules.insert(index, module)
        self._replace_all(modules)

    def pop(self, key):
        """Remove the module at position `key` and return it."""
        module = self[key]
        del self[key]
        return module


class Sequential(_Numbered):
    """Calls its modules one after another, each with the output of the one before.

    Args:
        args: the modules; or one dictionary, whose keys become their names.

    >>> torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args):
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), module)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input

    def _name_at(self, index):
        return list(self._modules)[_position(self, index)]

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __setitem__(self, index, module):
        setattr(self, self._name_at(index), module)

    def __add__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return Sequential(*self, *other)

    def __iadd__(self, other):
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return self.extend(list(other))

    def __mul__(self, other):
        return Sequential(*(list(self) * self._times(other)))

    __rmul__ = __mul__

    def __imul__(self, other):
        modules = list(self)
        for _ in range(self._times(other) - 1):
            self.extend(modules)
        return self

    def _times(self, other):
        if not isinstance(other, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")
        return other

    def insert(self, index, module):
        """Put a module before position `index`. Returns the container. Raises IndexError for a place outside it."""
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        super().insert(index, module)
        return self

    def extend(self, sequential):
        """Add all modules of an iterable at the end. Returns the container."""
        for module in sequential:
            self.append(module)
        return self


class ModuleList(_Numbered):
    """A list of modules. It has no forward: the program says what to do with them.

    >>> torch.nn.ModuleList([torch.nn.ReLU() for _ in range(3)])
    ModuleList(
      (0-2): 3 x ReLU()
    )
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self += modules

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[str(_position(self, index))]

    def __iadd__(self, modules):
        return self.extend(modules)

    def __add__(self, other):
        return ModuleList(chain(self, other))

    def extend(self, modules):
        """Add all modules of an iterable at the end. Returns the container."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def __repr__(self):
        lines, position = [], 0
        for text, group in groupby(repr(module) for module in self):
            count = len(list(group))
            if count == 1:
                lines.append(f"({position}): {indented(text)}")
            else:
                lines.append(f"({position}-{position + count - 1}): {count} x {indented(text)}")
            position += count
        return block(self._get_name(), "", lines)


class ModuleDict(Module):
    """A dictionary of modules, in the order of insertion.

    >>> torch.nn.ModuleDict({"act": torch.nn.ReLU()})
    ModuleDict(
      (act): ReLU()
    )
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self):
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key):
        """Remove the module under `key` and return it."""
        return self._modules.pop(key)

    def keys(self):
        """The names."""
        return self._modules.keys()

    def items(self):
        """Pairs of name and module."""
        return self._modules.items()

    def values(self):
        """The modules."""
        return self._modules.values()

    def update(self, modules):
        """Take over a mapping or pairs of name and module; names that exist are replaced."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, but got "
                + type(modules).__name__
            )
        for name, module in _pairs(modules, "ModuleDict", (Mapping, ModuleDict)):
            self[name] = module


def _pairs(entries, kind, mappings):
    if isinstance(entries, mappings):
        yield from entries.items()
        return
    for position, pair in enumerate(entries):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{kind} update sequence element #{position} should be Iterable; is {type(pair).__name__}")
        if len(pair) != 2:
            raise ValueError(f"{kind} update sequence element #{position} has length {len(pair)}; 2 is required")
        yield pair


def _as_parameter(value):
    if isinstance(value, rushlight.Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _member_line(name, value, type_of):
    if isinstance(value, rushlight.Tensor):
        size = "x".join(str(n) for n in value.shape)
        where = "" if value.device.type == "cpu" else f" ({value.device})"
        kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
        return f"  ({name}): {kind} containing: [{type_of(value)} of size {size}{where}]"
    return f"  ({name}): Object of type: {type(value).__name__}"


class ParameterList(Module):
    """A list whose tensors are parameters of the module; other values are allowed and left alone.

    >>> weights = torch.nn.ParameterList([torch.ones(2) for _ in range(3)])
    >>> len(list(weights.parameters()))
    3
    """

    def __init__(self, values=None):
        super().__init__()
        self._size = 0
        if values is not None:
            self += values

    def __len__(self):
        return self._size

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)([self[i] for i in range(*index.indices(len(self)))])
        return getattr(self, str(_position(self, index)))

    def __setitem__(self, index, value):
        name = str(_position(self, index))
        setattr(self, name, _as_parameter(value))

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __iadd__(self, values):
        return self.extend(values)

    def __dir__(self):
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self, value):
        """Add a value at the end; a tensor becomes a parameter. Returns the list."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values):
        """Add all values of an iterable at the end. Returns the list."""
        if not isinstance(values, Iterable) or isinstance(values, rushlight.Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        for value in values:
            self.append(value)
        return self

    def pop(self, index=-1):
        """Remove the value at `index` and return it."""
        values = list(self)
        value = values.pop(index)
        for position in range(self._size):
            delattr(self, str(position))
        self._size = 0
        self.extend(values)
        return value

    def __call__(self, *args, **kwargs):
        raise RuntimeError("[ParameterList] must not be called: it holds parameters for another module. Index it.")

    def extra_repr(self):
        return "\n".join(_member_line(i, value, lambda tensor: tensor.dtype) for i, value in enumerate(self))


class ParameterDict(Module):
    """A dictionary whose tensors are parameters of the module; other values are allowed and left alone.

    >>> weights = torch.nn.ParameterDict({"left": torch.ones(2)})
    >>> [name for name, _ in weights.named_parameters()]
    ['left']
    """

    def __init__(self, parameters=None):
        super().__init__()
        self._keys = {}
        if parameters is not None:
            self.update(parameters)

    def _key_to_attr(self, key):
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}')."
            )
        return key

    def __getitem__(self, key):
        return getattr(self, self._key_to_attr(key))

    def __setitem__(self, key, value):
        setattr(self, self._key_to_attr(key), _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key):
        del self._keys[key]
        delattr(self, self._key_to_attr(key))

    def __len__(self):
        return len(self._keys)

    def __iter__(self):
        return iter(self._keys)

    def __reversed__(self):
        return reversed(list(self._keys))

    def __contains__(self, key):
        return key in self._keys

    def copy(self):
        """A new dictionary with the same parameters."""
        return ParameterDict(OrderedDict((key, self[key]) for key in self._keys))

    def setdefault(self, key, default=None):
        """The value under `key`, which becomes `default` if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self):
        """Remove everything."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key):
        """Remove the value under `key` and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self):
        """Remove the newest pair and return it."""
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def get(self, key, default=None):
        """The value under `key`, or `default`."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys, default=None):
        """A new dictionary with `default` under each of `keys`."""
        return ParameterDict((key, default) for key in keys)

    def keys(self):
        """The names."""
        return self._keys.keys()

    def items(self):
        """Pairs of name and value."""
        return ((key, self[key]) for key in self._keys)

    def values(self):
        """The values."""
        return (self[key] for key in self._keys)

    def update(self, parameters):
        """Take over a mapping or pairs of name and value."""
        if not isinstance(parameters, Iterable):
            raise TypeError(
                "ParametersDict.update should be called with an iterable of key/value pairs, but got "
                + type(parameters).__name__
            )
        if isinstance(parameters, Mapping) and not isinstance(parameters, (OrderedDict, ParameterDict)):
            parameters = dict(sorted(parameters.items()))
        for key, value in _pairs(parameters, "ParameterDict", (Mapping, ParameterDict)):
            self[key] = value

    def __call__(self, *args, **kwargs):
        raise RuntimeError("[ParameterDict] must not be called: it holds parameters for another module. Index it.")

    def extra_repr(self):
        return "\n".join(_member_line(key, value, lambda tensor: tensor.type()) for key, value in self.items())

    def __or__(self, other):
        merged = self.copy()
        merged.update(other)
        return merged

    def __ror__(self, other):
        merged = other.copy()
        merged.update(self)
        return merged

    def __ior__(self, other):
        self.update(other)
        return self


class Container(Module):
    """A module with the given children; deprecated, since every module can have children."""

    def __init__(self, **kwargs):
        super().__init__()
        warnings.warn("`nn.Container` is deprecated. Subclass `nn.Module` instead.", FutureWarning, stacklevel=2)
        for name, module in kwargs.items():
            self.add_module(name, module)
