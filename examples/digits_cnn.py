"""A convolutional network learns to read handwritten digits, with batch normalisation and shifted copies."""

import argparse
from pathlib import Path

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.demo.digits import load_digits
from rushlight.nn import functional as F
from rushlight.utils.data import DataLoader, TensorDataset

TEST_IMAGES = 360


def make_net():
    """Images [N, 1, 8, 8] to scores [N, 10]."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(64, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.Flatten()),
        nn.Linear(64 * 4 * 4, 10),
    )


def shifted(images):
    """The batch, moved as a whole by up to one pixel in each direction."""
    down, right = torch.randint(0, 3, (2,)).tolist()
    return F.pad(images, (1, 1, 1, 1))[:, :, down : down + 8, right : right + 8]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the trained network")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(options.seed)
    images, labels = load_digits()
    images = images.unsqueeze(1)
    order = torch.randperm(len(images))
    test, learn = order[:TEST_IMAGES], order[TEST_IMAGES:]
    loader = DataLoader(TensorDataset(images[learn], labels[learn]), batch_size=64, shuffle=True, drop_last=True)

    net = make_net()
    steps = options.epochs * len(loader)
    optimizer = torch.optim.SGD(net.parameters(), momentum=0.9, weight_decay=5e-4, nesterov=True)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps)
    losses = []
    with tqdm(total=steps, unit="batch") as bar:
        for _ in range(options.epochs):
            for batch, answers in loader:
                loss = F.cross_entropy(net(shifted(batch)), answers)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
                losses.append(loss.item())
                bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)
                bar.update()

    net.eval()
    with torch.no_grad():
        wrong = (net(images[test]).argmax(1) != labels[test]).sum().item()
    print(f"test accuracy {1 - wrong / TEST_IMAGES:.1%} ({wrong} of {TEST_IMAGES} digits misread)")
    torch.save(net.state_dict(), options.out / "digits_cnn.pt")
    return losses


if __name__ == "__main__":
    main()
