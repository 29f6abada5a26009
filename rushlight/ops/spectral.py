"""The short-time Fourier transform and its inverse.

Source: Griffin & Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32, 1984.
"""

import rushlight
from rushlight import _core
from rushlight.ops.composition import composition


def _require(holds, name, what, received):
    if not holds:
        raise RuntimeError(f"[{name}] {what}. Received {received}.")


def _padded_window(name, window, win_length, n_fft, dtype):
    """The window, of ones if None, in the middle of n_fft numbers."""
    _require(0 < win_length <= n_fft, name, "expected 0 < win_length <= n_fft", f"{win_length} and {n_fft}")
    if window is None:
        window = _core.ones(win_length, dtype=dtype)
    shape = tuple(window.shape)
    _require(shape == (win_length,), name, f"expected a 1D window tensor of size win_length={win_length}", shape)
    left = (n_fft - win_length) // 2
    return _core.constant_pad_nd(window, (left, n_fft - win_length - left)) if win_length < n_fft else window


@composition
def stft(
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    pad_mode="reflect",
    normalized=False,
    onesided=None,
    return_complex=None,
    align_to_window=None,
):
    """The Fourier transforms of overlapping frames of input [B, L] or [L]: complex [B, frequencies, frames].

    A frame has n_fft samples, frame k begins at sample k * hop_length (default n_fft // 4), or with center has its
    middle there, input being padded by pad_mode. It is multiplied by the window [win_length] (default: n_fft ones),
    padded with zeros on both sides. normalized: scaled by 1 / sqrt(n_fft). onesided (the default for real input and
    window): the frequencies 0 ... n_fft // 2 only. return_complex=False: real, [..., 2]. align_to_window, without
    center: the window, not the frame, begins at k * hop_length.

    Raises RuntimeError when a length does not fit, and for a real input without return_complex.

    >>> tone = torch.cos(torch.arange(16) * (2 * torch.pi / 4))
    >>> spectrum = torch.stft(tone, 8, window=torch.ones(8), center=False, return_complex=True)
    >>> spectrum.shape, spectrum.abs().argmax(0)
    (torch.Size([5, 5]), tensor([2, 2, 2, 2, 2]))
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    onesided = not is_complex if onesided is None else onesided
    _require(input.is_floating_point() or input.is_complex(), "stft", "expected floating or complex input", input.dtype)
    _require(input.ndim in (1, 2), "stft", "expected a 1D or 2D tensor", f"{input.ndim} dimensions")
    _require(n_fft > 0, "stft", "expected n_fft > 0", n_fft)
    _require(hop_length > 0, "stft", "expected hop_length > 0", hop_length)
    _require(
        is_complex or return_complex is not None, "stft", "return_complex must be given for real input", return_complex
    )
    _require(not (is_complex and onesided), "stft", "only a real input and window have onesided output", onesided)
    _require(not center or align_to_window is None, "stft", "align_to_window needs center=False", align_to_window)
    window = _padded_window("stft", window, win_length, n_fft, input.real.dtype)

    x = input if input.ndim == 2 else input.unsqueeze(0)
    if center:
        x = rushlight.nn.functional.pad(x, (n_fft // 2, n_fft // 2), pad_mode)
    length = x.shape[-1]
    _require(n_fft <= length, "stft", "expected n_fft to be no more than the length of input", f"{n_fft} and {length}")
    if align_to_window:
        left = (n_fft - win_length) // 2
        x = _core.constant_pad_nd(x, (left, n_fft - win_length - left))
    frames = x.unfold(-1, n_fft, hop_length) * window
    transform = rushlight.fft.rfft if onesided else rushlight.fft.fft
    spectrum = transform(frames, norm="ortho" if normalized else None).mT
    spectrum = spectrum if input.ndim == 2 else spectrum.squeeze(0)
    return _core.view_as_real(spectrum) if return_complex is False else spectrum


@composition
def istft(
    input,
    n_fft,
    hop_length=None,
    win_length=None,
    window=None,
    center=True,
    normalized=False,
    onesided=None,
    length=None,
    return_complex=False,
):
    """The signal [B, length] or [length] whose `stft` is nearest to input [B, frequencies, frames]: frames overlapped,
    added, and divided by the sum of the squared windows.

    The arguments are those given to stft. length: that of the signal, padded with zeros where no frame reaches
    (default: as far as the frames reach). return_complex: for a spectrum of a complex signal.

    Raises RuntimeError when a length does not fit, or where windows that are zero leave a sample unknown.

    >>> x, window = torch.arange(8.0), torch.hann_window(4)
    >>> torch.istft(torch.stft(x, 4, window=window, return_complex=True), 4, window=window).round().int()
    tensor([0, 1, 2, 3, 4, 5, 6, 7], dtype=torch.int32)
    """
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    _require(input.is_complex(), "istft", "a complex-valued input is required, as stft gives it", input.dtype)
    _require(input.ndim in (2, 3), "istft", "expected a tensor with 2 or 3 dimensions", tuple(input.shape))
    _require(input.numel() > 0, "istft", "input tensor cannot be empty", tuple(input.shape))
    _require(
        0 < hop_length <= win_length, "istft", "expected 0 < hop_length <= win_length", f"{hop_length} and {win_length}"
    )
    frequencies, count = input.shape[-2:]
    onesided = frequencies != n_fft if onesided is None else onesided
    expected = n_fft // 2 + 1 if onesided else n_fft
    _require(frequencies == expected, "istft", f"expected {expected} frequencies, onesided={onesided}", frequencies)
    _require(not (return_complex and onesided), "istft", "onesided input has no complex signal", return_complex)
    window = _padded_window("istft", window, win_length, n_fft, input.real.dtype)
    _require(return_complex or not window.is_complex(), "istft", "complex windows need return_complex", window.dtype)

    spectrum = (input if input.ndim == 3 else input.unsqueeze(0)).mT
    norm = "ortho" if normalized else None
    if return_complex:
        frames = rushlight.fft.ifft(spectrum, norm=norm)
    else:
        frames = rushlight.fft.irfft(spectrum, n_fft, norm=norm)
    weights = window.square().expand(1, count, n_fft)

    reach = n_fft + hop_length * (count - 1)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else reach - start
    _require(start < min(stop, reach), "istft", "expected at least one sample", f"samples from {start} to {stop}")
    signal, envelope = (_overlapped(x, hop_length)[:, start:stop] for x in (frames * window, weights))
    _require(envelope.abs().min().item() > 1e-11, "istft", "window overlap add min must exceed 1e-11", window)
    signal = signal / envelope
    if stop > reach:
        signal = _core.constant_pad_nd(signal, (0, stop - reach))
    return signal if input.ndim == 3 else signal.squeeze(0)


def _overlapped(frames, hop):
    """The sum of frames [B, T, N] laid hop apart: [B, N + hop * (T - 1)]."""
    batch, count, n = frames.shape
    length = n + hop * (count - 1)
    ground = _core.zeros((batch, length), dtype=frames.dtype)
    return _core.strided_add(ground, frames, frames.shape, (length, hop, 1), 0)
