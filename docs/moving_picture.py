"""Write docs/playground.webp, the playground's first part for the README: a push, and a cell that latches wrongly.

    python docs/moving_picture.py

Frames are taken in headless Chromium, whose clock this script turns, so that the machine's speed does not matter.
"""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from morphorl.report.playground import playground_data, playground_page

TARGET = Path(__file__).parent / "playground.webp"
WIDTH = 640
VIEWPORT = {"width": 760, "height": 1400}
FRAME = 60
"""Milliseconds."""
FRAMES = 100
PRESSES = {14: "pole →", 46: "Latch the wrong way"}
"""At which frames which buttons are pressed."""
CLOCK = """
    let [now, waiting] = [0, new Map()];
    let count = 0;
    window.requestAnimationFrame = (action) => { waiting.set(++count, action); return count; };
    window.cancelAnimationFrame = (id) => waiting.delete(id);
    window.turn = (milliseconds) => {
        const due = waiting;
        waiting = new Map();
        now += milliseconds;
        for (const action of due.values()) action(now);
    };
"""


def main() -> None:
    """Take the frames and write them."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "playground.html"
        path.write_text(playground_page.page(playground_data.shipped_agents(), "morphorl play"), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT, color_scheme="light")
        page.add_init_script(CLOCK)
        page.goto(path.as_uri())
        frames = [frame(page, i) for i in range(FRAMES)]
        browser.close()
    first, *others = frames
    first.save(
        TARGET, save_all=True, append_images=others, duration=FRAME, loop=0, quality=70, method=6, allow_mixed=True
    )
    print(f"{TARGET}: {TARGET.stat().st_size / 1e3:.0f} kB, {first.width} × {first.height}")


def frame(page: Page, i: int) -> Image.Image:
    """The agent and its cell after the next frame."""
    part = page.locator("#live-part")
    if i in PRESSES:
        part.get_by_role("button", name=PRESSES[i], exact=True).click()
    page.evaluate(f"turn({FRAME})")
    taken = Image.open(io.BytesIO(part.locator(".stage").screenshot())).convert("RGB")
    return taken.resize((WIDTH, round(taken.height * WIDTH / taken.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
