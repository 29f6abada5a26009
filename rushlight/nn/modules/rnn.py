"""Recurrent layers, written out step by step."""

import math
import warnings

import rushlight
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.functional.recurrent import GATES, STEPS, run_layers
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter
from rushlight.nn.utils.rnn import PackedSequence

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common: the weights of all layers and directions, and the way through them.

    Shapes: input [T, N, input_size] ([N, T, input_size] if `batch_first`, or without N, or packed); hidden state
    [num_layers * directions, N, hidden_size]; output [T, N, directions * hidden_size].
    """

    def __init__(
        self,
        mode,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=3,
            )
        if not isinstance(hidden_size, int):
            raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
        if hidden_size <= 0:
            raise ValueError("hidden_size must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in STEPS:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size

        gates, output_size = GATES[mode] * hidden_size, proj_size or hidden_size
        directions = 2 if bidirectional else 1
        self._all_weights = []
        for layer in range(num_layers):
            for direction in range(directions):
                suffix = f"_l{layer}" + "_reverse" * direction
                shapes = {
                    "weight_ih": (gates, input_size if layer == 0 else output_size * directions),
                    "weight_hh": (gates, output_size),
                }
                if bias:
                    shapes["bias_ih"] = shapes["bias_hh"] = (gates,)
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    setattr(self, name + suffix, Parameter(rushlight.empty(shape, device=device, dtype=dtype)))
                self._all_weights.append([name + suffix for name in shapes])
        self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights from (-k, k), k = 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self):
        """Nothing to do: the weights are used where they are."""

    @property
    def all_weights(self):
        """The parameters of each layer and direction, as lists."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def _weights(self, layer, direction):
        suffix = f"_l{layer}" + "_reverse" * direction
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return [getattr(self, name + suffix, None) for name in names]

    # -- what forward checks: programs with layers of their own call and replace these

    def check_input(self, input, batch_sizes):
        """Raises RuntimeError unless input, or the data of a packed sequence, has features as the layer wants them."""
        wanted = 3 if batch_sizes is None else 2
        if input.ndim != wanted:
            raise RuntimeError(f"input must have {wanted} dimensions, got {input.ndim}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )

    def get_expected_hidden_size(self, input, batch_sizes):
        """The shape of the hidden state: [num_layers * directions, N, proj_size or hidden_size]."""
        return self._state_size(input, batch_sizes, self.proj_size or self.hidden_size)

    def _state_size(self, input, batch_sizes, size):
        batch = input.shape[0 if self.batch_first else 1] if batch_sizes is None else int(batch_sizes[0])
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def check_hidden_size(self, hx, expected_hidden_size, msg="Expected hidden size {}, got {}"):
        """Raises RuntimeError, msg with both shapes, unless hx has the expected one."""
        if tuple(hx.shape) != tuple(expected_hidden_size):
            raise RuntimeError(msg.format(tuple(expected_hidden_size), list(hx.shape)))

    def check_forward_args(self, input, hidden, batch_sizes):
        """Raises RuntimeError unless input and hidden state fit the layer and one another."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx, permutation):
        """The hidden state with its batch in another order; None leaves it."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def _zero_state(self, input, batch_sizes):
        return rushlight.zeros(self.get_expected_hidden_size(input, batch_sizes), dtype=input.dtype)

    def forward(self, input, hx=None):
        """The outputs of the last layer, and the last states of all.

        Args:
            hx: the states to begin with, zeros by default; of an LSTM, the pair (hidden, cell).
        """
        batch_sizes = sorted_indices = unsorted_indices = None
        lstm, packed, batched = self.mode == "LSTM", isinstance(input, PackedSequence), True
        if packed:
            data, batch_sizes, sorted_indices, unsorted_indices = input
        else:
            if input.ndim not in (2, 3):
                raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.ndim}D instead")
            batched = input.ndim == 3
            data = input if batched else input.unsqueeze(0 if self.batch_first else 1)
            if not batched and hx is not None:
                hx = tuple(s.unsqueeze(1) for s in hx) if lstm else hx.unsqueeze(1)
        self.check_input(data, batch_sizes)
        hx = self._zero_state(data, batch_sizes) if hx is None else self.permute_hidden(hx, sorted_indices)
        self.check_forward_args(data, hx, batch_sizes)
        if packed:
            sizes = batch_sizes.tolist()
        else:
            if self.batch_first:
                data = data.transpose(0, 1)
            steps, batch = data.shape[:2]
            if steps == 0:
                raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
            sizes, data = [batch] * steps, data.reshape(steps * batch, data.shape[2])

        directions = 2 if self.bidirectional else 1
        weights = [
            self._weights(layer, direction) for layer in range(self.num_layers) for direction in range(directions)
        ]
        dropout = self.dropout if self.training else 0.0
        given = tuple(hx) if lstm else (hx,)
        data, state = run_layers(STEPS[self.mode], data, sizes, given, weights, directions, dropout)

        if packed:
            output = PackedSequence(data, batch_sizes, sorted_indices, unsorted_indices)
            return output, self.permute_hidden(tuple(state) if lstm else state[0], unsorted_indices)
        output = data.reshape(len(sizes), sizes[0], data.shape[-1])
        if not batched:
            output, state = output.squeeze(1), tuple(s.squeeze(1) for s in state)
        elif self.batch_first:
            output = output.transpose(0, 1)
        return output, (tuple(state) if lstm else state[0])

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text


class RNN(RNNBase):
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh) at each step (Elman, 1990).

    Args:
        nonlinearity: "tanh" or "relu".
        dropout: of the outputs of all layers but the last, in training.
        bidirectional: a second set of weights goes through the sequence backwards.

    >>> rnn = torch.nn.RNN(10, 20, 2)
    >>> output, hidden = rnn(torch.randn(5, 3, 10))
    >>> output.shape, hidden.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        nonlinearity="tanh",
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        device=None,
        dtype=None,
    ):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        self.nonlinearity = nonlinearity
        super().__init__(
            "RNN_" + nonlinearity.upper(),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )


class LSTM(RNNBase):
    """i, f, g, o = W_ih x + b_ih + W_hh h + b_hh; c = σ(f) c + σ(i) tanh(g); h = σ(o) tanh(c)
    (Hochreiter and Schmidhuber, 1997).

    Args:
        proj_size: size of a projection of h, 0 for none (Sak et al., 2014).
        dropout: of the outputs of all layers but the last, in training.
        bidirectional: a second set of weights goes through the sequence backwards.

    >>> lstm = torch.nn.LSTM(10, 20, batch_first=True)
    >>> output, (hidden, cell) = lstm(torch.randn(3, 5, 10))
    >>> output.shape, cell.shape
    (torch.Size([3, 5, 20]), torch.Size([1, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )

    def get_expected_cell_size(self, input, batch_sizes):
        """The shape of the cell state: [num_layers * directions, N, hidden_size]."""
        return self._state_size(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input, hidden, batch_sizes):
        """Raises RuntimeError unless input, hidden and cell state fit the layer and one another."""
        self.check_input(input, batch_sizes)
        hx, cx = hidden
        expected = self.get_expected_hidden_size(input, batch_sizes)
        self.check_hidden_size(hx, expected, "Expected hidden[0] size {}, got {}")
        expected = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(cx, expected, "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx, permutation):
        """Both states with their batch in another order; None leaves them."""
        return hx if permutation is None else tuple(s.index_select(1, permutation) for s in hx)

    def _zero_state(self, input, batch_sizes):
        sizes = self.get_expected_hidden_size(input, batch_sizes), self.get_expected_cell_size(input, batch_sizes)
        return tuple(rushlight.zeros(size, dtype=input.dtype) for size in sizes)


class GRU(RNNBase):
    """r = σ(...), z = σ(...), n = tanh(W_in x + b_in + r (W_hn h + b_hn)); h = (1 - z) n + z h (Cho et al., 2014).

    Args:
        dropout: of the outputs of all layers but the last, in training.
        bidirectional: a second set of weights goes through the sequence backwards.

    >>> gru = torch.nn.GRU(10, 20, bidirectional=True)
    >>> output, hidden = gru(torch.randn(5, 3, 10))
    >>> output.shape, hidden.shape
    (torch.Size([5, 3, 40]), torch.Size([2, 3, 20]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        device=None,
        dtype=None,
    ):
        super().__init__(
            "GRU",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            device=device,
            dtype=dtype,
        )


class RNNCellBase(Module):
    """One step of a recurrent layer.

    Shapes: input [N, input_size] or [input_size], hidden state [N, hidden_size] or [hidden_size].
    """

    _mode = ""

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias

        def weight(*shape):
            return Parameter(rushlight.empty(shape, device=device, dtype=dtype))

        self.weight_ih = weight(num_chunks * hidden_size, input_size)
        self.weight_hh = weight(num_chunks * hidden_size, hidden_size)
        self.register_parameter("bias_ih", weight(num_chunks * hidden_size) if bias else None)
        self.register_parameter("bias_hh", weight(num_chunks * hidden_size) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights from (-k, k), k = 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _step(self, input, state):
        """The new state, a tuple; `state` is one, or None for zeros."""
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        if state is None:
            zeros = rushlight.zeros((*input.shape[:-1], self.hidden_size), dtype=input.dtype, device=input.device)
            state = (zeros,) * (2 if self._mode == "LSTM" else 1)
        for part in state:
            if part.ndim not in (1, 2):
                raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {part.ndim}D instead")
        batched = input.ndim == 2
        if not batched:
            input, state = input.unsqueeze(0), tuple(s.unsqueeze(0) for s in state)
        from_input = F.linear(input, self.weight_ih, self.bias_ih)
        state = STEPS[self._mode](from_input, state, self.weight_hh, self.bias_hh, None)
        return state if batched else tuple(s.squeeze(0) for s in state)

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text


class RNNCell(RNNCellBase):
    """One step of `RNN`.

    >>> cell = torch.nn.RNNCell(10, 20)
    >>> cell(torch.randn(3, 10), torch.zeros(3, 20)).shape
    torch.Size([3, 20])
    """

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    @property
    def _mode(self):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return "RNN_" + self.nonlinearity.upper()

    def forward(self, input, hx=None):
        return self._step(input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """One step of `LSTM`; takes and returns the pair (hidden, cell).

    >>> hidden, cell = torch.nn.LSTMCell(10, 20)(torch.randn(3, 10))
    >>> cell.shape
    torch.Size([3, 20])
    """

    _mode = "LSTM"

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        return self._step(input, hx)


class GRUCell(RNNCellBase):
    """One step of `GRU`.

    >>> torch.nn.GRUCell(10, 20)(torch.randn(3, 10)).shape
    torch.Size([3, 20])
    """

    _mode = "GRU"

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        return self._step(input, None if hx is None else (hx,))[0]
