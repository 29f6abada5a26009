"""Normalisation of the channels of each sample by itself."""

from rushlight.nn import functional as F
from rushlight.nn.modules.batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


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
