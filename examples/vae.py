"""A variational autoencoder learns what handwritten digits look like, and draws new ones (Kingma and Welling, 2013)."""

import argparse
from pathlib import Path

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.demo.digits import load_digits
from rushlight.nn import functional as F
from rushlight.utils.data import DataLoader, TensorDataset


class VAE(nn.Module):
    """Images [N, 64] from 0 to 1 to a normal distribution over codes, and a code drawn from it back to an image."""

    def __init__(self, pixels=64, hidden=256, code=16):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(pixels, hidden), nn.SiLU(), nn.Linear(hidden, 2 * code))
        self.decoder = nn.Sequential(nn.Linear(code, hidden), nn.SiLU(), nn.Linear(hidden, pixels))
        self.code = code

    def forward(self, images):
        mean, log_variance = self.encoder(images).chunk(2, dim=1)
        code = mean + torch.randn(mean.shape) * (0.5 * log_variance).exp()
        return self.decoder(code), mean, log_variance

    @torch.no_grad()
    def sample(self, count):
        return self.decoder(torch.randn(count, self.code)).sigmoid()


def negative_elbo(logits, mean, log_variance, images):
    """What an image costs in nats: its pixels, once the code is known, and the code."""
    pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
    code = 0.5 * (mean**2 + log_variance.exp() - log_variance - 1).sum()
    return (pixels + code) / len(images)


def save_picture(images, path, columns=16, scale=6):
    """Writes images [N, 64] side by side: a PNG where Pillow is installed, else a PGM. Returns the path."""
    tiles = F.pad(1 - images.reshape(-1, columns, 8, 8), (1, 1, 1, 1), value=1.0)
    sheet = tiles.permute(0, 2, 1, 3).reshape(-1, columns * 10)
    sheet = sheet.repeat_interleave(scale, 0).repeat_interleave(scale, 1)
    height, width = sheet.shape
    grey = bytes((255 * sheet).round().to(torch.uint8).flatten().tolist())
    try:
        from PIL import Image
    except ImportError:
        path = path.with_suffix(".pgm")
        path.write_bytes(f"P5 {width} {height} 255\n".encode() + grey)
    else:
        path = path.with_suffix(".png")
        Image.frombytes("L", (width, height), grey).save(path)
    return path


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the picture and the trained network")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(options.seed)
    images, _ = load_digits()
    loader = DataLoader(TensorDataset(images.flatten(1)), batch_size=64, shuffle=True, drop_last=True)

    vae = VAE()
    optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
    losses = []
    with tqdm(total=options.epochs * len(loader), unit="batch") as bar:
        for _ in range(options.epochs):
            for (batch,) in loader:
                loss = negative_elbo(*vae(batch), batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                bar.set_postfix_str(f"loss {losses[-1]:.2f}", refresh=False)
                bar.update()

    samples = vae.sample(64)
    for row in samples[:6].reshape(6, 8, 8).permute(1, 0, 2).tolist():
        print("  ".join("".join(" .:*#"[round(4 * ink)] * 2 for ink in line) for line in row))
    last = losses[-len(loader) :]
    print(f"an image costs {sum(last) / len(last):.1f} nats; 64 new ones: {save_picture(samples, options.out / 'vae')}")
    torch.save(vae.state_dict(), options.out / "vae.pt")
    return losses


if __name__ == "__main__":
    main()
