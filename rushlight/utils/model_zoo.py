"""The old home of :func:`rushlight.hub.load_state_dict_from_url`."""

from tqdm import tqdm

from rushlight.hub import load_state_dict_from_url as load_url

__all__ = ["load_url", "tqdm"]
