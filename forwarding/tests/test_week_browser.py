"""The week of "Planifier" in the browser's hands, while the server answers late."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from pbxadmin.tests.installation import Installation

pytestmark = pytest.mark.browser

TAB = "/c/boreale/users/105/schedule"
DAYS = 7


@contextmanager
def late(page: Page, seconds: float) -> Iterator[None]:
    """Answers to what htmx asks come so much later."""

    def hold(route: Route) -> None:
        if route.request.headers.get("hx-request"):
            page.wait_for_timeout(seconds * 1000)
        route.continue_()

    page.route("**/*", hold)
    yield
    page.unroute_all(behavior="wait")


@contextmanager
def the_drawing_is_late(page: Page, seconds: float) -> Iterator[None]:
    """What is drawn anew comes so much later, and what was asked after it before it."""

    def hold(route: Route) -> None:
        page.wait_for_timeout(seconds * 1000)
        route.continue_()

    page.route(re.compile("draw=1"), hold)
    yield
    page.unroute_all(behavior="wait")


def opened(installation: Installation, page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1200})
    installation.sign_in(page, "102@")
    page.goto(f"{installation.url}{TAB}")
    with page.expect_response(re.compile("draw=1")):
        page.locator("[name=hours_mode][value=own]").check()
    expect(page.locator("[name=_begun]")).to_have_count(1)


def line(page: Page, name: str, day: int) -> Locator:
    return page.locator(f"[name='{name}.{day}']")


def test_a_week_is_typed_with_tab_while_answers_come_late(installation: Installation, page: Page) -> None:
    opened(installation, page)
    with late(page, 0.35):
        line(page, "office_hours", 0).focus()
        for day in range(DAYS):
            for start in (8, 12):
                page.keyboard.press("ControlOrMeta+a")
                page.keyboard.type(f"{start}:0{day}-{start + (9 if start == 8 else 1)}:00", delay=15)
                page.keyboard.press("Tab")
        # Backwards into the last one, a blank more: typed after everything was sent.
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("End")
        page.keyboard.type(", 15:00-15:15", delay=15)
        page.wait_for_timeout(2500)
    for day in range(DAYS):
        expect(line(page, "office_hours", day)).to_have_value(f"8:0{day}-17:00")
    for day in range(DAYS - 1):
        expect(line(page, "break_hours", day)).to_have_value(f"12:0{day}-13:00")
    expect(line(page, "break_hours", 6)).to_have_value("12:06-13:00, 15:00-15:15")
    expect(line(page, "break_hours", 6)).to_be_focused()
    # And what is drawn is what was typed.
    expect(page.locator("#bar-5")).to_have_attribute("data-open", "485-1020")


def test_a_bar_is_dragged_by_pointer_and_keyboard_and_a_day_copied(
    installation: Installation, page: Page
) -> None:
    opened(installation, page)
    line(page, "office_hours", 5).fill("8:00-12:00")
    with page.expect_response(re.compile("draw=1")):
        line(page, "office_hours", 5).blur()
    bar = page.locator("#bar-5")
    expect(bar).to_have_attribute("data-open", "480-720")
    box = bar.bounding_box()
    assert box

    def at(hour: float) -> tuple[float, float]:
        return box["x"] + box["width"] * hour / 24, box["y"] + box["height"] / 2

    def drag(start: float, end: float) -> None:
        page.mouse.move(*at(start))
        page.mouse.down()
        page.mouse.move(*at((start + end) / 2), steps=4)
        page.mouse.move(*at(end), steps=4)
        page.mouse.up()

    with late(page, 0.2):
        drag(12, 14)  # its end
        expect(line(page, "office_hours", 5)).to_have_value("8:00-14:00")
        drag(10, 11)  # the whole of it
        expect(line(page, "office_hours", 5)).to_have_value("9:00-15:00")
        drag(18, 20)  # a free stretch
        expect(line(page, "office_hours", 5)).to_have_value("9:00-15:00, 18:00-20:00")
    grip = page.locator("#grip-5-open-1-end")
    expect(grip).to_have_attribute("aria-valuetext", "20:00")
    with late(page, 0.2):
        grip.focus()
        for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight"):
            page.keyboard.press(key)
        expect(line(page, "office_hours", 5)).to_have_value("9:00-15:00, 18:00-21:30")
        page.wait_for_timeout(1500)
    expect(grip).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#grip-5-open-1-start")).to_be_focused()
    page.keyboard.press("Delete")
    expect(line(page, "office_hours", 5)).to_have_value("9:00-15:00")
    page.locator("[name=_copied]").select_option("5")
    page.locator("[name=_onto]").select_option("6")
    with page.expect_response(re.compile("schedule")):
        page.locator("#week-copy").press("Enter")
    expect(line(page, "office_hours", 6)).to_have_value("9:00-15:00")
    expect(page.locator("#week-copy")).to_be_focused()


def test_an_answer_that_comes_late_takes_back_nothing(installation: Installation, page: Page) -> None:
    opened(installation, page)
    page.locator("[name=_copied]").select_option("5")
    page.locator("[name=_onto]").select_option("6")
    with the_drawing_is_late(page, 1):
        with page.expect_response(re.compile("draw=1")) as drawn:
            line(page, "office_hours", 5).fill("10:00-11:00")
            line(page, "office_hours", 5).blur()
            with page.expect_response(lambda answer: answer.url.endswith("/schedule")):
                page.locator("#week-copy").press("Enter")
            expect(line(page, "office_hours", 6)).to_have_value("10:00-11:00")
        assert drawn.value.finished() is None
    # The late one knows nothing of the copy; then the week is drawn as it stands.
    expect(page.locator("#bar-6")).to_have_attribute("data-open", "600-660")
    expect(line(page, "office_hours", 6)).to_have_value("10:00-11:00")
    # And the next copy begins with the days that were chosen.
    expect(page.locator("[name=_copied]")).to_have_value("5")
    expect(page.locator("[name=_onto]")).to_have_value("6")
