"""opt_einsum, which is not used: einsum contracts from left to right."""

enabled = False
strategy = None


def is_available():
    """False."""
    return False


def get_opt_einsum():
    """None."""
    return None
