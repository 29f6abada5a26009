"""Checks of derivatives against finite differences.

Everything is compared as real numbers: a complex tensor is the vector of its real and imaginary parts. A gradient
of a real L with respect to z = a + ib is dL/da + i dL/db, so its real view is the gradient with respect to (a, b),
and one real Jacobian [outputs, inputs] covers real and complex functions alike.
"""

import itertools
import warnings

import rushlight
from rushlight.autograd.function import Function

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """The analytical gradient is not the numerical one, or breaks a rule that gradients must keep."""


def gradcheck(
    func,
    inputs,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_batched_forward_grad=False,
    check_forward_ad=False,
    check_backward_ad=True,
    fast_mode=False,
    masked=None,
):
    """Compares the gradients that backward gives with central finite differences.

    Args:
        func: takes the inputs, returns a Tensor or a tuple of Tensor.
        inputs (Tensor or tuple): those with `requires_grad=True` are checked; they should be float64 or complex128.
        eps (float): the step of the finite differences.
        atol, rtol (float): tolerances, as in `allclose`.
        raise_exception (bool): with False, a failed check returns False instead of raising.
        nondet_tol (float): how much two runs of the same backward may differ.
        check_undefined_grad (bool): also check that missing gradients of outputs count as zeros.
        check_grad_dtypes (bool): also check that each gradient has its input's dtype.
        check_batched_grad (bool): accepted; a batched backward is one backward per row, so there is nothing to check.
        fast_mode (bool): compare one random projection v^T J u of each Jacobian instead of all its entries.
        masked (bool): accepted; it concerns sparse tensors alone.

    Returns:
        True, or False for a failed check with `raise_exception=False`.

    Raises:
        GradcheckError: a check failed.
        ValueError: no input requires grad.
        NotImplementedError: a check of forward mode is asked for.

    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.exp, (x,))
    True
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    if check_forward_ad or check_batched_forward_grad:
        raise NotImplementedError(
            "[gradcheck] forward mode is made of two reverse passes, so it has no formulas to check. Leave "
            "check_forward_ad and check_batched_forward_grad at False, and use gradgradcheck."
        )
    check = _Check(func, _as_tuple(inputs), eps, atol, rtol, nondet_tol, check_grad_dtypes)
    try:
        check.compare(fast_mode)
        check.zero_in_zero_out()
        if check_undefined_grad:
            check.undefined_grads()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func,
    inputs,
    grad_outputs=None,
    *,
    eps=1e-6,
    atol=1e-5,
    rtol=1e-3,
    gen_non_contig_grad_outputs=False,
    raise_exception=True,
    nondet_tol=0.0,
    check_undefined_grad=True,
    check_grad_dtypes=False,
    check_batched_grad=False,
    check_fwd_over_rev=False,
    check_rev_over_rev=True,
    fast_mode=False,
    masked=False,
):
    """Checks second derivatives: runs `gradcheck` on the backward of `func`, as a function of inputs and grad_outputs.

    Args:
        func, inputs: as in `gradcheck`.
        grad_outputs (Tensor or tuple of Tensor): where backward is differentiated; random when left out.
        gen_non_contig_grad_outputs (bool): make the random grad_outputs non-contiguous.
        check_fwd_over_rev (bool): must be False: forward mode has no formulas of its own.
        the rest: as in `gradcheck`.

    Returns:
        True, or False for a failed check with `raise_exception=False`.

    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.sin, (x,))
    True
    """
    if not (check_fwd_over_rev or check_rev_over_rev):
        raise AssertionError("Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True")
    inputs = _as_tuple(inputs)
    if grad_outputs is None:
        outputs = _differentiable(func(*inputs))
        generator = rushlight.Generator().manual_seed(0)
        grad_outputs = tuple(
            _random_like(output, generator, gen_non_contig_grad_outputs).requires_grad_() for output in outputs
        )
    else:
        grad_outputs = _as_tuple(grad_outputs)
    count = len(grad_outputs)
    wanted = [index for index, x in enumerate(inputs) if _is_checked(x)]

    def backward_of_func(*args):
        xs, grads = args[: len(args) - count], args[len(args) - count :]
        outputs = _differentiable(func(*xs))
        got = rushlight.autograd.grad(
            outputs, [xs[index] for index in wanted], grads, create_graph=True, allow_unused=True
        )
        return tuple(g for g in got if g is not None)

    return gradcheck(
        backward_of_func,
        inputs + grad_outputs,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
        masked=masked,
    )


class _Check:
    """The function at hand, its inputs, and the tolerances; each method is one property that must hold."""

    def __init__(self, func, args, eps, atol, rtol, nondet_tol, check_dtypes):
        self.func, self.args = func, args
        self.eps, self.atol, self.rtol = eps, atol, rtol
        self.nondet_tol, self.check_dtypes = nondet_tol, check_dtypes
        self.inputs = [x for x in args if _is_checked(x)]
        self.positions = [index for index, x in enumerate(args) if _is_checked(x)]
        if not self.inputs:
            raise ValueError(
                "[gradcheck] gradcheck expects at least one input tensor to require gradient, but none of them have "
                "requires_grad=True."
            )
        for index, x in zip(self.positions, self.inputs, strict=True):
            if x.dtype not in (rushlight.float64, rushlight.complex128):
                warnings.warn(
                    f"Input #{index} requires gradient and is not a double precision floating point or complex. This "
                    "check will likely fail if all the inputs are not of double precision floating point or complex.",
                    stacklevel=4,
                )
            if any(stride == 0 and size > 1 for stride, size in zip(x.stride(), x.shape, strict=True)):
                raise RuntimeError(
                    f"[gradcheck] The {index}th input has a dimension with stride 0. gradcheck perturbs entries one "
                    "by one, so they must not share memory. Call .contiguous() on it first."
                )

    def outputs(self, which=None):
        return tuple(filter(which or _is_checked, _as_tuple(self.func(*self.args))))

    def compare(self, fast):
        """Analytical against numerical, for each pair of output and input."""
        outputs = self.outputs()
        if not outputs:
            return self.no_gradient_expected()
        if not fast:
            return self.compare_jacobians(outputs)
        generator = rushlight.Generator().manual_seed(0)
        vs = [_unit_vector(_flat(y).numel(), generator) for y in outputs]
        us = [_unit_vector(_flat(x).numel(), generator) for x in self.inputs]
        rows = [self.gradients(y, v, index) for index, (y, v) in enumerate(zip(outputs, vs, strict=True))]
        for i, u in enumerate(us):
            changes = self.difference(self.inputs[i], u)
            for j, (change, v) in enumerate(zip(changes, vs, strict=True)):
                numerical, analytical = (v * change).sum(), (rows[j][i] * u).sum()
                atol = self.atol * float(u.sum() * v.sum())  # entries that are off by atol each, projected
                if rushlight.allclose(analytical, numerical, rtol=self.rtol, atol=atol, equal_nan=True):
                    continue
                message = self.mismatch(j, i, numerical, analytical)
                try:
                    self.compare_jacobians(outputs)
                except GradcheckError as error:
                    raise GradcheckError(f"{message}\nThe whole Jacobians:\n{error}") from None
                raise GradcheckError(
                    f"{message}\nThe random projection differs, but every single entry agrees: the check passes with "
                    "fast_mode=False."
                )

    def compare_jacobians(self, outputs):
        analytical = [self.jacobian_by_backward(y, index) for index, y in enumerate(outputs)]
        for i in range(len(self.inputs)):
            numerical = self.jacobian_by_differences(self.inputs[i], outputs)
            for j in range(len(outputs)):
                a, n = analytical[j][i], numerical[j]
                if not rushlight.allclose(a, n, rtol=self.rtol, atol=self.atol, equal_nan=True):
                    raise GradcheckError(self.mismatch(j, i, n, a))

    def mismatch(self, output, i, numerical, analytical):
        worst = (numerical - analytical).abs().max().item()
        pairs = ""
        if self.inputs[i].is_complex():
            pairs = " (complex numbers as pairs of real and imaginary part)"
        return (
            f"Jacobian mismatch for output {output} with respect to input {self.positions[i]}{pairs},\n"
            f"numerical:{numerical}\nanalytical:{analytical}\ngreatest absolute difference: {worst:.6g}\n"
        )

    def jacobian_by_differences(self, x, outputs, which=None):
        """One Jacobian [output entries, input entries] per output; each step changes one real number of x in place."""
        data = x.data  # its changes are none of the graph's business
        data = rushlight.view_as_real(data) if data.is_complex() else data
        columns = []
        for entry in itertools.product(*map(range, data.shape)):
            before = data[entry].clone()
            try:
                data[entry] = before + self.eps
                ahead = self.values(outputs, which)
                data[entry] = before - self.eps
                behind = self.values(outputs, which)
                columns.append([(p - m) / (2 * self.eps) for p, m in zip(ahead, behind, strict=True)])
            finally:
                data[entry] = before
        if not columns:
            return [rushlight.zeros(_flat(y).numel(), 0, dtype=rushlight.float64) for y in outputs]
        return [rushlight.stack(column, 1) for column in zip(*columns, strict=True)]

    def difference(self, x, u):
        """The change of each output per unit step of x along the real vector u."""
        data, before = x.data, x.data.clone()
        step = _unflat(u * self.eps, x)
        try:
            data.copy_(before + step)
            ahead = self.values()
            data.copy_(before - step)
            return [(p - m) / (2 * self.eps) for p, m in zip(ahead, self.values(), strict=True)]
        finally:
            data.copy_(before)

    def values(self, like=None, which=None):
        values = self.outputs(which)
        if like is not None and [(y.shape, y.dtype) for y in values] != [(y.shape, y.dtype) for y in like]:
            raise RuntimeError(
                "[gradcheck] func must return outputs of the same shapes and dtypes when an input changes a little. "
                f"Received {[list(y.shape) for y in values]} after {[list(y.shape) for y in like]}."
            )
        return [_flat(y) for y in values]

    def gradients(self, output, direction, index):
        """The real gradients of (direction . output) with respect to each input, taken twice and compared."""
        grad_output = _unflat(direction, output)
        first, second = (
            rushlight.autograd.grad(output, self.inputs, grad_output, retain_graph=True, allow_unused=True)
            for _ in range(2)
        )
        for x, position, g, again in zip(self.inputs, self.positions, first, second, strict=True):
            if (g is None) != (again is None) or (
                g is not None and not _close(g.detach(), again.detach(), self.nondet_tol)
            ):
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input and grad_output multiple times "
                    f"gives different values, for output {index} with respect to input {position}. The tolerance for "
                    f"nondeterminism was {self.nondet_tol}."
                )
            if g is None:
                continue
            if self.check_dtypes and g.dtype != x.dtype:
                raise GradcheckError(f"Gradient has dtype mismatch: {g.dtype} for input {position} of {x.dtype}")
            if g.shape != x.shape:
                raise GradcheckError(
                    f"Analytical gradient has incorrect size: {list(g.shape)} for input {position} of {list(x.shape)}"
                )
        return [
            rushlight.zeros(_flat(x).numel(), dtype=rushlight.float64) if g is None else _flat(_matching(g, x))
            for x, g in zip(self.inputs, first, strict=True)
        ]

    def jacobian_by_backward(self, output, index):
        """One Jacobian [output entries, input entries] per input; each backward gives one row."""
        size = _flat(output).numel()
        if size == 0:
            return [rushlight.zeros(0, _flat(x).numel(), dtype=rushlight.float64) for x in self.inputs]
        rows = [self.gradients(output, row, index) for row in rushlight.eye(size, dtype=rushlight.float64)]
        return [rushlight.stack(column) for column in zip(*rows, strict=True)]

    def no_gradient_expected(self):
        """No output is differentiable, so no floating point output may change when an input does."""
        for x in self.inputs:
            for jacobian in self.jacobian_by_differences(x, self.outputs(_is_inexact), _is_inexact):
                if not bool((jacobian.abs() <= self.atol).all()):
                    raise GradcheckError("Numerical gradient for function expected to be zero")

    def zero_in_zero_out(self):
        """Backward is linear: zeros in give zeros of the right shape out."""
        outputs = self.outputs()
        if not outputs:
            return
        zeros = [rushlight.zeros_like(y) for y in outputs]
        grads = rushlight.autograd.grad(outputs, self.inputs, zeros, allow_unused=True)
        for position, x, g in zip(self.positions, self.inputs, grads, strict=True):
            if g is None:
                continue
            if not bool(g.eq(0).all()):
                raise GradcheckError(f"backward not multiplied by grad_output for input {position}")
            if g.shape != x.shape or g.device != x.device:
                raise GradcheckError(f"grad is incorrect size or on an incorrect device for input {position}")

    def undefined_grads(self):
        """Missing gradients of outputs, all of them or one by one, count as zeros."""
        count = len(self.outputs())
        choices = [range(count)] if count < 2 else [range(count), *([index] for index in range(count))]
        for undefined in choices if count else ():
            outputs = [_Undefined.apply(y) if i in undefined else y for i, y in enumerate(self.outputs())]
            zeros = [rushlight.zeros_like(y) for y in outputs]
            try:
                grads = rushlight.autograd.grad(outputs, self.inputs, zeros, allow_unused=True)
            except RuntimeError as error:
                raise GradcheckError(
                    "Expected backward function to handle undefined output grads, which mean zero."
                ) from error
            for position, g in zip(self.positions, grads, strict=True):
                if g is not None and not bool(g.eq(0).all()):
                    raise GradcheckError(
                        "Expected all input grads to be undefined or zero when all output grads are undefined or "
                        f"zero: input {position} has a non-zero gradient."
                    )


class _Undefined(Function):
    """The identity forward; backward it has no gradient at all."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return None


def _as_tuple(x):
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _is_inexact(x):
    return rushlight.is_tensor(x) and (x.dtype.is_floating_point or x.dtype.is_complex)


def _is_checked(x):
    return rushlight.is_tensor(x) and x.requires_grad


def _differentiable(outputs):
    return tuple(y for y in _as_tuple(outputs) if _is_checked(y))


def _flat(x):
    """A new real float64 vector of the tensor's numbers, complex ones as two."""
    x = x.detach()
    x = rushlight.view_as_real(x.resolve_conj()) if x.is_complex() else x
    return x.reshape(-1).to(rushlight.float64, copy=True).cpu()


def _unflat(vector, like):
    """The tensor of `like`'s shape, dtype and device whose `_flat` is `vector`."""
    if like.is_complex():
        vector = rushlight.view_as_complex(vector.reshape(*like.shape, 2))
    return vector.reshape(like.shape).to(device=like.device, dtype=like.dtype)


def _matching(grad, x):
    """The gradient as a complex tensor where its input is complex, and a real one where it is real."""
    if x.is_complex() and not grad.is_complex():
        return grad.to(x.dtype)
    return grad.real if grad.is_complex() and not x.is_complex() else grad


def _close(a, b, tolerance):
    return rushlight.allclose(a, b, rtol=0.0, atol=tolerance, equal_nan=True)


def _unit_vector(size, generator):
    vector = rushlight.rand(size, generator=generator, dtype=rushlight.float64)
    return vector / vector.norm() if size else vector


def _random_like(output, generator, noncontiguous):
    """Uniform in [-1, 1), of the output's shape, dtype and device."""
    shape = (*output.shape, 2) if noncontiguous else tuple(output.shape)
    real = rushlight.float64 if output.is_complex() else output.dtype
    parts = [rushlight.rand(shape, generator=generator, dtype=real) * 2 - 1 for _ in range(1 + output.is_complex())]
    result = rushlight.complex(*parts) if output.is_complex() else parts[0]
    result = result.to(device=output.device, dtype=output.dtype)
    return result[..., 0] if noncontiguous else result
