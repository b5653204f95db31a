/* Metric curves: one metric a chart, one or many runs a chart, charts of a group share smoothing, axes, zoom and crosshair. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const MAX_RUNS = 20, UNITS = 400;
  const curves = (rf.curves = { MAX_RUNS });
  const AXES = [["step", "Step"], ["time", "Wall time"], ["relative", "Relative time"]];

  /* Debiased exponential moving average: the mean of all earlier values, each weighing `weight` for every step since. Without `x` a step is
     one value (TensorBoard's). With `x` it is 1/400 of the whole way, so that a metric that was logged seldom is smoothed less than one
     that was logged often, and thinned values weigh by their distance. A gap stays a gap and does not move the mean. */
  curves.smooth = function (values, weight, x) {
    const made = new Float64Array(values.length), way = x && x.length ? (x[x.length - 1] - x[0]) / UNITS : 0;
    let sum = 0, mass = 0, before = -1;
    for (let at = 0; at < values.length; at++) {
      const value = values[at];
      if (!Number.isFinite(value)) { made[at] = NaN; continue; }
      const keep = before < 0 ? 0 : way > 0 ? Math.pow(weight, Math.max(0, x[at] - x[before]) / way) : weight;
      sum = sum * keep + value;
      mass = mass * keep + 1;
      made[at] = sum / mass;
      before = at;
    }
    return made;
  };

  /* A run's series of one metric as arrays; `null` where there is none. */
  curves.line = function (run, metric) {
    const raw = run.series && run.series[metric], told = run.metrics && run.metrics[metric];
    const from = raw && raw.value.length ? raw : told && { step: [told.step], time: [told.timestamp], value: [told.last] };
    if (!from) return null;
    const count = from.value.length, y = Float64Array.from(from.value, kit.num);
    const start = Number.isFinite(run.start) ? Math.min(run.start, from.time[0]) : from.time[0];
    const x = { step: Float64Array.from(from.step), time: Float64Array.from(from.time), relative: Float64Array.from(from.time, (at) => at - start) };
    let gaps = 0;
    for (let at = 0; at < count; at++) if (!Number.isFinite(y[at])) gaps++;
    return { run, x, y, count, gaps, logged: told ? told.count : count, smooth: y, weight: 0, told };
  };

  /* What a group of charts shares. */
  curves.group = function () {
    const group = { weight: 0, log: false, axis: "step", zoom: null, at: null, charts: new Set(), hidden: new Set() };
    group.each = (name) => group.charts.forEach((chart) => chart[name]());
    group.set = (changes) => {
      if ("axis" in changes && changes.axis !== group.axis) { group.zoom = null; group.at = null; }
      Object.assign(group, changes);
      group.each("redraw");
      if (group.changed) group.changed();
    };
    group.point = (x) => { group.at = x; group.each("redrawOver"); };
    return group;
  };

  /* How noisy curves are first drawn: as the eye wants them, with the raw ones behind. Few points are drawn as they are. */
  curves.usualWeight = (runs) => (runs.some((run) => Object.values(run.series || {}).some((series) => series.value.length > 200)) ? 0.8 : 0);

  /* Smoothing and axes are in the page's address, where it has room for them. */
  curves.remember = function (group, runs) {
    const told = { sm: rf.url.get("sm"), log: rf.url.get("log"), x: rf.url.get("x") }, usual = curves.usualWeight(runs);
    const weight = told.sm === null ? usual : Number(told.sm);
    group.weight = weight >= 0 && weight <= 0.99 ? weight : usual;
    group.log = told.log === "1";
    group.axis = AXES.some(([key]) => key === told.x) ? told.x : "step";
    group.changed = () => rf.url.set({ sm: group.weight === usual ? null : String(group.weight), log: group.log ? "1" : null, x: group.axis === "step" ? null : group.axis }, true);
  };

  curves.controls = function (group) {
    const value = el("output", { cls: "chart-value", text: group.weight.toFixed(2) });
    const slider = el("input", { type: "range", min: 0, max: 0.99, step: 0.01, value: group.weight, "aria-label": "Smoothing", oninput: () => {
      value.textContent = Number(slider.value).toFixed(2);
      group.set({ weight: Number(slider.value) });
    } });
    const log = el("input", { type: "checkbox", checked: group.log, onchange: () => group.set({ log: log.checked }) });
    const axis = kit.choice("Horizontal axis", AXES, group.axis, (axis) => group.set({ axis }));
    const reset = el("button", { type: "button", cls: "btn btn-small", text: "Reset zoom", hidden: true, onclick: () => group.set({ zoom: null }) });
    const before = group.changed;
    group.changed = () => { reset.hidden = !group.zoom; if (before) before(); };
    return el("div", { cls: "chart-controls" }, el("label", {}, "Smoothing", slider), value, el("label", {}, log, "Log axis"), axis, reset);
  };

  /* Names under a chart; each hides and shows its run. */
  curves.legend = function (group, runs) {
    const made = el("ul", { cls: "legend" });
    runs.forEach((run) => {
      const button = el("button", { type: "button", "aria-pressed": String(!group.hidden.has(run.run_id)), onclick: () => {
        const hide = !group.hidden.has(run.run_id);
        group.hidden[hide ? "add" : "delete"](run.run_id);
        button.setAttribute("aria-pressed", String(!hide));
        group.each("redraw");
      } }, kit.swatch(run.slot), el("span", { cls: "cut", text: rf.nameOf(run) }));
      made.append(el("li", {}, button));
    });
    return made;
  };
  rf.nameOf = (run) => run.name || run.run_id.slice(0, 12);

  /* One sentence that says what the chart shows. */
  curves.finding = function (metric, lines) {
    if (!lines.length) return metric + ": no values";
    const gaps = lines.reduce((sum, line) => sum + line.gaps, 0);
    const tail = gaps ? "; " + gaps + (gaps === 1 ? " value is" : " values are") + " not a number" : "";
    if (lines.length === 1) {
      const { y, x, count, told } = lines[0], at = (place) => kit.number(y[place]);
      if (count === 1) return metric + ": one value, " + at(0) + tail;
      const range = told && told.min !== null && told.min !== undefined ? ", lowest " + kit.number(told.min) + " at step " + told.min_step + ", highest " + kit.number(told.max) + " at step " + told.max_step : "";
      return metric + " from " + at(0) + " at step " + x.step[0] + " to " + at(count - 1) + " at step " + x.step[count - 1] + range + tail;
    }
    const last = lines.map((line) => [line.y[line.count - 1], line.run]).filter(([value]) => Number.isFinite(value)).sort((a, b) => a[0] - b[0]);
    const ends = last.length ? ": last values from " + kit.number(last[0][0]) + " (" + rf.nameOf(last[0][1]) + ") to " + kit.number(last[last.length - 1][0]) + " (" + rf.nameOf(last[last.length - 1][1]) + ")" : "";
    return metric + " of " + lines.length + " runs" + ends + tail;
  };

  /* The place of the x nearest to a value; x rises. */
  function nearest(x, value) {
    let lo = 0, hi = x.length - 1;
    while (hi - lo > 1) {
      const mid = (lo + hi) >> 1;
      if (x[mid] < value) lo = mid; else hi = mid;
    }
    return Math.abs(x[lo] - value) <= Math.abs(x[hi] - value) ? lo : hi;
  }

  function extent(lines, group) {
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity, positive = 0;
    const zoom = group.zoom;
    for (const line of lines) {
      const x = line.x[group.axis];
      for (let at = 0; at < line.count; at++) {
        if (zoom && (x[at] < zoom[0] || x[at] > zoom[1])) continue;
        if (x[at] < x0) x0 = x[at];
        if (x[at] > x1) x1 = x[at];
        const y = line.y[at];
        if (!Number.isFinite(y)) continue;
        if (y > 0) positive++;
        if (group.log && !(y > 0)) continue;
        if (y < y0) y0 = y;
        if (y > y1) y1 = y;
      }
    }
    if (zoom) [x0, x1] = zoom;
    return { x0, x1, y0, y1, positive };
  }

  function trace(ctx, x, y, values, sx, sy) {
    ctx.beginPath();
    let open = false;
    for (let at = 0; at < values.length; at++) {
      const py = sy.map(values[at]);
      if (!Number.isFinite(py)) { open = false; continue; }
      const px = sx.map(x[at]);
      if (open) ctx.lineTo(px, py); else ctx.moveTo(px, py);
      open = true;
    }
    ctx.stroke();
  }
  /* Points that no line reaches: alone between gaps. */
  function dots(ctx, x, values, sx, sy, colour) {
    ctx.fillStyle = colour;
    const shown = (at) => Number.isFinite(sy.map(values[at]));
    for (let at = 0; at < values.length; at++) {
      if (!shown(at) || (at > 0 && shown(at - 1)) || (at + 1 < values.length && shown(at + 1))) continue;
      ctx.beginPath();
      ctx.arc(sx.map(x[at]), sy.map(values[at]), 3.5, 0, 7);
      ctx.fill();
    }
  }

  /* A chart of one metric. `runs`: [{run_id, name, slot, start, series, metrics}]. */
  curves.chart = function (metric, runs, group, options) {
    const o = options || {};
    const lines = runs.map((run) => curves.line(run, metric)).filter(Boolean).slice(0, MAX_RUNS);
    let plot = null, drag = null;
    const shown = () => lines.filter((line) => !group.hidden.has(line.run.run_id));

    function paint(ctx, w, h, ink) {
      const visible = shown(), e = extent(visible, group), log = group.log && e.positive > 0;
      if (group.log && !log) Object.assign(e, extent(visible, { ...group, log: false }));
      plot = null;
      if (!Number.isFinite(e.x0) || !Number.isFinite(e.y0)) {
        ctx.fillStyle = ink.muted;
        ctx.textAlign = "center";
        ctx.fillText(visible.length ? "No finite value to draw" : "No run is shown", w / 2, h / 2);
        return;
      }
      if (!log) { const pad = (e.y1 - e.y0) * 0.04; e.y0 -= pad; e.y1 += pad; }
      const kinds = { step: "whole", time: "time", relative: "span" };
      const sample = kit.scale(log ? "log" : "linear", e.y0, e.y1, h - 22, 8);
      const box = kit.box(ctx, w, h, sample.labels(sample.ticks(5)), { right: 10 });
      const sx = kit.scale(kinds[group.axis], e.x0, e.x1, box.l, box.r), sy = kit.scale(log ? "log" : "linear", e.y0, e.y1, box.b, box.t);
      kit.axes(ctx, box, sx, sy, ink, group.axis === "step" ? "step" : group.axis === "time" ? "UTC" : "");
      plot = { box, sx, sy, visible };
      ctx.save();
      ctx.beginPath();
      ctx.rect(box.l - 5, box.t - 5, box.r - box.l + 10, box.b - box.t + 10);
      ctx.clip();
      for (const line of visible) {
        const x = line.x[group.axis], colour = kit.colour(line.run.slot);
        if (line.weight !== group.weight) { line.smooth = group.weight > 0 ? curves.smooth(line.y, group.weight, line.x.step) : line.y; line.weight = group.weight; }
        ctx.strokeStyle = colour;
        if (group.weight > 0) {
          ctx.globalAlpha = 0.22;
          ctx.lineWidth = 1;
          ctx.setLineDash([]);
          trace(ctx, x, line.y, line.y, sx, sy);
          ctx.globalAlpha = 1;
        }
        ctx.lineWidth = visible.length > 8 ? 1.5 : 2;
        ctx.setLineDash(kit.dash(line.run.slot));
        trace(ctx, x, line.y, line.smooth, sx, sy);
        dots(ctx, x, line.smooth, sx, sy, colour);
      }
      ctx.restore();
    }

    function rows() {
      return plot.visible.map((line) => {
        const x = line.x[group.axis], at = nearest(x, group.at);
        return { line, at, x: x[at], y: line.smooth[at], raw: line.y[at] };
      });
    }

    function over(ctx, w, h, ink) {
      if (!plot) return;
      if (drag) {
        ctx.fillStyle = ink.accent;
        ctx.globalAlpha = 0.12;
        ctx.fillRect(Math.min(...drag), plot.box.t, Math.abs(drag[1] - drag[0]), plot.box.b - plot.box.t);
        ctx.globalAlpha = 1;
      }
      if (group.at === null) { frame.hideTip(); return; }
      const found = rows(), px = plot.sx.map(group.at);
      if (px < plot.box.l - 1 || px > plot.box.r + 1) { frame.hideTip(); return; }
      ctx.strokeStyle = ink.muted;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(Math.round(px) + 0.5, plot.box.t);
      ctx.lineTo(Math.round(px) + 0.5, plot.box.b);
      ctx.stroke();
      found.forEach((row) => {
        const py = plot.sy.map(row.y);
        if (!Number.isFinite(py)) return;
        ctx.beginPath();
        ctx.arc(plot.sx.map(row.x), py, 3.5, 0, 7);
        ctx.fillStyle = kit.colour(row.line.run.slot);
        ctx.strokeStyle = ink.sheet;
        ctx.fill();
        ctx.stroke();
      });
      if (group.over !== frame) { frame.hideTip(); return; }
      const sorted = found.slice().sort((a, b) => (Number.isNaN(a.y) ? 1 : Number.isNaN(b.y) ? -1 : b.y - a.y));
      const words = (row) => kit.number(row.raw) + (group.weight > 0 && Number.isFinite(row.raw) ? " (" + kit.number(row.y) + ")" : "");
      const title = (group.axis === "step" ? "step " + kit.number(group.at) : plot.sx.words(group.at)) + (group.weight > 0 ? ", smoothed in brackets" : "");
      const list = sorted.map((row) => [row.line.run.slot, runs.length > 1 ? rf.nameOf(row.line.run) : metric, words(row)]);
      frame.showTip(px, plot.box.t + 16, title, list);
      if (group.byKey) frame.say(title + ": " + list.slice(0, 5).map(([, name, value]) => name + " " + value).join(", "));
    }

    /* The next place with a value, left or right of where the cursor is. */
    function go(by) {
      if (!plot) return;
      const all = [...new Set(plot.visible.flatMap((line) => Array.from(line.x[group.axis])))].sort((a, b) => a - b).filter((x) => x >= plot.sx.lo && x <= plot.sx.hi);
      if (!all.length) return;
      const now = group.at === null ? (by > 0 ? -1 : all.length) : nearest(all, group.at);
      point(all[Math.max(0, Math.min(all.length - 1, now + by))], true);
    }
    function point(x, byKey) {
      group.over = frame;
      group.byKey = byKey;
      group.point(x);
    }
    function snap(px) {
      let best = null, distance = Infinity;
      for (const line of plot.visible) {
        const x = line.x[group.axis], at = x[nearest(x, plot.sx.inv(px))], far = Math.abs(plot.sx.map(at) - px);
        if (far < distance && at >= plot.sx.lo && at <= plot.sx.hi) { best = at; distance = far; }
      }
      return best;
    }
    function zoom(factor) {
      if (!plot) return;
      const { lo, hi } = plot.sx, mid = group.at === null ? (lo + hi) / 2 : group.at;
      group.set({ zoom: [mid - (mid - lo) * factor, mid + (hi - mid) * factor] });
    }
    const leave = () => { if (!frame.node.contains(document.activeElement) || !group.byKey) group.point(null); };

    const frame = kit.frame({
      height: o.height || 200,
      label: curves.finding(metric, lines),
      keys: "ArrowLeft ArrowRight Home End + - Escape",
      paint, over,
      pointer: {
        move: (x) => { if (plot) point(snap(x), false); },
        leave,
        double: () => group.set({ zoom: null }),
        drag(x0, y0, x1, y1, done) {
          if (!plot) return;
          const clamp = (x) => Math.max(plot.box.l, Math.min(plot.box.r, x));
          drag = [clamp(x0), clamp(x1)];
          if (done) {
            const [a, b] = [Math.min(...drag), Math.max(...drag)].map((x) => plot.sx.inv(x));
            drag = null;
            if (b > a) group.set({ zoom: [a, b] });
          }
          frame.redrawOver();
        },
      },
      key(name, shift) {
        if (name === "ArrowLeft" || name === "ArrowRight") go((name === "ArrowLeft" ? -1 : 1) * (shift ? 10 : 1));
        else if (name === "Home") go(-1e9);
        else if (name === "End") go(1e9);
        else if (name === "+" || name === "=") zoom(0.5);
        else if (name === "-") zoom(2);
        else if (name === "Escape") { if (group.at === null) group.set({ zoom: null }); else group.point(null); }
        else return false;
        return true;
      },
      blur: () => group.point(null),
    });
    group.charts.add(frame);
    frame.lines = lines;
    frame.plot = () => plot;
    return frame;
  };

  /* What a chart leaves out, in words; nothing where it shows every point. */
  curves.note = function (lines) {
    const drawn = lines.reduce((sum, line) => sum + line.count, 0), logged = lines.reduce((sum, line) => sum + Math.max(line.count, line.logged), 0);
    const gaps = lines.reduce((sum, line) => sum + line.gaps, 0), parts = [];
    if (drawn < logged) parts.push("Drawn from " + kit.number(drawn) + " of " + kit.number(logged) + " points: the least and the greatest of each stretch.");
    if (gaps) parts.push(kit.number(gaps) + (gaps === 1 ? " value is" : " values are") + " not finite and left as gaps.");
    return parts.join(" ");
  };

  curves.csv = (metric, lines) => kit.csv([["run_id", "run", "metric", "step", "time_ms", "value"],
    ...lines.flatMap((line) => Array.from(line.y, (value, at) => [line.run.run_id, line.run.name, metric, line.x.step[at], line.x.time[at], value]))]);

  /* A card with one metric. */
  curves.card = function (metric, runs, group, options) {
    const o = options || {}, frame = curves.chart(metric, runs, group, o), lines = frame.lines;
    const csv = el("button", { type: "button", cls: "linkish small", text: "CSV", "aria-label": "CSV of " + metric, onclick: () => kit.download(metric.replace(/[^\w.-]+/g, "_") + ".csv", "text/csv", curves.csv(metric, lines)) });
    const last = lines.length === 1 && lines[0].told ? el("b", { cls: "chart-last", text: kit.number(lines[0].told.last) }) : null;
    const note = curves.note(lines);
    return el("section", { cls: "card chart-card", "data-metric": metric },
      el("div", { cls: "card-head" }, el(o.level || "h3", { text: metric }), el("span", { cls: "right" }, last, " ", csv)),
      el("div", { cls: "card-body" }, frame.node, note ? el("p", { cls: "small muted chart-note", text: note }) : null, o.legend ? curves.legend(group, lines.map((line) => line.run)) : null));
  };

  /* Metrics that have a curve in any of the runs, and those that have one value only. */
  curves.metrics = function (runs) {
    const found = new Map();
    runs.forEach((run) => {
      Object.keys(run.metrics || {}).forEach((key) => found.set(key, Math.max(found.get(key) || 0, run.metrics[key].count || 1)));
      Object.keys(run.series || {}).forEach((key) => found.set(key, Math.max(found.get(key) || 0, run.series[key].value.length)));
    });
    const keys = [...found.keys()].sort();
    return { curves: keys.filter((key) => found.get(key) > 1), single: keys.filter((key) => found.get(key) <= 1) };
  };

  /* All curves of some runs: controls, names, one card a metric; by prefix where there are many. */
  curves.board = function (host, runs, options) {
    const o = options || {}, group = curves.group(), { curves: keys } = curves.metrics(runs);
    group.weight = curves.usualWeight(runs);
    if (o.remember) curves.remember(group, runs);
    const made = [];
    if (!keys.length) return null;
    const bar = curves.controls(group);
    made.push(bar);
    if (runs.length > 1) made.push(curves.legend(group, runs));
    const sections = new Map();
    keys.forEach((key) => {
      const prefix = keys.length > 8 && key.includes("/") ? key.slice(0, key.indexOf("/")) : "";
      if (!sections.has(prefix)) sections.set(prefix, []);
      sections.get(prefix).push(key);
    });
    const fill = (grid, list, level) => list.forEach((key) => grid.append(curves.card(key, runs, group, { level })));
    [...sections].sort((a, b) => (a[0] < b[0] ? -1 : 1)).forEach(([prefix, list], at) => {
      const grid = el("div", { cls: "chart-grid" });
      if (sections.size === 1) { fill(grid, list.slice(0, 60), o.level || "h3"); made.push(grid); }
      else {
        const part = el("details", { cls: "chart-section", open: at < 4 }, el("summary", {}, el("b", { text: prefix || "no prefix" }), el("span", { cls: "muted", text: " " + list.length })), grid);
        const once = () => { if (part.open && !grid.childNodes.length) fill(grid, list.slice(0, 60), o.level || "h3"); };
        part.addEventListener("toggle", once);
        once();
        made.push(part);
      }
      if (list.length > 60) {
        const more = el("button", { type: "button", cls: "btn", text: "Show " + (list.length - 60) + " more", onclick: () => { more.remove(); fill(grid, list.slice(60), o.level || "h3"); } });
        made.push(more);
      }
    });
    host.replaceChildren(...made);
    return group;
  };
})(window.rf = window.rf || {});
