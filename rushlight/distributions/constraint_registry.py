"""From a constraint to a transform of the unconstrained numbers onto it, as optimisers and samplers want.

>>> torch.distributions.transform_to(torch.distributions.Normal.arg_constraints["scale"])(torch.zeros(1))
tensor([1.])
"""

from rushlight.distributions import constraints, transforms

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Factories of transforms, by the type of the constraint they reach."""

    def __init__(self):
        self._registry = {}

    def register(self, constraint, factory=None):
        """Registers factory(constraint) -> Transform for a class of constraints (or that of an instance); without
        factory, a decorator.

        Raises TypeError unless constraint is a Constraint or a class of them.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            raise TypeError(
                f"[register] Expected constraint to be either a Constraint subclass or instance. Received {constraint}."
            )
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint):
        """The transform onto constraint. Raises NotImplementedError when no factory is registered."""
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(f"[ConstraintRegistry] Cannot transform {type(constraint).__name__} constraints.")
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _both(constraint, factory):
    biject_to.register(constraint, factory)
    transform_to.register(constraint, factory)


def _onto_half_line(sign):
    """exp, then the affine map onto the numbers above the lower bound, or below the upper one."""

    def factory(constraint):
        bound = constraint.lower_bound if sign > 0 else constraint.upper_bound
        return transforms.ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(bound, sign)])

    return factory


def _onto_interval(constraint):
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


_both(constraints.real, lambda constraint: transforms.identity_transform)
_both(constraints.positive, _onto_half_line(1))
_both(constraints.nonnegative, _onto_half_line(1))
_both(constraints.less_than, _onto_half_line(-1))
_both(constraints.interval, _onto_interval)
_both(constraints.half_open_interval, _onto_interval)
_both(constraints.corr_cholesky, lambda constraint: transforms.CorrCholeskyTransform())
biject_to.register(constraints.simplex, lambda constraint: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda constraint: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda constraint: transforms.LowerCholeskyTransform())
transform_to.register(constraints.positive_definite, lambda constraint: transforms.PositiveDefiniteTransform())
transform_to.register(constraints.positive_semidefinite, lambda constraint: transforms.PositiveDefiniteTransform())


def _register_composed(registry):
    """What is made of other constraints, whose transforms registry knows."""

    @registry.register(constraints.independent)
    def onto_independent(constraint):
        base = registry(constraint.base_constraint)
        return transforms.IndependentTransform(base, constraint.reinterpreted_batch_ndims)

    @registry.register(constraints.cat)
    def onto_cat(constraint):
        return transforms.CatTransform([registry(c) for c in constraint.cseq], constraint.dim, constraint.lengths)

    @registry.register(constraints.stack)
    def onto_stack(constraint):
        return transforms.StackTransform([registry(c) for c in constraint.cseq], constraint.dim)


_register_composed(biject_to)
_register_composed(transform_to)
