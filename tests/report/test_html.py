"""The report in a browser, opened from disk: it asks for nothing, and does what its controls say."""

import base64
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import expect

from helpers.browsers import chromium, needs_chromium
from helpers.finished_studies import BLIND, finish, study
from morphorl.report import embedding, html, html_data
from morphorl.report.replay import Episode, Replay
from morphorl.studies import results
from morphorl.studies.stages import STAGES

SCRIPT, QUOTES = "<script>alert(1)</script>", "\"quotes\", 'quotes' & </script><img src=x onerror=alert(2)>"
ARMS = BLIND | {SCRIPT: {"dynamics": {"coupling": "ring"}}, QUOTES: {"dynamics": {"coupling": "lattice"}}}
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def fake_replays(study, length=40):
    """Every replay that the page would show, with random states of episodes that long."""
    generator = np.random.default_rng(0)
    for run in html_data.shown_runs(study):
        features = len(html_data.FEATURES[run.settings.environment])
        for stage in STAGES:
            draw = lambda *shape: generator.normal(size=(length, *shape))  # noqa: E731
            states = {name: draw(features, 2) for name in ("activator", "inhibitor")}
            position = np.cumsum(draw(2), axis=0) * [0.05, 0.01]
            episode = Episode(position, states, draw(2), draw(2), draw(2), np.arange(length) % 2, np.ones(length, bool))
            yield Replay(run, stage, 10, episode)


def write(root, study, replays=(), **more):
    curves = finish(root, study, **more).curves(study)
    return html.write(root, results.load(root), curves, replays)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    tiny = study(ARMS)
    return write(
        tmp_path_factory.mktemp("report"), tiny, fake_replays(tiny), rates={"γ = 0.3": 1.5}, diverged=("γ = 0.1",)
    )


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser):
    """Open a page, and when the test is over see that it was quiet and asked for nothing but itself."""
    noise, requests, pages = [], [], []

    def open(path, viewport=None, **options):
        page = browser.new_page(viewport=viewport or DESKTOP, **options)
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("dialog", lambda dialog: (noise.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        pages.append((page, path.as_uri()))
        return page

    yield open
    for page, _ in pages:
        page.close()
    assert noise == []
    assert requests == [url for _, url in pages]


def learning(page):
    return page.locator("figure[data-chart=learning]").first


@needs_chromium
def test_it_opens_from_disk_in_silence_with_the_verdicts_first_and_all_charts_drawn(path, opened):
    page = opened(path)
    assert page.locator("h2").first.inner_text() == "Verdicts"
    assert page.locator(".card").count() == 6
    assert page.locator("figure[data-chart]").count() == 8
    assert page.locator("figure[data-chart] svg.chart").count() == 8
    assert "1 of 8 runs diverged" in learning(page).inner_text()


@needs_chromium
def test_toggling_an_arm_by_mouse_and_by_keyboard_changes_every_chart(path, opened):
    page = opened(path)
    button = page.get_by_role("button", name="γ = 0.1", exact=True)
    count = lambda: [figure.locator(".arm").count() for figure in page.locator("figure[data-chart]").all()]  # noqa: E731
    before = count()
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert count() == [n - 1 for n in before]
    button.focus()
    page.keyboard.press("Space")
    assert button.get_attribute("aria-pressed") == "true"
    assert count() == before


@needs_chromium
def test_values_are_read_by_pointer_and_by_arrow_keys(path, opened):
    page = opened(path)
    learning(page).locator("svg.chart").hover(position={"x": 300, "y": 150})
    tip = learning(page).locator(".tip")
    assert re.search(r"[\d,]+ steps", tip.inner_text())
    assert "plain PPO" in tip.inner_text()
    page.mouse.move(0, 0)
    assert tip.is_hidden()
    for name, first in {
        "learning": "32 steps",
        "survival": "0 steps",
        "early": "plain PPO",
        "luck": "1 seed of each",
    }.items():
        figure = page.locator(f"figure[data-chart={name}]").first
        figure.locator("svg.chart").focus()
        page.keyboard.press("Home")
        assert figure.locator(".tip strong").inner_text() == first
        page.keyboard.press("ArrowRight")
        assert figure.locator(".tip strong").inner_text() != first
        page.keyboard.press("Escape")
        assert figure.locator(".tip").is_hidden()


@needs_chromium
def test_axes_seeds_and_the_measure_of_luck_can_be_switched(path, opened):
    page = opened(path)
    line = lambda chart: page.locator(f"figure[data-chart={chart}] path.line").first.get_attribute("d")  # noqa: E731
    for name, chart in {
        "logarithmic steps": "learning",
        "logarithmic return": "learning",
        "and p ≤ 0.05": "luck",
    }.items():
        before = line(chart)
        page.get_by_role("button", name=name).first.click()
        assert line(chart) != before
    seeds = learning(page).locator(".seeds").first
    assert seeds.is_hidden()
    page.get_by_role("button", name="single seeds").click()
    assert learning(page).locator(".seeds").first.is_visible()
    assert learning(page).locator(".seeds").first.locator("path").count() == 8


@needs_chromium
def test_play_moves_the_pole_and_the_heat_maps_and_the_slider_sets_the_step(path, opened):
    page = opened(path)
    panel = page.locator("#replay-panel")
    state = lambda: (  # noqa: E731
        panel.locator(".pole").get_attribute("transform"),
        [heat.inner_html() for heat in panel.locator(".heat").all()],
        [logits.inner_html() for logits in panel.locator(".logits").all()],
    )
    start = state()
    assert len(start[1]) == 2
    assert len(start[2]) == 3
    panel.get_by_role("button", name="Play").click()
    expect(panel.locator("input")).not_to_have_value(re.compile("^[0-5]$"))
    panel.get_by_role("button", name="Pause").click()
    later = state()
    assert all(a != b for a, b in zip(start, later, strict=True))
    assert all(a != b for maps in zip(start[1], later[1], strict=True) for a, b in [maps])
    panel.locator("input").focus()
    page.keyboard.press("Home")
    assert state() == start
    assert panel.locator("output").inner_text() == "step 1 of 40"
    page.keyboard.press("End")
    assert panel.locator("output").inner_text() == "step 40 of 40"
    panel.get_by_role("button", name="early").click()
    assert state() != start
    panel.get_by_label("Arm", exact=True).select_option(label="zero readout")
    panel.get_by_label("Environment").select_option(label="StatelessCartPole-v1, standard")
    assert panel.locator(".heat").first.locator("rect").count() == 4


@needs_chromium
def test_what_the_heat_maps_say_is_what_was_recorded(path, opened):
    page = opened(path)
    page.locator("#replay-panel").get_by_label("Arm", exact=True).select_option(label="γ = 0.3")
    shown = page.locator("#replay-panel .heat").first.locator("text").all_text_contents()
    recorded = next(r for r in fake_replays(study(ARMS)) if (r.run.arm, r.stage) == ("γ = 0.3", "final"))
    expected = [f"{value:.2f}" for value in recorded.episode.states["activator"][0].ravel()]
    assert [text for text in shown if re.fullmatch(r"-?\d\.\d\d", str(text))] == expected


@needs_chromium
@pytest.mark.parametrize("label", [SCRIPT, QUOTES])
def test_a_hostile_label_is_text_everywhere(path, opened, label):
    page = opened(path)
    assert page.get_by_role("button", name=label, exact=True).is_visible()
    assert page.locator("#replay-panel option", has_text=label).count() == 1
    assert page.locator("th[scope=row]", has_text=label).count() == 3  # numbers of two environments, and settings
    learning(page).locator("svg.chart").hover(position={"x": 300, "y": 150})
    assert label in learning(page).locator(".tip").inner_text()
    assert label in str(learning(page).locator("svg.chart").get_attribute("aria-label"))
    page.locator("details", has_text="The study as a file").locator("summary").click()
    assert label.replace('"', '\\"') in page.locator("details pre").inner_text()
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0


@needs_chromium
def test_the_policy_lets_no_other_script_run_and_no_picture_in(path, browser):
    page = browser.new_page()
    stopped = []
    page.on("requestfailed", lambda request: stopped.append((request.url, request.failure)))
    page.goto(path.as_uri())
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = true";
        document.body.append(script);
        document.body.append(Object.assign(new Image(), { src: "http://localhost:9/picture.png" }));
    }""")
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    assert stopped == [("http://localhost:9/picture.png", "csp")]
    page.close()


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_it_fits_the_screen_and_its_text_stands_out(path, opened, viewport, scheme):
    page = opened(path, viewport, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.evaluate("""for (const answer of ["supported", "contradicted", "undecided"]) {
        const badge = Object.assign(document.createElement("p"), { className: `badge ${answer}` });
        document.querySelector(".card").append(badge);
    }""")
    for selector in ("body", ".lead", ".reason", "figcaption", "button", ".badge", ".notes", "a"):
        assert contrast(page, selector) >= 4.5, selector


@needs_chromium
def test_in_print_all_charts_and_tables_show_and_the_controls_do_not(path, opened):
    page = opened(path, color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for figure in page.locator("figure").all():
        assert figure.is_visible()
        box = figure.locator("svg").first.bounding_box()
        assert box
        assert box["height"] > 40
    assert page.locator("details:not([open])").count() == 0
    assert not any(node.is_visible() for node in page.locator(".switches, .transport, nav").all())
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


@needs_chromium
def test_every_control_has_a_name_and_a_visible_focus(path, opened):
    page = opened(path)
    for node in page.locator("button, select, input, svg[role=img]").all():
        assert node.evaluate("n => n.ariaLabel || n.textContent.trim() || n.labels?.length"), node
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"


@needs_chromium
def test_a_multiverse_shows_every_reading_and_charts_one_of_them(opened, tmp_path):
    strengths = BLIND["γ = {guidance.strength}"]
    both = study(BLIND | {"ring, γ = {guidance.strength}": {"dynamics": {"coupling": "ring"}, **strengths}})
    page = opened(write(tmp_path, both))
    assert page.locator("#multiverse figure").count() == 6
    first = page.locator("#multiverse figure").first
    assert first.locator(".answer").count() == 2
    first.locator("svg").focus()
    page.keyboard.press("ArrowRight")
    assert re.search(r"coupling (mean|ring): \w+", first.locator(".detail").inner_text())
    assert page.locator("#legend button", has_text="ring").count() == 0
    page.get_by_label("Reading", exact=True).select_option(label="coupling ring")
    assert page.locator("#legend button", has_text="ring").count() == 4


EMPTY = {
    "no evaluations": ({}, {"evaluated": False}, "survival", "no greedy evaluations"),
    "one seed": ({"seeds": 1}, {}, "luck", "one seed has no luck to show"),
    "one arm": ({"arms": {"agent": {}}}, {}, "luck", "Nothing to draw"),
    "unknown returns": (
        {},
        {"silent": ("γ = 0", "γ = 0.3")},
        "learning",
        "γ = 0, γ = 0.3: 8 of 8 runs have an unknown",
    ),
    "all unknown": ({"arms": {"agent": {}}}, {"silent": ("agent",)}, "learning", "8 of 8 runs have an unknown return"),
    "no threshold": ({"environments": ("Freeway-MinAtar",)}, {}, "survival", "nobody has named a return"),
}


@needs_chromium
@pytest.mark.parametrize("case", EMPTY)
def test_what_is_not_there_is_said(case, opened, tmp_path):
    study_options, results, chart, words = EMPTY[case]
    page = opened(write(tmp_path, study(**study_options), **results))
    assert words in page.locator(f"figure[data-chart={chart}]").first.inner_text()
    assert "NaN" not in page.locator("body").inner_text()
    assert page.locator("[d*=NaN], [cx*=NaN], [cy*=NaN], [d*=Infinity]").count() == 0
    assert "replays" in page.locator("#replay").inner_text() or "can be drawn" in page.locator("#replay").inner_text()
    for button in page.locator("#legend .toggles button[aria-pressed]").all():
        button.click()
    assert "No arm is switched on" in page.locator(f"figure[data-chart={chart}]").first.inner_text()


# --- Without a browser ------------------------------------------------------------------------------------------------


def test_the_report_of_64_runs_is_below_8_mb_even_if_every_episode_is_long(tmp_path):
    arms = {f"arm {i}": {"dynamics": {"dt": 0.1 * (i + 1)}} for i in range(8)}
    many = replace(study(arms, seeds=2), presets=("standard", "tuned"))
    assert many.size == 64
    path = write(tmp_path, many, fake_replays(many, length=500))
    assert path.stat().st_size < 8e6
    assert len(data_of(path)["replay"]) == 8 * 2 * 2 * len(STAGES)


def test_the_same_results_give_the_same_page(tmp_path):
    tiny = study(ARMS)
    first, second = (write(tmp_path / name, tiny, fake_replays(tiny)).read_bytes() for name in "ab")
    assert first == second


def test_nothing_in_the_embedded_data_can_end_its_element_and_all_of_it_comes_back():
    data = {"label": "</script><!--<script>&amp;\u2028\"'\\", "number": 1.5}
    text = str(embedding.embed(data))
    assert not re.search("[<>&]", text)
    assert json.loads(text) == data


def test_packed_numbers_come_back_within_their_unit():
    array = np.random.default_rng(0).normal(size=(100, 4, 2)) * 3
    packed = html_data.pack(array)
    whole = np.frombuffer(base64.b64decode(packed["data"]), "<i2").reshape(array.shape)
    np.testing.assert_allclose(whole * packed["unit"], array, atol=packed["unit"] * 0.51)
    assert packed["unit"] <= np.abs(array).max() / 32767 * 1.001
    hostile = html_data.pack(np.array([np.nan, np.inf, -np.inf, 1.0]))
    assert np.frombuffer(base64.b64decode(hostile["data"]), "<i2").tolist() == [0, 0, 0, 32767]
    assert html_data.pack(np.zeros(3))["unit"] == 1


def test_two_arms_that_share_a_run_both_have_its_replay():
    twice = study({"a": {}, "b": {}}, seeds=1, environments=("CartPole-v1",))
    runs = html_data.shown_runs(twice)
    shown = next(replay for replay in fake_replays(twice))
    assert [row["arm"] for row in html_data.replay(shown, ["a", "b"], runs)] == [0, 1]


def data_of(path):
    return json.loads(re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"))[1])  # pyright: ignore


def contrast(page, selector):
    """The least contrast of an element's text with what lies behind it (WCAG 2)."""
    pairs = page.locator(selector).evaluate_all("""nodes => nodes.map(node => {
        const text = getComputedStyle(node).color;
        while (getComputedStyle(node).backgroundColor === "rgba(0, 0, 0, 0)") node = node.parentElement;
        return [text, getComputedStyle(node).backgroundColor];
    })""")
    ordered = [sorted(map(luminance, pair)) for pair in pairs]
    return min((bright + 0.05) / (dark + 0.05) for dark, bright in ordered)


def luminance(colour):
    channels = np.array([int(number) for number in re.findall(r"\d+", colour)[:3]]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
