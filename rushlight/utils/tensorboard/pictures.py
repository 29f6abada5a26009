"""Arrays and figures as encoded pictures: PNG for images, GIF for videos."""

import io

import numpy as np

from rushlight.utils.tensorboard.arrays import require

__all__ = ["draw_boxes", "encode_gif", "encode_png", "figure_to_image", "make_grid", "to_bytes", "to_hwc", "to_frames"]


def to_bytes(array):
    """Values as bytes: uint8 as they are; all others are taken as 0 to 1, times 255, clipped."""
    return array if array.dtype == np.uint8 else (array.astype(np.float32) * 255).clip(0, 255).astype(np.uint8)


def to_hwc(array, dataformats):
    """An array whose dimensions are named by letters, N C H W in any order, as [H, W, channels].

    Grey becomes RGB; a batch becomes a grid of up to eight columns.

    Raises:
        AssertionError: a letter occurs twice, there are not as many letters as dimensions, or a batch has neither
            one nor three channels.
        ValueError: other letters.
        TypeError: a single image does not have one to four channels.
    """
    letters = dataformats.upper()
    received = f"Received shape {list(array.shape)} with dataformats={dataformats!r}."
    if len(set(letters)) != len(letters):
        raise AssertionError(f"[add_image] each letter of dataformats must occur once. {received}")
    if len(letters) != array.ndim:
        raise AssertionError(f"[add_image] dataformats must have a letter for each dimension. {received}")
    wanted = {2: "HW", 3: "HWC", 4: "NCHW"}.get(array.ndim, "")
    if set(letters) != set(wanted):
        raise ValueError(f"[add_image] dataformats must name HW, CHW or NCHW, in any order. {received}")
    array = array.transpose([letters.index(letter) for letter in wanted])
    if array.ndim == 4:
        array = make_grid(array).transpose(1, 2, 0)
    elif array.ndim == 2:
        array = array[:, :, None]
    if not 1 <= array.shape[2] <= 4:
        raise TypeError(f"[add_image] an image must have 1 (grey) to 4 (red, green, blue, alpha) channels. {received}")
    return array.repeat(3, axis=2) if array.shape[2] == 1 else array


def make_grid(images, ncols=8):
    """Images [N, 1 or 3, H, W] side by side, as one [3, rows * H, columns * W]; unused places are black."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise AssertionError(
            f"[add_images] a batch must be [N, C, H, W] with 1 or 3 channels. Received shape {list(images.shape)}."
        )
    count, _, height, width = images.shape
    columns = min(count, ncols)
    rows = -(-count // columns) if count else 0
    places = np.zeros((rows * columns, 3, height, width), images.dtype)
    places[:count] = images
    grid = places.reshape(rows, columns, 3, height, width).transpose(2, 0, 3, 1, 4)
    return grid.reshape(3, rows * height, columns * width)


def encode_png(pixels, rescale=1, boxes=None, labels=None):
    """Pixels uint8 [H, W, C], with boxes drawn into them, as the bytes of a PNG file."""
    image = require("PIL.Image", "pillow", "a picture").fromarray(np.ascontiguousarray(pixels))
    if boxes is not None:
        draw_boxes(image, boxes, labels)
    if rescale != 1:
        image = image.resize((int(image.width * rescale), int(image.height * rescale)), resample=1)  # Lanczos
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def draw_boxes(image, boxes, labels=None):
    """Draws boxes [N, 4] (left, top, right, bottom, in pixels) in red; a label stands at the bottom left, inside."""
    from PIL import ImageDraw, ImageFont

    draw, font = ImageDraw.Draw(image), ImageFont.load_default()
    for i, (left, top, right, bottom) in enumerate(np.asarray(boxes).tolist()):
        corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
        draw.line(corners, width=2, fill="Red")
        if labels is not None and labels[i]:
            x0, y0, x1, y1 = font.getbbox(labels[i])
            width, height = x1 - x0, y1 - y0
            margin = np.ceil(0.05 * height)
            draw.rectangle([(left, bottom - height - 2 * margin), (left + width, bottom)], fill="Red")
            draw.text((left + margin, bottom - height - margin), labels[i], fill="black", font=font)


def to_frames(videos):
    """Videos [N, T, C, H, W] as frames [T, rows * H, columns * W, C]: side by side, padded to a power of two."""
    if videos.ndim != 5:
        raise ValueError(f"[add_video] videos must be [N, T, C, H, W]. Received shape {list(videos.shape)}.")
    count, time, channels, height, width = videos.shape
    places = 1 << max(count - 1, 0).bit_length()
    rows = 2 ** ((count.bit_length() - 1) // 2)
    padded = np.zeros((places, time, channels, height, width), videos.dtype)
    padded[:count] = videos
    grid = padded.reshape(rows, places // rows, time, channels, height, width).transpose(2, 0, 4, 1, 5, 3)
    return grid.reshape(time, rows * height, places // rows * width, channels)


def encode_gif(frames, fps):
    """Frames uint8 [T, H, W, C] as the bytes of an endless animated GIF file, in colours of a palette per frame."""
    Image = require("PIL.Image", "pillow", "a video")
    if frames.shape[-1] not in (1, 3, 4) or not len(frames) or fps <= 0:
        raise ValueError(
            "[add_video] a video must have frames of 1, 3 or 4 channels, and fps above 0. "
            f"Received frames {list(frames.shape)} and fps={fps}."
        )
    first, *others = [Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame) for frame in frames]
    file = io.BytesIO()
    # Without disposal and optimisation each frame is stored whole, also one that equals the one before it.
    first.save(file, format="GIF", save_all=True, append_images=others, duration=1000 / fps, loop=0, optimize=False)
    return file.getvalue()


def figure_to_image(figures, close=True):
    """A matplotlib figure as pixels uint8 [3, H, W]; a list of figures of one size as [N, 3, H, W].

    Args:
        figures: one figure, or a list.
        close (bool): also closes them, so that pyplot forgets them.
    """
    if isinstance(figures, list):
        return np.stack([figure_to_image(figure, close) for figure in figures])
    agg = require("matplotlib.backends.backend_agg", "matplotlib", "a figure")
    canvas = agg.FigureCanvasAgg(figures)
    canvas.draw()
    pixels = np.array(canvas.buffer_rgba())[:, :, :3].transpose(2, 0, 1)
    if close:
        from matplotlib import pyplot

        pyplot.close(figures)
    return pixels
