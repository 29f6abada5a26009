"""oneDNN, which computes large products and convolutions; it cannot be turned off."""

enabled = True
deterministic = True
allow_tf32 = True


def is_available():
    """True."""
    return True
