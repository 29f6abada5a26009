"""How modules print themselves and what they say of wrong assignments."""


def indented(text, spaces=2):
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * spaces + line for line in rest)])


def block(name, extra, lines):
    """`Name(extra)` on one line, or with the lines of the children indented below."""
    extra_lines = extra.split("\n") if extra else []
    if not lines and len(extra_lines) <= 1:
        return f"{name}({extra})"
    return f"{name}(\n  " + "\n  ".join(extra_lines + lines) + "\n)"


def type_name(value):
    name = type(value).__qualname__
    return name if type(value).__module__ == "builtins" else f"{type(value).__module__}.{name}"


def cannot_assign(value, kind, name, expected):
    return f"cannot assign '{type_name(value)}' as {kind} '{name}' ({expected} expected)"
