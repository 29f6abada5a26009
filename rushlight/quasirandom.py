"""Points that fill space more evenly than random ones."""

import rushlight

__all__ = ["SobolEngine"]


class SobolEngine:
    """Sobol points in [0, 1)^dimension, by the direction numbers of Joe and Kuo (2008). Needs SciPy.

    Args:
        dimension: up to MAXDIM.
        scramble: shift and permute the digits at random (Owen, 1998), by `seed`; numbers differ from PyTorch's.

    Raises:
        ValueError: for a dimension outside [1, MAXDIM].

    >>> torch.quasirandom.SobolEngine(2).draw(3)
    tensor([[0.0000, 0.0000],
            [0.5000, 0.5000],
            [0.7500, 0.2500]])
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension, scramble=False, seed=None):
        if not 0 < dimension <= self.MAXDIM:
            raise ValueError(f"[SobolEngine] dimension must be from 1 to {self.MAXDIM}. Received {dimension}.")
        self.dimension, self.scramble, self.seed = dimension, scramble, seed
        self.reset()

    def reset(self):
        """Back to the first point."""
        try:
            from scipy.stats import qmc
        except ImportError:
            raise ImportError("[SobolEngine] SciPy must be installed. Use `pip install scipy`.") from None
        self._points = qmc.Sobol(self.dimension, scramble=self.scramble, bits=self.MAXBIT, rng=self.seed)
        self.num_generated = 0
        return self

    def fast_forward(self, n):
        """Leaves out the next n points."""
        self._points.fast_forward(n)
        self.num_generated += n
        return self

    def draw(self, n=1, out=None, dtype=None):
        """The next n points: [n, dimension]."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy's advice to draw powers of two
            made = rushlight.from_numpy(self._points.random(n)).to(dtype or rushlight.get_default_dtype())
        self.num_generated += n
        return made if out is None else out.resize_(made.shape).copy_(made)

    def draw_base2(self, m, out=None, dtype=None):
        """The next 2^m points. Raises ValueError when that does not end at a power of two."""
        total = self.num_generated + 2**m
        if total & (total - 1):
            raise ValueError(
                f"[SobolEngine] the number of points must be a power of 2. Received {self.num_generated} + 2^{m}. "
                "Use draw()."
            )
        return self.draw(2**m, out, dtype)

    def __repr__(self):
        parts = [f"dimension={self.dimension}"]
        parts += ["scramble=True"] * self.scramble + [f"seed={self.seed}"] * (self.seed is not None)
        return f"SobolEngine({', '.join(parts)})"
