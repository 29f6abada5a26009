"""Pictures of ten classes: a blurred random pattern for each class, with noise. The same ones at each call."""

import os

import numpy
import torch
from PIL import Image


class _Pictures(torch.utils.data.Dataset):
    shape = (28, 28)
    mode = "L"

    def __init__(self, root, train=True, transform=None, target_transform=None, download=False):
        count = int(os.environ.get("STAND_IN_PICTURES", "600")) // (1 if train else 4)
        generator = numpy.random.RandomState(0)
        coarse = generator.rand(10, 7, 7, *self.shape[2:])
        pattern = coarse.repeat(-(-self.shape[0] // 7), axis=1).repeat(-(-self.shape[1] // 7), axis=2)
        pattern = pattern[:, : self.shape[0], : self.shape[1]]
        generator = numpy.random.RandomState(1 if train else 2)
        targets = generator.randint(0, 10, count)
        noisy = 0.7 * pattern[targets] + 0.3 * generator.rand(count, *self.shape)
        self.data = (255 * noisy).astype(numpy.uint8)
        self.targets = targets.tolist()
        self.transform, self.target_transform = transform, target_transform

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        picture, target = Image.fromarray(self.data[index]), self.targets[index]
        if self.transform is not None:
            picture = self.transform(picture)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return picture, target


class MNIST(_Pictures):
    """Grey pictures [28, 28], as tensors where the program reads `data` and `targets` itself."""

    def __init__(self, root, train=True, transform=None, target_transform=None, download=False):
        super().__init__(root, train, transform, target_transform, download)
        self.data, self.targets = torch.from_numpy(self.data), torch.tensor(self.targets)

    def __getitem__(self, index):
        picture, target = Image.fromarray(self.data[index].numpy()), int(self.targets[index])
        return (picture if self.transform is None else self.transform(picture)), target


class FashionMNIST(MNIST):
    """The same format."""


class CIFAR10(_Pictures):
    """Coloured pictures [32, 32, 3]."""

    shape = (32, 32, 3)
