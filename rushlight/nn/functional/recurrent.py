"""Recurrent layers, written out step by step, as functions of their weights: torch.lstm, torch.gru_cell, ..."""

import rushlight
from rushlight.nn.functional import dropout as drop
from rushlight.nn.functional import linear

__all__ = [
    "gru", "gru_cell", "lstm", "lstm_cell", "rnn_relu", "rnn_relu_cell", "rnn_tanh", "rnn_tanh_cell",
]  # fmt: skip

# One step each: what the input contributes [N, G * H], the state, and the weights of the state; the new state.
# The state is a tuple of tensors [N, H]; its first is the output.


def _plain_step(nonlinearity):
    def step(from_input, state, w_hh, b_hh, w_hr):
        return (nonlinearity(from_input + linear(state[0], w_hh, b_hh)),)

    return step


def _lstm_step(from_input, state, w_hh, b_hh, w_hr):
    hidden, cell = state
    i, f, g, o = (from_input + linear(hidden, w_hh, b_hh)).chunk(4, -1)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    hidden = o.sigmoid() * cell.tanh()
    return (hidden if w_hr is None else linear(hidden, w_hr)), cell


def _gru_step(from_input, state, w_hh, b_hh, w_hr):
    (hidden,) = state
    r, z, n = from_input.chunk(3, -1)
    hr, hz, hn = linear(hidden, w_hh, b_hh).chunk(3, -1)
    z = (z + hz).sigmoid()
    n = (n + (r + hr).sigmoid() * hn).tanh()
    return (n + z * (hidden - n),)


STEPS = {
    "RNN_TANH": _plain_step(rushlight.tanh),
    "RNN_RELU": _plain_step(rushlight.relu),
    "LSTM": _lstm_step,
    "GRU": _gru_step,
}
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


def _scan(step, data, sizes, state, weights, reverse):
    """One layer in one direction.

    Args:
        data: the steps of all sequences, packed: [sum of sizes, F].
        sizes: the number of sequences at each step, descending.
        state: a tuple of [N, H].

    Returns:
        The outputs, packed like `data`, and the last state of each sequence.
    """
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    inputs = linear(data, w_ih, b_ih)
    if step is _lstm_step and w_hr is None:  # where products are autocast, what is kept between steps is as short
        state = tuple(s.to(inputs.dtype) for s in state)
    inputs = inputs.split(sizes)
    outputs, finished = [None] * len(sizes), []
    first, size = state, sizes[-1 if reverse else 0]
    state = tuple(s[:size] for s in first)
    for t in range(len(sizes) - 1, -1, -1) if reverse else range(len(sizes)):
        if sizes[t] < size:  # the shortest sequences have ended
            finished.append(tuple(s[sizes[t] :] for s in state))
            state = tuple(s[: sizes[t]] for s in state)
        elif sizes[t] > size:  # backwards they begin here
            state = tuple(rushlight.cat([s, f[size : sizes[t]]]) for s, f in zip(state, first, strict=True))
        size = sizes[t]
        state = step(inputs[t], state, w_hh, b_hh, w_hr)
        outputs[t] = state[0]
    last = [state, *reversed(finished)]
    return rushlight.cat(outputs), tuple(rushlight.cat(parts) for parts in zip(*last, strict=True))


def run_layers(step, data, sizes, state, weights, directions, dropout):
    """All layers, one after the other.

    Args:
        data, sizes: as `_scan` takes them.
        state: a tuple of [layers * directions, N, H].
        weights: five for each layer and direction: w_ih, w_hh, b_ih, b_hh, w_hr; what is missing is None.
        dropout: the share of each layer's outputs, but the last's, that is zeroed.

    Returns:
        The outputs of the last layer, packed, and the last states of all, a tuple of [layers * directions, N, H].
    """
    last = []
    for layer in range(len(weights) // directions):
        if dropout and layer:
            data = drop(data, dropout)
        outputs = []
        for direction in range(directions):
            row = len(last)
            begin = tuple(s[row] for s in state)
            output, end = _scan(step, data, sizes, begin, weights[row], bool(direction))
            outputs.append(output)
            last.append(end)
        data = rushlight.cat(outputs, -1) if directions > 1 else outputs[0]
    return data, tuple(rushlight.stack(parts) for parts in zip(*last, strict=True))


def _grouped(name, params, has_biases, groups):
    """The flat list of weights in fives."""
    each, rest = divmod(len(params), groups)
    biases = 2 if has_biases else 0
    if rest or each not in (2 + biases, 3 + biases):
        raise RuntimeError(
            f"[{name}] params must hold w_ih, w_hh{', b_ih, b_hh' * bool(biases)} for each layer and direction. "
            f"Received {len(params)} tensors for {groups}."
        )
    rows = [list(params[k : k + each]) for k in range(0, len(params), each)]
    return [row[:2] + (row[2:4] if biases else [None, None]) + (row[2 + biases :] or [None]) for row in rows]


def _layers(name, input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
    directions = 2 if bidirectional else 1
    state = tuple(hx) if isinstance(hx, (list, tuple)) else (hx,)
    weights = _grouped(name, params, has_biases, num_layers * directions)
    data = input.transpose(0, 1) if batch_first else input
    steps, batch = data.shape[:2]
    data, state = run_layers(
        STEPS[name.upper()],
        data.reshape(steps * batch, -1),
        [batch] * steps,
        state,
        weights,
        directions,
        dropout if train else 0.0,
    )
    data = data.reshape(steps, batch, -1)
    return (data.transpose(0, 1) if batch_first else data, *state)


def _packed(name, data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional):
    directions = 2 if bidirectional else 1
    state = tuple(hx) if isinstance(hx, (list, tuple)) else (hx,)
    weights = _grouped(name, params, has_biases, num_layers * directions)
    data, state = run_layers(
        STEPS[name.upper()], data, batch_sizes.tolist(), state, weights, directions, dropout if train else 0.0
    )
    return (data, *state)


def _recurrent(name, states):
    def call(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first=False):
        given = (input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)
        packed = isinstance(hx, rushlight.Tensor) and not hx.is_floating_point()
        return (_packed if packed else _layers)(name, *given)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"""The layers of torch.nn.{name.split("_")[0].upper()} as a function of its weights.

    Of padded sequences: input [T, N, F] ([N, T, F] with batch_first), hx {states} [layers * directions, N, H], params
    the weights w_ih, w_hh(, b_ih, b_hh) of each layer and direction. Of packed ones: {name}(data, batch_sizes, hx,
    params, has_biases, num_layers, dropout, train, bidirectional). Returns the outputs and the last state(s).
    Raises RuntimeError when params do not fit.
    """
    return call


rnn_tanh = _recurrent("rnn_tanh", "a tensor")
rnn_relu = _recurrent("rnn_relu", "a tensor")
gru = _recurrent("gru", "a tensor")
lstm = _recurrent("lstm", "a pair of tensors")


def _step_once(mode, input, state, w_ih, w_hh, b_ih, b_hh):
    return STEPS[mode](linear(input, w_ih, b_ih), state, w_hh, b_hh, None)


def rnn_tanh_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """tanh(w_ih x + b_ih + w_hh h + b_hh): input [N, F], hx [N, H]; returns [N, H].

    >>> torch.rnn_tanh_cell(torch.zeros(2, 3), torch.zeros(2, 4), torch.ones(4, 3), torch.ones(4, 4)).shape
    torch.Size([2, 4])
    """
    return _step_once("RNN_TANH", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


def rnn_relu_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """relu(w_ih x + b_ih + w_hh h + b_hh): input [N, F], hx [N, H]; returns [N, H]."""
    return _step_once("RNN_RELU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


def gru_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of torch.nn.GRU: input [N, F], hx [N, H], weights of 3 H rows; returns [N, H]."""
    return _step_once("GRU", input, (hx,), w_ih, w_hh, b_ih, b_hh)[0]


def lstm_cell(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of torch.nn.LSTM: input [N, F], hx a pair of [N, H], weights of 4 H rows; returns the new pair."""
    return _step_once("LSTM", input, tuple(hx), w_ih, w_hh, b_ih, b_hh)
