"""Pictures as files."""

import numpy
from PIL import Image


def save_image(tensor, fp, nrow=8, normalize=False, **options):
    """Writes tensors [N, C, H, W] of values in [0, 1] beside one another."""
    rows = tensor.detach().float()
    if normalize:
        rows = (rows - rows.min()) / (rows.max() - rows.min()).clamp(min=1e-5)
    pixels = (rows.reshape(-1, *rows.shape[-3:]).clamp(0, 1) * 255).byte().numpy().transpose(0, 2, 3, 1)
    picture = numpy.concatenate(list(pixels), axis=1)
    Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(fp)
