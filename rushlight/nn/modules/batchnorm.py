"""Normalisation of channels over the batch, and over single samples."""

import rushlight
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = [
    "BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d", "SyncBatchNorm",
]  # fmt: skip


class _NormBase(Module):
    """What batch and instance normalisation have in common: an affine map and running statistics."""

    _version = 2
    _dims = ()

    def __init__(self, num_features, eps, momentum, affine, track_running_stats, device, dtype, bias):
        super().__init__()
        options = {"device": device, "dtype": dtype}
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.register_parameter("weight", Parameter(rushlight.empty(num_features, **options)) if affine else None)
        self.register_parameter(
            "bias", Parameter(rushlight.empty(num_features, **options)) if affine and bias else None
        )
        if track_running_stats:
            count = rushlight.tensor(0, dtype=rushlight.int64, device=device)
            self.register_buffer("running_mean", rushlight.zeros(num_features, **options))
            self.register_buffer("running_var", rushlight.ones(num_features, **options))
            self.register_buffer("num_batches_tracked", count)
        else:
            self.register_buffer("running_mean", None)
            self.register_buffer("running_var", None)
            self.register_buffer("num_batches_tracked", None)
        self.reset_parameters()

    def reset_running_stats(self):
        """Forget the batches seen."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self):
        """Set weight to one, bias to zero, and forget the batches seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input):
        if input.ndim not in self._dims:
            wanted = " or ".join(f"{n}D" for n in self._dims)
            raise ValueError(f"expected {wanted} input (got {input.ndim}D input)")

    def _channel_dim(self, input):
        return 1

    def extra_repr(self):
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        version = local_metadata.get("version")
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            count = self.num_batches_tracked  # older files do not have it
            state_dict[key] = count if count is not None else rushlight.tensor(0, dtype=rushlight.int64)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


class _BatchNorm(_NormBase):
    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None,
        *, bias=True,
    ):  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input):
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:  # the plain mean of all batches
                momentum = 1.0 / float(self.num_batches_tracked)
        use_batch = self.training or (self.running_mean is None and self.running_var is None)
        keep = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            use_batch,
            momentum,
            self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """(input - mean) / sqrt(var + eps) * weight + bias for each channel of [N, C] or [N, C, L]
    (Ioffe and Szegedy, 2015).

    In training mean and (biased) variance are those of the batch, and running values move towards them; in evaluation
    they are the running ones.

    Args:
        num_features: C.
        momentum: the share of the batch in the running values; None for the plain mean of all batches.
        affine: have a weight and, with `bias`, a bias, [C].
        track_running_stats: have running values; otherwise the batch is used always.

    Raises:
        ValueError: if the input has another number of dimensions, or in training one value per channel.

    >>> torch.nn.BatchNorm1d(1)(torch.tensor([[1.0], [3.0]])).shape
    torch.Size([2, 1])
    """

    _dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` for images [N, C, H, W].

    >>> torch.nn.BatchNorm2d(3)(torch.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _dims = (4,)


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` for volumes [N, C, D, H, W].

    >>> torch.nn.BatchNorm3d(3)(torch.randn(2, 3, 2, 2, 2)).shape
    torch.Size([2, 3, 2, 2, 2])
    """

    _dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation of [N, C, ...] that takes mean and variance over the batches of all processes.

    In a single process these are the statistics of its own batch, as in `BatchNorm1d`.

    Args:
        process_group: whose processes take part; None for all.

    Raises:
        RuntimeError: when it is called in training with a process group; this build has none.

    >>> torch.nn.SyncBatchNorm(3)(torch.randn(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, process_group=None,
        device=None, dtype=None, *, bias=True,
    ):  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input):
        if input.ndim < 2:
            raise ValueError(f"expected at least 2D input (got {input.ndim}D input)")

    def forward(self, input):
        if self.training and self.process_group is not None:
            raise RuntimeError(
                "[SyncBatchNorm] process_group must be None: statistics are not exchanged between processes in this "
                "build. Leave it out to normalise by the batch of this process."
            )
        return super().forward(input)

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """The module with every batch normalisation in it replaced by a SyncBatchNorm with the same tensors.

        >>> torch.nn.SyncBatchNorm.convert_sync_batchnorm(torch.nn.Sequential(torch.nn.BatchNorm1d(2)))[0]
        SyncBatchNorm(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
        """
        converted = module
        if isinstance(module, _BatchNorm):
            converted = cls(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                process_group, bias=module.bias is not None,
            )  # fmt: skip
            converted.training = module.training
            for name, value in (*module._parameters.items(), *module._buffers.items()):
                setattr(converted, name, value)
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted


class _InstanceNorm(_NormBase):
    def __init__(
        self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None,
        *, bias=True,
    ):  # fmt: skip
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input):
        self._check_input_dim(input)
        batched = input.ndim == max(self._dims)
        dim = self._channel_dim(input)
        if input.shape[dim] != self.num_features and self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features ({self.num_features}), "
                f"but got: {input.shape[dim]}."
            )
        result = F.instance_norm(
            input if batched else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )
        return result if batched else result.squeeze(0)

    def _channel_dim(self, input):
        return 1 if input.ndim == max(self._dims) else 0


class InstanceNorm1d(_InstanceNorm):
    """`BatchNorm1d` of each sample of [N, C, L] (or [C, L]) by itself (Ulyanov et al., 2016).

    >>> torch.nn.InstanceNorm1d(3)(torch.randn(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    """

    _dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` for images [N, C, H, W] or [C, H, W].

    >>> torch.nn.InstanceNorm2d(3)(torch.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` for volumes [N, C, D, H, W] or [C, D, H, W].

    >>> torch.nn.InstanceNorm3d(3)(torch.randn(2, 3, 2, 2, 2)).shape
    torch.Size([2, 3, 2, 2, 2])
    """

    _dims = (4, 5)
