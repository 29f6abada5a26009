"""The files that TensorBoard's projector reads: vectors, their labels and their pictures."""

import math
import os

import numpy as np
from tensorboard.compat import tf
from tensorboard.plugins.projector.projector_config_pb2 import EmbeddingInfo

from rushlight.utils.tensorboard.arrays import make_np
from rushlight.utils.tensorboard.pictures import encode_png, make_grid

__all__ = ["embedding_info", "write_embedding"]


def write_embedding(folder, vectors, metadata, header, images):
    """Writes tensors.tsv and, where given, metadata.tsv and sprite.png into the folder, which is made.

    Args:
        folder (str): any path that TensorBoard's file layer can write.
        vectors (array): [N, D].
        metadata (list): N labels or, with a header, N rows of texts.
        images (array): [N, C, H, W], values from 0 to 1.
    """
    if vectors.ndim != 2:
        raise AssertionError(f"[add_embedding] mat must be [N, D]. Received shape {list(vectors.shape)}.")
    files = {"tensors.tsv": _table(vectors.tolist())}
    if metadata is not None:
        _check_count("metadata", metadata, vectors)
        files["metadata.tsv"] = _labels(metadata, header)
    if images is not None:
        _check_count("label_img", images, vectors)
        files["sprite.png"] = _sprite(images)
    if tf.io.gfile.exists(folder) and not tf.io.gfile.isdir(folder):
        raise NotADirectoryError(f"[add_embedding] {folder} must be a folder. It is a file. Choose another tag.")
    tf.io.gfile.makedirs(folder)
    for name, content in files.items():
        write(os.path.join(folder, name), content)


def write(path, content):
    """Writes bytes to a file, through TensorBoard's file layer: event files may lie elsewhere than on this disk."""
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(content)


def embedding_info(tag, step, folder, metadata, images):
    """The entry of projector_config.pbtxt for one embedding."""
    info = EmbeddingInfo(tensor_name=f"{tag}:{step:05}", tensor_path=f"{folder}/tensors.tsv")
    if metadata is not None:
        info.metadata_path = f"{folder}/metadata.tsv"
    if images is not None:
        info.sprite.image_path = f"{folder}/sprite.png"
        info.sprite.single_image_dim.extend([images.shape[3], images.shape[2]])
    return info


def _check_count(name, given, vectors):
    if len(given) != len(vectors):
        raise AssertionError(
            f"[add_embedding] {name} must have an entry for each of the {len(vectors)} rows of mat. "
            f"Received {len(given)}."
        )


def _table(rows):
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def _labels(metadata, header):
    if not header:
        return _table([label] for label in metadata)
    if any(len(row) != len(header) for row in metadata):
        raise AssertionError(
            f"[add_embedding] each row of metadata must have the {len(header)} columns of metadata_header."
        )
    return _table([header, *metadata])


def _sprite(images):
    """One square picture of all images, row by row."""
    grid = make_grid(make_np(images), ncols=math.ceil(len(images) ** 0.5))
    square = np.zeros((3, grid.shape[2], grid.shape[2]), grid.dtype if grid.dtype == np.uint8 else np.float64)
    square[:, : grid.shape[1]] = grid
    if square.dtype != np.uint8:
        square = (square * 255).clip(0, 255).astype(np.uint8)
    return encode_png(square.transpose(1, 2, 0))
