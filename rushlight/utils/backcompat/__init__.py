"""Switches for warnings about PyTorch before 0.2. Nothing here behaves as then, so there is nothing to warn of."""


class Warning:
    """A switch that stays off."""

    def __init__(self, name):
        self._name = name

    def get_enabled(self):
        """False."""
        return False

    def set_enabled(self, value):
        """Raises NotImplementedError when switched on."""
        if value:
            raise NotImplementedError(
                f"[backcompat] {self._name} cannot be enabled: there is no such warning. Leave it False."
            )

    enabled = property(get_enabled, set_enabled)


broadcast_warning = Warning("broadcast_warning")
keepdim_warning = Warning("keepdim_warning")
