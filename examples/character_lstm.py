"""An LSTM learns the Zen of Python by heart, character by character, and recites it."""

import argparse
import codecs
import contextlib
import io
from pathlib import Path

from tqdm import tqdm

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F

LENGTH, BATCH = 64, 16  # characters that are read at once, and passages of that length


def zen():
    """The text that `import this` prints; it is the same in every version of Python."""
    with contextlib.redirect_stdout(io.StringIO()):
        import this
    return codecs.decode(this.s, "rot13")


class CharacterLSTM(nn.Module):
    """Characters [N, T] and a state to scores for each next character [N, T, characters] and the state after them."""

    def __init__(self, characters, width=128):
        super().__init__()
        self.embedding = nn.Embedding(characters, 32)
        self.lstm = nn.LSTM(32, width, batch_first=True)
        self.head = nn.Linear(width, characters)

    def forward(self, text, state=None):
        hidden, state = self.lstm(self.embedding(text), state)
        return self.head(hidden), state


def recite(net, start, count, temperature=0.3):
    """The numbers of `start`, and `count` more that are drawn one after the other."""
    text, state = list(start), None
    unread = start
    with torch.no_grad():
        for _ in range(count):
            scores, state = net(torch.tensor([unread]), state)
            unread = [torch.multinomial((scores[0, -1] / temperature).softmax(0), 1).item()]
            text += unread
    return text


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for the trained network")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(options.seed)
    text = zen()
    characters = sorted(set(text))
    numbers = torch.tensor([characters.index(character) for character in text])

    net = CharacterLSTM(len(characters))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    bar = tqdm(range(options.steps), unit="step")
    for _ in bar:
        starts = torch.randint(0, len(numbers) - LENGTH, (BATCH, 1))
        passages = numbers[starts + torch.arange(LENGTH + 1)]
        scores, _ = net(passages[:, :-1])
        loss = F.cross_entropy(scores.flatten(0, 1), passages[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)

    title = numbers[: text.index("\n")].tolist()
    recited = "".join(characters[number] for number in recite(net, title, len(text) - len(title)))
    print(recited)
    print(f"{sum(line in text for line in recited.splitlines())} of {len(recited.splitlines())} lines are in the Zen")
    torch.save(net.state_dict(), options.out / "character_lstm.pt")
    return losses


if __name__ == "__main__":
    main()
