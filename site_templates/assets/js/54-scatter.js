/* Runs as points: two columns against each other, the line of the best, brushing to the table. Drawn on canvas up to 100,000 runs and
   more; the few that are selected lie on top. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const RINGS = 600;
  /* A metric that is a price: worth seeing the objective against it at first. */
  const COST = /^metrics\..*(latency|size|memory|cost|flops|params|seconds|_ms$)/i;

  /* The best y so far from the least x on: places in the order of x. Ties keep the first. */
  rf.frontier = function (xs, ys, rows, larger) {
    const order = Array.from(rows).filter((row) => Number.isFinite(xs[row]) && Number.isFinite(ys[row])).sort((a, b) => xs[a] - xs[b] || (larger ? ys[b] - ys[a] : ys[a] - ys[b]));
    const made = [];
    let best = larger ? -Infinity : Infinity;
    for (const row of order) if (larger ? ys[row] > best : ys[row] < best) { best = ys[row]; made.push(row); }
    return made;
  };

  /* A scatter of axes `{key, name, kind, values, lo, hi, names}`. `view` gives filtered(), slots, hover, brush(). */
  rf.scatter = function (view, options) {
    let x = null, y = null, plot = null, box = null, near = -1, place = -1, held = null;
    const px = () => plot;

    function paint(ctx, w, h, ink) {
      plot = null;
      if (!x || !y || x.empty || y.empty) {
        ctx.fillStyle = ink.muted;
        ctx.textAlign = "center";
        ctx.fillText("No run has both values", w / 2, h / 2);
        return;
      }
      const rows = view.filtered();
      let lo = Infinity, hi = -Infinity, ylo = Infinity, yhi = -Infinity;
      const usable = [];
      const add = (row) => {
        const a = x.values[row], b = y.values[row];
        if (!Number.isFinite(a) || !Number.isFinite(b)) return;
        if (a < lo) lo = a;
        if (a > hi) hi = a;
        if (b < ylo) ylo = b;
        if (b > yhi) yhi = b;
      };
      for (const row of rows) if (Number.isFinite(x.values[row]) && Number.isFinite(y.values[row])) usable.push(row);
      // While its own brush holds, the chart keeps its scales and shows faintly what the brush leaves out.
      (held || usable).forEach(add);
      // Selected runs are drawn also where the table does not show them.
      view.slots.forEach((_, row) => add(row));
      if (!(lo <= hi)) return;
      const pad = (kind, a, b) => (kind === "log" ? [a / 1.06, b * 1.06] : [a - (b - a) * 0.04, b + (b - a) * 0.04]);
      const [x0, x1] = pad(x.kind, lo, hi), [y0, y1] = pad(y.kind, ylo, yhi);
      const trial = kit.scale(y.kind, y0, y1, h - 36, 8, y.names);
      const frame = kit.box(ctx, w, h, trial.labels(trial.ticks(5)), { bottom: 36, right: 10 });
      const sx = kit.scale(x.kind, x0, x1, frame.l, frame.r, x.names), sy = kit.scale(y.kind, y0, y1, frame.b, frame.t, y.names);
      kit.axes(ctx, frame, sx, sy, ink, "");
      ctx.fillStyle = ink.muted;
      ctx.textAlign = "right";
      ctx.textBaseline = "bottom";
      ctx.fillText(kit.clip(ctx, x.name, frame.r - frame.l), frame.r, h - 1);
      const larger = options.direction(y.key);
      if (larger) {
        const line = rf.frontier(x.values, y.values, rows, larger === "max");
        if (line.length) {
          ctx.strokeStyle = ink.muted;
          ctx.lineWidth = 1.25;
          ctx.beginPath();
          line.forEach((row, at) => {
            const qx = sx.map(x.values[row]), qy = sy.map(y.values[row]);
            if (at) { ctx.lineTo(qx, sy.map(y.values[line[at - 1]])); ctx.lineTo(qx, qy); } else ctx.moveTo(qx, qy);
          });
          ctx.lineTo(frame.r, sy.map(y.values[line[line.length - 1]]));
          ctx.stroke();
        }
      }
      const slots = view.slots;
      if (held) {
        ctx.fillStyle = ink["hair-strong"];
        for (const row of held) ctx.fillRect(sx.map(x.values[row]) - 1.5, sy.map(y.values[row]) - 1.5, 3, 3);
      }
      if (usable.length <= RINGS) {
        ctx.fillStyle = ink.sheet;
        ctx.strokeStyle = ink.muted;
        ctx.lineWidth = 1;
        for (const row of usable) {
          if (slots.has(row)) continue;
          ctx.beginPath();
          ctx.arc(sx.map(x.values[row]), sy.map(y.values[row]), 3, 0, 7);
          ctx.fill();
          ctx.stroke();
        }
      } else {
        // Squares, the more transparent the more there are, so that dense places are darker.
        const size = usable.length > 20000 ? 1.5 : 2.5;
        ctx.fillStyle = ink.muted;
        ctx.globalAlpha = Math.max(0.12, Math.min(0.8, 4000 / usable.length));
        for (const row of usable) ctx.fillRect(sx.map(x.values[row]) - size / 2, sy.map(y.values[row]) - size / 2, size, size);
        ctx.globalAlpha = 1;
      }
      [...slots].sort((a, b) => b[1] - a[1]).forEach(([row, slot]) => {
        if (!Number.isFinite(x.values[row]) || !Number.isFinite(y.values[row])) return;
        ctx.beginPath();
        ctx.arc(sx.map(x.values[row]), sy.map(y.values[row]), 4.5, 0, 7);
        ctx.fillStyle = kit.colour(slot);
        ctx.strokeStyle = ink.sheet;
        ctx.lineWidth = 1.5;
        ctx.fill();
        ctx.stroke();
      });
      plot = { box: frame, sx, sy, usable };
      said.label(y.name + " against " + x.name + " of " + rf.count(usable.length, "run") + ": " + y.name + " from " + sy.words(ylo) + " to " + sy.words(yhi) + ", " + x.name + " from " + sx.words(lo) + " to " + sx.words(hi) + (larger ? "; the line joins the best run at each " + x.name : ""));
    }

    function over(ctx, w, h, ink) {
      if (!plot) return;
      if (box) {
        ctx.fillStyle = ink.accent;
        ctx.globalAlpha = 0.12;
        const [a, b, c, d] = pixels();
        ctx.fillRect(Math.min(a, c), Math.min(b, d), Math.abs(c - a), Math.abs(d - b));
        ctx.globalAlpha = 1;
        ctx.strokeStyle = ink.accent;
        ctx.strokeRect(Math.min(a, c), Math.min(b, d), Math.abs(c - a), Math.abs(d - b));
      }
      const row = near >= 0 ? near : view.hover;
      if (row >= 0 && Number.isFinite(x.values[row]) && Number.isFinite(y.values[row])) {
        ctx.beginPath();
        ctx.arc(plot.sx.map(x.values[row]), plot.sy.map(y.values[row]), 6, 0, 7);
        ctx.strokeStyle = ink.ink;
        ctx.lineWidth = 1.5;
        ctx.stroke();
      }
    }
    const pixels = () => (box.px ? box.px : [plot.sx.map(box.x0), plot.sy.map(box.y0), plot.sx.map(box.x1), plot.sy.map(box.y1)]);

    async function point(row, byKey) {
      near = row;
      said.redrawOver();
      if (row < 0 || !plot) { said.hideTip(); return; }
      const name = await view.rowName(row);
      if (near !== row || !plot) return;
      const rows = [[null, y.name, plot.sy.words(y.values[row])], [null, x.name, plot.sx.words(x.values[row])]];
      said.showTip(plot.sx.map(x.values[row]), plot.sy.map(y.values[row]), name, rows);
      if (byKey) said.say(name + ": " + rows.map(([, key, value]) => key + " " + value).join(", "));
    }
    function at(qx, qy, reach) {
      let best = -1, distance = reach * reach;
      for (const row of plot.usable) {
        const dx = plot.sx.map(x.values[row]) - qx, dy = plot.sy.map(y.values[row]) - qy, far = dx * dx + dy * dy;
        if (far < distance) { best = row; distance = far; }
      }
      return best;
    }
    function clear() {
      box = held = null;
      if (options.brush) view.brush(options.brush, null);
      said.redrawOver();
    }

    const said = kit.frame({
      height: options.height || 240, cls: options.brush ? "chart-brush" : "", keys: "ArrowLeft ArrowRight Enter Escape", paint, over,
      pointer: {
        move: (qx, qy) => { if (plot) point(at(qx, qy, 18), false); },
        leave: () => point(-1, false),
        click: (qx, qy) => {
          if (!plot) return;
          const row = at(qx, qy, 10);
          if (row >= 0) options.pick(row); else if (box) clear();
        },
        double: clear,
        drag: options.brush ? (ax, ay, bx, by, done) => {
          if (!plot) return;
          box = { px: [ax, ay, bx, by] };
          if (done) {
            const [x0, x1] = [plot.sx.inv(Math.min(ax, bx)), plot.sx.inv(Math.max(ax, bx))], [y0, y1] = [plot.sy.inv(Math.max(ay, by)), plot.sy.inv(Math.min(ay, by))];
            const xs = x.values, ys = y.values;
            box = { x0, x1, y0, y1 };
            held = held || plot.usable;
            view.brush(options.brush, (row) => xs[row] >= x0 && xs[row] <= x1 && ys[row] >= y0 && ys[row] <= y1);
          }
          said.redrawOver();
        } : null,
      },
      key(name) {
        if (!plot) return false;
        if (name === "ArrowLeft" || name === "ArrowRight") {
          const order = plot.usable.slice().sort((a, b) => x.values[a] - x.values[b]);
          place = Math.max(0, Math.min(order.length - 1, place + (name === "ArrowLeft" ? -1 : 1)));
          point(order[place], true);
        } else if (name === "Enter" && near >= 0) options.pick(near);
        else if (name === "Escape") { if (near >= 0) point(-1); else clear(); } else return false;
        return true;
      },
      blur: () => { place = -1; point(-1); },
    });
    said.axes = (a, b) => { x = a; y = b; box = held = null; near = place = -1; said.redraw(); };
    said.unbrush = () => { box = held = null; said.redrawOver(); };
    said.plot = px;
    return said;
  };

  rf.addChart("scatter", async function (host) {
    const view = rf.chartView, { numbers, params } = view.choices();
    const keys = [...new Set([...numbers, ...params])], goal = view.goal();
    if (!goal || !keys.includes(goal)) { host.hidden = true; return; }
    const chosen = { y: goal, x: numbers.find((key) => COST.test(key) && key !== goal) || "attributes.start_time" };
    const direction = (key) => (view.objective && key === "metrics." + view.objective.metric && !chosen.x.startsWith("params.") ? view.objective.direction : null);
    const chart = rf.scatter(view, { brush: "scatter", direction, pick: (row) => view.pick(row) });
    const title = el("h2", {}), note = el("p", { cls: "small muted chart-note" });
    const options = keys.map((key) => [key, view.name(key)]);
    async function set() {
      view.brush("scatter", null);
      const [x, y] = await Promise.all([view.axis(chosen.x), view.axis(chosen.y)]);
      title.textContent = chosen.x === "attributes.start_time" ? view.name(chosen.y) + " over time" : view.name(chosen.y) + " against " + view.name(chosen.x);
      chart.axes(x, y);
      note.textContent = (direction(chosen.y) ? (chosen.x === "attributes.start_time" ? "The line is the best so far. " : "The line joins the best run at each " + view.name(chosen.x) + ". ") : "") + "Drag to filter the table.";
    }
    const selectors = el("div", { cls: "chart-axes" }, kit.choice("Vertical axis", options, chosen.y, (key) => { chosen.y = key; set(); }), "against", kit.choice("Horizontal axis", options, chosen.x, (key) => { chosen.x = key; set(); }));
    host.classList.add("chart-card");
    host.replaceChildren(el("div", { cls: "card-head" }, title), el("div", { cls: "card-body" }, selectors, chart.node, note));
    view.pointers.add(chart.redrawOver);
    view.listeners.add(() => { if (!view.brushed("scatter")) chart.unbrush(); chart.redraw(); });
    await set();
  });
})(window.rf = window.rf || {});
