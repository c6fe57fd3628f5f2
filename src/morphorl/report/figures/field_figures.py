"""Figures of fields: the pattern at the end, the film of its growth, and the map of where patterns form."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from morphorl.dynamics.pde.gierer_meinhardt import Grid
from morphorl.dynamics.pde.patterns import PATTERN
from morphorl.dynamics.pde.sweep import Plan
from morphorl.report.figures import canvas

NAMES = ("activator a", "inhibitor h")
COLOURS = ("#b5651d", "#21918c")
POSITION = "position (units of length)"
TIME = "time (units of time)"
FRAME_MILLISECONDS = 67


def pattern(times: np.ndarray, frames: np.ndarray, grid: Grid, title: str, path: Path) -> None:
    """The last frame: both fields as images, or as lines above the activator's history in one dimension.

    Args:
        frames: of shape (frames, 2, *grid).
        path: written as PNG, whatever its suffix.
    """
    with canvas.in_style():
        if grid.dims == 2:
            figure, axes = canvas.subplots(1, 2, figsize=(9, 4.2))
            for field, name, axis in zip(frames[-1], NAMES, axes, strict=True):
                image = _image(axis, field, grid)
                figure.colorbar(image, ax=axis, label=f"{name} (dimensionless)", fraction=0.046, pad=0.04)
        else:
            figure, (lines, history) = canvas.subplots(2, 1, figsize=(7, 6), sharex=True)
            _lines(lines, frames[-1], grid)
            lines.set_xlabel("")
            lines.set_ylim(*_range(frames[-1]))
            edges = np.append(times, times[-1] + (times[-1] - times[-2] if len(times) > 1 else 1.0))
            places = np.linspace(0, grid.length, grid.size + 1)
            mesh = history.pcolormesh(places, edges, frames[:, 0], cmap="magma", rasterized=True)
            history.set(xlabel=POSITION, ylabel=TIME)
            figure.colorbar(mesh, ax=history, label="activator a (dimensionless)")
        figure.suptitle(f"{title}, time {times[-1]:.0f}")
        figure.savefig(path, dpi=80, format="png")


def film(times: np.ndarray, frames: np.ndarray, grid: Grid, title: str, path: Path) -> None:
    """The frames as an animated WebP: the activator as an image, or both fields as lines; one scale for all frames."""
    with canvas.in_style():
        figure = Figure(figsize=(5, 4.4) if grid.dims == 2 else (6, 3.6), dpi=80, layout="constrained")
        axes = figure.add_subplot()
        low, high = _range(frames[:, 0] if grid.dims == 2 else frames)
        if grid.dims == 2:
            image = _image(axes, frames[0, 0], grid)
            image.set_clim(low, high)
            figure.colorbar(image, ax=axes, label="activator a (dimensionless)")
            moving: list[Any] = [image]
        else:
            moving = _lines(axes, frames[0], grid)
            axes.set_ylim(low, high)
        moving.append(axes.set_title(f"{title}, time {times[-1]:.0f}"))
        for artist in moving:
            artist.set_animated(True)  # left out of the drawing of all the rest, which is done once
        drawn = FigureCanvasAgg(figure)
        drawn.draw()
        background = drawn.copy_from_bbox(figure.bbox)
        pictures = []
        for time, fields in zip(times, frames, strict=True):
            drawn.restore_region(background)
            moving[-1].set_text(f"{title}, time {time:.0f}")
            for artist, field in zip(moving[:-1], fields, strict=grid.dims == 1):
                update = artist.set_ydata if grid.dims == 1 else artist.set_data
                update(field.T)
            for artist in moving:
                axes.draw_artist(artist)
            pictures.append(Image.fromarray(np.array(drawn.buffer_rgba())[..., :3]))
    first, *rest = pictures
    first.save(path, format="WEBP", save_all=True, append_images=rest, duration=FRAME_MILLISECONDS, loop=0, quality=50)


def sweep(plan: Plan, amplitudes: np.ndarray, title: str, path: Path) -> None:
    """The pattern's amplitude over D_h/D_a and guidance strength, with the boundary that linear theory draws."""
    with canvas.in_style():
        figure, axes = canvas.subplots(figsize=(7, 4.8))
        colours = colormaps["magma"].with_extremes(bad="#c8c8c8")
        values = np.ma.masked_invalid(amplitudes.T)
        mesh = axes.pcolormesh(plan.ratios, plan.strengths, values, cmap=colours, vmin=0, shading="nearest")
        axes.plot(plan.ratios, plan.critical, color="#21d0c3", linewidth=2, label="linear theory: the pattern ends")
        if np.nanmax(amplitudes, initial=0.0) > PATTERN:
            contour = axes.contour(
                plan.ratios, plan.strengths, amplitudes.T, [PATTERN], colors="white", linestyles="--"
            )
            contour.set(linewidth=1.2)
            axes.plot([], [], color="white", linestyle="--", linewidth=1.2, label=f"simulated amplitude {PATTERN}")
        ticks = [tick for tick in (2, 5, 10, 20, 40, 80, 160) if plan.ratios[0] <= tick <= plan.ratios[-1]]
        axes.set(xscale="log", xlabel="D_h / D_a", ylabel="guidance strength γ (per unit of time)", title=title)
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(plan.strengths[0], plan.strengths[-1])
        axes.legend(loc="upper left", facecolor="#303030", labelcolor="white", framealpha=0.85, fontsize="small")
        figure.colorbar(mesh, ax=axes, label="amplitude: deviation of a over mean of a")
        figure.savefig(path, dpi=110, format="png")


def _image(axes: Axes, field: np.ndarray, grid: Grid):
    image = axes.imshow(field.T, origin="lower", extent=(0, grid.length, 0, grid.length), cmap="magma")
    axes.set(xlabel=POSITION, ylabel=POSITION)
    return image


def _lines(axes: Axes, fields: np.ndarray, grid: Grid) -> list[Any]:
    places = np.arange(grid.size) * grid.length / grid.size
    lines = [
        axes.plot(places, field, color=colour, label=name, marker="o" if grid.size == 1 else "")[0]
        for field, name, colour in zip(fields, NAMES, COLOURS, strict=True)
    ]
    axes.set(xlabel=POSITION, ylabel="dimensionless")
    axes.legend(frameon=False, loc="upper right", ncols=2, fontsize="small")
    return lines


def _range(values: np.ndarray) -> tuple[float, float]:
    """Limits of an axis or a colour scale, with room above for a legend, and never empty."""
    low, high = min(0.0, float(values.min())), float(values.max())
    return low, high + 0.15 * (high - low) + 1e-6
