/* Parallel coordinates: which params lead to which result. Drag on an axis to keep a range; numbers, powers and categories. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const MOST_LINES = 3000, MOST_AXES = 6, TOP = 24, BOTTOM = 12;

  /* `view` gives filtered(), slots, hover, brush(); `axes` are of view.axis. */
  rf.parcoords = function (view, axes, options) {
    const ranges = new Map();
    let scales = null, spots = null, active = 0, moving = null, cursor = null;

    const words = () => [...ranges].map(([at, [a, b]]) => axes[at].name + " " + (axes[at].names ? axes[at].names.filter((_, place) => place >= a && place <= b).join(", ") : scales[at].words(a) + " to " + scales[at].words(b))).join(", ");
    function tell() {
      const tests = [...ranges].map(([at, [a, b]]) => [axes[at].values, a, b]);
      view.brush(options.brush, tests.length ? (row) => tests.every(([values, a, b]) => values[row] >= a && values[row] <= b) : null);
    }

    /* Of very many runs, the ones in the table's order that are drawn: evenly, so that the shape stays. */
    function sample(rows) {
      const every = Math.max(1, Math.ceil(rows.length / MOST_LINES)), made = [];
      for (let at = 0; at < rows.length; at += every) made.push(rows[at]);
      return made;
    }

    function trace(ctx, row) {
      let before = null;
      ctx.beginPath();
      axes.forEach((axis, at) => {
        const py = scales[at].map(axis.values[row]);
        if (!Number.isFinite(py)) { before = null; return; }
        const px = spots[at];
        if (before) {
          const half = (px - before[0]) / 2;
          ctx.bezierCurveTo(before[0] + half, before[1], px - half, py, px, py);
        } else ctx.moveTo(px, py);
        before = [px, py];
      });
      ctx.stroke();
    }

    function paint(ctx, w, h, ink) {
      const left = 4, last = axes.length - 1;
      const ends = axes.map((axis) => { const scale = kit.scale(axis.kind, axis.lo, axis.hi, h - BOTTOM, TOP, axis.names); return scale; });
      scales = ends;
      const labels = axes.map((axis, at) => {
        const ticks = axis.names ? axis.names.map((_, place) => place) : axis.distinct && axis.distinct.length <= 6 ? axis.distinct : scales[at].ticks(4);
        return [ticks, axis.distinct && !axis.names ? ticks.map(kit.short) : scales[at].labels(ticks)];
      });
      const wide = (at) => Math.max(0, ...labels[at][1].map((text) => ctx.measureText(String(text)).width));
      const from = left + Math.min(w / 5, wide(0)) + 8, to = w - Math.min(w / 5, wide(last)) - 10;
      spots = axes.map((_, at) => from + ((to - from) * at) / Math.max(1, last));
      const rows = view.filtered(), drawn = sample(rows), slots = view.slots;
      ctx.strokeStyle = ink["hair-strong"];
      ctx.lineWidth = 1;
      ctx.globalAlpha = Math.max(0.12, Math.min(0.9, 120 / drawn.length));
      drawn.forEach((row) => { if (!slots.has(row)) trace(ctx, row); });
      ctx.globalAlpha = 1;
      ctx.lineWidth = 2;
      [...slots].sort((a, b) => b[1] - a[1]).forEach(([row, slot]) => {
        ctx.strokeStyle = kit.colour(slot);
        ctx.setLineDash(kit.dash(slot));
        trace(ctx, row);
      });
      ctx.setLineDash([]);
      axes.forEach((axis, at) => {
        const px = Math.round(spots[at]) + 0.5, [ticks, texts] = labels[at];
        ctx.strokeStyle = ink.muted;
        ctx.lineWidth = 1;
        ctx.beginPath();
        ctx.moveTo(px, TOP);
        ctx.lineTo(px, h - BOTTOM);
        ctx.stroke();
        ctx.font = "600 11px " + ctx.font.slice(ctx.font.indexOf("px ") + 3);
        ctx.fillStyle = at === active && cursor !== null ? ink.accent : ink.muted;
        ctx.textBaseline = "top";
        ctx.textAlign = at === 0 ? "left" : at === last ? "right" : "center";
        const room = (to - from) / Math.max(1, last) - 8;
        ctx.fillText(kit.clip(ctx, axis.name, at === 0 || at === last ? room * 0.5 + wide(at) + 8 : room), at === 0 ? left : at === last ? w - 2 : px, 2);
        ctx.font = ctx.font.replace("600 ", "");
        ctx.textBaseline = "middle";
        ctx.textAlign = at === 0 ? "right" : "left";
        let above = -99;
        ticks.forEach((tick, place) => {
          const py = scales[at].map(tick);
          if (Math.abs(py - above) < 11) return;
          above = py;
          const text = kit.clip(ctx, String(texts[place]), at === 0 || at === last ? w / 5 : room - 4);
          const tx = at === 0 ? px - 6 : px + 6;
          // A halo, so that labels read over lines.
          ctx.lineWidth = 3;
          ctx.strokeStyle = ink.sheet;
          ctx.strokeText(text, tx, py);
          ctx.fillStyle = ink.ink;
          ctx.fillText(text, tx, py);
        });
      });
      frame.label("Parallel coordinates of " + rf.count(rows.length, "run") + (drawn.length < rows.length ? " (" + drawn.length + " drawn)" : "") + " over " + axes.map((axis) => axis.name).join(", ") + (ranges.size ? "; kept: " + words() : ""));
    }

    function over(ctx, w, h, ink) {
      if (!scales) return;
      ranges.forEach(([a, b], at) => {
        const top = Math.max(TOP - 4, Math.min(scales[at].map(a), scales[at].map(b))), end = Math.min(h - BOTTOM + 4, Math.max(scales[at].map(a), scales[at].map(b)));
        ctx.fillStyle = ink.accent;
        ctx.globalAlpha = 0.2;
        ctx.fillRect(spots[at] - 7, top, 14, Math.max(2, end - top));
        ctx.globalAlpha = 1;
        ctx.strokeStyle = ink.accent;
        ctx.strokeRect(spots[at] - 7, top, 14, Math.max(2, end - top));
      });
      if (view.hover >= 0) { ctx.strokeStyle = ink.ink; ctx.lineWidth = 2; trace(ctx, view.hover); }
    }

    const axisAt = (px) => spots.reduce((best, spot, at) => (Math.abs(spot - px) < Math.abs(spots[best] - px) ? at : best), 0);
    function set(at, a, b) {
      if (axes[at].kind === "cat") { a = Math.floor(a + 0.5); b = Math.ceil(b - 0.5); if (b < a) b = a; }
      ranges.set(at, [a, b]);
    }
    /* The values that the keyboard steps over on an axis. */
    const stops = (at) => axes[at].names ? axes[at].names.map((_, place) => place) : axes[at].distinct || scales[at].ticks(8);

    const frame = kit.frame({
      height: options.height || 200, cls: "chart-brush", keys: "ArrowLeft ArrowRight ArrowUp ArrowDown Escape", paint, over,
      pointer: {
        touchDrag: false,
        drag(ax, ay, bx, by, done) {
          if (!scales) return;
          if (moving === null) moving = axisAt(ax);
          const a = scales[moving].inv(Math.max(ay, by)), b = scales[moving].inv(Math.min(ay, by));
          set(moving, a, b);
          if (done) { moving = null; tell(); }
          frame.redrawOver();
        },
        click(px) { if (scales && ranges.delete(axisAt(px))) { tell(); frame.redrawOver(); } },
        double() { ranges.clear(); tell(); frame.redrawOver(); },
      },
      key(name, shift) {
        if (!scales) return false;
        if (name === "ArrowLeft" || name === "ArrowRight") { active = (active + (name === "ArrowLeft" ? axes.length - 1 : 1)) % axes.length; cursor = -1; frame.say(axes[active].name); frame.redraw(); return true; }
        if (name === "ArrowUp" || name === "ArrowDown") {
          const at = stops(active);
          cursor = Math.max(0, Math.min(at.length - 1, (cursor === null || cursor < 0 ? (name === "ArrowUp" ? -1 : at.length) : cursor) + (name === "ArrowUp" ? 1 : -1)));
          const before = ranges.get(active), value = at[cursor], half = axes[active].distinct || axes[active].names ? 0 : (at[1] - at[0]) / 2 || 0;
          set(active, shift && before ? Math.min(before[0], value - half) : value - half, shift && before ? Math.max(before[1], value + half) : value + half);
          tell();
          frame.say("Kept: " + words() + ", " + rf.count(view.filtered().length, "run"));
          return true;
        }
        if (name === "Escape") { cursor = null; ranges.clear(); tell(); frame.redraw(); return true; }
        return false;
      },
      blur: () => { cursor = null; frame.redraw(); },
    });
    frame.unbrush = () => { ranges.clear(); frame.redrawOver(); };
    return frame;
  };

  /* The params that go with the objective most come first; only those that differ. */
  rf.addChart("parcoords", async function (host) {
    const view = rf.chartView, goal = view.goal(), last = goal && (await view.axis(goal));
    if (!last || last.empty) { host.hidden = true; return; }
    const found = (await Promise.all(view.choices().params.map(view.axis))).filter((axis) => axis && !axis.empty && (axis.names ? axis.names.length > 1 : axis.hi > axis.lo)
      && axis.values.some((value, row) => Number.isFinite(value) && Number.isFinite(last.values[row]))); // a line needs both ends
    const ranked = found.map((axis) => [axis, rf.association(axis, last, view.filtered())]).sort((a, b) => b[1].share - a[1].share).slice(0, MOST_AXES - 1).map(([axis]) => axis);
    if (!ranked.length) { host.hidden = true; return; }
    const chart = rf.parcoords(view, [...ranked.reverse(), last], { brush: "parcoords" });
    host.classList.add("chart-card");
    host.replaceChildren(kit.head("What separates the good runs"), el("div", { cls: "card-body" }, chart.node,
      el("p", { cls: "small muted chart-note", text: "Drag on an axis to filter the table. Grey lines are the other matching runs." })));
    view.pointers.add(chart.redrawOver);
    view.listeners.add(() => { if (!view.brushed("parcoords")) chart.unbrush(); chart.redraw(); });
  });
})(window.rf = window.rf || {});
