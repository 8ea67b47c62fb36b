/* Sets the chosen theme before the first paint; everything else about the theme waits for the page. */
(() => {
  "use strict";
  const root = document.documentElement;
  const apply = (choice) => {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
  };
  const mark = (choice) => {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    }
  };
  let choice = "auto";
  try {
    choice = localStorage.getItem("sallyport-theme") || "auto";
  } catch {
    choice = "auto"; // storage may be blocked by the browser: the system's theme is used
  }
  apply(choice);
  document.addEventListener("DOMContentLoaded", () => mark(choice));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    choice = button.dataset.themeChoice;
    apply(choice);
    mark(choice);
    try {
      localStorage.setItem("sallyport-theme", choice);
    } catch {
      return; // the choice then lasts as long as the page
    }
  });
})();
