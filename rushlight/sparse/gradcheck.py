"""`gradcheck` for functions of sparse tensors."""

import functools

from rushlight.sparse.tensor import is_sparse

__all__ = ["as_sparse_gradcheck"]


def as_sparse_gradcheck(gradcheck):
    """`gradcheck` (or `gradgradcheck`) that also takes sparse inputs and sparse results.

    Of a sparse input the stored values are varied; of a sparse result the strided tensor is compared.

    >>> s = torch.eye(2, dtype=torch.float64).to_sparse().requires_grad_()
    >>> check = torch.sparse.as_sparse_gradcheck(torch.autograd.gradcheck)
    >>> check(lambda x: torch.sparse.sum(x * x), (s,))
    True
    """

    @functools.wraps(gradcheck)
    def check(function, inputs, **options):
        inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
        strided = tuple(_leaf_of_values(x) if is_sparse(x) else x for x in inputs)

        def of_values(*values):
            given = (x._like(value) if is_sparse(x) else value for x, value in zip(inputs, values, strict=True))
            results = function(*given)
            if isinstance(results, (tuple, list)):
                return tuple(_to_strided(result) for result in results)
            return _to_strided(results)

        options.pop("masked", None)
        return gradcheck(of_values, strided, **options)

    return check


def _leaf_of_values(x):
    return x._values().clone().requires_grad_(x.requires_grad)


def _to_strided(result):
    return result.to_dense() if is_sparse(result) else result
