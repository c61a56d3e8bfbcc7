"""`curves.png`: how the losses and the score of a run have gone, in one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from common.whole_files import write_atomically
from training.loss_table import COLUMNS, read

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PARTS = 100  # a run is cut into so many parts, whose means are drawn as a line over the single values
LOSSES = tuple(name for name in COLUMNS if "/loss_" in name)
TITLES = {"D": "Discriminator's losses", "G": "Generator's losses"}


def draw_curves(table: Path, scores: Sequence[tuple[int, float]], target: Path) -> None:
    """Draw the losses of `table` and, where there are any, the `scores` (iteration, value) into `target`."""
    from matplotlib.figure import Figure

    rows = read(table)
    panels = 3 if scores else 2
    figure = Figure(figsize=(5 * panels, 4))
    axes: Sequence[Any] = figure.subplots(1, panels)
    figure.subplots_adjust(left=0.16 / panels, right=0.98, bottom=0.14, top=0.9, wspace=0.22)
    for ax, network in zip(axes, TITLES, strict=False):
        for name in LOSSES:
            if name.startswith(network):
                known = [(int(row["iteration"]), float(row[name])) for row in rows if row.get(name)]
                _draw(ax, known, name.rpartition("_")[2])
        ax.set(title=TITLES[network], xlabel="iteration")
        ax.grid(alpha=0.3)
        ax.margins(y=0.15)  # the legend lies above the lines
        if ax.lines:
            ax.legend(fontsize="small", loc="upper right", ncols=4)
    if scores:
        best = min(scores, key=lambda point: point[1])
        axes[2].plot(*zip(*scores, strict=True), marker="o", markersize=3)
        axes[2].plot(*best, marker="*", markersize=12, linestyle="none", label=f"best: {best[1]:.4g} at {best[0]}")
        axes[2].set(title="Score (lower is better)", xlabel="iteration")
        axes[2].grid(alpha=0.3)
        axes[2].legend(fontsize="small", loc="upper right", ncols=4)
    write_atomically(target, lambda temporary: figure.savefig(temporary, format="png", dpi=100))


def _draw(ax: Axes, known: list[tuple[int, float]], name: str) -> None:
    """The single values faintly, their means over parts of the run as a line."""
    if not known:
        return
    i, values = np.array(known).T
    parts = range(0, len(i), max(1, len(i) // PARTS))
    means = [(p.mean(), v.mean()) for p, v in zip(np.split(i, parts[1:]), np.split(values, parts[1:]), strict=True)]
    (line,) = ax.plot(*np.array(means).T, label=name)
    ax.plot(i, values, color=line.get_color(), alpha=0.2, linewidth=0.7, zorder=1)
