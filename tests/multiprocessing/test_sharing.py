"""Tensors in shared memory: what is sent is seen by both sides."""

import gc
import os
from multiprocessing.reduction import ForkingPickler

import pytest

import rushlight as torch
from rushlight import multiprocessing

pytestmark = pytest.mark.multiprocess


def write(queue, answers):
    x = queue.get()
    x += 1
    answers.put((x.shape, x.stride(), x.dtype, x.requires_grad, type(x).__name__))
    queue.get()  # the descriptor of what this process sends lives as long as it does


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_receiver_writes_to_the_senders_memory(method):
    context = multiprocessing.get_context(method)
    queue, answers = context.Queue(), context.Queue()
    process = context.Process(target=write, args=(queue, answers))
    process.start()
    base = torch.arange(12.0)
    x = base.view(3, 4).t()
    queue.put(x)
    assert answers.get() == (x.shape, x.stride(), x.dtype, False, "Tensor")
    assert x.is_shared() and base.tolist() == [k + 1.0 for k in range(12)]
    queue.put(None)
    process.join()


def train(index, model, loss):
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    output = model(torch.ones(1, 2)).sum()
    output.backward()
    optimizer.step()
    loss.copy_(output.detach())


def test_a_shared_module_is_trained_by_others():
    model = torch.nn.Linear(2, 1).share_memory()
    assert all(p.is_shared() and isinstance(p, torch.nn.Parameter) for p in model.parameters())
    before, loss = model.weight.tolist(), torch.zeros(()).share_memory_()
    expected = model(torch.ones(1, 2)).item()
    multiprocessing.spawn(train, (model, loss), nprocs=1)
    assert loss.item() == expected
    assert model.weight.tolist() == [[pytest.approx(w - 0.1) for w in before[0]]]


def test_sharing_moves_all_views():
    x = torch.arange(4.0)
    view, alias = x[1:3], x.detach()
    leaf = torch.ones(2, requires_grad=True)
    assert x.share_memory_() is x and leaf.share_memory_().requires_grad
    view[0] = 9.0
    assert x.tolist() == alias.tolist() == [0.0, 9.0, 2.0, 3.0] and view.is_shared()
    assert x.untyped_storage().is_shared() and not torch.ones(2).is_shared()
    assert torch.empty(0).share_memory_().is_shared() is False


def test_borrowed_memory_can_be_shared():
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(3.0)
    x = torch.from_numpy(array)
    data = x.data
    x.share_memory_()
    x[0] = 5.0
    del x
    gc.collect()
    assert array[0] == 0.0 and data[1].item() == 1.0


def test_nothing_is_left_open():
    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    before = descriptors()
    kept = [torch.ones(1000).share_memory_() for _ in range(20)]
    assert descriptors() == before + 20 and not [name for name in os.listdir("/dev/shm") if "rushlight" in name]
    del kept
    assert descriptors() == before


def test_what_cannot_be_sent():
    history = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=r"Send tensor.detach\(\)"):
        ForkingPickler.dumps(history)
    with pytest.raises((MemoryError, RuntimeError), match="cannot be shared"):
        torch._core.shared_bytes(1 << 62)
