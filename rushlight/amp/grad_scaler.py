"""The scale that keeps the gradients of a float16 loss from vanishing."""

import inspect
import warnings
from collections import defaultdict
from enum import Enum

import rushlight

__all__ = ["OptState", "GradScaler"]


class OptState(Enum):
    """How far an optimiser is in the iteration."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _fresh_state():
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """Scales a loss, and takes the scale out of its gradients again.

    Where a gradient is infinite or NaN the optimiser's step is left out, and `update` multiplies the scale by
    backoff_factor; after growth_interval iterations without one, by growth_factor.

    Args:
        device: "cpu", or that of an accelerator. Without a GPU "cuda", the default, warns, and nothing is scaled.
        init_scale: the first scale.
        enabled: False makes scale and unscale_ do nothing, and step the optimiser's own.

    Raises:
        AssertionError: if growth_factor is not above 1, or backoff_factor not below.

    >>> w = torch.ones(2, requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.5)
    >>> scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    >>> scaler.scale(w.sum()).backward()
    >>> w.grad
    tensor([8., 8.])
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w.detach(), scaler.get_scale()
    (tensor([0.5000, 0.5000]), 8.0)
    """

    def __init__(
        self,
        device="cuda",
        init_scale=2.0**16,
        growth_factor=2.0,
        backoff_factor=0.5,
        growth_interval=2000,
        enabled=True,
    ):
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda" and not rushlight.cuda.is_available():
            warnings.warn("[GradScaler] GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError(f"[GradScaler] The growth factor must be > 1.0. Received {growth_factor}.")
        if backoff_factor >= 1.0:
            raise AssertionError(f"[GradScaler] The backoff factor must be < 1.0. Received {backoff_factor}.")
        self._init_scale = init_scale
        self._init_growth_tracker = 0
        self._scale = self._growth_tracker = None  # 0-d tensors, once something was scaled
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._per_optimizer_states = defaultdict(_fresh_state)

    def scale(self, outputs):
        """`outputs` times the scale: a tensor, or an iterable of them.

        Raises:
            ValueError: if there is anything else in it.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, rushlight.Tensor):
            if self._scale is None:
                self._scale = rushlight.full((), self._init_scale, dtype=rushlight.float32)
                self._growth_tracker = rushlight.full((), self._init_growth_tracker, dtype=rushlight.int32)
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(map(self.scale, outputs))
        if hasattr(outputs, "__iter__"):
            return map(self.scale, outputs)
        raise ValueError(
            f"[GradScaler.scale] outputs must be a Tensor or an iterable of Tensors. Received {type(outputs).__name__}."
        )

    def unscale_(self, optimizer):
        """Takes the scale out of the gradients of the optimiser's parameters, as clipping them wants. step() does so
        itself where this was not called.

        Raises:
            RuntimeError: if it was called for this optimiser already, or step() was, since update().
            ValueError: if a gradient is float16.
            AssertionError: if nothing was scaled.
        """
        if not self._enabled:
            return
        scale = self._scaled("unscale_")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError(
                "[GradScaler] unscale_() has already been called on this optimizer since the last update()."
            )
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("[GradScaler] unscale_() is being called after step(). Call it before.")
        state["found_inf_per_device"] = self._multiply_grads(optimizer, scale.double().reciprocal().float())
        state["stage"] = OptState.UNSCALED

    def step(self, optimizer, *args, **kwargs):
        """optimizer.step(*args, **kwargs), unless a gradient is infinite or NaN; returns what it returns.

        An optimiser with the attribute `_step_supports_amp_scaling` unscales by itself: in its step it finds the
        tensors `grad_scale` and `found_inf` as attributes.

        Raises:
            RuntimeError: if a closure is given, or step() was called for this optimiser since update().
            AssertionError: if nothing was scaled.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError(
                "[GradScaler.step] Closure use is not currently supported if GradScaler is enabled. Compute the loss "
                "before."
            )
        self._scaled("step")
        state = self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("[GradScaler] step() has already been called since the last update(). Call update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            result = self._step_of_scaling_optimizer(optimizer, state, args, kwargs)
        else:
            if state["stage"] is OptState.READY:
                self.unscale_(optimizer)
            if not state["found_inf_per_device"]:
                raise AssertionError(
                    "[GradScaler.step] No inf checks were recorded for this optimizer: no parameter has a gradient. "
                    "Call backward() first."
                )
            found = any(f.item() for f in state["found_inf_per_device"].values())
            result = None if found else optimizer.step(*args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _step_of_scaling_optimizer(self, optimizer, state, args, kwargs):
        if "grad_scaler" in inspect.signature(optimizer.step).parameters:
            return optimizer.step(*args, **kwargs, grad_scaler=self)
        unscaled = state["stage"] is OptState.UNSCALED
        if not unscaled:
            self._check_inf_per_device(optimizer)
        optimizer.grad_scale = None if unscaled else self._scale.clone()
        optimizer.found_inf = sum(state["found_inf_per_device"].values(), rushlight.zeros(()))
        try:
            return optimizer.step(*args, **kwargs)
        finally:
            del optimizer.grad_scale, optimizer.found_inf

    def update(self, new_scale=None):
        """The scale of the next iteration: `new_scale`, a float or a tensor of one element, where it is given.

        Raises:
            AssertionError: if nothing was scaled, no optimiser was unscaled or stepped, or new_scale is no such tensor.
        """
        if not self._enabled:
            return
        scale = self._scaled("update")
        if isinstance(new_scale, rushlight.Tensor):
            if new_scale.device.type != self._device or new_scale.numel() != 1 or new_scale.requires_grad:
                raise AssertionError(
                    "[GradScaler.update] new_scale should be a float or a 1-element torch.FloatTensor with "
                    "requires_grad=False. Take its item()."
                )
            scale.copy_(new_scale.reshape(()))
        elif new_scale is not None:
            scale.fill_(new_scale)
        else:
            found = [f for s in self._per_optimizer_states.values() for f in s["found_inf_per_device"].values()]
            if not found:
                raise AssertionError(
                    "[GradScaler.update] No inf checks were recorded prior to update. Call step(optimizer) first."
                )
            self._follow(any(f.item() for f in found))
        self._per_optimizer_states = defaultdict(_fresh_state)

    def _follow(self, found):
        if found:
            self._scale *= self._backoff_factor
            self._growth_tracker.zero_()
            return
        self._growth_tracker += 1
        if self._growth_tracker.item() == self._growth_interval:
            grown = self._scale * self._growth_factor
            if rushlight.isfinite(grown).item():
                self._scale.copy_(grown)
            self._growth_tracker.zero_()

    def _scaled(self, name):
        if self._scale is None:
            raise AssertionError(
                f"[GradScaler] Attempted {name} but _scale is None: nothing was scaled. Call "
                "scaler.scale(loss).backward() earlier in the iteration."
            )
        return self._scale

    @rushlight.no_grad()
    def _multiply_grads(self, optimizer, factor, allow_fp16=False):
        """{device: whether a gradient was infinite or NaN, as a 0-d float32}, and the gradients times `factor`."""
        found = {}
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                grad = parameter.grad
                if grad is None:
                    continue
                if grad.dtype == rushlight.float16 and not allow_fp16:
                    raise ValueError(
                        "[GradScaler] Attempting to unscale FP16 gradients. Keep the parameters in float32, and "
                        "autocast the forward pass."
                    )
                values = grad._values() if grad.is_sparse else grad
                here = found.setdefault(grad.device, rushlight.zeros(()))
                if not rushlight.isfinite(values).all():
                    here.fill_(1.0)
                if factor is not None:
                    values.mul_(factor)
        return found

    def _check_inf_per_device(self, optimizer):
        state = self._per_optimizer_states[id(optimizer)]
        state["found_inf_per_device"] = self._multiply_grads(optimizer, None, allow_fp16=True)
        return state["found_inf_per_device"]

    def _found_inf_per_device(self, optimizer):
        return self._per_optimizer_states[id(optimizer)]["found_inf_per_device"]

    def _get_scale_async(self):
        return self._scale

    def get_scale(self):
        """The scale, a float; 1.0 where nothing is scaled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()

    def _get_growth_tracker(self):
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else self._growth_tracker.item()

    def get_growth_factor(self):
        """What the scale is multiplied by after growth_interval good iterations."""
        return self._growth_factor

    def set_growth_factor(self, new_factor):
        """Sets what get_growth_factor gives."""
        self._growth_factor = new_factor

    def get_backoff_factor(self):
        """What the scale is multiplied by after an iteration with infinite or NaN gradients."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor):
        """Sets what get_backoff_factor gives."""
        self._backoff_factor = new_factor

    def get_growth_interval(self):
        """After how many good iterations in a row the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval):
        """Sets what get_growth_interval gives."""
        self._growth_interval = new_interval

    def is_enabled(self):
        """Whether anything is scaled."""
        return self._enabled

    def state_dict(self):
        """The scale, its rules and how many good iterations lie behind; empty where nothing is scaled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict):
        """Takes what state_dict() gave.

        Raises:
            RuntimeError: if it is empty.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "[GradScaler] The source state dict is empty, possibly because it was saved from a disabled instance "
                "of GradScaler. Save it from an enabled one."
            )
        self._init_scale = state_dict["scale"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
            self._growth_tracker.fill_(self._init_growth_tracker)
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]

    def __getstate__(self):
        if not self._enabled:
            return self.__dict__.copy()
        if self._per_optimizer_states:
            raise AssertionError(
                "[GradScaler] A GradScaler instance may only be pickled at the beginning of an iteration, or at the "
                "end after scaler.update()."
            )
        return {
            **self.__dict__,
            "_init_scale": self.get_scale(),
            "_init_growth_tracker": self._get_growth_tracker(),
            "_scale": None,
            "_growth_tracker": None,
        }
