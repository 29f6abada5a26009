"""`fill_uninitialized_memory`: False. Memory that was not written to is never filled, also in deterministic mode."""

import sys
import types

fill_uninitialized_memory: bool


class _Switch(types.ModuleType):
    @property
    def fill_uninitialized_memory(self):
        return False

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, mode):
        if mode:
            raise NotImplementedError(
                "[deterministic] fill_uninitialized_memory must be False: torch.empty() leaves memory as it is. "
                "Use torch.full(size, torch.nan)."
            )


sys.modules[__name__].__class__ = _Switch
