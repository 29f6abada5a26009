"""Training that may be killed at any moment. Started again, it goes on where it was, and ends with the same bits.

python resumable.py --workers 2      stop it, kill it, start it again with another number of workers: all is well
"""

import argparse
import contextlib
import hashlib
from pathlib import Path

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.demo.digits import load_digits
from rushlight.nn import functional as F
from rushlight.utils.data import DataLoader, Dataset


class ShiftedDigits(Dataset):
    """The handwritten digits, each moved by up to one pixel whenever a worker reads it."""

    def __init__(self):
        images, self.labels = load_digits()
        self.images = F.pad(images, (1, 1, 1, 1)).unsqueeze(1)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        down, right = torch.randint(0, 3, (2,)).tolist()
        return self.images[index, :, down : down + 8, right : right + 8], self.labels[index]


def open_log(folder, step):
    """A TensorBoard writer that hides what a killed run logged after its checkpoint; None without a folder."""
    if folder is None:
        return contextlib.nullcontext()
    from rushlight.utils.tensorboard import SummaryWriter

    return SummaryWriter(folder, purge_step=step + 1)


def digest(net):
    """The sha256 of all parameters and buffers."""
    return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in net.state_dict().values())).hexdigest()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2, help="processes that read; the bits are the same from 1 on")
    parser.add_argument("--every", type=int, default=10, help="steps from checkpoint to checkpoint")
    parser.add_argument("--log", type=Path, help="folder for TensorBoard")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder of the checkpoint, resumable.pt")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(options.seed)
    loader = DataLoader(ShiftedDigits(), batch_size=64, shuffle=True, num_workers=options.workers)
    net = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(512, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10)),
    )
    steps = options.epochs * len(loader)
    optimizer = torch.optim.AdamW(net.parameters())
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps)

    run = torch.TrainingState(model=net, optimizer=optimizer, scheduler=scheduler, loader=loader, step=0)
    checkpoint = options.out / "resumable.pt"
    if run.restore(checkpoint):
        print(f"goes on at step {run.step} of {steps}", flush=True)

    losses = []
    with open_log(options.log, run.step) as log, tqdm(total=steps, initial=run.step, unit="step") as bar:
        while run.step < steps:
            for images, labels in loader:
                loss = F.cross_entropy(net(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
                run.step += 1
                losses.append(loss.item())
                if log:
                    log.add_scalar("loss", losses[-1], run.step)
                if run.step % options.every == 0 or run.step == steps:
                    run.save(checkpoint)
                bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)
                bar.update()

    print(f"{steps} steps, parameters {digest(net)}")
    return losses


if __name__ == "__main__":
    main()
