"""Programs for telephones cannot be made: these names of PyTorch's say so."""

import enum

from rushlight.unsupported import refusal

__all__ = ["LintCode", "generate_mobile_module_lints", "optimize_for_mobile"]

_REASON = "programs for telephones cannot be made. Save the state_dict."


class LintCode(enum.Enum):
    """What a check of such a program finds."""

    BUNDLED_INPUT = 1
    REQUIRES_GRAD = 2
    DROPOUT = 3
    BATCHNORM = 4


optimize_for_mobile = refusal("optimize_for_mobile", _REASON)
generate_mobile_module_lints = refusal("generate_mobile_module_lints", _REASON)
