/* Pages that follow something: server-sent events, asking again where there are none, a fresh page when its state changes. */
(() => {
  "use strict";
  const ASK_MS = 4000;
  const SPAN_MS = 15000;
  let root = null;
  let source = null;
  let timer = 0;
  let looks = [];

  const part = (name) => root.querySelector(`[data-live-value="${name}"]`);
  const write = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };
  const duration = (seconds) => {
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole} s`;
    if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
    return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  };

  const stop = () => {
    source?.close();
    source = null;
    clearTimeout(timer);
  };

  // The whole page comes anew, because other states have other buttons.
  const renew = () => {
    stop();
    const link = root.querySelector("[data-live-renew]");
    if (link && window.htmx) link.dispatchEvent(new CustomEvent("live-changed"));
    else window.location.reload();
  };

  const pace = (left) => {
    const at = performance.now();
    looks = [...looks.filter((look) => at - look.at <= SPAN_MS), { at, left }];
    const first = looks[0];
    if (looks.length < 2 || at - first.at < 1500) return;
    const rate = Math.max(0, ((first.left - left) * 1000) / (at - first.at));
    write(part("rate"), `${rate.toFixed(1)} a second`);
    write(part("remaining"), rate > 0 ? duration(left / rate) : "stands still");
  };

  const show = (values) => {
    for (const [name, value] of Object.entries(values)) {
      if (typeof value === "number") write(part(name), value.toLocaleString("en-GB"));
    }
    const bar = root.querySelector("[data-live-bar]");
    if (bar) bar.value = values.done;
    if (values.state === root.dataset.liveState) {
      if (typeof values.left === "number") pace(values.left);
      return;
    }
    write(document.querySelector("[data-announce]"), `The ${root.dataset.liveNoun ?? "replay"} is ${values.state}`);
    renew();
  };

  const ask = async () => {
    write(root.querySelector("[data-live-note]"), "Asks every few seconds.");
    try {
      const answer = await fetch(root.dataset.livePoll, { headers: { Accept: "application/json" } });
      if (answer.ok) show(await answer.json());
      else if (answer.status < 500) {
        renew();
        return;
      }
    } catch {
      write(root.querySelector("[data-live-note]"), "The console does not answer; asks again.");
    }
    if (root?.dataset.live) timer = setTimeout(ask, ASK_MS);
  };

  const follow = () => {
    source = new EventSource(root.dataset.live);
    source.onmessage = (event) => show(JSON.parse(event.data));
    source.addEventListener("over", renew);
    source.onerror = () => {
      // A stream that merely ended is opened again by the browser; one that was refused is not.
      if (source?.readyState !== EventSource.CLOSED) return;
      stop();
      ask();
    };
  };

  const begin = () => {
    stop();
    looks = [];
    root = document.querySelector("[data-live]");
    if (root?.dataset.live && !document.hidden) follow();
  };

  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx?.target?.id === "main") begin();
  });
  document.addEventListener("visibilitychange", begin);
  window.addEventListener("pagehide", stop);
})();
