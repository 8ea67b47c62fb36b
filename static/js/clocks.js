/* Time on the page: the two clocks, relative times, countdowns and the re-masking of revealed fields. */
(() => {
  "use strict";
  const MINUTE = 60;
  const HOUR = 3600;
  const DAY = 86400;
  const SOON = 5 * MINUTE;
  const LAST = MINUTE;
  const serverNow = Date.parse(document.querySelector('meta[name="server-now"]')?.content ?? "");
  // The staff member's computer may be wrong by minutes; the server decides when a lease ends.
  const skew = Number.isNaN(serverNow) ? 0 : serverNow - Date.now();
  const now = () => Date.now() + skew;
  const two = (number) => String(number).padStart(2, "0");
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  // As the server writes them: browsers shorten September to four letters, and some put a dot.
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const day = (date) => `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  const dayAndYear = (date) => `${day(date)} ${date.getFullYear()}`;
  const full = (date) => `${dayAndYear(date)}, ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":")}`;

  const announce = (text) => {
    const live = document.querySelector("[data-announce]");
    if (live) live.textContent = text;
  };
  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };

  const relative = (moment) => {
    const seconds = Math.round((moment - now()) / 1000);
    const size = Math.abs(seconds);
    const phrase = (number, unit) => (seconds < 0 ? `${number} ${unit} ago` : `in ${number} ${unit}`);
    if (size < 10) return "just now";
    if (size < MINUTE) return phrase(size, "s");
    if (size < HOUR) return phrase(Math.round(size / MINUTE), "min");
    if (size < DAY) return phrase(Math.round(size / HOUR), "h");
    if (size < 7 * DAY) return phrase(Math.round(size / DAY), Math.round(size / DAY) === 1 ? "day" : "days");
    const date = new Date(moment);
    return date.getFullYear() === new Date(now()).getFullYear() ? day(date) : dayAndYear(date);
  };

  const left = (seconds) => {
    if (seconds >= DAY) return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
    if (seconds >= HOUR) return `${Math.floor(seconds / HOUR)} h ${two(Math.floor((seconds % HOUR) / MINUTE))} min`;
    return `${two(Math.floor(seconds / MINUTE))}:${two(seconds % MINUTE)}`;
  };

  const countdown = (element) => {
    const seconds = Math.ceil((Date.parse(element.dataset.until) - now()) / 1000);
    const before = element.dataset.state;
    const state = seconds <= 0 ? "over" : seconds <= LAST ? "last" : seconds <= SOON ? "soon" : "calm";
    const label = element.querySelector("[data-left]") ?? element;
    write(label, seconds <= 0 ? element.dataset.over || "ended" : left(seconds));
    if (state === before) return;
    element.dataset.state = state;
    if (!before || !element.dataset.label) return; // the state on arrival is on the screen already
    if (state === "soon") announce(`${element.dataset.label}: 5 minutes left`);
    if (state === "last") announce(`${element.dataset.label}: 1 minute left`);
    if (state === "over") announce(`${element.dataset.label}: ended`);
  };

  // Whatever htmx fetches counts as activity on the server too, so the idle limit starts anew.
  const renewIdle = () => {
    for (const element of document.querySelectorAll("[data-idle]")) {
      element.dataset.until = new Date(now() + Number(element.dataset.idleSpan)).toISOString();
    }
  };

  const remask = (element) => {
    element.dataset.remaskAt ||= String(now() + Number(element.dataset.remaskSeconds) * 1000);
    const seconds = Math.ceil((Number(element.dataset.remaskAt) - now()) / 1000);
    const counter = element.querySelector("[data-left]");
    if (seconds > 0) {
      if (counter) write(counter, `${seconds} s`);
      return;
    }
    element.replaceChildren(element.dataset.mask);
    element.className = "masked masked__shape";
    delete element.dataset.remaskSeconds;
    announce(`${element.dataset.label || "The field"} is masked again`);
  };

  const paintTimes = () => {
    for (const element of document.querySelectorAll("time[data-relative]")) {
      const moment = Date.parse(element.dateTime);
      if (Number.isNaN(moment)) continue;
      element.dataset.absolute ||= element.title || element.textContent;
      element.title = `${element.dataset.absolute} (local ${full(new Date(moment))})`;
      write(element, relative(moment));
    }
  };

  // On paper "3 min ago" says nothing.
  const paintAbsolute = () => {
    for (const element of document.querySelectorAll("time[data-absolute]")) write(element, element.dataset.absolute);
  };

  const tick = () => {
    const date = new Date(now());
    for (const element of document.querySelectorAll("[data-clock]")) {
      const isUtc = element.dataset.clock === "utc";
      write(element, isUtc ? `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}` : clock.format(date));
    }
    document.querySelectorAll("[data-until]").forEach(countdown);
    document.querySelectorAll("[data-remask-seconds]").forEach(remask);
  };

  const paint = () => {
    paintTimes();
    tick();
  };
  for (const element of document.querySelectorAll("[data-idle]")) {
    element.dataset.idleSpan = String(Date.parse(element.dataset.until) - now());
  }
  document.addEventListener("DOMContentLoaded", paint);
  document.addEventListener("htmx:after:request", renewIdle);
  document.addEventListener("htmx:after:swap", paint);
  document.addEventListener("visibilitychange", () => document.hidden || paint());
  window.addEventListener("beforeprint", paintAbsolute);
  window.addEventListener("afterprint", paintTimes);
  setInterval(tick, 1000);
  setInterval(paintTimes, 30000);
})();
