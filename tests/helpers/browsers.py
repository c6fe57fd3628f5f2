"""Chromium for the tests of pages: pages are opened from disk, and are watched for noise and requests."""

import contextlib
import shutil

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium to open the page in; on Debian: apt-get install -y chromium"
)


@contextlib.contextmanager
def chromium():
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def quiet(browser, path, **options):
    """A page; when it is left, that it was quiet and asked for nothing but itself is asserted.

    Workers made of the page's own text are no requests to anybody: their addresses begin with `blob:`.
    """
    noise, requests = [], []
    page = browser.new_page(**options)
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.on("dialog", lambda dialog: (noise.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    yield page
    page.close()
    assert noise == []
    assert [url for url in requests if not url.startswith("blob:")] == [path.as_uri()]
