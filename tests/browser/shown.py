"""What a walk through the gallery shows, and how a person of it leaves."""

from playwright.sync_api import Page

from tests.browser.navigator import Navigator

Shown = tuple[str, Page]  # a name that can be a file's, and the page that stands in the browser


def leave(person: Navigator) -> None:
    """Close the browser and hear its complaints; axe-core leaves style attributes behind, which htmx carries over."""
    person.complaints.heard = [each for each in person.complaints.heard if "Applying inline style" not in each]
    person.end()
