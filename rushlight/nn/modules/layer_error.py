"""Errors that arise inside a module name the module."""


def name_layer(error, module):
    """Say in the message of an operator's error in which layer it arose.

    Called once per module that the error leaves, from the inside out; each call puts one more name before the path.
    """
    if type(error) not in (RuntimeError, TypeError, ValueError, IndexError):
        return
    layer = error.__dict__.get("_rushlight_layer")
    if layer is None:
        if not (error.args and isinstance(error.args[0], str) and error.args[0].startswith("[")):
            return  # not an operator's message
        what = type(module).__name__ if module._modules else repr(module)
        text, path = error.args[0], ""
    else:
        text, what, inner, path = layer
        for name, candidate in module.named_modules():
            if candidate is inner:
                path = f"{name}.{path}" if path and name else name or path
                break
    error._rushlight_layer = (text, what, module, path)
    article = "an" if what[0] in "AEIOU" else "a"
    error.args = (f"{text} (in {path}, {article} {what})" if path else f"{text} (in {what})", *error.args[1:])
