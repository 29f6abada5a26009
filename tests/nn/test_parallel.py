"""Parallelism on one device, settings of attention, and the small names of torch.nn."""

import importlib

import pytest

import rushlight
from rushlight import nn
from tests.nn.oracle import torch

pytestmark = pytest.mark.oracle


@pytest.mark.parametrize("options", [{}, {"device_ids": [0]}, {"dim": 1, "output_device": 0}])
def test_data_parallel_passes_through(options):
    theirs, ours = torch.nn.DataParallel(torch.nn.ReLU(), **options), nn.DataParallel(nn.ReLU(), **options)
    assert repr(ours) == repr(theirs)
    assert ours.device_ids == theirs.device_ids
    assert ours(rushlight.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]
    assert nn.parallel.data_parallel(nn.ReLU(), rushlight.tensor(-1.0), module_kwargs={}).item() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda t, p, m: p.DistributedDataParallel(m),
        lambda t, p, m: p.replicate(m, ["cpu", "cpu"]),
        lambda t, p, m: p.scatter(t.ones(4), ["cpu", "cpu"]),
        lambda t, p, m: t.nn.DataParallel(m).replicate(m, ["cpu"]),
    ],
)
def test_what_needs_accelerators_or_processes_refuses(call):
    for package in (rushlight, torch):
        with pytest.raises(ValueError, match=r"Expected a non cpu device|process group has not been initialized"):
            call(package, package.nn.parallel, package.nn.ReLU())


def test_gather_and_named_devices_refuse():
    wrapped = nn.DataParallel(nn.ReLU())
    for call in (
        lambda: nn.parallel.gather([rushlight.ones(1)], "cpu"),
        lambda: nn.parallel.data_parallel(nn.ReLU(), rushlight.ones(1), [0]),
        lambda: nn.parallel.parallel_apply([nn.ReLU()], [rushlight.ones(1)], devices=["cuda"]),
        lambda: wrapped.scatter((rushlight.ones(1),), {}, ["cpu"]),
        lambda: wrapped.gather([rushlight.ones(1)], "cpu"),
    ):
        with pytest.raises(ValueError, match=r"\[\w+\]"):
            call()


def test_parallel_apply():
    scale = nn.Linear(1, 1)
    results = nn.DataParallel(scale).parallel_apply([scale, scale], [rushlight.ones(1), (rushlight.zeros(1),)], None)
    assert [r.tolist() for r in results] == [scale(rushlight.ones(1)).tolist(), scale.bias.tolist()]
    for inputs, more in (([rushlight.ones(1)], {}), ([1, 2], {"kwargs_tup": [{}]}), ([1, 2], {"devices": ["cpu"]})):
        with pytest.raises(AssertionError, match="The number of modules 2 is not equal to the number of"):
            nn.parallel.parallel_apply([scale, scale], inputs, **more)


@pytest.mark.parametrize("name", [*torch.nn.attention.SDPBackend.__members__])
def test_allowed_backends(name):
    q = rushlight.ones(1, 1, 2, 4)
    attention = nn.functional.scaled_dot_product_attention
    assert int(getattr(nn.attention.SDPBackend, name)) == int(getattr(torch.nn.attention.SDPBackend, name))
    for backends in (getattr(nn.attention.SDPBackend, name), [getattr(nn.attention.SDPBackend, name)]):
        with nn.attention.sdpa_kernel(backends):
            if name in ("MATH", "FLASH_ATTENTION"):
                assert attention(q, q, q).shape == q.shape
            else:
                with pytest.raises(RuntimeError, match="No viable backend"):
                    attention(q, q, q)
        assert attention(q, q, q).shape == q.shape


@pytest.mark.parametrize("wrong", [3, "math", None, ["math"]])
def test_sdpa_kernel_wants_backends(wrong):
    with (
        pytest.raises(AssertionError, match="Backend must be an instance of SDPBackend"),
        nn.attention.sdpa_kernel(wrong),
    ):
        pass


def test_registered_attention(monkeypatch):
    monkeypatch.setattr(nn.attention, "_implementations", {})
    events = []

    class Handle:
        def remove(self):
            events.append("removed")

    def install():
        events.append("installed")
        return Handle()

    attention = nn.attention
    attention.register_flash_attention_impl("own", register_fn=install)
    assert "own" in attention.list_flash_attention_impls()
    assert attention.current_flash_attention_impl() is None
    attention.activate_flash_attention_impl("own")
    assert attention.current_flash_attention_impl() == "own"
    attention.restore_flash_attention_impl()
    assert events == ["installed", "removed"]
    with pytest.warns(UserWarning, match="no other implementation"):
        attention.restore_flash_attention_impl()
    with pytest.raises(ValueError, match="Unknown flash attention impl 'none'"):
        attention.activate_flash_attention_impl("none")


def test_deprecated_names_work_and_warn():
    for package in (rushlight, torch):
        with pytest.warns(FutureWarning):
            assert repr(package.nn.Container(a=package.nn.ReLU())) == "Container(\n  (a): ReLU()\n)"
        with pytest.warns(FutureWarning):
            assert repr(package.nn.NLLLoss2d()) == "NLLLoss2d()"
        gradient = package.nn.Parameter(package.ones(1))
        gradient.grad = package.tensor([4.0])
        with pytest.warns(FutureWarning):
            assert package.nn.utils.clip_grad_norm([gradient], 1.0).item() == 4.0


@pytest.mark.parametrize(
    "kwargs", [None, {}, {"device": "cpu", "factory_kwargs": {"dtype": 1}}, {"dtype": 1, "memory_format": 2}]
)
def test_factory_kwargs(kwargs):
    assert nn.factory_kwargs(kwargs) == torch.nn.factory_kwargs(kwargs)
    for bad in ({"x": 1}, {"device": 1, "factory_kwargs": {"device": 2}}):
        for package in (nn, torch.nn):
            with pytest.raises(TypeError, match=r"unexpected kwargs|specified twice"):
                package.factory_kwargs(bad)


def test_common_types():
    for name, theirs in vars(torch.nn.common_types).items():
        if name.endswith("_t"):
            assert hasattr(nn.common_types, name), name
            assert str(getattr(nn.common_types, name)).count("int") == str(theirs).count("int")


ADDRESSES = {
    "modules.activation": "MultiheadAttention", "modules.batchnorm": "LazyBatchNorm2d", "modules.conv": "LazyConv1d",
    "modules.linear": "NonDynamicallyQuantizableLinear", "modules.loss": "LinearCrossEntropyLoss",
    "modules.instancenorm": "LazyInstanceNorm3d", "modules.channelshuffle": "ChannelShuffle",
    "parallel.scatter_gather": "scatter_kwargs", "parallel.replicate": "replicate", "parallel.comm": "broadcast",
    "parallel.parallel_apply": "parallel_apply", "attention.bias": "CausalBias",
}  # fmt: skip


@pytest.mark.parametrize("path", ADDRESSES)
def test_pytorchs_addresses(path):
    found, wanted = (
        getattr(importlib.import_module(f"{package.__name__}.nn.{path}"), ADDRESSES[path]).__name__
        for package in (rushlight, torch)
    )
    assert found == wanted


def test_bases_of_padding():
    for n in (1, 2, 3):
        assert issubclass(getattr(nn, f"ZeroPad{n}d"), getattr(nn, f"ConstantPad{n}d"))
        for kind in ("Reflection", "Replication", "Circular"):
            assert issubclass(getattr(nn, f"{kind}Pad{n}d"), getattr(nn.modules.padding, f"_{kind}PadNd"))


@pytest.mark.parametrize("name", ["intrinsic", "qat", "quantizable", "quantized"])
def test_layers_of_whole_numbers_are_refused(name):
    with pytest.raises(AttributeError, match=rf"\[torch.nn.{name}\]"):
        getattr(nn, name)


def test_copies_between_accelerators_are_refused():
    with pytest.raises(ValueError, match="Expected a non cpu device"):
        nn.parallel.comm.broadcast(rushlight.ones(1), [0])
    assert not nn.parallel.scatter_gather.is_namedtuple((1,))
