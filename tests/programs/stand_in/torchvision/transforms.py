"""Transforms from a picture to a tensor."""

import random

import numpy
import torch
from PIL import Image, ImageOps


class Compose:
    """Transforms, one after the other."""

    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, picture):
        for transform in self.transforms:
            picture = transform(picture)
        return picture


class Lambda:
    """A function."""

    def __init__(self, function):
        self.function = function

    def __call__(self, picture):
        return self.function(picture)


class ToTensor:
    """float32 [C, H, W] in [0, 1]."""

    def __call__(self, picture):
        pixels = numpy.array(picture)
        pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float().div(255)


class Normalize:
    """(x - mean) / std of each channel."""

    def __init__(self, mean, std):
        self.mean, self.std = torch.tensor(mean)[:, None, None], torch.tensor(std)[:, None, None]

    def __call__(self, x):
        return (x - self.mean) / self.std


class Resize:
    """A picture of another size."""

    def __init__(self, size, interpolation=None):
        self.size = (size, size) if isinstance(size, int) else size

    def __call__(self, picture):
        return picture.resize(self.size[::-1], Image.Resampling.BILINEAR)


class Pad:
    """A black border."""

    def __init__(self, padding):
        self.padding = padding

    def __call__(self, picture):
        return ImageOps.expand(picture, self.padding)


class RandomHorizontalFlip:
    """Left and right change places in half of the pictures."""

    def __call__(self, picture):
        return ImageOps.mirror(picture) if random.random() < 0.5 else picture


class RandomCrop:
    """A square from somewhere in the picture."""

    def __init__(self, size):
        self.size = size

    def __call__(self, picture):
        left, top = (random.randint(0, n - self.size) for n in picture.size)
        return picture.crop((left, top, left + self.size, top + self.size))
