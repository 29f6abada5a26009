"""What a module saves and loads: the dictionary of its tensors by path."""

from collections import OrderedDict, namedtuple

import rushlight
from rushlight.nn.modules.hooks import add_hook
from rushlight.nn.parameter import Parameter, is_lazy

_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self):
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class StateDict:
    """The part of `Module` that saves and loads."""

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """All parameters and persistent buffers by path.

        Args:
            destination: the dictionary to fill; a new one by default.
            prefix: what to put before every path.
            keep_vars: give the parameters themselves instead of detached tensors that share their memory.

        >>> torch.nn.Linear(2, 1).state_dict().keys()
        odict_keys(['weight', 'bias'])
        """
        if args:  # the older form: destination, prefix, keep_vars by position
            destination, prefix, keep_vars = (*args, *(destination, prefix, keep_vars)[len(args) :])
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, local_metadata)
            if not getattr(hook, "_from_public_api", False):
                destination = destination if result is None else result
            elif result is not None:
                raise RuntimeError("state_dict post-hook must return None")
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for name, parameter in self._parameters.items():
            if parameter is not None:
                destination[prefix + name] = parameter if keep_vars or is_lazy(parameter) else parameter.detach()
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars or is_lazy(buffer) else buffer.detach()
        if type(self).get_extra_state is not StateDict.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def register_state_dict_pre_hook(self, hook):
        """Call `hook(module, prefix, keep_vars)` before `state_dict` collects."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict` has collected."""
        hook._from_public_api = True
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook):
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "[_register_state_dict_hook] this hook was registered by register_state_dict_post_hook before, which "
                "has other rules. Register a new function."
            )
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook):
        """Call `hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)`
        before the module takes its part of the dictionary; it may change the lists and the dictionary in place."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        flags = (self._load_state_dict_pre_hooks_with_module,) if with_module else ()
        return add_hook(self._load_state_dict_pre_hooks, hook, flags=flags)

    def register_load_state_dict_post_hook(self, hook):
        """Call `hook(module, incompatible_keys)` after the module has been loaded; it may change the keys in place."""
        return add_hook(self._load_state_dict_post_hooks, hook)

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Take what belongs to this module, not to its children; complaints are added to the three lists."""
        given = (state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        for id, hook in self._load_state_dict_pre_hooks.items():
            hook(self, *given) if id in self._load_state_dict_pre_hooks_with_module else hook(*given)
        assign = local_metadata.get("assign_to_params_buffers", False)
        members = {name: value for name, value in self._parameters.items() if value is not None}
        for name, value in self._buffers.items():
            if value is not None and name not in self._non_persistent_buffers_set:
                members[name] = value
        for name, current in members.items():
            key = prefix + name
            if key in state_dict:
                self._load_member(name, key, current, state_dict[key], assign, error_msgs)
            elif strict:
                missing_keys.append(key)

        extra_key = prefix + _EXTRA_STATE
        if type(self).set_extra_state is not StateDict.set_extra_state:
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)

        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    name, dot, _ = key[len(prefix) :].partition(".")
                    if name not in (self._modules if dot else members):
                        unexpected_keys.append(key)

    def _load_member(self, name, key, current, loaded, assign, error_msgs):
        if not isinstance(loaded, rushlight.Tensor):
            error_msgs.append(
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                f"checkpoint but received {type(loaded)}"
            )
            return
        if is_lazy(current) and is_lazy(loaded):
            return
        if current.ndim == 0 and loaded.ndim == 1 and not assign:
            loaded = loaded[0]  # how scalars were saved long ago
        if loaded.shape != current.shape:
            error_msgs.append(
                f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, "
                f"the shape in current model is {current.shape}."
            )
            return
        try:
            with rushlight.no_grad():
                if not assign:
                    current.copy_(loaded)
                    return
                if isinstance(current, Parameter):
                    if not isinstance(loaded, Parameter):
                        loaded = Parameter(loaded, requires_grad=current.requires_grad)
                    else:
                        loaded.requires_grad_(current.requires_grad)
                setattr(self, name, loaded)
        except Exception as error:
            error_msgs.append(
                f'While copying the parameter named "{key}", whose dimensions in the model are {current.shape} and '
                f"whose dimensions in the checkpoint are {loaded.shape}, an exception occurred : {error.args}."
            )

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copy parameters and buffers from a dictionary that `state_dict` made.

        Args:
            strict: the keys must be exactly those of this module.
            assign: take the given tensors themselves (their dtype and device) instead of copying their values.

        Returns:
            A named tuple `(missing_keys, unexpected_keys)`.

        Raises:
            RuntimeError: if keys or shapes do not agree; the message lists all of them.

        >>> layer = torch.nn.Linear(2, 1)
        >>> layer.load_state_dict(torch.nn.Linear(2, 1).state_dict())
        <All keys matched successfully>
        """
        if not hasattr(state_dict, "keys"):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing_keys, unexpected_keys, error_msgs = [], [], []
        metadata = getattr(state_dict, "_metadata", None)
        state_dict = OrderedDict(state_dict)  # hooks may change it
        if metadata is not None:
            state_dict._metadata = metadata

        def load(module, entries, prefix=""):
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata = {**local_metadata, "assign_to_params_buffers": True}
            module._load_from_state_dict(
                entries, prefix, local_metadata, True, missing_keys, unexpected_keys, error_msgs
            )
            for name, child in module._modules.items():
                if child is not None:
                    path = f"{prefix}{name}."
                    load(child, {key: value for key, value in entries.items() if key.startswith(path)}, path)
            incompatible = _IncompatibleKeys(missing_keys, unexpected_keys)
            for hook in module._load_state_dict_post_hooks.values():
                if hook(module, incompatible) is not None:
                    raise AssertionError(
                        "[register_load_state_dict_post_hook] a hook must return None. "
                        "Change the lists of incompatible_keys in place."
                    )

        load(self, state_dict)
        if strict:
            if unexpected_keys:
                keys = ", ".join(f'"{key}"' for key in unexpected_keys)
                error_msgs.insert(0, f"Unexpected key(s) in state_dict: {keys}. ")
            if missing_keys:
                keys = ", ".join(f'"{key}"' for key in missing_keys)
                error_msgs.insert(0, f"Missing key(s) in state_dict: {keys}. ")
        if error_msgs:
            listed = "\n\t".join(error_msgs)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{listed}")
        return _IncompatibleKeys(missing_keys, unexpected_keys)

    def get_extra_state(self):
        """What `state_dict` shall contain besides tensors; a subclass that defines it defines `set_extra_state`."""
        raise RuntimeError("[get_extra_state] a subclass that wants extra state must define it.")

    def set_extra_state(self, state):
        """Take back what `get_extra_state` gave."""
        raise RuntimeError("[set_extra_state] a subclass that wants extra state must define it.")
