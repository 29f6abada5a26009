"""Event files: `FileWriter` puts protocol buffers into one, `SummaryWriter` makes them of tensors, pictures, texts."""

import os
import socket
import time
import warnings
from datetime import datetime

from google.protobuf import text_format
from tensorboard.compat import tf
from tensorboard.compat.proto.event_pb2 import Event, SessionLog, TaggedRunMetadata
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from rushlight.utils.tensorboard import summary
from rushlight.utils.tensorboard.arrays import make_np
from rushlight.utils.tensorboard.embedding import embedding_info, write, write_embedding
from rushlight.utils.tensorboard.graph import graph, load_onnx_graph
from rushlight.utils.tensorboard.pictures import figure_to_image

__all__ = ["FileWriter", "SummaryWriter"]


class FileWriter:
    """Writes events into one new event file of a folder, by a thread of its own.

    Args:
        log_dir (str or path): the folder; made if it does not exist.
        max_queue (int): events that may wait to be written before `add_event` waits.
        flush_secs (float): seconds after which what was written is sent to the disk.
        filename_suffix (str): ends the file's name.
    """

    def __init__(self, log_dir, max_queue=10, flush_secs=120, filename_suffix=""):
        self._arguments = str(log_dir), max_queue, flush_secs, filename_suffix
        self.reopen()

    def get_logdir(self):
        """The folder of the event file."""
        return self.event_writer.get_logdir()

    def add_event(self, event, step=None, walltime=None):
        """Adds an Event at a step and a time, in seconds since 1970; default: the event's own step, and now."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(self, summary, global_step=None, walltime=None):
        """Adds a Summary."""
        self.add_event(Event(summary=summary), global_step, walltime)

    def add_graph(self, graph_profile, walltime=None):
        """Adds a pair of GraphDef and RunMetadata."""
        graph, stats = graph_profile
        self.add_event(Event(graph_def=graph.SerializeToString()), None, walltime)
        metadata = TaggedRunMetadata(tag="step1", run_metadata=stats.SerializeToString())
        self.add_event(Event(tagged_run_metadata=metadata), None, walltime)

    def add_onnx_graph(self, graph, walltime=None):
        """Adds a GraphDef."""
        self.add_event(Event(graph_def=graph.SerializeToString()), None, walltime)

    def flush(self):
        """Waits until all events are on the disk."""
        self.event_writer.flush()

    def close(self):
        """Flushes and closes the file."""
        self.event_writer.close()

    def reopen(self):
        """After `close`: further events go into a new file of the folder."""
        self.event_writer = EventFileWriter(*self._arguments)


class SummaryWriter:
    """Logs a run for TensorBoard. Use it as a context manager, or call `close` at the end.

    The methods share three arguments: `tag` names the chart or picture, "group/name" puts it into a group;
    `global_step` is its place on the axis of steps; `walltime` its time in seconds since 1970, now by default.
    Values are tensors, NumPy arrays or numbers.

    Args:
        log_dir (str or path): the folder of the run. Default: runs/DATE_TIME_HOST + comment.
        comment (str): ends the default folder's name.
        purge_step (int): TensorBoard hides what earlier files of the folder hold from this step on. For a run that
            continues after a crash.
        max_queue, flush_secs, filename_suffix: as for `FileWriter`.

    >>> import tempfile
    >>> from rushlight.utils.tensorboard import SummaryWriter
    >>> with SummaryWriter(tempfile.mkdtemp()) as writer:
    ...     writer.add_scalar("loss/train", torch.tensor(0.5), global_step=0)
    ...     writer.add_histogram("weights", torch.randn(100), 0)
    ...     writer.add_text("notes", "**first** run", 0)
    """

    default_bins = summary.DEFAULT_BINS

    def __init__(self, log_dir=None, comment="", purge_step=None, max_queue=10, flush_secs=120, filename_suffix=""):
        if not log_dir:
            log_dir = os.path.join("runs", f"{datetime.now():%b%d_%H-%M-%S}_{socket.gethostname()}{comment}")
        self.log_dir = log_dir
        self.purge_step = purge_step
        self.max_queue = max_queue
        self.flush_secs = flush_secs
        self.filename_suffix = filename_suffix
        self._projector_config = ProjectorConfig()
        self.file_writer = self.all_writers = None
        self._get_file_writer()

    def _get_file_writer(self):
        """The writer of the run's own folder; a new one after `close`."""
        if self.file_writer is None:
            self.all_writers = {}
            self.file_writer = self._writer_of(str(self.log_dir))
            if self.purge_step is not None:
                self.file_writer.add_event(Event(step=self.purge_step, file_version="brain.Event:2"))
                start = SessionLog(status=SessionLog.START)
                self.file_writer.add_event(Event(step=self.purge_step, session_log=start))
                self.purge_step = None
        return self.file_writer

    def _writer_of(self, folder):
        if folder not in self.all_writers:
            self.all_writers[folder] = FileWriter(folder, self.max_queue, self.flush_secs, self.filename_suffix)
        return self.all_writers[folder]

    def _add(self, summary, global_step, walltime):
        self._get_file_writer().add_summary(summary, global_step, walltime)

    def get_logdir(self):
        """The folder of the run."""
        return self.log_dir

    def add_hparams(self, hparam_dict, metric_dict, hparam_domain_discrete=None, run_name=None, global_step=None):
        """Logs the hyperparameters of a run and what it achieved, as a run of its own, for the page HPARAMS.

        Args:
            hparam_dict (dict): names to bool, str, float, int, tensors of one element, or None (left out).
            metric_dict (dict): names to numbers. The names should differ from those given to `add_scalar`.
            hparam_domain_discrete (dict): names to lists of all values a hyperparameter can have.
            run_name (str): the sub-folder. Default: the time.

        Raises:
            TypeError: what should be a dict is none, or a domain does not fit its hyperparameter.
            ValueError: a hyperparameter of another type.
        """
        if type(hparam_dict) is not dict or type(metric_dict) is not dict:
            raise TypeError(
                "[add_hparams] hparam_dict and metric_dict must be dict. "
                f"Received {type(hparam_dict).__name__} and {type(metric_dict).__name__}."
            )
        summaries = summary.hparams(hparam_dict, metric_dict, hparam_domain_discrete)
        metrics = [summary.scalar(tag, value) for tag, value in metric_dict.items()]
        folder = os.path.join(self._get_file_writer().get_logdir(), run_name or str(time.time()))
        with SummaryWriter(log_dir=folder) as run:
            for item in (*summaries, *metrics):
                run._add(item, global_step, None)

    def add_scalar(self, tag, scalar_value, global_step=None, walltime=None, new_style=False, double_precision=False):
        """Logs a number.

        Args:
            scalar_value: a number, or a tensor or array of one element.
            new_style (bool): store it as a tensor, which TensorBoard loads faster.
            double_precision (bool): with `new_style`, in double precision.

        Raises:
            AssertionError: there is not one element.
            NotImplementedError: it is no tensor, array or number.
        """
        self._add(summary.scalar(tag, scalar_value, new_style, double_precision), global_step, walltime)

    def add_scalars(self, main_tag, tag_scalar_dict, global_step=None, walltime=None):
        """Logs several numbers for one chart: each becomes a run of its own, in a sub-folder.

        Args:
            main_tag (str): the chart.
            tag_scalar_dict (dict): the lines' names to numbers.
        """
        walltime = time.time() if walltime is None else walltime
        folder = self._get_file_writer().get_logdir()
        summaries = {tag: summary.scalar(main_tag, value) for tag, value in tag_scalar_dict.items()}
        for tag, item in summaries.items():
            writer = self._writer_of(f"{folder}/{main_tag.replace('/', '_')}_{tag}")
            writer.add_summary(item, global_step, walltime)

    def add_tensor(self, tag, tensor, global_step=None, walltime=None):
        """Logs a whole tensor, of less than 2 GiB, for programs that read the file.

        Raises:
            ValueError: it is too large, or its dtype has no counterpart in the file's format.
        """
        self._add(summary.tensor_proto(tag, tensor), global_step, walltime)

    def add_histogram(self, tag, values, global_step=None, bins="tensorflow", walltime=None, max_bins=None):
        """Logs how values are distributed.

        Args:
            values: of any shape.
            bins: "tensorflow" (limits that grow by a tenth), a number, limits, or a method of `numpy.histogram`.
            max_bins (int): neighbouring bins are merged until there are about as many.

        Raises:
            ValueError: there are no values, or none within the bins.
        """
        bins = self.default_bins if isinstance(bins, str) and bins == "tensorflow" else bins
        self._add(summary.histogram(tag, values, bins, max_bins), global_step, walltime)

    def add_histogram_raw(
        self, tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts, global_step=None, walltime=None
    ):
        """Logs a histogram that was counted elsewhere.

        Args:
            min, max, num, sum, sum_squares: of all values.
            bucket_limits: the upper limit of each bucket.
            bucket_counts: how many values each holds.

        Raises:
            ValueError: there are not as many limits as counts.
        """
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError(
                "[add_histogram_raw] bucket_limits and bucket_counts must have one entry per bucket: "
                f"len(bucket_limits) != len(bucket_counts). Received {len(bucket_limits)} and {len(bucket_counts)}."
            )
        item = summary.histogram_raw(tag, min, max, num, sum, sum_squares, bucket_limits, bucket_counts)
        self._add(item, global_step, walltime)

    def add_image(self, tag, img_tensor, global_step=None, walltime=None, dataformats="CHW"):
        """Logs an image.

        Args:
            img_tensor: with the dimensions of `dataformats`; 1 to 4 channels; uint8, or numbers from 0 to 1.
            dataformats (str): CHW, HWC, WH or any other order; with N a batch.

        Raises:
            AssertionError: `dataformats` does not fit the shape.
            ValueError: other letters.
            TypeError: another number of channels.
        """
        self._add(summary.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_images(self, tag, img_tensor, global_step=None, walltime=None, dataformats="NCHW"):
        """Logs a batch of images, of 1 or 3 channels, as one picture of eight columns; otherwise as `add_image`."""
        self._add(summary.image(tag, img_tensor, dataformats), global_step, walltime)

    def add_image_with_boxes(
        self,
        tag,
        img_tensor,
        box_tensor,
        global_step=None,
        walltime=None,
        rescale=1,
        dataformats="CHW",
        labels=None,
    ):
        """Logs an image with boxes drawn into it.

        Args:
            img_tensor, dataformats: as for `add_image`.
            box_tensor: [N, 4]: left, top, right, bottom in pixels.
            rescale (float): the picture's size is multiplied by it.
            labels (list of str): one per box; left out, with a warning, when there are more or fewer.
        """
        if labels is not None:
            labels = [labels] if isinstance(labels, str) else labels
            if len(labels) != len(box_tensor):
                warnings.warn(
                    "[add_image_with_boxes] labels are left out: there must be one per box. "
                    f"Received {len(labels)} for {len(box_tensor)} boxes.",
                    stacklevel=2,
                )
                labels = None
        item = summary.image_boxes(tag, img_tensor, box_tensor, rescale, dataformats, labels)
        self._add(item, global_step, walltime)

    def add_figure(self, tag, figure, global_step=None, close=True, walltime=None):
        """Logs a figure of matplotlib's, or a list of figures of one size, as an image.

        Args:
            close (bool): also close the figures.
        """
        pixels = figure_to_image(figure, close)
        dataformats = "NCHW" if isinstance(figure, list) else "CHW"
        self.add_image(tag, pixels, global_step, walltime, dataformats)

    def add_video(self, tag, vid_tensor, global_step=None, fps=4, walltime=None):
        """Logs videos side by side, as one animated GIF: in 256 colours a frame, without sound.

        Args:
            vid_tensor: [N, T, C, H, W]; uint8, or numbers from 0 to 1.
            fps (float): frames per second; a GIF counts in hundredths of a second.
        """
        self._add(summary.video(tag, vid_tensor, fps), global_step, walltime)

    def add_audio(self, tag, snd_tensor, global_step=None, sample_rate=44100, walltime=None):
        """Logs a sound as a WAV file of 16 bits.

        Args:
            snd_tensor: [1, L] or [L], values from -1 to 1; what lies beyond is clipped, with a warning.
            sample_rate (int): in Hz.
        """
        self._add(summary.audio(tag, snd_tensor, sample_rate), global_step, walltime)

    def add_text(self, tag, text_string, global_step=None, walltime=None):
        """Logs a text, which is shown as Markdown."""
        self._add(summary.text(tag, text_string), global_step, walltime)

    def add_onnx_graph(self, prototxt):
        """Logs the graph of an ONNX file, given by its path. Needs the package onnx."""
        self._get_file_writer().add_onnx_graph(load_onnx_graph(prototxt))

    def add_graph(self, model, input_to_model=None, verbose=False, use_strict_trace=True):
        """Calls a model once, in evaluation mode, and logs the operators it called, grouped by module.

        Args:
            model (Module): or any callable of tensors.
            input_to_model: its argument, or a tuple of its arguments.
            verbose (bool): print a line per operator.
            use_strict_trace (bool): no meaning here: results may be any containers of tensors.

        Raises:
            RuntimeError: there is no input.
        """
        self._get_file_writer().add_graph(graph(model, input_to_model, verbose))

    def add_embedding(self, mat, metadata=None, label_img=None, global_step=None, tag="default", metadata_header=None):
        """Logs points for the page PROJECTOR, in files beside the event file.

        Args:
            mat: [N, D], a row per point.
            metadata (list): N labels or, with `metadata_header`, N rows of texts.
            label_img: [N, C, H, W], a picture per point, values from 0 to 1. TensorBoard wants square ones.
            metadata_header (list of str): the columns' names.

        Raises:
            AssertionError: the numbers of points, labels and pictures differ, or `mat` is no matrix.
            NotADirectoryError: a file stands where the folder should.
        """
        folder = f"{global_step or 0:05}/{_encoded(tag)}"
        root = self._get_file_writer().get_logdir()
        if tf.io.gfile.isdir(os.path.join(root, folder)):
            warnings.warn(f"[add_embedding] {folder} is written over. Give global_step to keep both.", stacklevel=2)
        write_embedding(os.path.join(root, folder), make_np(mat), metadata, metadata_header, label_img)
        info = embedding_info(tag, global_step or 0, folder, metadata, label_img)
        self._projector_config.embeddings.append(info)
        config = text_format.MessageToString(self._projector_config)
        write(os.path.join(root, "projector_config.pbtxt"), config.encode())

    def add_pr_curve(self, tag, labels, predictions, global_step=None, num_thresholds=127, weights=None, walltime=None):
        """Logs precision and recall of a binary classifier at thresholds from 0 to 1.

        Args:
            labels: 0 or 1, of any shape.
            predictions: from 0 to 1, of the same shape.
            num_thresholds (int): at most 127.
            weights: of the elements, of the same shape.
        """
        labels, predictions = make_np(labels), make_np(predictions)
        weights = None if weights is None else make_np(weights)
        self._add(summary.pr_curve(tag, labels, predictions, num_thresholds, weights), global_step, walltime)

    def add_pr_curve_raw(
        self,
        tag,
        true_positive_counts,
        false_positive_counts,
        true_negative_counts,
        false_negative_counts,
        precision,
        recall,
        global_step=None,
        num_thresholds=127,
        weights=None,
        walltime=None,
    ):
        """Logs precision and recall that were computed elsewhere: each argument has an entry per threshold."""
        counts = true_positive_counts, false_positive_counts, true_negative_counts, false_negative_counts
        item = summary.pr_curve_raw(tag, *counts, precision, recall, num_thresholds, weights)
        self._add(item, global_step, walltime)

    def add_custom_scalars_multilinechart(self, tags, category="default", title="untitled"):
        """Makes one chart of several scalars, for the page CUSTOM SCALARS.

        Args:
            tags (list of str): the scalars, or regular expressions that match them.
        """
        self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(self, tags, category="default", title="untitled"):
        """Makes one chart of a scalar with a margin.

        Args:
            tags (list of str): three: the value, the lower and the upper bound.
        """
        self.add_custom_scalars({category: {title: ["Margin", tags]}})

    def add_custom_scalars(self, layout):
        """Makes charts of scalars that are logged elsewhere in the run. Call it once.

        Args:
            layout (dict): {category: {title: ["Multiline" or "Margin", tags]}}.

        Raises:
            AssertionError: a Margin chart has not three tags.
        """
        self._add(summary.custom_scalars(layout), None, None)

    def add_mesh(self, tag, vertices, colors=None, faces=None, config_dict=None, global_step=None, walltime=None):
        """Logs point clouds, or with `faces` triangle meshes, in three dimensions.

        Args:
            vertices: [N, points, 3], coordinates.
            colors: [N, points, 3], from 0 to 255.
            faces: [N, triangles, 3], numbers of vertices.
            config_dict (dict): classes and settings of ThreeJS.

        Raises:
            ValueError: a tensor does not have three dimensions.
        """
        self._add(summary.mesh(tag, vertices, colors, faces, config_dict), global_step, walltime)

    def flush(self):
        """Waits until everything logged is on the disk."""
        for writer in (self.all_writers or {}).values():
            writer.flush()

    def close(self):
        """Flushes and closes all files. What is logged afterwards goes into new ones."""
        for writer in (self.all_writers or {}).values():
            writer.close()
        self.file_writer = self.all_writers = None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


def _encoded(tag):
    """A tag as the name of a folder: % / and \\ by their numbers."""
    for character in "%/\\":
        tag = tag.replace(character, f"%{ord(character):02x}")
    return tag
