/* The command palette: a combobox whose list htmx fetches; arrows choose, enter goes, escape closes. */
(() => {
  "use strict";
  const options = (dialog) => [...dialog.querySelectorAll('[role="option"]')];

  const choose = (dialog, index) => {
    const input = dialog.querySelector('[role="combobox"]');
    const all = options(dialog);
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    input.setAttribute("aria-expanded", String(all.length > 0));
    if (all[index]) {
      input.setAttribute("aria-activedescendant", all[index].id);
      all[index].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };

  document.addEventListener("dialog-opened", (event) => {
    const input = event.target.querySelector('[role="combobox"]');
    if (!input) return;
    input.focus();
    input.select();
    input.dispatchEvent(new CustomEvent("palette-open"));
  });

  document.addEventListener("htmx:after:swap", () => {
    const dialog = document.querySelector('dialog[data-dialog="palette"][open]');
    if (dialog) choose(dialog, 0);
  });

  document.addEventListener("keydown", (event) => {
    const dialog = event.target.closest?.('dialog[data-dialog="palette"]');
    if (!dialog) return;
    const all = options(dialog);
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const isCaretKey = (event.key === "Home" || event.key === "End") && event.target.value !== "";
    if (event.key in moves && !isCaretKey && all.length) {
      event.preventDefault();
      choose(dialog, (moves[event.key] + all.length) % all.length);
    } else if (event.key === "Enter" && all[at]) {
      event.preventDefault();
      all[at].click();
    }
  });
})();
