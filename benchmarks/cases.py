"""The work that is timed: each case is one program for both frameworks; build(torch) returns a function to call."""

from itertools import pairwise


def add(torch):
    a, b = torch.randn(4, 4), torch.randn(4, 4)
    return lambda: a + b


def add_with_grad(torch):
    a, b = torch.randn(4, 4, requires_grad=True), torch.randn(4, 4)
    return lambda: a + b


def matmul_small(torch):
    a, b = torch.randn(4, 4), torch.randn(4, 4)
    return lambda: a @ b


def snippet(torch):
    def run():
        x = torch.tensor(3.0, requires_grad=True)
        y = x * 2
        z = y**2
        z.backward()

    return run


def chain(torch):
    x = torch.randn(4, 4, requires_grad=True)

    def run():
        y = x
        for _ in range(1000):
            y = y * 1.001
        y.sum().backward()
        x.grad = None

    return run


def adam_step(torch, sizes, batch):
    torch.manual_seed(0)
    layers = []
    for i, o in pairwise(sizes):
        layers += [torch.nn.Linear(i, o), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters())
    x, target = torch.randn(batch, sizes[0]), torch.randint(0, sizes[-1], (batch,))
    loss_of = torch.nn.CrossEntropyLoss()

    def run():
        optimizer.zero_grad()
        loss_of(model(x), target).backward()
        optimizer.step()

    return run


def mlp_small(torch):
    return adam_step(torch, (64, 64, 32, 10), 32)


def mlp_large(torch):
    return adam_step(torch, (784, 512, 512, 10), 128)


def matmul_large(torch):
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return lambda: a @ b


def convolution(torch):
    x = torch.randn(16, 64, 56, 56, requires_grad=True)
    layer = torch.nn.Conv2d(64, 64, 3, padding=1)
    g = torch.randn(16, 64, 56, 56)

    def run():
        layer(x).backward(g)
        x.grad = layer.weight.grad = layer.bias.grad = None

    return run


def gelu_large(torch):
    x = torch.randn(4096, 1024)
    gelu = torch.nn.functional.gelu
    return lambda: gelu(x)


def layer_norm_large(torch):
    x, layer = torch.randn(4096, 1024), torch.nn.LayerNorm(1024)
    return lambda: layer(x)


def _sparse_matrix(torch):
    places, values = torch.randint(0, 10_000, (2, 100_000)), torch.randn(100_000)
    return torch.sparse_coo_tensor(places, values, (10_000, 10_000)).coalesce(), torch.randn(10_000, 64)


def sparse_product(torch):
    matrix, x = _sparse_matrix(torch)
    return lambda: matrix @ x


def sparse_product_with_grad(torch):
    matrix, x = (t.requires_grad_() for t in _sparse_matrix(torch))
    return lambda: torch.sparse.mm(matrix, x).sum().backward()


def loading(torch, elements, batch_size, batches, **options):
    """A pass over float32 samples of which two workers make batches."""
    data = torch.utils.data

    class Samples(data.Dataset):
        def __init__(self):
            self.kept = torch.randn(8, elements)

        def __len__(self):
            return batch_size * batches

        def __getitem__(self, index):
            return self.kept[index % 8], index

    if torch.__name__ != "rushlight":
        options.pop("workers", None)
    loader = data.DataLoader(Samples(), batch_size, num_workers=2, persistent_workers=True, **options)

    def run():
        for samples, index in loader:
            samples[-1, -1] + index[-1]

    return run


def loading_case(elements, batch_size, batches, **options):
    return lambda torch: loading(torch, elements, batch_size, batches, **options)


# name -> (description, build, the ratio torch / ours that is to be reached, or None)
CASES = {
    "add": ("a + b, 4x4", add, 10),
    "add_with_grad": ("a + b, 4x4, requires_grad", add_with_grad, 10),
    "matmul_small": ("a @ b, 4x4", matmul_small, 8),
    "snippet": ("x * 2, y ** 2, backward", snippet, 40),
    "chain": ("1000 operators, forward + backward", chain, None),
    "mlp_small": ("MLP 64-64-32-10, batch 32, Adam step", mlp_small, 10),
    "mlp_large": ("MLP 784-512-512-10, batch 128, Adam step", mlp_large, 1.3),
    "matmul_large": ("matmul 1024^3", matmul_large, 0.95),
    "convolution": ("conv 3x3 64->64, 56x56, batch 16, fwd + bwd", convolution, 1.0),
    "gelu_large": ("gelu 4096x1024", gelu_large, None),
    "layer_norm_large": ("layer_norm 4096x1024", layer_norm_large, None),
    "loading_small": ("DataLoader, 2 processes, 64 x 4 KB", loading_case(1 << 10, 64, 100), 1.3),
    "loading_medium": ("the same, 16 x 600 KB", loading_case(150 << 10, 16, 20), 1.3),
    "loading_large": ("the same, 4 x 5 MB", loading_case(1280 << 10, 4, 20), 1.3),
    "loading_small_threads": ("64 x 4 KB, 2 threads", loading_case(1 << 10, 64, 100, workers="thread"), 1.3),
    "loading_medium_threads": ("the same, 16 x 600 KB", loading_case(150 << 10, 16, 20, workers="thread"), 1.3),
    "loading_large_threads": ("the same, 4 x 5 MB", loading_case(1280 << 10, 4, 20, workers="thread"), 1.3),
    "sparse_product": ("COO 10000^2, 1e5 values, @ 10000x64", sparse_product, 1.0),
    "sparse_product_with_grad": ("the same, forward + backward", sparse_product_with_grad, 1.0),
}
