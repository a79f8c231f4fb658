"""The page of `lineament insight` in a real Chromium: insight_page.py PAGE AXE SCREENSHOTS.

Opens it at three widths, in light and dark, unfolds everything, and lets axe look. Fails on an axe finding, a word in the console, a
request for anything but the file itself, or a page wider than its window; then goes through it by keyboard.
"""

import sys
from pathlib import Path

from axe import complaints
from playwright.sync_api import sync_playwright

PAGE, AXE, SCREENSHOTS = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).read_text(), Path(sys.argv[3])
WIDTHS = {360: 740, 768: 1024, 1280: 900}


class Visit:
    def __init__(self, browser, width, scheme):
        self.context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme)
        self.page, self.complaints, self.asked = self.context.new_page(), [], []
        self.name = f"{width}-{scheme}"
        self.page.on("console", lambda message: self.complaints.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(PAGE.as_uri())

    def axe(self, state):
        self.complaints += complaints(self.page, AXE, state)

    def close(self):
        self.context.close()
        foreign = [url for url in self.asked if not url.startswith("data:") and url != PAGE.as_uri()]
        assert not foreign, f"{self.name}: asked for {foreign}"
        assert not self.complaints, "\n".join([self.name, *self.complaints])


def look(browser, width, scheme):
    visit = Visit(browser, width, scheme)
    visit.axe("as opened")
    visit.page.screenshot(path=SCREENSHOTS / f"insight-{visit.name}.png", full_page=True)
    visit.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    visit.axe("unfolded")
    broken = visit.page.evaluate("[...document.images].filter((one) => !one.naturalWidth).length")
    assert broken == 0, f"{broken} pictures are not shown"
    visit.page.screenshot(path=SCREENSHOTS / f"insight-{visit.name}-unfolded.png", full_page=True)
    visit.close()


def use(browser):
    visit = Visit(browser, 768, "light")
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    # From one stop to the next, every folded table can be opened and every table reached.
    for _ in range(60):
        page.keyboard.press("Tab")
        # The way begins anew after the last stop: what is open stays open.
        if page.evaluate("document.activeElement.matches('details:not([open]) > summary')"):
            page.keyboard.press("Enter")
    opened = page.evaluate("document.querySelectorAll('main details[open]').length")
    assert opened == page.evaluate("document.querySelectorAll('main details').length") > 3, opened
    for target in page.evaluate("[...document.querySelectorAll('nav a')].map((one) => one.hash.slice(1))"):
        assert page.evaluate(f"document.getElementById('{target}')?.tagName") == "H2", target
    visit.close()


with sync_playwright() as play:
    chromium = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            look(chromium, width, scheme)
    use(chromium)
    chromium.close()
print(f"{PAGE.name}: nothing wrong")
