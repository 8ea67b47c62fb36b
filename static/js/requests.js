/* What leaves the page: the CSRF header of htmx requests, one submit per form, and where focus goes after a swap. */
(() => {
  "use strict";
  const SAFE = ["GET", "HEAD", "OPTIONS"];
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

  document.addEventListener("htmx:config:request", (event) => {
    const request = event.detail.ctx.request;
    if (!SAFE.includes(String(request.method).toUpperCase())) request.headers["X-CSRFToken"] = token();
  });
  document.addEventListener("htmx:before:request", (event) => event.target.setAttribute?.("aria-busy", "true"));
  document.addEventListener("htmx:finally:request", (event) => event.target.removeAttribute?.("aria-busy"));

  // The button stays focusable and keeps its name and value; only a second submit is swallowed.
  // A form that answers with a file never leaves the page: it says data-repeatable.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const isPost = (form.getAttribute("method") ?? "").toLowerCase() === "post";
    if (!isPost || event.defaultPrevented || "repeatable" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "true";
    event.submitter?.setAttribute("aria-busy", "true");
  });

  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll('[aria-busy="true"]')) button.removeAttribute("aria-busy");
    }
  });

  // A new main column takes the focus with it, otherwise the keyboard would start again at the top of the document.
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx?.target;
    const wanted = target?.querySelector?.("[data-focus-on-load]");
    if (wanted) wanted.focus();
    else if (target?.id === "main") target.focus({ preventScroll: true });
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-focus-on-load]")?.focus();
  });
})();
