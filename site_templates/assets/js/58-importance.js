/* How a metric is spread over runs, and how much of that each param goes with, taken alone.

   The measure is simple, and says what it is: for categories the share of the objective's variance between groups (the correlation ratio,
   eta squared, corrected for the number of groups: Kelley's epsilon squared), for numbers the square of Spearman's rank correlation. One
   param at a time: params that were changed together share the credit, and none of it is cause. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const LEAST = 5, MOST_ROWS = 20000;

  /* Ranks from 1; equal values share the mean of theirs. */
  rf.ranks = function (values) {
    const order = Array.from(values, (_, at) => at).sort((a, b) => values[a] - values[b]), made = new Float64Array(values.length);
    for (let at = 0; at < order.length; ) {
      let end = at;
      while (end + 1 < order.length && values[order[end + 1]] === values[order[at]]) end++;
      for (let place = at; place <= end; place++) made[order[place]] = (at + end) / 2 + 1;
      at = end + 1;
    }
    return made;
  };

  function squaredCorrelation(a, b) {
    const n = a.length, mean = (values) => values.reduce((sum, value) => sum + value, 0) / n, ma = mean(a), mb = mean(b);
    let ab = 0, aa = 0, bb = 0;
    for (let at = 0; at < n; at++) { ab += (a[at] - ma) * (b[at] - mb); aa += (a[at] - ma) ** 2; bb += (b[at] - mb) ** 2; }
    return { value: aa && bb ? (ab * ab) / (aa * bb) : 0, sign: Math.sign(ab) };
  }

  /* Epsilon squared: 1 - (within / (n - k)) / (total / (n - 1)), not below 0. */
  rf.correlationRatio = function (groups, values) {
    const sums = new Map(), n = values.length, mean = values.reduce((sum, value) => sum + value, 0) / n;
    groups.forEach((group, at) => { const held = sums.get(group) || [0, 0]; held[0] += values[at]; held[1]++; sums.set(group, held); });
    let total = 0, within = 0;
    values.forEach((value, at) => { const [sum, count] = sums.get(groups[at]); total += (value - mean) ** 2; within += (value - sum / count) ** 2; });
    if (!(total > 0) || n <= sums.size || sums.size < 2) return 0;
    return Math.max(0, 1 - (within / (n - sums.size)) / (total / (n - 1)));
  };

  /* How much of `goal` goes with `axis`, over some rows: {share, sign, n, kind}. */
  rf.association = function (axis, goal, rows) {
    const a = [], b = [], every = Math.max(1, Math.ceil(rows.length / MOST_ROWS));
    for (let at = 0; at < rows.length; at += every) {
      const x = axis.values[rows[at]], y = goal.values[rows[at]];
      if (Number.isFinite(x) && Number.isFinite(y)) { a.push(x); b.push(y); }
    }
    if (a.length < LEAST) return { share: 0, sign: 0, n: a.length, kind: "few" };
    if (axis.names) return { share: rf.correlationRatio(a, b), sign: 0, n: a.length, kind: "eta" };
    const { value, sign } = squaredCorrelation(rf.ranks(a), rf.ranks(b));
    return { share: value, sign, n: a.length, kind: "rho" };
  };

  /* Equal bins over finite values: {lo, hi, counts}; as many as the square root of the values, 5 to 40 (site/svg/histogram.py). */
  rf.bins = function (values, lo, hi) {
    const count = hi > lo ? Math.min(40, Math.max(5, Math.floor(Math.sqrt(values.length)))) : 1, counts = new Uint32Array(count);
    for (const value of values) counts[Math.min(count - 1, Math.floor(((value - lo) / (hi - lo || 1)) * count))]++;
    return { lo, hi, counts };
  };

  /* A histogram of an axis: all runs in grey, those of the table over them. */
  rf.histogram = function (view, axis, options) {
    let plot = null, range = null;
    const finite = (rows) => Array.from(rows, (row) => axis.values[row]).filter(Number.isFinite);
    const frame = kit.frame({
      height: options.height || 130, cls: "chart-brush", keys: "Escape",
      paint(ctx, w, h, ink) {
        const all = finite(view.columns ? axis.values.keys() : view.filtered()), shown = finite(view.filtered());
        if (!all.length) return;
        const whole = rf.bins(all, axis.lo, axis.hi), part = new Uint32Array(whole.counts.length), most = Math.max(...whole.counts);
        shown.forEach((value) => part[Math.min(part.length - 1, Math.floor(((value - axis.lo) / (axis.hi - axis.lo || 1)) * part.length))]++);
        const sy = kit.scale("linear", 0, most, h - 22, 6), box = kit.box(ctx, w, h, [kit.short(most)]);
        const sx = kit.scale("linear", axis.lo, axis.hi, box.l, box.r);
        const counted = kit.scale("linear", 0, most, box.b, box.t), ticks = counted.ticks;
        counted.ticks = (count) => ticks(count).filter(Number.isInteger);
        counted.labels = (at) => at.map(kit.short);
        kit.axes(ctx, box, sx, counted, ink, "");
        const wide = (box.r - box.l) / part.length;
        [[whole.counts, ink["hair-strong"]], [part, ink.accent]].forEach(([counts, colour]) => {
          ctx.fillStyle = colour;
          counts.forEach((count, at) => { if (count) { const top = box.b - (count / most) * (box.b - box.t); ctx.fillRect(box.l + at * wide + 0.5, top, Math.max(1, wide - 1), box.b - top); } });
        });
        plot = { box, sx };
        const sorted = shown.sort((a, b) => a - b);
        if (sorted.length) frame.label(axis.name + " of " + rf.count(sorted.length, "run") + ": from " + rf.number(sorted[0]) + " to " + rf.number(sorted[sorted.length - 1]) + ", middle " + rf.number(sorted[sorted.length >> 1]));
      },
      over(ctx, w, h, ink) {
        if (!range || !plot) return;
        ctx.fillStyle = ink.accent;
        ctx.globalAlpha = 0.15;
        const a = plot.sx.map(range[0]), b = plot.sx.map(range[1]);
        ctx.fillRect(a, plot.box.t, b - a, plot.box.b - plot.box.t);
      },
      pointer: {
        drag(ax, ay, bx, by, done) {
          if (!plot) return;
          const [a, b] = [plot.sx.inv(Math.min(ax, bx)), plot.sx.inv(Math.max(ax, bx))];
          range = [a, b];
          if (done) view.brush(options.brush, (row) => axis.values[row] >= a && axis.values[row] <= b);
          frame.redrawOver();
        },
        click: () => { if (range) { range = null; view.brush(options.brush, null); frame.redrawOver(); } },
      },
      key(name) {
        if (name !== "Escape") return false;
        range = null;
        view.brush(options.brush, null);
        return true;
      },
    });
    frame.unbrush = () => { range = null; frame.redrawOver(); };
    return frame;
  };

  const WORDS = { eta: "η²", rho: "ρ²", few: "" };

  rf.addChart("importance", async function (host) {
    const view = rf.chartView, goal = view.goal(), target = goal && (await view.axis(goal));
    if (!target || !(target.hi > target.lo)) { host.hidden = true; return; } // one value has no distribution
    const axes = (await Promise.all(view.choices().params.map(view.axis))).filter((axis) => axis && !axis.empty && (axis.names ? axis.names.length > 1 : axis.hi > axis.lo));
    const chart = rf.histogram(view, target, { brush: "histogram" }), body = el("tbody");
    const note = el("p", { cls: "small muted chart-note" });
    function fill() {
      const rows = view.filtered(), found = axes.map((axis) => [axis, rf.association(axis, target, rows)]).filter(([, told]) => told.kind !== "few").sort((a, b) => b[1].share - a[1].share).slice(0, 8);
      body.replaceChildren(...found.map(([axis, told]) => {
        const fillBar = el("span", { cls: "bar-fill" });
        fillBar.style.width = (told.share * 100).toFixed(1) + "%";
        return el("tr", {}, el("th", { scope: "row", text: axis.name }), el("td", { cls: "bar-cell" }, el("span", { cls: "bar-track" }, fillBar)),
          el("td", { cls: "num" }, told.share.toFixed(2) + " ", el("span", { cls: "muted small", text: WORDS[told.kind] + (told.sign ? (told.sign > 0 ? " ↑" : " ↓") : "") })), el("td", { cls: "num muted small", text: "n " + told.n }));
      }));
      note.textContent = found.length ? "Share of the variance of " + target.name + " that goes with one parameter alone: η² between categories (corrected for their number), Spearman's ρ² for numbers (the arrow: its direction). Not cause; parameters changed together share it." : "No parameter differs in enough of these runs.";
    }
    const table = el("table", { cls: "importance" }, el("thead", { cls: "visually-hidden" }, el("tr", {}, ...["Parameter", "Bar", "Share", "Runs"].map((text) => el("th", { scope: "col", text })))), body);
    host.classList.add("chart-card");
    host.replaceChildren(kit.head("What goes with " + target.name), el("div", { cls: "card-body" }, chart.node, axes.length ? table : null, note));
    view.listeners.add(() => { if (!view.brushed("histogram")) chart.unbrush(); chart.redraw(); });
    let seen = null;
    view.listeners.add(() => { if (view.rows !== seen) { seen = view.rows; fill(); } });
    fill();
  });

  /* Curves of the selected runs, or of the best ones that the table shows first. */
  rf.addChart("curves", async function (host) {
    const view = rf.chartView, group = rf.curves.group();
    let metric = null, token = 0;
    const title = el("h2", { text: "Curves" }), body = el("div", { cls: "card-body" });
    host.classList.add("chart-card");
    host.replaceChildren(el("div", { cls: "card-head" }, title), body);
    async function draw() {
      const mine = ++token;
      const rows = view.selected.length ? [...(view.baseline >= 0 ? [view.baseline] : []), ...view.selected.filter((row) => row !== view.baseline)] : [...(view.page.first || [])].slice(0, 4);
      const slots = new Map(rows.map((row, at) => [row, view.slots.has(row) ? view.slots.get(row) : view.selected.length ? at : at + (view.baseline >= 0 && row !== view.baseline ? 1 : 0)]));
      const ids = await view.columns.ids(rows.slice(0, rf.curves.MAX_RUNS));
      const details = (await Promise.all(ids.map((id) => rf.detail(id).catch(() => null)))).map((detail, at) => detail && { ...detail, slot: slots.get(rows[at]) }).filter(Boolean);
      if (mine !== token) return;
      const { curves } = rf.curves.metrics(details);
      if (!curves.length) {
        host.hidden = !view.selected.length && true;
        body.replaceChildren(el("p", { cls: "muted small", text: "These runs have no metric with more than one value." }));
        return;
      }
      host.hidden = false;
      const wanted = view.objective && view.objective.metric;
      if (!curves.includes(metric)) metric = curves.includes(wanted) ? wanted : curves.find((key) => /loss/i.test(key)) || curves[0];
      group.charts.clear();
      rf.curves.remember(group, details);
      const controls = rf.curves.controls(group);
      if (curves.length > 1) controls.prepend(kit.choice("Metric", curves.map((key) => [key, key]), metric, (key) => { metric = key; group.zoom = null; draw(); }));
      const runs = details.filter((detail) => rf.curves.line(detail, metric)), frame = rf.curves.chart(metric, runs, group, { height: 190 });
      const left = view.selected.length - rf.curves.MAX_RUNS, note = rf.curves.note(frame.lines) + (left > 0 ? " " + rf.count(left, "more selected run is", "more selected runs are") + " not drawn." : "");
      title.textContent = metric;
      body.replaceChildren(...[controls, frame.node, note.trim() ? el("p", { cls: "small muted chart-note", text: note }) : null, rf.curves.legend(group, runs),
        view.selected.length ? null : el("p", { cls: "small muted chart-note", text: "The first runs of the table. Select runs to draw them instead." })].filter(Boolean));
    }
    let seen = "";
    view.listeners.add(() => { const now = view.selected.join() + "/" + view.baseline; if (now !== seen) { seen = now; draw(); } });
    await draw();
  });
})(window.rf = window.rf || {});
