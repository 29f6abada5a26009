"""Operators that draw random numbers, by what `randomness` says."""

from rushlight import _core
from rushlight.func.batched import Batched, front, leaves_at, lifted, running
from rushlight.func.rules.registry import by_loop, finished, plan_of, require_batch

Tensor = _core.Tensor

# Each element of the result depends on the same element of the arguments alone.
ELEMENTWISE = (
    "bernoulli", "bernoulli_", "binomial", "cauchy_", "dropout", "exponential_", "geometric_", "log_normal_",
    "native_dropout", "normal", "normal_", "poisson", "rand_like", "randint_like", "randn_like", "random_",
    "random_from_", "uniform_", "_standard_gamma",
)  # fmt: skip


def draw(function, types, args, kwargs):
    """What the core asks about every operator that draws random numbers while a vmap runs."""
    level = running.levels.pop()  # what is called below belongs to the map outside
    before = _core._set_random_override(draw if running.levels else None)
    try:
        plan = plan_of(function)
        values, extras = plan.bind(args, kwargs)
        result = _draw(level, plan, values, extras)
    finally:
        running.levels.append(level)
        _core._set_random_override(before)
    return values[0] if plan.in_place else result


def _draw(level, plan, values, extras):
    batched = any(x.level is level for x in leaves_at(values))
    if plan.name in ("dropout", "native_dropout") and (values[2] is False or values[1] == 0):  # nothing is drawn
        return finished(plan.call([values[0].value, *values[1:]]), level) if batched else plan.call(values)
    if level.randomness == "error":
        raise RuntimeError(
            f"[vmap] {plan.name} must not be called while randomness='error': whether the examples are to share their "
            "random numbers is not said. Pass randomness='same' or randomness='different' to vmap."
        )
    if level.randomness == "same":
        return _replayed(level, plan, values, extras) if batched else plan.call(values, extras)
    if plan.in_place:
        require_batch(level, plan.name, values[0])
    tensors = [k for k, x in enumerate(values) if isinstance(x, Tensor)]
    if tensors and plan.name in ELEMENTWISE:
        rank = max(values[k].ndim for k in tensors)
        for k in tensors:
            x = Batched(front(values[k], level), level) if k == tensors[0] else values[k]
            values = [*values[:k], lifted(x, level, rank), *values[k + 1 :]]
        return finished(plan.call(values, extras), level)
    if not tensors and "size" in plan.names:
        k = max(k for k, x in enumerate(values) if isinstance(x, (tuple, list)))
        values = [*values[:k], (level.size, *values[k]), *values[k + 1 :]]
        return Batched(plan.call(values, extras), level)
    return finished(by_loop(level, plan, *values, call=lambda one: plan.call(one, extras)), level)


def _replayed(level, plan, values, extras):
    """Example by example, each with the same random numbers."""
    generator = next((x for x in values if isinstance(x, _core.Generator)), _core.default_generator)
    state = generator.get_state()

    def call(one):
        generator.set_state(state)
        return plan.call(one, extras)

    return finished(by_loop(level, plan, *values, call=call), level)
