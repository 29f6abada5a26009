"""The named tuples that operators with several results return: `torch.return_types.max(values, indices)`."""

from operator import itemgetter as _itemgetter

from rushlight import _core

_CORE = _core.return_types()


def _named(name, *fields):
    def show(self):
        parts = (f"{field}={value!r}" for field, value in zip(fields, self, strict=True))
        return f"torch.return_types.{name}(\n" + ",\n".join(parts) + ")"

    members = {field: property(_itemgetter(k)) for k, field in enumerate(fields)}
    return type(
        name,
        (tuple,),
        {
            **members,
            "__slots__": (),
            "__doc__": f"({', '.join(fields)})",
            "__module__": "rushlight.return_types",
            "__repr__": show,
            "_fields": fields,
            "n_fields": len(fields),
        },
    )


max = _named("max", "values", "indices")
min = _named("min", "values", "indices")
median = _named("median", "values", "indices")
nanmedian = _named("nanmedian", "values", "indices")
aminmax = _named("aminmax", "min", "max")
frexp = _named("frexp", "mantissa", "exponent")
slogdet = _named("slogdet", "sign", "logabsdet")
qr = _named("qr", "Q", "R")
svd = _named("svd", "U", "S", "V")
triangular_solve = _named("triangular_solve", "solution", "cloned_coefficient")
linalg_slogdet = _named("linalg_slogdet", "sign", "logabsdet")
linalg_qr = _named("linalg_qr", "Q", "R")
linalg_svd = _named("linalg_svd", "U", "S", "Vh")
linalg_eig = _named("linalg_eig", "eigenvalues", "eigenvectors")
linalg_eigh = _named("linalg_eigh", "eigenvalues", "eigenvectors")
linalg_lu = _named("linalg_lu", "P", "L", "U")
linalg_lu_factor = _named("linalg_lu_factor", "LU", "pivots")
linalg_lu_factor_ex = _named("linalg_lu_factor_ex", "LU", "pivots", "info")
linalg_ldl_factor = _named("linalg_ldl_factor", "LD", "pivots")
linalg_ldl_factor_ex = _named("linalg_ldl_factor_ex", "LD", "pivots", "info")
linalg_cholesky_ex = _named("linalg_cholesky_ex", "L", "info")
linalg_inv_ex = _named("linalg_inv_ex", "inverse", "info")
linalg_solve_ex = _named("linalg_solve_ex", "result", "info")
linalg_lstsq = _named("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
lu_unpack = _named("lu_unpack", "P", "L", "U")
geqrf = _named("geqrf", "a", "tau")
histogram = _named("histogram", "hist", "bin_edges")
histogramdd = _named("histogramdd", "hist", "bin_edges")


def __getattr__(name):
    if name in _CORE:
        return _CORE[name]
    raise AttributeError(f"module 'rushlight.return_types' has no attribute {name!r}")
