"""Layers that learn the number of their input's channels from their first input."""

import rushlight
from rushlight.nn.modules.batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from rushlight.nn.modules.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from rushlight.nn.modules.linear import Linear
from rushlight.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = [
    "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d", "LazyConv1d", "LazyConv2d", "LazyConv3d",
    "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyInstanceNorm1d", "LazyInstanceNorm2d",
    "LazyInstanceNorm3d", "LazyLinear",
]  # fmt: skip


class LazyModuleMixin:
    """Stands before a module in the bases of its lazy form, which defines `initialize_parameters(*inputs)`.

    That is called with the first input, before forward, and gives the uninitialized parameters their shapes; then the
    module becomes one of `cls_to_become`, if that is given.

    >>> LazyModuleMixin = torch.nn.modules.lazy.LazyModuleMixin
    >>> class Scale(LazyModuleMixin, torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = torch.nn.UninitializedParameter()
    ...     def initialize_parameters(self, input):
    ...         self.factor.materialize(input.shape[-1:])
    ...         torch.nn.init.ones_(self.factor)
    ...     def forward(self, input):
    ...         return self.factor * input
    >>> Scale()(torch.ones(2)).tolist()
    [1.0, 1.0]
    """

    cls_to_become = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._load_hook = self.register_load_state_dict_pre_hook(type(self)._materialize_from)
        self._initialize_hook = self.register_forward_pre_hook(type(self)._infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args, **kwargs):
        """Materialize the parameters as the first inputs ask for; a subclass defines it."""
        raise NotImplementedError(
            f"[initialize_parameters] a lazy module must define it. {type(self).__name__} does not."
        )

    def has_uninitialized_params(self):
        """Whether a parameter or buffer of the module itself has no shape yet.

        >>> torch.nn.LazyLinear(2).has_uninitialized_params()
        True
        """
        return any(is_lazy(value) for value in (*self._parameters.values(), *self._buffers.values()))

    def _materialize_from(self, state_dict, prefix, *rest):
        """Before loading: take the shapes of what will be loaded."""
        for name, value in (*self._parameters.items(), *self._buffers.items()):
            loaded = state_dict.get(prefix + name)
            if is_lazy(value) and loaded is not None and not is_lazy(loaded):
                with rushlight.no_grad():
                    value.materialize(loaded.shape)

    def _infer_parameters(self, args, kwargs):
        """Before the first forward."""
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise RuntimeError(
                f"[{type(self).__name__}] initialize_parameters must materialize every parameter and buffer: the "
                "module has not been fully initialized."
            )
        self._initialize_hook.remove()
        self._load_hook.remove()
        del self._initialize_hook, self._load_hook
        if self.cls_to_become is not None:
            self.__class__ = self.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear` whose in_features is the last dimension of its first input.

    >>> layer = torch.nn.LazyLinear(3)
    >>> layer(torch.ones(2, 5)).shape
    torch.Size([2, 3])
    >>> layer
    Linear(in_features=5, out_features=3, bias=True)
    """

    cls_to_become = Linear

    def __init__(self, out_features, bias=True, device=None, dtype=None):
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        """Draw the parameters afresh, once they have shapes."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input):
        """Take in_features from the input."""
        self.in_features = input.shape[-1]
        if self.has_uninitialized_params():
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()


class _LazyConvNd(LazyModuleMixin):
    """What lazy convolutions have in common; stands before one of the convolutions."""

    def _await(self, out_channels, bias, device, dtype):
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        """Draw the parameters afresh, once they have shapes."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs):
        """Take in_channels from the input."""
        ndim = self._ndim
        if input.ndim not in (ndim + 1, ndim + 2):
            raise RuntimeError(
                f"Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to {type(self).__name__}, but got "
                f"input of size: {input.shape}"
            )
        self.in_channels = input.shape[-ndim - 1]
        if self.has_uninitialized_params():
            self._check_groups()
            self.weight.materialize(self._weight_shape())
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))
            self.reset_parameters()


class _LazyConv(_LazyConvNd):
    def __init__(
        self, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, padding_mode="zeros",
        device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        self._await(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyConvNd):
    def __init__(
        self, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1,
        padding_mode="zeros", device=None, dtype=None,
    ):  # fmt: skip
        super().__init__(
            0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype
        )
        self._await(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """`Conv1d` whose in_channels is that of its first input.

    >>> torch.nn.LazyConv1d(3, 2)(torch.ones(1, 4, 6)).shape
    torch.Size([1, 3, 5])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """`Conv2d` whose in_channels is that of its first input.

    >>> torch.nn.LazyConv2d(3, 2)(torch.ones(1, 4, 6, 6)).shape
    torch.Size([1, 3, 5, 5])
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """`Conv3d` whose in_channels is that of its first input.

    >>> torch.nn.LazyConv3d(3, 2)(torch.ones(1, 4, 3, 3, 3)).shape
    torch.Size([1, 3, 2, 2, 2])
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """`ConvTranspose1d` whose in_channels is that of its first input.

    >>> torch.nn.LazyConvTranspose1d(3, 2)(torch.ones(1, 4, 6)).shape
    torch.Size([1, 3, 7])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """`ConvTranspose2d` whose in_channels is that of its first input.

    >>> torch.nn.LazyConvTranspose2d(3, 2)(torch.ones(1, 4, 6, 6)).shape
    torch.Size([1, 3, 7, 7])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """`ConvTranspose3d` whose in_channels is that of its first input.

    >>> torch.nn.LazyConvTranspose3d(3, 2)(torch.ones(1, 4, 3, 3, 3)).shape
    torch.Size([1, 3, 4, 4, 4])
    """

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin):
    """What lazy normalisations have in common; stands before one of them."""

    def __init__(
        self, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *, bias=True
    ):
        super().__init__(0, eps, momentum, False, False, device, dtype)  # has its members, but no tensors
        options = {"device": device, "dtype": dtype}
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(**options)
            if bias:
                self.bias = UninitializedParameter(**options)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**options)
            self.running_var = UninitializedBuffer(**options)
            self.num_batches_tracked = rushlight.tensor(0, dtype=rushlight.int64, device=device)

    def reset_parameters(self):
        """Set weight to one, bias to zero, and forget the batches seen, once there are shapes."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()

    def initialize_parameters(self, input):
        """Take num_features from the input."""
        self._check_input_dim(input)
        self.num_features = input.shape[self._channel_dim(input)]
        if self.has_uninitialized_params():
            for value in (self.weight, self.bias, self.running_mean, self.running_var):
                if value is not None:
                    value.materialize((self.num_features,))
            self.reset_parameters()


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """`BatchNorm1d` whose num_features is that of its first input.

    >>> torch.nn.LazyBatchNorm1d()(torch.randn(4, 3)).shape
    torch.Size([4, 3])
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """`BatchNorm2d` whose num_features is that of its first input.

    >>> torch.nn.LazyBatchNorm2d()(torch.randn(4, 3, 2, 2)).shape
    torch.Size([4, 3, 2, 2])
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """`BatchNorm3d` whose num_features is that of its first input.

    >>> torch.nn.LazyBatchNorm3d()(torch.randn(4, 3, 2, 2, 2)).shape
    torch.Size([4, 3, 2, 2, 2])
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """`InstanceNorm1d` whose num_features is that of its first input; affine and tracking by default.

    >>> torch.nn.LazyInstanceNorm1d()(torch.randn(4, 3, 5)).shape
    torch.Size([4, 3, 5])
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """`InstanceNorm2d` whose num_features is that of its first input; affine and tracking by default.

    >>> torch.nn.LazyInstanceNorm2d()(torch.randn(4, 3, 2, 2)).shape
    torch.Size([4, 3, 2, 2])
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """`InstanceNorm3d` whose num_features is that of its first input; affine and tracking by default.

    >>> torch.nn.LazyInstanceNorm3d()(torch.randn(4, 3, 2, 2, 2)).shape
    torch.Size([4, 3, 2, 2, 2])
    """

    cls_to_become = InstanceNorm3d
