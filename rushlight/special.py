"""torch.special: functions of mathematical physics and statistics, which are rows of the core."""

from rushlight import _core

# torch.special's name -> the row of the core, where the two differ.
_OTHER_NAMES = {
    "expit": "sigmoid",
    "gammaln": "lgamma",
    "multigammaln": "mvlgamma",
    "psi": "digamma",
    **{
        name: name
        for name in (
            "digamma",
            "erf",
            "erfc",
            "erfinv",
            "exp2",
            "expm1",
            "i0",
            "log1p",
            "log_softmax",
            "logit",
            "logsumexp",
        )
        + ("round", "sinc", "softmax", "xlogy")
    },
}


def polygamma(n, input, *, out=None):
    """The n-th derivative of digamma(input), n >= 0.

    >>> torch.special.polygamma(1, torch.tensor([1.0]))
    tensor([1.6449])
    """
    return _core.polygamma(n, input) if out is None else out.copy_(_core.polygamma(n, input))


def __getattr__(name):
    import rushlight

    row = _OTHER_NAMES.get(name)
    if row is not None:
        found = getattr(rushlight, row)
    elif name in _core.op_names() and _core.op_info(name)["home"] == "special":
        found = getattr(_core, name)
    else:
        raise AttributeError(f"module 'rushlight.special' has no attribute {name!r}")
    globals()[name] = found
    return found
