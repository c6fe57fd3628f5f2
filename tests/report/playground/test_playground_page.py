"""The playground in a browser, opened from disk: it asks for nothing, and does what its controls say."""

import re
import shutil
import subprocess

import pytest
from playwright.sync_api import expect

from helpers.agents import KINDS, agent
from helpers.browsers import chromium, needs_chromium, quiet
from morphorl.report.playground import agents, playground_data, playground_page
from morphorl.report.playground.live_agents import single
from morphorl.report.scripts import bundle

pytestmark = needs_chromium
SIZES = {
    "phone": {"width": 390, "height": 844},
    "tablet": {"width": 820, "height": 1180},
    "desktop": {"width": 1400, "height": 900},
}
AXE = "4.10.3"
HOSTILE = "<script>alert(1)</script>\"'&</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("playground") / "playground.html"
    file.write_text(playground_page.page(playground_data.shipped_agents(), "morphorl play"), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, path):
    """The page at rest, as who wants no motion gets it."""
    with quiet(browser, path, viewport=SIZES["desktop"], reduced_motion="reduce") as page:
        yield page


def steps_up(part):
    return int(re.search(r"up for (\d+) steps?", part.locator("figure.us figcaption").inner_text())[1])


def test_it_is_small_and_moves_only_where_motion_is_wanted(browser, path):
    assert path.stat().st_size <= 400_000
    with quiet(browser, path) as page:
        expect(page.locator("#live-part figure.us figcaption")).to_have_text(re.compile(r"up for \d\d+ steps"))
        page.get_by_role("button", name="Pause").first.click()
    with quiet(browser, path, reduced_motion="reduce") as page:
        page.wait_for_timeout(200)
        assert steps_up(page.locator("#live-part")) == 1
        assert page.locator("#live-part button.play").inner_text() == "▶ Play"


FRAMES = """(seconds) => new Promise((done) => {
    let [began, frames] = [null, 0];
    const count = (now) => {
        began ??= now;
        if (now - began >= 1000 * seconds) { done((1000 * frames) / (now - began)); return; }
        frames += 1;
        requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
})"""


FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((seen) => {
    const [found] = seen.getEntriesByName("first-contentful-paint");
    if (found) done(found.startTime);
}).observe({ type: "paint", buffered: true }))"""
"""When the page was first painted, in ms; it may not have been yet. (A page without `eval` takes no
`wait_for_function`.)"""


def test_it_moves_and_how_soon_and_how_often_is_printed(browser, path, record_property):
    with quiet(browser, path, viewport=SIZES["desktop"]) as page:
        first = page.evaluate(FIRST_PAINT)
        rate = page.evaluate(FRAMES, 2)
    record_property("measured", f"Playground: first frame after {first:.0f} ms, then {rate:.0f} frames per second.")
    assert rate > 0


def test_a_push_moves_both_poles_and_a_drag_the_one_that_is_dragged(page):
    part = page.locator("#live-part")
    part.get_by_role("button", name="pole →").click()
    box = part.locator("figure.us .track").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 300, box["y"] + box["height"] / 4, steps=4)
    page.mouse.up()
    part.get_by_role("button", name="Play").click()
    expect(part.locator("figure.us .track")).to_have_class(re.compile("fallen"))
    expect(part.locator(".falls")).to_have_text(re.compile(r"It fell after \d+ steps"))
    expect(part.locator("figure.them .track")).to_have_class(re.compile("fallen"))


def test_the_activator_is_painted_by_pointer_and_by_keys(page):
    entries = page.locator("#live-part .paintable .entry")
    text = lambda i: entries.nth(i).locator("text").inner_html()  # noqa: E731
    page.get_by_role("button", name="paint −").click()
    entries.nth(3).click()
    assert text(3) == "-2.00"
    entries.nth(3).focus()
    page.keyboard.press("Delete")
    assert text(3) == "0.00"
    before = float(entries.nth(0).get_attribute("aria-valuenow"))
    entries.nth(0).focus()
    page.keyboard.press("ArrowUp")
    assert float(text(0)) == pytest.approx(before + 0.5, abs=0.02)


def test_what_the_controls_are_set_to_stands_in_the_address_and_comes_back(browser, path, page):
    page.get_by_label("guidance γ", exact=True).first.focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    page.get_by_label("hide the velocities").check()
    page.get_by_role("button", name=re.compile("early")).first.click()
    page.get_by_label("saturation κ").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(400)
    address = page.url
    assert "live.strength=0.3" in address
    fresh = browser.new_page(reduced_motion="reduce")
    fresh.goto(address)
    assert fresh.get_by_label("guidance γ", exact=True).first.input_value() == "0.3"
    assert fresh.get_by_label("hide the velocities").is_checked()
    assert fresh.get_by_role("button", name=re.compile("early")).first.get_attribute("aria-pressed") == "true"
    assert fresh.get_by_label("saturation κ").input_value() == "0.01"
    fresh.evaluate("location.hash = 'live.strength=0.05'")
    expect(fresh.get_by_label("guidance γ", exact=True).first).to_have_value("0.05")
    assert not fresh.get_by_label("hide the velocities").is_checked()
    fresh.close()


def test_the_words_follow_the_latch_and_the_bound(page):
    part = page.locator("#live-part")
    assert "±1 (activator) and ±0.5 (inhibitor)" in part.locator(".says").inner_text()
    part.get_by_role("button", name="Latch the wrong way").click()
    part.get_by_role("button", name="Play").click()
    expect(part.locator(".says")).to_contain_text("±3 (activator)")
    part.get_by_role("button", name="Settings as trained").click()
    expect(part.get_by_label("guidance γ", exact=True)).to_have_value("0.1")


def test_an_agent_with_a_memory_and_a_cell_is_shown_with_all_that_it_sees(browser, tmp_path):
    settings = KINDS["memory"]
    one = agents.plain(agents.Shown("both", "final", 1, 3, settings, single(agent(settings).arrays, 0)))
    file = tmp_path / "playground.html"
    file.write_text(playground_page.page([one], "morphorl play"), encoding="utf-8")
    with quiet(browser, file, reduced_motion="reduce") as page:
        part = page.locator("#memory-part")
        entries = part.locator(".paintable .entry")
        features = 2 * (1 + 2 * settings.memory.columns)
        assert entries.count() == 2 * features
        assert entries.nth(5).get_attribute("aria-label") == "activator, x′1, right →"
        assert part.get_by_role("button", name="Latch the wrong way").count() == 0  # it would need β and the diffusions
        part.get_by_role("button", name="New pattern").click()
        part.get_by_role("button", name="Play").click()
        expect(part.locator("figure.us figcaption")).to_have_text(re.compile(r"up for [2-9]\d* steps"))


def test_the_field_bears_the_brush_and_starts_afresh(page):
    part = page.locator("#field-part")
    part.locator("canvas").scroll_into_view_if_needed()
    box = part.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 80)
    page.mouse.down()
    part.locator("canvas").evaluate(
        """(canvas, [clientX, clientY]) => {
            const move = () => canvas.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY }));
            for (let i = 0; i < 1000; i++) move();
        }""",
        [box["x"] + 80, box["y"] + 80],
    )
    page.mouse.up()
    part.get_by_role("button", name="Play").click()
    expect(part.locator(".says")).not_to_contain_text("after 0 units")
    assert "NaN" not in part.locator(".says").inner_text()
    part.get_by_role("button", name="Pause").click()
    part.get_by_role("button", name="Fresh noise").click()
    assert "The activator's spread is 0.0099 of its mean, after 0 units" in part.locator(".says").inner_text()


def test_past_the_boundary_the_field_says_that_patterns_die(page):
    part = page.locator("#field-part")
    assert "below the boundary at 0.0033" in part.locator(".says").inner_text()
    size = part.locator(".map").bounding_box()
    part.locator(".map").click(position={"x": size["width"] * 0.5, "y": size["height"] * 0.2})
    expect(part.locator(".says")).to_contain_text("every pattern dies")
    assert "field.strength" in page.evaluate("new Promise((done) => setTimeout(() => done(location.hash), 400))")
    pixels = "document.querySelector('canvas.field').toDataURL()"
    before = page.evaluate(pixels)
    part.locator("canvas").click(position={"x": 60, "y": 60})
    assert page.evaluate(pixels) != before


SHORT = """() => {
    Object.assign(data.training, { lengths: [1, 2], interval: 1 });
    Object.assign(data.training.ppo, { epochs: 1, hidden: [8] });
}"""


def test_training_grows_curves_in_workers_and_counts_who_would_be_misled(page):
    part = page.locator("#training-part")
    page.evaluate(SHORT)
    part.get_by_role("button", name="Train").click()
    part.get_by_label("guidance γ").fill("0.3")  # for the next training
    expect(part.locator("[role=status]")).to_contain_text("of 8 seeds balance", timeout=300_000)
    assert re.search(r"Trained here in \d+ s, γ = 0\.1\.$", part.locator("[role=status]").inner_text())
    assert part.locator("path.seed").count() == 16
    assert part.locator("path.line").count() == 2
    assert [row.inner_text() for row in part.locator("th[scope=row]").all()] == ["1 + 1", "2 + 2", "3 + 3", "5 + 5"]
    assert part.locator("tbody td").nth(4).inner_text() == "3,136"
    assert part.get_by_role("button", name="Train").is_visible()


def test_where_webassembly_is_refused_the_page_trains_without_it(browser, path, tmp_path):
    strict = tmp_path / "playground.html"
    strict.write_text(path.read_text(encoding="utf-8").replace(" 'wasm-unsafe-eval'", ""), encoding="utf-8")
    page = browser.new_page(reduced_motion="reduce")
    page.goto(strict.as_uri())
    page.evaluate(SHORT)
    page.locator("#training-part").get_by_role("button", name="Train").click()
    expect(page.locator("#training-part [role=status]")).to_contain_text("slowly, without WebAssembly", timeout=300_000)
    page.close()


def test_a_training_that_is_stopped_or_fails_says_so(page):
    part, says = page.locator("#training-part"), page.locator("#training-part [role=status]")
    part.get_by_role("button", name="Train").click()
    expect(says).to_have_text("Training…")
    part.get_by_role("button", name="Stop").click()
    expect(says).to_have_text("Stopped.")
    page.evaluate("Object.assign(data.training.ppo, { hidden: null })")
    part.get_by_role("button", name="Train").click()
    expect(says).to_contain_text("A worker of the page has failed")
    assert part.get_by_role("button", name="Train").is_visible()


def test_the_link_that_skips_leaves_the_address_as_it_is(browser, path):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(f"{path.as_uri()}#live.strength=0.3&live.weight=strange")
    assert float(page.get_by_label("blending weight β").input_value()) == pytest.approx(0.3)  # as trained, not 0
    page.get_by_role("link", name="Skip to the agent").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "live-title"
    assert "live.strength=0.3" in page.url
    page.close()


def test_few_seeds_are_counted_exactly(page):
    count = "([a, b, k]) => fewSeeds(a, b, k)"
    assert page.evaluate(count, [[1, 2, 3], [2, 3, 4], 1]) == {"share": pytest.approx(7 / 9), "ways": 9}
    assert page.evaluate(count, [[1, 2], [3, 4], 2]) == {"share": 1, "ways": 1}
    assert page.evaluate("interquartileMean([100, 1, 2, 3, 4, 5, 6, -100])") == 3.5


def test_guidance_makes_the_memory_forget(page):
    part = page.locator("#memory-part")
    part.get_by_label("guidance γ").fill("0.3")
    part.get_by_role("button", name="Play").click()
    expect(part.locator(".falls")).to_contain_text("It fell", timeout=120_000)  # patience for a busy machine
    theirs = int(re.search(r"up for (\d+)", part.locator("figure.them figcaption").inner_text())[1])
    assert theirs > steps_up(part) or theirs > 50
    expect(part.locator(".says")).to_contain_text("away from 0 at every step")


def test_a_hostile_label_is_text(browser, tmp_path):
    hostile = [one | {"label": HOSTILE} for one in playground_data.shipped_agents()[:3]]
    file = tmp_path / "playground.html"
    file.write_text(playground_page.page(hostile, "morphorl play", HOSTILE), encoding="utf-8")
    with quiet(browser, file, reduced_motion="reduce") as page:
        assert HOSTILE in page.locator("#live-part figure.us figcaption").inner_text()
        assert page.locator("script").count() == 3
        assert page.locator("img").count() == 0


def test_the_policy_lets_nothing_else_in(browser, path):
    page = browser.new_page(reduced_motion="reduce")
    stopped = []
    page.on("requestfailed", lambda request: stopped.append((request.url, request.failure)))
    page.goto(path.as_uri())
    refused, unevaluated = page.evaluate("""() => {
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }));
        document.body.append(Object.assign(new Image(), { src: "http://localhost:9/picture.png" }));
        const later = new Promise((done) => setTimeout(() => {
            try { Function("window.ran = true")(); done(false); } catch { done(true); }
        }));
        return Promise.all([fetch("http://localhost:9/data").then(() => false, () => true), later]);
    }""")
    assert refused
    assert unevaluated
    assert page.evaluate("window.ran") is None
    assert ("http://localhost:9/picture.png", "csp") in stopped
    page.close()


@pytest.mark.parametrize("size", SIZES)
def test_it_fits_the_screen_and_every_control_has_a_name_and_can_be_reached(browser, path, size):
    with quiet(browser, path, viewport=SIZES[size], reduced_motion="reduce") as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
        controls = page.locator("button, select, input, [role=slider]")
        assert controls.count() > 50
        named = "(nodes) => nodes.every((n) => n.ariaLabel || n.textContent.trim() || n.labels?.length)"
        assert controls.evaluate_all(named)
        assert controls.evaluate_all("(nodes) => nodes.every((n) => n.tabIndex >= 0)")


def test_in_print_the_pictures_stay_and_the_controls_go(page):
    page.emulate_media(media="print")
    assert page.locator(".track").first.is_visible()
    assert not any(node.is_visible() for node in page.locator(".switches, .knobs, nav").all())


def test_modules_are_bundled_once_after_what_they_need(tmp_path):
    (tmp_path / "a.js").write_text(
        'import { b } from "./b.js";\nimport { c } from "./c.js";\nexport const a = b + c;\n'
    )
    (tmp_path / "b.js").write_text('import { c } from "./c.js";\nexport const b = c + 1;\n')
    (tmp_path / "c.js").write_text("export const c = 1;\n")
    joined = lambda name, **more: " ".join(bundle(tmp_path / name, **more).split())  # noqa: E731
    assert joined("a.js") == '"use strict"; const c = 1; const b = c + 1; const a = b + c;'
    assert joined("a.js", without=tmp_path / "b.js") == '"use strict"; const a = b + c;'


@pytest.mark.parametrize("text", ["const b = 2;", "function b() {}", "export function* b() {}", "let [c, b] = [1, 2];"])
def test_modules_that_define_the_same_name_are_refused(text, tmp_path):
    (tmp_path / "a.js").write_text(f'import {{ c }} from "./b.js";\n{text}\n')
    (tmp_path / "b.js").write_text("const d = 1;\nexport const b = 1;\n")
    with pytest.raises(ValueError, match=r"a\.js: b is a name that b\.js defines, too"):
        bundle(tmp_path / "a.js")


@pytest.mark.parametrize(
    "text",
    [
        "export default 1;",
        "export { a };",
        'export * from "./b.js";',
        'import { a as b } from "./b.js";',
        'import b from "./b.js";',
        'import "./b.js";',
        "import { a } from './b.js';",
        'import { a } from "./a.js";',
    ],
)
def test_modules_that_the_bundle_does_not_understand_are_refused(text, tmp_path):
    (tmp_path / "a.js").write_text(text + "\n")
    (tmp_path / "b.js").write_text("export const a = 1;\n")
    with pytest.raises(ValueError, match=r"is neither `import|Modules need each other: a\.js → a\.js"):
        bundle(tmp_path / "a.js")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_violation(browser, path, scheme, tmp_path):
    """axe-core (MPL-2.0) comes from npm's registry, for this test alone."""
    npm = shutil.which("npm")
    done = npm and subprocess.run(
        [npm, "pack", f"axe-core@{AXE}"], cwd=tmp_path, capture_output=True, timeout=120, check=False
    )
    packed = list(tmp_path.glob("axe-core-*.tgz"))
    if not done or not packed:
        pytest.skip("axe-core cannot be had: there is no npm, or its registry does not answer")
    shutil.unpack_archive(packed[0], tmp_path, filter="data")
    axe = (tmp_path / "package" / "axe.min.js").read_text(encoding="utf-8")
    with quiet(browser, path, color_scheme=scheme, reduced_motion="reduce") as page:
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in serious] == []
