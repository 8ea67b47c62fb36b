/* The keyboard: / search, Ctrl or Cmd K palette, j k enter in rows, g then a letter to go, ? for the list, copy buttons. */
(() => {
  "use strict";
  let goUntil = 0;
  const isTyping = (element) => element.closest("input, textarea, select, [contenteditable]") !== null;
  const isDialogOpen = () => document.querySelector("dialog[open]") !== null;

  const openDialog = (name) => {
    const dialog = document.querySelector(`dialog[data-dialog="${name}"]`);
    if (!dialog) return false;
    if (!dialog.open) dialog.showModal();
    dialog.dispatchEvent(new CustomEvent("dialog-opened", { bubbles: true }));
    return true;
  };

  // A row says which of its controls is its own; else its first is. What only copies an id is stopped at where no row has more.
  const ownControl = (row) => row.querySelector("[data-own]")
    ?? row.querySelector("a[href], button:not([disabled]):not([data-copy])") ?? row.querySelector("[data-copy]");
  const rowLinks = () => {
    const links = [...document.querySelectorAll("[data-rows] > *")].map(ownControl)
      .filter((link) => link && link.getClientRects().length > 0);
    const ways = links.filter((link) => !link.matches("[data-copy]"));
    return ways.length ? ways : links;
  };

  const step = (by) => {
    const links = rowLinks();
    if (!links.length) return;
    const row = document.activeElement.closest("[data-rows] > *");
    const at = row ? links.findIndex((link) => row.contains(link)) : -1;
    const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1);
    links[next].focus();
    links[next].scrollIntoView({ block: "nearest" });
  };

  const act = (event) => {
    if (event.key === "/") {
      const box = document.querySelector("[data-search]");
      box?.focus();
      box?.select();
    } else if (event.key === "?") {
      openDialog("keys");
    } else if (event.key === "j") {
      step(1);
    } else if (event.key === "k") {
      step(-1);
    } else if (event.key === "g") {
      goUntil = Date.now() + 1200;
    } else {
      return false;
    }
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      if (openDialog("palette")) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isDialogOpen() || isTyping(event.target)) return;
    if (Date.now() < goUntil && event.key !== "g") {
      goUntil = 0;
      const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) {
        event.preventDefault();
        link.click();
        return;
      }
    }
    if (act(event)) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-dialog]");
    if (opener && openDialog(opener.dataset.openDialog)) event.preventDefault();
    const closer = event.target.closest("[data-close-dialog]");
    if (closer) closer.closest("dialog")?.close();
    // A click on the backdrop has the dialog itself as its target.
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });

  document.addEventListener("DOMContentLoaded", () => {
    if (!/Mac|iPhone|iPad/.test(navigator.platform)) return;
    for (const cap of document.querySelectorAll(".kbd")) if (cap.textContent === "Ctrl") cap.textContent = "⌘";
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const live = document.querySelector("[data-announce]");
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      if (live) live.textContent = "Copying is blocked by the browser: select the text instead";
      return;
    }
    if (live) live.textContent = "Copied";
    if (button.dataset.copied) return;
    const sign = button.querySelector("use");
    const usual = sign.getAttribute("href");
    button.dataset.copied = "true";
    sign.setAttribute("href", usual.replace(/#.*/, "#check"));
    setTimeout(() => {
      delete button.dataset.copied;
      sign.setAttribute("href", usual);
    }, 1500);
  });
})();
