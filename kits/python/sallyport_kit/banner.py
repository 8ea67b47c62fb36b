"""The banner: who acts for whom, why, until when, and the way out; and the two small files that it needs.

Style and script are files of the product's own address, so that a strict content security policy lets them in; where
that policy works by nonce, the nonce of the answer is put on them. Without either the banner still stands and works.
"""

import re
from datetime import UTC, datetime
from functools import lru_cache
from html import escape

from sallyport_kit.acting import Acting

ID = "sallyport-banner"
LEAVE, ACTIVE, STYLE, SCRIPT = (f"/sallyport/{name}" for name in ("leave", "active", "banner.css", "banner.js"))
_NONCE = re.compile(r"'nonce-([A-Za-z0-9+/_=-]+)'")


def banner(who: Acting, *, label: str, now: float, policy: str = "", root: str = "", oob: bool = False) -> bytes:
    """Return the banner in ASCII, which every encoding of a page understands.

    Shape: `policy` is the answer's Content-Security-Policy, `root` the mount point, `oob` for a piece that htmx swaps
    by its id instead of into the page's target.
    """
    opening, closing = _frame(who, label, root, oob)
    left, idle = max(0, int(who.not_after - now)), max(0, int(who.idle_until - now))
    return f'{opening} data-left="{left}" data-idle="{idle}">{"" if oob else _files(policy, root)}{closing}'.encode()


@lru_cache(maxsize=256)
def _frame(who: Acting, label: str, root: str, oob: bool) -> tuple[str, str]:  # noqa: FBT001  a part of the key
    """Return what stays the same from answer to answer."""
    ends = datetime.fromtimestamp(who.not_after, UTC).strftime("%H:%M UTC")
    mode = "Reading and writing" if who.may_write else "Reading only"
    why = " ".join(part for part in (who.reason_code, who.reference) if part)
    swap = ' hx-swap-oob="true"' if oob else ""
    opening = (
        f'<aside id="{ID}" class="sallyport-banner" data-mode="{escape(who.mode)}"{swap}'
        f' data-root="{escape(root)}" aria-label="Impersonation"'
    )
    closing = (
        f"<strong>You act as {escape(label)}</strong> "
        f"<span>{escape(who.staff_name)}</span> "
        f"<span>{mode}</span> "
        f"<span>{escape(why)}</span> "
        f'<span>ends at <time>{ends}</time> <span data-countdown aria-hidden="true"></span></span> '
        f'<form method="post" action="{escape(root)}{LEAVE}" hx-boost="false"><button>Leave</button></form>'
        "</aside>"
    )
    return _ascii(opening), _ascii(closing)


def _files(policy: str, root: str) -> str:
    """Return style and script; a fragment goes into a page that has both already."""
    nonce = _NONCE.search(policy)
    allowed = f' nonce="{nonce[1]}"' if nonce else ""
    at = _ascii(escape(root))
    return f'<link rel="stylesheet" href="{at}{STYLE}"{allowed}><script src="{at}{SCRIPT}"{allowed} defer></script>'


def _ascii(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode()


CSS = b""".sallyport-banner, .sallyport-banner * { all: revert; box-sizing: border-box; }
.sallyport-banner {
  position: sticky; top: 0; z-index: 2147483647; display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center;
  padding: 8px 16px; font: 14px/20px system-ui, sans-serif; color: #ffffff; background: #5b21b6;
  border-bottom: 3px solid #2e1065;
}
.sallyport-banner[data-mode="write"] { background: #9f1239; border-color: #4c0519; }
.sallyport-banner link, .sallyport-banner script { display: none; }
.sallyport-banner form { margin: 0 0 0 auto; }
.sallyport-banner button {
  font: inherit; font-weight: 600; padding: 4px 12px; color: #1e1b4b; background: #ffffff; border: 2px solid #ffffff;
  border-radius: 6px; cursor: pointer;
}
.sallyport-banner button:focus-visible { outline: 3px solid #fde047; outline-offset: 2px; }
.sallyport-banner [data-countdown] { font-variant-numeric: tabular-nums; font-weight: 600; }
@media print { .sallyport-banner { position: static; } }
.sallyport-body { margin: 0; }
.sallyport-page { font: 16px/24px system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 16px; }
.sallyport-page h1 { font-size: 24px; line-height: 32px; }
"""

JS = b"""// Counts down, tells the product that somebody is there, and never shows a page out of the browser's memory.
(() => {
  if (window.sallyportBanner) return;
  window.sallyportBanner = true;
  const EVERY_MS = 20000;
  let shown = null, since = 0, active = 0, marked = false;
  const find = () => document.getElementById("sallyport-banner");
  const clock = (s) => Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
  const words = (s) => s >= 120 ? Math.floor(s / 60) + " min" : clock(s);
  const tick = () => {
    const banner = find();
    if (!banner) return;
    if (banner !== shown) { shown = banner; since = performance.now(); }
    if (!marked) { marked = true; document.title = "\\u25cf " + document.title; }
    const gone = Math.floor((performance.now() - since) / 1000);
    const all = Number(banner.dataset.left) - gone, idle = Number(banner.dataset.idle) - gone;
    const place = banner.querySelector("[data-countdown]");
    if (!place) return;
    if (Math.min(all, idle) <= 0) place.textContent = "(ended)";
    else if (idle < all) place.textContent = "(idle: " + words(idle) + " left)";
    else place.textContent = "(" + words(all) + " left)";
  };
  const press = (event) => {
    const banner = find();
    if (!banner || !event.isTrusted || performance.now() - active < EVERY_MS) return;
    active = performance.now();
    fetch(banner.dataset.root + "/sallyport/active", { method: "POST", headers: { "X-Sallyport-Press": "1" } })
      .then((answer) => {
        const idle = answer.headers.get("X-Impersonation-Idle-Seconds");
        const now = find();
        if (answer.ok && idle && now) {
          now.dataset.left = answer.headers.get("X-Impersonation-Left-Seconds");
          now.dataset.idle = idle;
          shown = now;
          since = performance.now();
        }
      })
      .catch(() => {});
  };
  active = performance.now();
  document.addEventListener("pointerdown", press, { capture: true, passive: true });
  document.addEventListener("keydown", press, { capture: true, passive: true });
  window.addEventListener("pageshow", (event) => { if (event.persisted) window.location.reload(); });
  setInterval(tick, 1000);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tick); else tick();
})();
"""
