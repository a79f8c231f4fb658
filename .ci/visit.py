"""Visits to the page in a browser: what goes wrong on one, and whom it asks."""

import base64
import time
from urllib.parse import urlparse

from axe import complaints

WIDTHS = {360: 740, 768: 1024, 1280: 900}

# Gives files to the page as a drop or a paste would, and tells after how many ms the first answer stands there.
GIVE = """async ([event, files]) => {
  const data = new DataTransfer();
  for (const [name, type, bytes] of files)
    data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
  const begun = performance.now();
  document.body.dispatchEvent(event === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
    : new DragEvent(event, { dataTransfer: data, bubbles: true, cancelable: true }));
  if (event !== "drop") return 0;
  while (!document.querySelector("#attributes li")) {
    await new Promise(requestAnimationFrame);
    if (performance.now() - begun > 20000) throw new Error("no answer: " + document.getElementById("status").textContent);
  }
  return performance.now() - begun;
}"""


def photo(path, kind="image/png"):
    """A file as GIVE takes it."""
    return [path.name, kind, base64.b64encode(path.read_bytes()).decode()]


class Visit:
    """A page, what it complained of and whom it asked."""

    def __init__(self, browser, address, width, scheme, axe, screenshots, ready="document.getElementById('model').textContent !== ''"):
        self.address, self.rules, self.screenshots = address, axe, screenshots
        self.context = browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, has_touch=width < 768, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.name, self.complaints, self.asked = f"{width}-{scheme}", [], []
        self.page.on("console", lambda message: message.type in ("error", "warning") and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(urlparse(request.url)))
        self.page.goto(address)
        self.until(ready)

    def until(self, test, within=20):
        """Waits for it; Playwright's own way of waiting needs a policy that lets pages make code of texts."""
        end = time.monotonic() + within
        while not self.page.evaluate(test):
            assert time.monotonic() < end, f"{self.name}: never came: {test}"
            time.sleep(0.02)

    def axe(self, state):
        self.complaints += complaints(self.page, self.rules, state)

    def shot(self, state):
        self.page.screenshot(path=self.screenshots / f"{self.name}-{state}.png", full_page=True)

    def close(self):
        self.context.close()
        foreign = {request.netloc for request in self.asked} - {urlparse(self.address).netloc, ""}
        assert not foreign, f"{self.name}: asked {foreign}"
        assert not self.complaints, "\n".join([self.name, *self.complaints])
