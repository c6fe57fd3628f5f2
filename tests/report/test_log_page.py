"""The report on logs in a browser: it opens in silence, and draws every chart."""

from helpers import logs
from helpers.browsers import chromium, needs_chromium, quiet
from morphorl.analysis.logs import verdicts
from morphorl.analysis.logs.runs import load
from morphorl.report import log_page

pytestmark = needs_chromium
CHARTS = ("learning", "survival", "profile", "early", "luck")


def test_it_opens_from_disk_in_silence_with_every_chart_drawn(tmp_path):
    for env in ("CartPole-v1", "Acrobot-v1"):
        logs.two_arms(tmp_path / env, gain=5.0, env=env)
    found = load([tmp_path], pattern="{arm}/seed_{seed}", thresholds={"": 105.0})
    judged = verdicts.judge(found, None, "area_under_curve")
    path = log_page.write(tmp_path / "page", found, found.curves(), judged, "morphorl report logs")
    with chromium() as browser, quiet(browser, path) as page:
        drawn = {kind: page.locator(f"figure[data-chart={kind}] svg.chart").count() for kind in CHARTS}
        first = page.locator("h2").first.inner_text()
        page.locator("#legend button").first.click()
        arms = page.locator("figure[data-chart=profile] .arm").count()
    assert first == "Verdicts"
    assert drawn == dict.fromkeys(CHARTS, 2)
    assert arms == 2  # of four, when one arm is switched off
