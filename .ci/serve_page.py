"""The page in a real Chromium: serve_page.py ADDRESS AXE EXAMPLES SCREENSHOTS GUARDED TOKEN, the last two for a service with a token.

Drops a picture at three widths, in light and dark, lets axe look at every state, and uses what there is to use. Fails on an axe
finding, a console error, a request to another host, an answer later than half a second, or a page wider than its window.
"""

import base64
import json
import statistics
import sys
from functools import partial
from pathlib import Path

from playwright.sync_api import sync_playwright
from visit import GIVE, WIDTHS, photo
from visit import Visit as AnyVisit

ADDRESS, AXE, EXAMPLES, SCREENSHOTS = sys.argv[1], Path(sys.argv[2]).read_text(), Path(sys.argv[3]), Path(sys.argv[4])
GUARDED, TOKEN = sys.argv[5:7]
WITHIN = 500  # ms, from drop to answers on the page

Visit = partial(AnyVisit, axe=AXE, screenshots=SCREENSHOTS)


def picture(name):
    return photo(EXAMPLES / name)


def look(browser, width, scheme):
    visit = Visit(browser, ADDRESS, width, scheme)
    visit.axe("empty")
    visit.shot("empty")
    took = visit.page.evaluate(GIVE, ["drop", [picture("astronaut.png")]])
    visit.page.locator("#map").check()
    visit.page.locator("#stage .layer").wait_for()
    visit.axe("answered")
    visit.shot("answered")
    visit.page.locator("#map").uncheck()
    visit.page.get_by_label("Smiling").focus()
    visit.until("document.getElementById('region').textContent.startsWith('Smiling rests most on')")
    visit.page.locator("#stage image.region").wait_for(state="attached")
    visit.axe("region")
    visit.page.screenshot(path=SCREENSHOTS / f"{visit.name}-region.png")
    # What has the focus is not under the picture that stays in sight.
    assert visit.page.evaluate("document.elementFromPoint(...(({ x, y, height }) => [x + 8, y + height / 2])("
                               "document.activeElement.getBoundingClientRect())) === document.activeElement"), visit.name
    visit.close()
    return took


def point(visit):
    """Regions by mouse and by keyboard: requested once, described in words, gone with Escape."""
    page = visit.page
    region, note = page.locator("#stage image.region"), page.locator("#region")
    maps = set()
    for name in ("Smiling", "Eyeglasses", "Wavy_Hair", "Smiling"):
        page.locator(f"#attributes li[data-name={name}] label").hover()
        visit.until(f"document.getElementById('region').textContent.startsWith({name.replace('_', ' ')!r})")
        maps.add(region.get_attribute("href"))
        assert "rests most on" in note.inner_text() and page.locator("#stage rect.region").count() == 1
    assert len(maps) == 3, "each attribute has a map of its own"
    visit.axe("pointed at")
    page.mouse.move(1, 1)
    visit.until("!document.querySelector('.region')")
    page.get_by_label("Smiling").focus()
    region.wait_for(state="attached")
    assert note.get_attribute("aria-live") == "polite"
    page.keyboard.press("Tab")
    visit.until("!document.getElementById('region').textContent.startsWith('Smiling')")
    region.wait_for(state="attached")
    page.keyboard.press("Escape")
    assert region.count() == 0 and note.inner_text() == ""
    assert [request.path for request in visit.asked].count("/v1/explain") == 1


def use(browser):
    visit = Visit(browser, ADDRESS, 1280, "light")
    page = visit.page
    # By keyboard alone: the first stop leads on, the second takes pictures.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pick"

    page.evaluate(GIVE, ["dragenter", [picture("astronaut.png")]])
    assert page.locator("#veil").is_visible()
    page.evaluate(GIVE, ["drop", [picture("astronaut.png")]])
    assert page.locator("#veil").is_hidden()
    assert page.locator("#stage rect").count() == 1
    assert "one face" in page.locator("#status").inner_text()
    rows = page.locator("#attributes li:visible")
    shares = [int(text.split()[0]) for text in rows.locator(".share").all_inner_texts()]
    assert len(shares) == 40 and shares == sorted(shares, reverse=True)

    point(visit)
    page.locator("#search").fill("smil")
    assert rows.count() == 1 and rows.first.get_attribute("data-name") == "Smiling"
    assert rows.locator(".answer").inner_text() == "yes"
    page.get_by_label("Smiling").focus()
    page.keyboard.press("End")
    assert rows.locator(".answer").inner_text() == "no"
    assert page.locator("#thresholds").input_value() == "own"
    page.locator("#thresholds").select_option("accuracy")
    assert rows.locator(".answer").inner_text() == "yes"
    page.locator("#search").fill("zzz")
    assert page.locator("#none").is_visible()
    page.locator("#search").fill("")
    page.get_by_label("Only those present").check()
    assert 0 < rows.count() < 40 and set(rows.locator(".answer").all_inner_texts()) == {"yes"}
    page.get_by_label("Only those present").uncheck()

    page.locator("#files").set_input_files([EXAMPLES / "chelsea.png", EXAMPLES / "coffee.png"])
    visit.until("[...document.querySelectorAll('.state')].every((one) => one.textContent !== 'waiting')")
    page.evaluate(GIVE, ["paste", [["broken.png", "image/png", base64.b64encode(b"no picture").decode()]]])
    visit.until("document.getElementById('status').textContent.includes('broken.png: the picture is refused')")
    # The browser reports the refusal, too.
    visit.complaints = [text for text in visit.complaints if "422" not in text]
    thumbs = page.locator("#thumbs li")
    assert thumbs.count() == 4
    page.locator("#filter").fill("Smiling and not Eyeglasses")
    assert thumbs.count() == 1 and "astronaut" in thumbs.inner_text()
    visit.axe("filtered")
    page.locator("#filter").fill("not (Smiling or Eyeglasses)")
    assert "astronaut" not in "".join(thumbs.all_inner_texts())
    page.locator("#filter").fill("Smilin and Bald")
    assert "Smiling" in page.locator("#filter-note").inner_text()
    page.locator("#filter").fill("")
    visit.axe("gallery")
    visit.shot("gallery")

    with page.expect_download() as download:
        page.locator("#download").click()
    answers = json.loads(Path(download.value.path()).read_text())
    assert [answer["path"] for answer in answers] == ["astronaut.png", "chelsea.png", "coffee.png"]
    assert answers[0]["faces"][0]["attributes"]["Smiling"]["value"] is True

    page.locator("#clear").click()
    assert page.locator("#result").is_hidden() and page.evaluate("document.activeElement.id") == "pick"
    page.locator("#example").click()
    page.locator("#attributes li").first.wait_for()
    visit.close()


def search(browser):
    """Other faces: asked for by each control, for photos that are there already and for what is explained of them."""
    visit = Visit(browser, ADDRESS, 1280, "light")
    page = visit.page
    page.evaluate(GIVE, ["drop", [picture("astronaut.png")]])
    page.get_by_text("Which faces are looked for").click()
    visit.axe("search")
    # The astronaut's face is less than a quarter of the photo in height.
    page.get_by_label("Smallest face").select_option("25 % of the longer side")
    page.locator("#no-face").wait_for()
    page.get_by_label("Smallest face").select_option("usual")
    page.locator("#attributes li").first.wait_for()
    page.get_by_label("Faces at most").fill("1")
    page.get_by_label("Also on their side or upside down").check()
    visit.until("document.getElementById('status').textContent === 'astronaut.png: one face.'")
    assert page.locator("#stage rect").count() == 1
    page.get_by_label("Smiling").focus()
    visit.until("document.getElementById('region').textContent.startsWith('Smiling rests most on')")
    queries = [request.query for request in visit.asked if request.path == "/v1/predict"]
    assert queries[:3] == ["", "smallest_face=25%25", ""] and queries[-1] == "any_orientation=true&max_faces=1", queries
    [explained] = [request.query for request in visit.asked if request.path == "/v1/explain"]
    assert explained.endswith(queries[-1]), explained
    visit.close()


def enter(browser):
    visit = Visit(browser, GUARDED, 768, "light", ready="!document.getElementById('door').hidden")
    page = visit.page
    page.evaluate(GIVE, ["paste", [picture("astronaut.png")]])
    visit.axe("before the door")
    for token, opens in (("wrong-token-of-some-length", False), (TOKEN, True)):
        page.locator("#token").fill(token)
        page.locator("#token").press("Enter")
        if opens:
            page.locator("#attributes li").first.wait_for()
            assert page.locator("#door").is_hidden()
        else:
            page.wait_for_timeout(200)
            assert page.locator("#door").is_visible()
    # The browser reports refusals, too.
    visit.complaints = [text for text in visit.complaints if "401" not in text]
    visit.close()


def docs(browser, scheme):
    visit = Visit(browser, ADDRESS, 768, scheme)
    visit.page.goto(ADDRESS + "/docs")
    visit.page.locator("section").nth(5).wait_for()
    section = visit.page.locator("section", has=visit.page.locator("#predict-files"))
    section.locator("input[type=file]").set_input_files(EXAMPLES / "astronaut.png")
    section.get_by_role("button", name="Send").click()
    section.get_by_text("200 OK").wait_for()
    visit.axe("docs")
    visit.shot("docs")
    visit.close()


with sync_playwright() as play:
    chromium = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    times = [look(chromium, width, scheme) for width in WIDTHS for scheme in ("light", "dark")]
    use(chromium)
    search(chromium)
    enter(chromium)
    for scheme in ("light", "dark"):
        docs(chromium, scheme)
    chromium.close()
print("from drop to answer, ms:", ", ".join(f"{time:.0f}" for time in times))
assert statistics.median(times) < WITHIN, f"half of the answers come later than {WITHIN} ms"
print("the page: nothing wrong")
