"""One Summary protocol buffer for each kind of thing that can be logged."""

import io
import json
import struct
import warnings
import wave

import numpy as np
from google.protobuf import struct_pb2
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.mesh import metadata as mesh_metadata
from tensorboard.plugins.mesh.plugin_data_pb2 import MeshPluginData
from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

import rushlight
from rushlight.utils.tensorboard import pictures
from rushlight.utils.tensorboard.arrays import make_np

__all__ = [
    "audio",
    "compute_curve",
    "custom_scalars",
    "half_to_int",
    "histogram",
    "histogram_raw",
    "hparams",
    "image",
    "image_boxes",
    "int_to_half",
    "make_histogram",
    "mesh",
    "pr_curve",
    "pr_curve_raw",
    "scalar",
    "tensor_proto",
    "text",
    "video",
]


def _one(tag, **content):
    return Summary(value=[Summary.Value(tag=tag, **content)])


def _metadata(plugin, content=b""):
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))


def _shape(sizes):
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


# --- numbers


def scalar(tag, value, new_style=False, double_precision=False):
    """A tensor, array or number of one element."""
    array = make_np(value)
    if array.size != 1:
        raise AssertionError(
            f"[add_scalar] scalar_value must have one element. Received shape {list(array.shape)} for {tag!r}. "
            "Reduce it, for example with mean(), or use add_histogram."
        )
    value = float(array.reshape(()))
    if not new_style:
        return _one(tag, simple_value=value)
    if double_precision:
        proto = TensorProto(double_val=[value], dtype="DT_DOUBLE")
    else:
        proto = TensorProto(float_val=[value], dtype="DT_FLOAT")
    return _one(tag, tensor=proto, metadata=_metadata("scalars"))


def half_to_int(f):
    """The bits of a number in single precision, as an int: how PyTorch's files keep halves."""
    return struct.unpack("i", struct.pack("f", f))[0]


def int_to_half(i):
    """The number whose bits `half_to_int` gave."""
    return struct.unpack("f", struct.pack("i", i))[0]


# dtype -> the proto's dtype, and its field
_TENSOR_FIELDS = {
    rushlight.float16: ("DT_HALF", "half_val"),
    rushlight.bfloat16: ("DT_BFLOAT16", "half_val"),
    rushlight.float32: ("DT_FLOAT", "float_val"),
    rushlight.float64: ("DT_DOUBLE", "double_val"),
    rushlight.uint8: ("DT_UINT8", "uint32_val"),
    rushlight.int8: ("DT_INT8", "int_val"),
    rushlight.int16: ("DT_INT16", "int_val"),
    rushlight.int32: ("DT_INT32", "int_val"),
    rushlight.int64: ("DT_INT64", "int64_val"),
    rushlight.bool: ("DT_BOOL", "bool_val"),
    rushlight.complex64: ("DT_COMPLEX64", "scomplex_val"),
    rushlight.complex128: ("DT_COMPLEX128", "dcomplex_val"),
}


def tensor_proto(tag, tensor):
    """A whole tensor, of less than 2 GiB."""
    if not isinstance(tensor, rushlight.Tensor):
        raise AttributeError(f"[add_tensor] tensor must be a Tensor. Received {type(tensor).__name__}.")
    if tensor.numel() * tensor.itemsize >= 1 << 31:
        raise ValueError(
            "[add_tensor] a protocol buffer holds less than 2 GiB: tensor is bigger than protocol buffer's hard limit "
            f"of 2GB in size. Received {tensor.dtype}{list(tensor.shape)}. Log a part of it."
        )
    if tensor.dtype not in _TENSOR_FIELDS:
        raise ValueError(f"[add_tensor] {tag} has unsupported tensor dtype {tensor.dtype}. Convert with .to(dtype).")
    dtype, field = _TENSOR_FIELDS[tensor.dtype]
    values = tensor.detach()
    values = (rushlight.view_as_real(values) if values.is_complex() else values).flatten().tolist()
    if field == "half_val":
        values = [half_to_int(x) for x in values]
    proto = TensorProto(dtype=dtype, tensor_shape=_shape(tensor.shape), **{field: values})
    return _one(tag, metadata=_metadata("tensor"), tensor=proto)


# --- histograms


def _default_bins():
    """Limits that grow by a tenth, from 1e-12 to 1e20, on both sides of zero: those of TensorFlow's histograms."""
    limits, limit = [], 1e-12
    while limit < 1e20:
        limits.append(limit)
        limit *= 1.1
    return [-limit for limit in reversed(limits)] + [0] + limits


DEFAULT_BINS = _default_bins()


def histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts):
    """A histogram that was counted elsewhere: the upper limit and the count of each bucket."""
    return _one(
        tag,
        histo=HistogramProto(
            min=min, max=max, num=num, sum=sum, sum_squares=sum_squares,
            bucket_limit=bucket_limits, bucket=bucket_counts,
        ),
    )  # fmt: skip


def histogram(tag, values, bins, max_bins=None):
    """The values of a tensor, counted in bins that are given by their limits, by number or by a method of NumPy's."""
    return _one(tag, histo=make_histogram(make_np(values).astype(float), bins, max_bins))


def make_histogram(values, bins, max_bins=None):
    """Values float64 as a HistogramProto: the bins from the first to the last that holds any, an empty one before."""
    if values.size == 0:
        raise ValueError("[add_histogram] The input has no element: values must have at least one.")
    values = values.reshape(-1)
    counts, limits = np.histogram(values, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        merged = len(counts) // max_bins  # neighbours that become one bin
        counts = np.add.reduceat(counts, range(0, len(counts), merged))
        limits = np.append(limits[:-1:merged], limits[-1])
    filled = np.flatnonzero(counts)
    if not filled.size:
        raise ValueError(
            f"[add_histogram] some value must lie within the bins. Received values from {values.min()} to "
            f"{values.max()}."
        )
    # The proto holds upper limits only: the empty bin in front says where the first one begins.
    first, last = filled[0], filled[-1] + 1
    return HistogramProto(
        min=values.min(),
        max=values.max(),
        num=len(values),
        sum=values.sum(),
        sum_squares=values.dot(values),
        bucket_limit=limits[first : last + 1].tolist(),
        bucket=[0, *counts[first:last].tolist()],
    )


# --- pictures and sounds


def _image(encoded, height, width, channels):
    return Summary.Image(height=height, width=width, colorspace=channels, encoded_image_string=encoded)


def image(tag, tensor, dataformats="NCHW"):
    """An image, or a batch as a grid: uint8, or numbers from 0 to 1."""
    pixels = pictures.to_bytes(pictures.to_hwc(make_np(tensor), dataformats))
    return _one(tag, image=_image(pictures.encode_png(pixels), *pixels.shape))


def image_boxes(tag, tensor_image, tensor_boxes, rescale=1, dataformats="CHW", labels=None):
    """An image with boxes [N, 4] drawn into it: left, top, right, bottom in pixels."""
    boxes = make_np(tensor_boxes)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise IndexError(f"[add_image_with_boxes] box_tensor must be [N, 4]. Received shape {list(boxes.shape)}.")
    pixels = pictures.to_bytes(pictures.to_hwc(make_np(tensor_image), dataformats))
    return _one(tag, image=_image(pictures.encode_png(pixels, rescale, boxes, labels), *pixels.shape))


def video(tag, tensor, fps=4):
    """Videos [N, T, C, H, W] side by side, as an animated GIF."""
    frames = pictures.to_bytes(pictures.to_frames(make_np(tensor)))
    return _one(tag, image=_image(pictures.encode_gif(frames, fps), *frames.shape[1:]))


def audio(tag, tensor, sample_rate=44100):
    """A sound of one channel, values from -1 to 1, as a WAV file of 16 bits."""
    array = make_np(tensor).squeeze()
    if array.ndim != 1:
        raise AssertionError(
            f"[add_audio] snd_tensor must be one channel: [1, L] or [L]. Received shape {list(make_np(tensor).shape)}."
        )
    if array.size and abs(array).max() > 1:
        warnings.warn("[add_audio] amplitudes beyond -1 to 1 are clipped. Divide by the largest.", stacklevel=3)
        array = array.clip(-1, 1)
    samples = (array * np.iinfo(np.int16).max).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(sample_rate)
        sound.writeframes(samples.tobytes())
    sound = Summary.Audio(
        sample_rate=sample_rate,
        num_channels=1,
        length_frames=len(samples),
        encoded_audio_string=file.getvalue(),
        content_type="audio/wav",
    )
    return _one(tag, audio=sound)


def text(tag, text):
    """A text in Markdown."""
    proto = TensorProto(dtype="DT_STRING", string_val=[text.encode()], tensor_shape=_shape([1]))
    metadata = _metadata("text", TextPluginData(version=0).SerializeToString())
    return _one(tag + "/text_summary", metadata=metadata, tensor=proto)


# --- curves and charts


def pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds=127, weights=None):
    """Precision and recall that were computed elsewhere, one entry per threshold."""
    return _pr_curve(tag, np.stack([make_np(x) for x in (tp, fp, tn, fn, precision, recall)]), num_thresholds)


def pr_curve(tag, labels, predictions, num_thresholds=127, weights=None):
    """Precision and recall at thresholds from 0 to 1, of predictions with the given binary labels."""
    num_thresholds = min(num_thresholds, _MOST_THRESHOLDS)
    return _pr_curve(tag, compute_curve(labels, predictions, num_thresholds, weights), num_thresholds)


_MOST_THRESHOLDS = 127  # more do not show in TensorBoard


def _pr_curve(tag, data, num_thresholds):
    plugin = PrCurvePluginData(version=0, num_thresholds=min(num_thresholds, _MOST_THRESHOLDS))
    proto = TensorProto(dtype="DT_FLOAT", float_val=data.reshape(-1).tolist(), tensor_shape=_shape(data.shape))
    return _one(tag, metadata=_metadata("pr_curves", plugin.SerializeToString()), tensor=proto)


def compute_curve(labels, predictions, num_thresholds=127, weights=None):
    """[6, num_thresholds]: true and false positives, true and false negatives, precision, recall."""
    weights = 1.0 if weights is None else weights
    buckets = np.int32(np.floor(predictions * (num_thresholds - 1)))
    labels = labels.astype(np.float64)

    def count_above(weights):
        counts, _ = np.histogram(buckets, bins=num_thresholds, range=(0, num_thresholds - 1), weights=weights)
        return np.cumsum(counts[::-1])[::-1]

    tp, fp = count_above(labels * weights), count_above((1 - labels) * weights)
    tn, fn = fp[0] - fp, tp[0] - tp
    least = 1e-7  # in place of 0 / 0
    return np.stack((tp, fp, tn, fn, tp / np.maximum(least, tp + fp), tp / np.maximum(least, tp + fn)))


def custom_scalars(layout):
    """Charts that combine scalars: {category: {title: ["Multiline" or "Margin", tags]}}."""
    categories = []
    for category, charts in layout.items():
        protos = [_chart(title, kind, tags) for title, (kind, tags) in charts.items()]
        categories.append(layout_pb2.Category(title=category, chart=protos))
    content = layout_pb2.Layout(category=categories).SerializeToString()
    proto = TensorProto(dtype="DT_STRING", string_val=[content], tensor_shape=TensorShapeProto())
    return _one("custom_scalars__config__", tensor=proto, metadata=_metadata("custom_scalars"))


def _chart(title, kind, tags):
    if kind != "Margin":
        return layout_pb2.Chart(title=title, multiline=layout_pb2.MultilineChartContent(tag=tags))
    if len(tags) != 3:
        raise AssertionError(
            f"[add_custom_scalars] a Margin chart must have 3 tags: value, lower and upper. Received {len(tags)}."
        )
    series = layout_pb2.MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
    return layout_pb2.Chart(title=title, margin=layout_pb2.MarginChartContent(series=[series]))


def mesh(tag, vertices, colors, faces, config_dict, display_name=None, description=None):
    """Point clouds or triangle meshes: vertices, colors and faces, each [N, points, 3] or None."""
    given = {MeshPluginData.VERTEX: vertices, MeshPluginData.FACE: faces, MeshPluginData.COLOR: colors}
    given = {kind: rushlight.as_tensor(tensor) for kind, tensor in given.items() if tensor is not None}
    components = mesh_metadata.get_components_bitmask(list(given))
    config = "{}" if config_dict is None else json.dumps(config_dict, sort_keys=True)
    values = []
    for kind, tensor in given.items():
        if tensor.ndim != 3:
            raise ValueError(
                "[add_mesh] vertices, colors and faces must be [N, points, 3]. "
                f"Received shape {list(tensor.shape)}. Add the batch with unsqueeze(0)."
            )
        metadata = mesh_metadata.create_summary_metadata(
            tag, display_name, kind, components, tensor.shape, description, json_config=config
        )
        proto = TensorProto(dtype="DT_FLOAT", float_val=tensor.reshape(-1).tolist(), tensor_shape=_shape(tensor.shape))
        name = mesh_metadata.get_instance_name(tag, kind)
        values.append(Summary.Value(tag=name, tensor=proto, metadata=metadata))
    return Summary(value=values)


# --- hyperparameters


def hparams(hparam_dict=None, metric_dict=None, hparam_domain_discrete=None):
    """Three summaries: the names of all hyperparameters and metrics, the values of this run, and that it succeeded."""
    domains = hparam_domain_discrete or {}
    for name, given in (
        ("hparam_dict", hparam_dict),
        ("metric_dict", metric_dict),
        ("hparam_domain_discrete", domains),
    ):
        if not isinstance(given, dict):
            raise TypeError(f"[add_hparams] {name} must be a dict. Received {type(given).__name__}.")
    for name, domain in domains.items():
        if name not in hparam_dict or not isinstance(domain, list):
            raise TypeError(f"[add_hparams] hparam_domain_discrete[{name!r}] must be a list for a key of hparam_dict.")
        if not all(isinstance(value, type(hparam_dict[name])) for value in domain):
            raise TypeError(
                f"[add_hparams] hparam_domain_discrete[{name!r}] must hold values of the type of "
                f"hparam_dict[{name!r}], {type(hparam_dict[name]).__name__}."
            )

    values, infos = {}, []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        field, dtype, value = _hparam(name, value)
        values[name] = struct_pb2.Value(**{field: value})
        domain = None
        if name in domains:
            domain = struct_pb2.ListValue(values=[struct_pb2.Value(**{field: choice}) for choice in domains[name]])
        infos.append(api_pb2.HParamInfo(name=name, type=dtype, domain_discrete=domain))

    metrics = [api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag)) for tag in metric_dict]
    experiment = api_pb2.Experiment(hparam_infos=infos, metric_infos=metrics)
    start = plugin_data_pb2.SessionStartInfo(hparams=values)
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS)
    return (
        _hparams_summary(hparams_metadata.EXPERIMENT_TAG, experiment=experiment),
        _hparams_summary(hparams_metadata.SESSION_START_INFO_TAG, session_start_info=start),
        _hparams_summary(hparams_metadata.SESSION_END_INFO_TAG, session_end_info=end),
    )


def _hparam(name, value):
    if isinstance(value, (int, float)):  # a bool too is logged as a number
        return "number_value", api_pb2.DATA_TYPE_FLOAT64, value
    if isinstance(value, str):
        return "string_value", api_pb2.DATA_TYPE_STRING, value
    if isinstance(value, rushlight.Tensor) and value.numel() == 1:
        return "number_value", api_pb2.DATA_TYPE_FLOAT64, float(value.item())
    received = f"a tensor {list(value.shape)}" if isinstance(value, rushlight.Tensor) else type(value).__name__
    raise ValueError(
        f"[add_hparams] values must be int, float, str, bool or a tensor of one element. Received {received} for "
        f"{name!r}. Use str(...)."
    )


def _hparams_summary(tag, **content):
    data = plugin_data_pb2.HParamsPluginData(version=hparams_metadata.PLUGIN_DATA_VERSION, **content)
    return _one(tag, metadata=_metadata(hparams_metadata.PLUGIN_NAME, data.SerializeToString()))
