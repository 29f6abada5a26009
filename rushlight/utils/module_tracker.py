"""Which modules are running: the names of those whose forward, or whose part of backward, is under way."""

import weakref

from rushlight.autograd import engine
from rushlight.autograd.graph import register_multi_grad_hook
from rushlight.nn.modules.hooks import register_module_forward_hook, register_module_forward_pre_hook
from rushlight.utils._pytree import tree_leaves

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """In the block, `parents` holds the names of the running modules: the class of the outermost one, then attributes.

    Attributes:
        parents (set of str): always holds "Global"; in backward, the modules whose gradients are being computed.
        is_bw (bool): whether backward is running.

    >>> from rushlight.utils.module_tracker import ModuleTracker
    >>> net = torch.nn.Sequential(torch.nn.ReLU())
    >>> with ModuleTracker() as tracker:
    ...     handle = net[0].register_forward_pre_hook(lambda *_: print(sorted(tracker.parents)))
    ...     _ = net(torch.ones(1))
    ['Global', 'Sequential', 'Sequential.0']
    """

    def __init__(self):
        self.parents = {"Global"}
        self._names = weakref.WeakKeyDictionary()
        self._hooks = []
        self._task = None  # the backward run whose end empties `parents`

    @property
    def is_bw(self):
        return engine.current_graph_task() is not None

    def name_of(self, module):
        """The module's name: its class, or the path by which a module that ran before it holds it."""
        name = self._names.setdefault(module, type(module).__name__)
        for path, below in module.named_modules(prefix=name):
            self._names.setdefault(below, path)
        return name

    def __enter__(self):
        self._hooks = [
            register_module_forward_pre_hook(self._before),
            register_module_forward_hook(self._after, always_call=True),
        ]
        return self

    def __exit__(self, *exception):
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self.parents = {"Global"}

    def _before(self, module, args):
        name = self.name_of(module)
        self.parents.add(name)
        self._when_differentiated(args, "all", lambda grads: self.parents.discard(name))

    def _after(self, module, args, output):
        name = self.name_of(module)
        self.parents.discard(name)
        self._when_differentiated(output, "any", lambda grad: self._enter_backward(name))

    def _when_differentiated(self, values, mode, function):
        tensors = [x for x in tree_leaves(values) if getattr(x, "requires_grad", False)]
        if tensors:
            self._hooks.append(register_multi_grad_hook(tensors, function, mode=mode))

    def _enter_backward(self, name):
        task = engine.current_graph_task()
        if task is not self._task:
            self._task = task
            task.callbacks.append(self._leave_backward)
        self.parents.add(name)

    def _leave_backward(self):
        self._task = None
        self.parents = {"Global"}
