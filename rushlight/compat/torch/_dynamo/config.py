"""Settings of PyTorch's compiler: any may be set, and none changes anything."""

import contextlib

accumulated_recompile_limit = 256
assume_static_by_default = True
automatic_dynamic_shapes = True
cache_size_limit = recompile_limit = 8
capture_dynamic_output_shape_ops = capture_scalar_outputs = False
disable = suppress_errors = verbose = False
error_on_recompile = error_on_nested_fx_trace = False
guard_nn_modules = inline_inbuilt_nn_modules = True
optimize_ddp = True


@contextlib.contextmanager
def patch(changes=None, **others):
    """A context in which settings have other values."""
    changes = {**({} if changes is None else changes), **others}
    before = {name: globals()[name] for name in changes if name in globals()}
    globals().update(changes)
    try:
        yield
    finally:
        for name in changes:
            globals().pop(name)
        globals().update(before)
