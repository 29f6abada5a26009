"""The short-time Fourier transform and its inverse against PyTorch."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings(
        "ignore:A window was not provided", "ignore:stft with return_complex", "ignore:The length"
    ),
]

# x [2, 20] and w [8], v [6] are real, z [2, 20] complex.
FORWARD = """
stft(x, 8, window=w, return_complex=True)
stft(x[0], 8, window=w, return_complex=False)
stft(x, 7, hop_length=3, return_complex=True, pad_mode="replicate", normalized=True)
stft(x, 8, win_length=6, window=v, return_complex=True, center=False)
stft(x, 8, win_length=6, window=v, return_complex=True, center=False, align_to_window=True)
stft(x, 8, window=w, return_complex=True, onesided=False, pad_mode="constant")
stft(z, 8, window=w, pad_mode="circular")
stft(x, 8, window=w + 0j)
""".strip().splitlines()
INVERSE = """
istft(stft(x, 8, window=w, return_complex=True), 8, window=w)
istft(stft(x[0], 8, window=w, return_complex=True), 8, window=w, length=13)
istft(stft(x, 8, window=w, return_complex=True), 8, window=w, length=30)
istft(stft(x, 8, return_complex=True, center=False), 8, center=False)
istft(stft(x, 8, hop_length=2, win_length=6, window=v, return_complex=True), 8, 2, 6, v, normalized=True)
istft(stft(x, 8, window=w, return_complex=True, onesided=False), 8, window=w)
istft(stft(z, 8, window=w), 8, window=w, return_complex=True)
istft(stft(x, 8, window=w + 0j), 8, window=w + 1j, return_complex=True)
""".strip().splitlines()


def evaluate(package, call):
    r = np.random.default_rng(5)
    real = r.normal(size=(2, 20))
    draws = {"x": real, "z": real + 1j * r.normal(size=(2, 20)), "w": r.random(8) + 0.5, "v": r.random(6) + 0.5}
    names = {k: package.tensor(v, requires_grad=True) for k, v in draws.items()}
    y = eval(call, {"stft": package.stft, "istft": package.istft, **names})
    (y * y.conj()).real.pow(2).sum().backward()
    grads = [n.grad.resolve_conj().numpy() for n in names.values() if n.grad is not None]
    return [y.detach().resolve_conj().numpy(), *grads]


@pytest.mark.parametrize("call", FORWARD + INVERSE)
def test_values_and_gradients_agree_with_torch(call):
    ours, theirs = evaluate(rushlight, call), evaluate(torch, call)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_gradients_of_gradients():
    x = rushlight.randn(12, dtype=rushlight.float64, requires_grad=True)
    window = rushlight.hann_window(4, dtype=rushlight.float64).requires_grad_()

    def there_and_back(x, window):
        spectrum = rushlight.stft(x, 4, window=window, return_complex=True)
        return rushlight.istft(spectrum * spectrum.abs(), 4, window=window)

    assert rushlight.autograd.gradcheck(there_and_back, (x, window))
    assert rushlight.autograd.gradgradcheck(there_and_back, (x, window))


def test_a_window_can_begin_at_an_odd_distance():
    """PyTorch refuses this one."""
    x = rushlight.arange(10.0)
    received = rushlight.stft(x, 8, 1, 3, center=False, align_to_window=True, return_complex=True)
    assert received.shape == (5, 8)
    np.testing.assert_allclose(received[0].numpy(), [x[k : k + 3].sum().item() for k in range(8)], rtol=1e-6)


ERRORS = """
stft(x, 8)
stft(x.long(), 8, return_complex=True)
stft(x.half(), 8, return_complex=True)
stft(x[0, 0], 8, return_complex=True)
stft(x.unsqueeze(0), 8, return_complex=True)
stft(x, 21, return_complex=True, center=False)
stft(x, 0, return_complex=True)
stft(x, -1, return_complex=True)
stft(x, 8, 0, return_complex=True)
stft(x, 8, win_length=9, return_complex=True)
stft(x, 8, window=w[1:], return_complex=True)
stft(x + 0j, 8, onesided=True)
stft(x, 8, return_complex=True, align_to_window=True)
istft(x, 8)
istft(z[0], 8)
istft(z[:, :0], 8)
istft(z, 10)
istft(z, 8, onesided=False)
istft(z, 8, 9)
istft(z, 8, win_length=9)
istft(z, 8, window=w[1:])
istft(z, 8, window=w + 0j)
istft(z, 8, window=w, return_complex=True)
istft(z, 8, length=0)
istft(z, 8, window=w * 0)
istft(z[:, :1], 8)
""".strip().splitlines()


@pytest.mark.parametrize("call", ERRORS)
def test_errors_are_those_of_torch(call):
    for package in (rushlight, torch):
        names = {"stft": package.stft, "istft": package.istft}
        names |= {"x": package.ones(2, 20), "w": package.ones(8), "z": package.ones(5, 4) + 0j}
        with pytest.raises((RuntimeError, IndexError)):
            eval(call, names)


def test_an_unknown_padding_is_refused():
    with pytest.raises(NotImplementedError):
        rushlight.stft(rushlight.ones(20), 8, pad_mode="none", return_complex=True)


def test_a_quiet_tone_is_removed():
    time = rushlight.arange(512) / 512
    loud, quiet = (2 * rushlight.pi * 16 * time).sin(), 0.1 * (2 * rushlight.pi * 96 * time).sin()
    window = rushlight.hann_window(64)
    spectrum = (loud + quiet).stft(64, window=window, return_complex=True)
    kept = rushlight.where(spectrum.abs() > 0.2 * spectrum.abs().max(), spectrum, 0)
    cleaned = kept.istft(64, window=window, length=512)
    assert (cleaned - loud)[32:-32].abs().max().item() < 0.02
