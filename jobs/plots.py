"""Plots as SVG pictures in data addresses, so that a page carries them itself. Names from data are drawn as they are, never as formulas."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from schema.problem import shown

INK, SOFT, ACCENT, LINE = "#1c2733", "#5b6b7a", "#2563a8", "#d5dde5"
JAPANESE = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "IPAexGothic",
    "IPAGothic",
    "TakaoGothic",
    "VL Gothic",
    "Hiragino Sans",
    "Yu Gothic",
)
LONGEST_NAME = 24
MOST_CLASSES = 25
MOST_COLUMNS = 15
SLANTED: dict[str, Any] = {"rotation": 45, "ha": "right"}

Array = npt.NDArray[Any]
Say = Callable[[str], str]


@cache
def japanese_font() -> str:
    """A font of this machine that has Japanese characters, or nothing."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in JAPANESE if name in known), "")


def language(wanted: str) -> str:
    """The language a plot can be labelled in here: without a font for Japanese it is English."""
    return "en" if wanted == "ja" and not japanese_font() else wanted


@contextmanager
def _style() -> Iterator[None]:
    fonts = [name for name in ("DejaVu Sans", japanese_font()) if name]
    ours: dict[Any, Any] = {
        "font.family": fonts,
        "font.size": 10,
        "text.parse_math": False,
        "svg.hashsalt": "denpyo",
        "axes.edgecolor": LINE,
        "axes.labelcolor": SOFT,
        "text.color": INK,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
    }
    with mpl.rc_context(ours), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s)Glyph .* missing from font")
        yield


def _drawn(width: float, height: float, draw: Callable[[Axes], None]) -> str:
    with _style():
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        picture = io.BytesIO()
        figure.savefig(picture, format="svg", metadata={"Date": None}, transparent=True)
    return "data:image/svg+xml;base64," + base64.b64encode(picture.getvalue()).decode("ascii")


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str], say: Say) -> str:
    """Test rows by true class (down) and predicted class (across)."""
    table = np.array(counts)
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    short = [shown(name, LONGEST_NAME) for name in names]

    def draw(axes: Axes) -> None:
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="equal")
        axes.spines[:].set_visible(False)
        axes.set_xticks(range(len(short)), short, **SLANTED if max(map(len, short)) > 3 else {})
        axes.set_yticks(range(len(short)), short)
        axes.tick_params(length=0)
        axes.set_xlabel(say("plot_predicted_class"))
        axes.set_ylabel(say("plot_true_class"))
        for (down, across), count in np.ndenumerate(table):
            color = "white" if share[down, across] > 0.55 else INK
            axes.text(across, down, str(count), ha="center", va="center", color=color)

    side = 2.2 + 0.42 * len(short)
    return _drawn(side + 0.6, side, draw)


def predicted_against_true(true: Array, predicted: Array, say: Say) -> str:
    """A point a test row; on the line the prediction is right."""

    def draw(axes: Axes) -> None:
        low, high = min(true.min(), predicted.min()), max(true.max(), predicted.max())
        axes.plot([low, high], [low, high], color=SOFT, linewidth=1, linestyle="--")
        axes.scatter(true, predicted, s=16, color=ACCENT, alpha=0.55, linewidths=0)
        axes.set_xlabel(say("plot_true"))
        axes.set_ylabel(say("plot_predicted"))
        axes.grid(color=LINE, linewidth=0.6)

    return _drawn(4.6, 4.0, draw)


def importance(names: Sequence[str], losses: Array, axis: str) -> str:
    """How much worse the result is when a column is shuffled, the most important columns first; ``axis`` says in what."""
    order = np.argsort(losses)[::-1][:MOST_COLUMNS][::-1]

    def draw(axes: Axes) -> None:
        axes.barh(range(len(order)), np.maximum(losses[order], 0), color=ACCENT, height=0.62)
        axes.set_yticks(range(len(order)), [shown(names[index], LONGEST_NAME) for index in order])
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(axis)
        axes.grid(axis="x", color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)

    return _drawn(5.4, 1.2 + 0.28 * len(order), draw)


def loss(values: Sequence[float], say: Say) -> str:
    """The loss after each pass over the data."""

    def draw(axes: Axes) -> None:
        axes.plot(range(1, len(values) + 1), values, color=ACCENT, linewidth=1.6)
        axes.set_xlabel(say("plot_passes"))
        axes.set_ylabel(say("plot_loss"))
        axes.grid(color=LINE, linewidth=0.6)

    return _drawn(5.0, 3.2, draw)
