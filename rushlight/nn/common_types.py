"""Names for the types of layers' arguments: one number for all dimensions, or one for each."""

from typing import TypeVar

from rushlight import Tensor

T = TypeVar("T")


def _one_or(count):
    """T, or a tuple of `count` of them."""
    return T | tuple[(T,) * count]


_scalar_or_tuple_any_t = T | tuple[T, ...]
_size_any_t = _scalar_or_tuple_any_t[int]
_size_any_opt_t = _scalar_or_tuple_any_t[int | None]
_ratio_any_t = _scalar_or_tuple_any_t[float]
for _count in range(1, 7):
    globals()[f"_scalar_or_tuple_{_count}_t"] = _one_or(_count)
    globals()[f"_size_{_count}_t"] = _one_or(_count)[int]
_size_2_opt_t, _size_3_opt_t = _one_or(2)[int | None], _one_or(3)[int | None]
_ratio_2_t, _ratio_3_t = _one_or(2)[float], _one_or(3)[float]
_tensor_list_t = Tensor | list[Tensor]
_maybe_indices_t = Tensor | tuple[Tensor, Tensor]
