"""A small GPT learns to add: it writes the sum after "47+85=", and is tested on sums it never saw."""

import argparse
import math
from pathlib import Path

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F

SYMBOLS = "0123456789+="
QUESTION, ANSWER = 6, 3  # symbols in "47+85=", and in "231": the sum from its last digit on, the order of carrying
BATCH, WARMUP = 128, 100


class Block(nn.Module):
    """One layer of the transformer: attention to what came before, then a small network at every place."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x):
        queries, keys, values = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Symbols [N, T] to scores for each next symbol [N, T, symbols]. One matrix reads symbols and writes them."""

    def __init__(self, symbols=len(SYMBOLS), length=QUESTION + ANSWER, width=64, heads=4, layers=2):
        super().__init__()
        self.symbols = nn.Embedding(symbols, width)
        self.places = nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, symbols, bias=False)
        self.head.weight = self.symbols.weight
        nn.init.normal_(self.symbols.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)

    def forward(self, text):
        places = torch.arange(text.shape[1])
        return self.head(self.norm(self.blocks(self.symbols(text) + self.places(places))))

    @torch.no_grad()
    def generate(self, text, count):
        """`text` [N, T] and the `count` likeliest symbols after it, [N, T + count]."""
        for _ in range(count):
            text = torch.cat([text, self(text)[:, -1].argmax(1, keepdim=True)], dim=1)
        return text


def sums():
    """Every sum of two numbers below 100, as symbols [10000, 9]."""
    texts = [f"{a:02}+{b:02}={f'{a + b:03}'[::-1]}" for a in range(100) for b in range(100)]
    return torch.tensor([[SYMBOLS.index(symbol) for symbol in text] for text in texts])


def spell(numbers):
    """The symbols as a reader writes them: 47+85=132 for "47+85=231"."""
    text = "".join(SYMBOLS[number] for number in numbers)
    return text[:QUESTION] + text[: QUESTION - 1 : -1].removeprefix("0")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the trained network")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(options.seed)
    texts = sums()[torch.randperm(10_000)]
    test, learn = texts[:1000], texts[1000:]

    net = GPT()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, betas=(0.9, 0.98), weight_decay=0.1)

    def pace(step):
        """A short rise, then half a cosine down to nothing."""
        return min(step / WARMUP, 0.5 + 0.5 * math.cos(math.pi * step / options.steps))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, pace)
    losses = []
    bar = tqdm(range(options.steps), unit="step")
    for _ in bar:
        batch = learn[torch.randint(0, len(learn), (BATCH,))]
        scores = net(batch[:, :-1])[:, QUESTION - 1 :]  # what is asked cannot be foreseen: only answers count
        loss = F.cross_entropy(scores.flatten(0, 1), batch[:, QUESTION:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
        bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)

    written = net.generate(test[:, :QUESTION], ANSWER)
    right = (written == test).all(1)
    for numbers, correct in zip(written[:5].tolist(), right[:5].tolist(), strict=True):
        print(f"  {spell(numbers):10}  {'right' if correct else 'wrong'}")
    print(f"{right.float().mean().item():.1%} of {len(test)} sums that were not in training are right")
    torch.save(net.state_dict(), options.out / "small_gpt.pt")
    return losses


if __name__ == "__main__":
    main()
