/* The canvas kit that every chart stands on: scales, ticks, a frame with two layers (marks below, crosshair above), words for
   what is under the pointer, colours that follow the theme. Knows nothing of runs. */
(function (rf) {
  "use strict";
  const kit = (rf.kit = {});
  const root = document.documentElement;
  const SANS = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";
  const MAX_TIP_ROWS = 12;

  /* An element; text is always text. */
  kit.el = function (tag, props, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name === "text") made.textContent = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name === "cls" ? "class" : name, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };
  const el = kit.el;

  /* ---- Numbers ---- */

  /* Numbers as records spell them: NaN and infinities are texts. */
  kit.num = (value) => (typeof value === "number" ? value : value === "Infinity" ? Infinity : value === "-Infinity" ? -Infinity : NaN);

  kit.number = rf.number;
  kit.duration = rf.duration;
  kit.time = rf.time;

  /* ---- Scales ---- */

  function step(span, count) {
    const rough = span / Math.max(1, count);
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const left = rough / power;
    return power * (left < 1.5 ? 1 : left < 3.5 ? 2 : left < 7.5 ? 5 : 10);
  }

  function linearTicks(lo, hi, count, whole) {
    const by = whole ? Math.max(1, step(hi - lo, count)) : step(hi - lo, count);
    if (!(by > 0) || !Number.isFinite(by)) return [lo];
    const made = [];
    for (let at = Math.ceil(lo / by - 1e-9); at * by <= hi + by * 1e-9 && made.length < 100; at++) made.push(at * by + 0);
    return made;
  }

  function logTicks(lo, hi, count) {
    const first = Math.floor(Math.log10(lo)), last = Math.ceil(Math.log10(hi));
    const factors = last - first > count ? [1] : last - first > 2 ? [1, 3] : [1, 2, 5];
    const every = Math.max(1, Math.ceil((last - first) / count));
    const made = [];
    for (let power = first; power <= last; power += every) {
      for (const factor of factors) {
        const at = factor * Math.pow(10, power);
        if (at >= lo * (1 - 1e-9) && at <= hi * (1 + 1e-9)) made.push(at);
      }
    }
    return made.length > 1 ? made : linearTicks(lo, hi, count);
  }

  const UNITS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000];
  function timeTicks(lo, hi, count) {
    const want = (hi - lo) / 1000 / Math.max(1, count);
    if (want < 1) return linearTicks(lo, hi, count);
    const by = (UNITS.find((unit) => unit >= want) || step(want, 1)) * 1000;
    const made = [];
    for (let at = Math.ceil(lo / by) * by; at <= hi && made.length < 50; at += by) made.push(at);
    return made;
  }

  /* A scale from values to pixels. Kinds: linear, whole (ticks at whole numbers), log, time (UTC), span (milliseconds), cat (values are places in `names`). */
  kit.scale = function (kind, lo, hi, from, to, names) {
    if (kind === "cat") { lo = -0.5; hi = Math.max(1, names.length) - 0.5; }
    if (!(hi > lo)) {
      if (kind === "log" && lo > 0) { lo = lo / 2; hi = lo * 4; }
      // Of one moment a twentieth is a century.
      else { const pad = kind === "time" ? 30000 : Math.abs(lo) * 0.05 || 0.5; lo -= pad; hi = lo + 2 * pad; }
    }
    const log = kind === "log";
    const a = log ? Math.log(lo) : lo;
    const k = (to - from) / ((log ? Math.log(hi) : hi) - a);
    const vast = !log && hi - lo === Infinity; // 1e308 and -1e308: halves can be subtracted
    const share = (v) => (v / 2 - lo / 2) / (hi / 2 - lo / 2);
    return {
      kind, lo, hi, names,
      map: log ? (v) => (v > 0 ? from + (Math.log(v) - a) * k : NaN) : vast ? (v) => from + share(v) * (to - from) : (v) => from + (v - a) * k,
      inv: log ? (px) => Math.exp(a + (px - from) / k) : vast ? (px) => lo + ((px - from) / (to - from)) * hi - ((px - from) / (to - from)) * lo : (px) => a + (px - from) / k,
      ticks(count) {
        if (kind === "cat") return names.map((_, at) => at).filter((at) => at % Math.ceil(names.length / Math.max(1, count)) === 0);
        return log ? logTicks(lo, hi, count) : kind === "time" || kind === "span" ? timeTicks(lo, hi, count) : linearTicks(lo, hi, count, kind === "whole");
      },
      labels: (ticks) => labels(kind, ticks, names),
      words: (v) => (kind === "cat" ? names[Math.round(v)] || "" : kind === "time" ? kit.time(v) : kind === "span" ? kit.duration(v) : kit.number(v)),
    };
  };

  function labels(kind, ticks, names) {
    if (kind === "cat") return ticks.map((at) => names[at]);
    if (kind === "time") {
      const days = ticks.length > 1 ? ticks[1] - ticks[0] >= 86400000 : ticks[0] % 86400000 === 0, gap = ticks.length > 1 ? ticks[1] - ticks[0] : 60000;
      return ticks.map((at) => (days ? kit.time(at).slice(5, 10) : new Date(at).toISOString().slice(11, gap < 1000 ? 23 : gap < 60000 ? 19 : 16)));
    }
    if (kind === "span") return ticks.map((at) => (at === 0 ? "0" : kit.duration(at)));
    const most = Math.max(...ticks.map(Math.abs));
    if (kind === "log") return ticks.map(short);
    if (most >= 1e4) return ticks.map(short);
    const gap = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : most || 1;
    if (most > 0 && gap < 1e-4) return ticks.map((at) => (at === 0 ? "0" : at.toExponential(1).replace("e+", "e").replace("-", "−")));
    const digits = Math.min(6, Math.max(0, -Math.floor(Math.log10(gap) + 1e-9)));
    return ticks.map((at) => at.toFixed(digits).replace("-", "−"));
  }

  function short(v) {
    const size = Math.abs(v), sign = v < 0 ? "−" : "";
    const trim = (x) => String(parseFloat(x.toPrecision(3)));
    if (size === 0) return "0";
    if (size <= 1e-3 || size >= 1e12) return sign + size.toExponential(1).replace(".0e", "e").replace("e+", "e");
    for (const [unit, by] of [["G", 1e9], ["M", 1e6], ["k", 1e3]]) if (size >= by) return sign + trim(size / by) + unit;
    return sign + trim(size);
  }
  kit.short = short;

  /* ---- Colours ---- */

  const frames = new Set();
  let inks = null;
  /* The theme's colours, read once a theme. */
  kit.inks = function () {
    if (!inks) {
      const style = getComputedStyle(root), read = (name) => style.getPropertyValue("--" + name).trim() || "#888";
      inks = { s: [1, 2, 3, 4, 5, 6].map((at) => read("s" + at)) };
      for (const name of ["ink", "muted", "faint", "sheet", "sunk", "hair", "hair-strong", "field", "accent", "accent-wash", "bad", "good"]) inks[name] = read(name);
    }
    return inks;
  };
  kit.colour = (slot) => kit.inks().s[slot % 6];
  kit.dash = rf.dash;

  function repaint() {
    inks = null;
    frames.forEach((frame) => frame.redraw());
  }
  new MutationObserver(repaint).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);

  /* A swatch for legends and tables, drawn as SVG so that dashes show, too. */
  kit.swatch = function (slot) {
    const space = "http://www.w3.org/2000/svg";
    const made = document.createElementNS(space, "svg");
    made.setAttribute("class", "swatch s" + ((slot % 6) + 1));
    made.setAttribute("aria-hidden", "true");
    made.setAttribute("viewBox", "0 0 16 10");
    const dash = kit.dash(slot), mark = document.createElementNS(space, dash.length ? "path" : "circle");
    const facts = dash.length ? { d: "M0 5H16", "stroke-dasharray": dash.map((part) => part / 1.5).join(" ") } : { cx: 8, cy: 5, r: 4.5 };
    Object.entries(facts).forEach(([name, value]) => mark.setAttribute(name, value));
    made.append(mark);
    return made;
  };

  /* ---- The frame ---- */

  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => entry.target.rfFrame.see(entry.isIntersecting)), { rootMargin: "200px" });
  const sized = new ResizeObserver((entries) => entries.forEach((entry) => entry.target.rfFrame.redraw()));

  /* A chart's element: two canvases, a tip, a line that screen readers hear. `spec.paint(ctx, w, h, ink)` draws the marks,
     `spec.over(ctx, w, h, ink)` what follows the pointer. */
  kit.frame = function (spec) {
    const base = el("canvas", { role: "img", tabindex: "0", "aria-label": spec.label || "Chart", "aria-keyshortcuts": spec.keys || "ArrowLeft ArrowRight Escape" });
    const over = el("canvas", { "aria-hidden": "true", cls: "chart-over" });
    const tip = el("div", { cls: "chart-tip", hidden: true, "aria-hidden": "true" });
    const live = el("p", { cls: "visually-hidden", "aria-live": "polite" });
    const node = el("div", { cls: "chart " + (spec.cls || "") }, base, over, tip, live);
    if (spec.height) node.style.height = spec.height + "px";
    let visible = false, dirty = true, queued = 0, overQueued = 0, spoken = 0;

    function prepare(canvas) {
      const w = node.clientWidth, h = node.clientHeight, ratio = Math.min(3, window.devicePixelRatio || 1);
      if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
        canvas.width = Math.round(w * ratio);
        canvas.height = Math.round(h * ratio);
      }
      const ctx = canvas.getContext("2d");
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      ctx.clearRect(0, 0, w, h);
      ctx.font = "11px " + SANS;
      ctx.lineJoin = ctx.lineCap = "round";
      return [ctx, w, h, kit.inks()];
    }
    function paint() {
      queued = 0;
      if (!node.isConnected) { frames.delete(frame); return; }
      if (!visible || node.clientWidth < 20) return;
      dirty = false;
      spec.paint(...prepare(base));
      frame.redrawOver();
    }
    const frame = (node.rfFrame = {
      node, base, tip,
      redraw() {
        dirty = true;
        if (!queued && visible) queued = requestAnimationFrame(paint);
      },
      redrawOver() {
        if (overQueued || !spec.over || dirty) return;
        overQueued = requestAnimationFrame(() => {
          overQueued = 0;
          if (visible && node.clientWidth >= 20) spec.over(...prepare(over));
        });
      },
      see(now) {
        visible = now;
        if (now && dirty) frame.redraw();
      },
      /* For print: canvases do not wait for the eye. */
      paintNow() {
        visible = true;
        if (queued) cancelAnimationFrame(queued);
        paint();
      },
      label(words) { base.setAttribute("aria-label", words); },
      /* Say what is under the keyboard's cursor; not what the mouse passes. */
      say(words) {
        clearTimeout(spoken);
        spoken = setTimeout(() => { live.textContent = words; }, 150);
      },
      showTip(x, y, title, rows, more) {
        tip.replaceChildren(el("div", { cls: "chart-tip-title", text: title }));
        rows.slice(0, MAX_TIP_ROWS).forEach(([slot, name, value]) => tip.append(el("div", { cls: "chart-tip-row" },
          slot === null ? el("span") : kit.swatch(slot), el("span", { cls: "cut", text: name }), el("b", { text: value }))));
        const left = rows.length - MAX_TIP_ROWS + (more || 0);
        if (left > 0) tip.append(el("div", { cls: "chart-tip-title", text: "and " + left + " more" }));
        tip.hidden = false;
        const w = node.clientWidth, room = tip.offsetWidth;
        tip.style.left = Math.max(0, Math.min(w - room, x + 14 + room > w ? x - 14 - room : x + 14)) + "px";
        tip.style.top = Math.max(-8, Math.min(node.clientHeight - tip.offsetHeight, y - 12)) + "px";
      },
      hideTip() { tip.hidden = true; },
    });
    frames.add(frame);
    seen.observe(node);
    sized.observe(node);
    if (spec.pointer) follow(node, base, spec.pointer);
    if (spec.key) base.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (spec.key(event.key, event.shiftKey)) { event.preventDefault(); event.stopPropagation(); }
    });
    if (spec.blur) base.addEventListener("blur", spec.blur);
    return frame;
  };
  window.addEventListener("beforeprint", () => frames.forEach((frame) => frame.paintNow()));

  /* Pointer to callbacks: move(x, y), leave(), drag(x0, y0, x1, y1, done), click(x, y, event). Touch scrubs, it does not drag,
     unless `touchDrag`. */
  function follow(node, base, on) {
    let from = null, dragging = false;
    const at = (event) => {
      const box = base.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    base.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      if (on.drag && (event.pointerType !== "touch" || on.touchDrag)) { from = at(event); base.setPointerCapture(event.pointerId); }
      else if (on.move) on.move(...at(event));
    });
    base.addEventListener("pointermove", (event) => {
      const [x, y] = at(event);
      if (from && (dragging || Math.hypot(x - from[0], y - from[1]) > 4)) { dragging = true; on.drag(...from, x, y, false); }
      else if (!from && on.move) on.move(x, y);
    });
    base.addEventListener("pointerup", (event) => {
      const [x, y] = at(event);
      if (dragging) on.drag(...from, x, y, true);
      else if (from && on.click) on.click(x, y, event);
      from = null;
      dragging = false;
    });
    base.addEventListener("pointercancel", () => { from = null; dragging = false; });
    base.addEventListener("pointerleave", () => { if (!from && on.leave) on.leave(); });
    if (on.double) base.addEventListener("dblclick", on.double);
  }

  /* The room that the labels of a vertical axis need, and the plot's box within the frame. */
  kit.box = function (ctx, w, h, labels, options) {
    const wide = labels.length ? Math.max(...labels.map((text) => ctx.measureText(text).width)) : 0;
    const o = options || {};
    return { l: Math.ceil(Math.min(wide, w / 3)) + 10, t: o.top === undefined ? 8 : o.top, r: w - (o.right === undefined ? 8 : o.right), b: h - (o.bottom === undefined ? 22 : o.bottom) };
  };

  /* Horizontal hairlines, muted ticks, the name of the horizontal axis at its end. */
  kit.axes = function (ctx, box, x, y, ink, title) {
    ctx.save();
    ctx.setLineDash([]);
    ctx.lineWidth = 1;
    ctx.strokeStyle = ink.hair;
    ctx.fillStyle = ink.muted;
    ctx.textBaseline = "middle";
    ctx.textAlign = "right";
    const ys = y.ticks(Math.max(2, Math.floor((box.b - box.t) / 42)));
    y.labels(ys).forEach((text, at) => {
      const py = Math.round(y.map(ys[at])) + 0.5;
      if (py < box.t - 1 || py > box.b + 1) return;
      ctx.beginPath();
      ctx.moveTo(box.l, py);
      ctx.lineTo(box.r, py);
      ctx.stroke();
      ctx.fillText(kit.clip(ctx, text, box.l - 10), box.l - 8, py);
    });
    ctx.textBaseline = "top";
    ctx.textAlign = "center";
    const named = title ? ctx.measureText(title).width + 12 : 0;
    const xs = x.ticks(Math.max(2, Math.floor((box.r - box.l) / (x.kind === "time" || x.kind === "span" || x.kind === "cat" ? 84 : 64))));
    let free = -Infinity; // no label stands on the one before it
    x.labels(xs).forEach((text, at) => {
      const px = x.map(xs[at]), shown = kit.clip(ctx, text, x.kind === "cat" ? (box.r - box.l) / Math.max(1, xs.length) - 6 : 90);
      const half = ctx.measureText(shown).width / 2;
      if (px < box.l - 1 || px > box.r + 1 || px + half > box.r + 6 - named) return;
      const left = Math.max(px, half) - half;
      if (left < free) return;
      free = left + 2 * half + 8;
      ctx.fillText(shown, left + half, box.b + 7);
    });
    if (title) {
      ctx.textAlign = "right";
      ctx.fillText(title, box.r, box.b + 7);
    }
    ctx.restore();
  };

  kit.clip = function (ctx, text, room) {
    if (ctx.measureText(text).width <= room) return text;
    let kept = Math.max(1, Math.floor((text.length * room) / ctx.measureText(text).width) - 1);
    while (kept > 1 && ctx.measureText(text.slice(0, kept) + "…").width > room) kept--;
    return text.slice(0, kept) + "…";
  };

  /* A card's head: its title, and what stands at its right. */
  kit.head = (title, ...right) => el("div", { cls: "card-head" }, el("h2", { text: title }), el("span", { cls: "right" }, ...right));

  /* A labelled choice. `options`: [[value, words], …]. */
  kit.choice = function (name, options, value, change) {
    const list = el("select", { cls: "chart-select", "aria-label": name, onchange: () => change(list.value) });
    options.forEach(([key, words]) => list.append(el("option", { value: key, text: words, selected: key === value })));
    return list;
  };

  /* Hand over a file that was made here; nothing leaves the machine. */
  kit.download = function (name, type, text) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = el("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  };
  /* A cell of CSV. Texts that a spreadsheet would run as a formula get an apostrophe. */
  kit.csv = (rows) => rows.map((row) => row.map((cell) => {
    const text = typeof cell === "string" && /^[=+@\t\r]|^-[^\d.]/.test(cell) ? "'" + cell : String(cell === null || cell === undefined ? "" : cell);
    return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  }).join(",")).join("\n") + "\n";
})(window.rf = window.rf || {});
