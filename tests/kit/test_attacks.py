"""What somebody tries who sits beside the product: on a sibling host, in a link, or at the keyboard of the browser."""

from collections.abc import Iterator

import pytest

from tests.kit.products import FORMS, World, world


@pytest.fixture(params=FORMS)
def scene(request: pytest.FixtureRequest) -> Iterator[World]:
    scene = world(request.param)
    yield scene
    scene.kit.close()


def test_it_takes_no_token_that_hides_in_another_cookie(scene: World) -> None:
    scene.enter()
    token = scene.browser.cookies.pop("sallyport-acting")
    scene.browser.cookies["theme"] = f"dark,sallyport-acting={token}"
    seen = scene.browser.open("/members")
    assert (seen.status, seen.get("X-Impersonation-Refused")) == (401, "token_refused")
    assert scene.told.ran == []


def test_it_finds_the_token_behind_an_empty_one(scene: World) -> None:
    scene.enter()
    scene.browser.cookies = {"theme": "a,sallyport-acting=", **scene.browser.cookies}
    scene.browser.open("/members")
    assert [each["usage"] for each in scene.told.seen] == [False]


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_it_lets_no_other_site_press_the_button(scene: World, site: str) -> None:
    sid = scene.enter()
    held = dict(scene.browser.cookies)
    for cookies in (held, {}):  # a form of another site comes without the cookie, and could still wipe it
        scene.browser.cookies = dict(cookies)
        seen = scene.browser.post("/sallyport/leave", Sec_Fetch_Site=site)
        assert (seen.status, seen.get("Set-Cookie"), seen.get("Clear-Site-Data")) == (403, "", "")
    assert scene.console.rows[sid].ended_by == ""
