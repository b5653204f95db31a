/* Evaluations: what site/evaluations.py lays out, drawn by the canvas kit, with a threshold that is moved and a metric that is chosen.
   A document is plain numbers and texts: runfolio.formats.evaluations has seen to that. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const SPACE = "http://www.w3.org/2000/svg", WIDE = 300, HIGH = 22, EDGE = 8, MOST_CURVES = 6, MOST_ROWS = 60;

  function svg(name, facts, ...children) {
    const made = document.createElementNS(SPACE, name);
    for (const [key, value] of Object.entries(facts)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /* ---- Curves between 0 and 1 ---- */

  function line(ctx, xs, ys, sx, sy) {
    ctx.beginPath();
    xs.forEach((x, at) => (at ? ctx.lineTo(sx.map(x), sy.map(ys[at])) : ctx.moveTo(sx.map(x), sy.map(ys[at]))));
    ctx.stroke();
  }

  function ring(ctx, x, y, fill, stroke) {
    ctx.beginPath();
    ctx.arc(x, y, 5, 0, 7);
    ctx.fillStyle = fill;
    ctx.fill();
    ctx.lineWidth = 2;
    ctx.strokeStyle = stroke;
    ctx.stroke();
  }

  /* `lines`: [{name, slot, x, y, other}]; `at()`: the point that the threshold gives, or null. */
  function unitChart(spec) {
    let plot = null, over = null;
    function paint(ctx, w, h, ink) {
      const sample = kit.scale("linear", 0, 1, h - 22, 8), box = kit.box(ctx, w, h, sample.labels(sample.ticks(5)), { right: 10 });
      const sx = kit.scale("linear", 0, 1, box.l, box.r), sy = kit.scale("linear", 0, 1, box.b, box.t);
      plot = { box, sx, sy };
      kit.axes(ctx, box, sx, sy, ink, spec.xTitle);
      if (spec.chance) {
        ctx.strokeStyle = ink["hair-strong"];
        ctx.setLineDash([4, 4]);
        line(ctx, [0, 1], [0, 1], sx, sy);
        ctx.setLineDash([]);
      }
      spec.draw(ctx, sx, sy, ink);
    }
    function near(px, py) {
      let best = null;
      for (const item of spec.lines) {
        item.x.forEach((x, at) => {
          const away = Math.hypot(plot.sx.map(x) - px, plot.sy.map(item.y[at]) - py);
          if (!best || away < best.away) best = { item, at, away };
        });
      }
      return best;
    }
    function tip(best) {
      if (!best) return;
      const { item, at } = best, x = plot.sx.map(item.x[at]), y = plot.sy.map(item.y[at]);
      over = [x, y, item];
      frame.showTip(x, y, item.name, spec.words(item, at).map(([name, value]) => [null, name, value]));
      frame.redrawOver();
    }
    let place = -1;
    const frame = kit.frame({
      height: 220, label: spec.label, paint,
      over(ctx, w, h, ink) {
        const held = spec.at && spec.at();
        if (held) ring(ctx, plot.sx.map(held[0]), plot.sy.map(held[1]), ink.sheet, ink.accent);
        if (over) ring(ctx, over[0], over[1], ink.sheet, over[2].other ? ink.muted : kit.colour(over[2].slot));
      },
      pointer: {
        move(x, y) { if (plot) tip(near(x, y)); },
        leave() { over = null; frame.hideTip(); frame.redrawOver(); },
      },
      key(key) {
        const item = spec.lines[spec.lines.length - 1];
        if (!plot || !item || !["ArrowLeft", "ArrowRight", "Escape"].includes(key)) return false;
        if (key === "Escape") { over = null; frame.hideTip(); frame.redrawOver(); return true; }
        const by = Math.max(1, Math.round(item.x.length / 40));
        place = Math.max(0, Math.min(item.x.length - 1, place + (key === "ArrowRight" ? by : -by)));
        tip({ item, at: place });
        frame.say(spec.words(item, place).map((pair) => pair.join(" ")).join(", "));
        return true;
      },
      blur() { over = null; frame.hideTip(); frame.redrawOver(); },
    });
    return frame;
  }

  function curveChart(kind, found, other, at) {
    const [x, y] = kind === "roc" ? ["fpr", "tpr"] : ["recall", "precision"], names = kind === "roc" ? ["false positives", "true positives"] : ["recall", "precision"];
    const lines = found.map((curve, slot) => ({ name: curve.label || "?", slot, x: curve[kind][x], y: curve[kind][y] }));
    if (other && other[kind] && found.length === 1) lines.unshift({ name: "baseline", slot: 0, other: true, x: other[kind][x], y: other[kind][y] });
    return unitChart({
      lines, chance: kind === "roc", xTitle: kind === "roc" ? "false positive rate" : "recall", at,
      label: (kind === "roc" ? "ROC curve" : "Precision over recall") + " of " + found.map((curve) => curve.label).join(", "),
      words: (item, place) => [[names[0], rf.number(item.x[place])], [names[1], rf.number(item.y[place])]],
      draw(ctx, sx, sy, ink) {
        for (const item of lines) {
          ctx.strokeStyle = item.other ? ink.muted : kit.colour(item.slot);
          ctx.lineWidth = item.other ? 1.5 : 2;
          ctx.setLineDash(item.other ? [5, 4] : kit.dash(item.slot));
          line(ctx, item.x, item.y, sx, sy);
        }
        ctx.setLineDash([]);
      },
    });
  }

  function calibrationChart(found) {
    const lines = [{ name: "bin", slot: 0, x: found.predicted, y: found.observed }];
    return unitChart({
      lines, chance: true, xTitle: "predicted", label: "Calibration: how often what was given a probability came true",
      words: (item, at) => [["predicted", rf.number(found.predicted[at])], ["came true", rf.number(found.observed[at])], ["interval", rf.number(found.low[at]) + " to " + rf.number(found.high[at])], ["rows", rf.number(found.rows[at])]],
      draw(ctx, sx, sy, ink) {
        found.predicted.forEach((x, at) => {
          ctx.globalAlpha = 0.45;
          ctx.strokeStyle = kit.colour(0);
          ctx.lineWidth = 2;
          line(ctx, [x, x], [found.low[at], found.high[at]], sx, sy);
          ctx.globalAlpha = 1;
          ctx.beginPath();
          ctx.arc(sx.map(x), sy.map(found.observed[at]), 4, 0, 7);
          ctx.fillStyle = kit.colour(0);
          ctx.fill();
        });
      },
    });
  }

  /* ---- The threshold ---- */

  function explorer(curve, moved) {
    const found = curve.thresholds, count = found.threshold.length, rows = found.positives + found.negatives;
    const out = el("output", {}), numbers = el("dl", {}), cells = {};
    const cell = (name, cls) => (cells[name] = el("td", { cls }));
    const table = el("div", { cls: "confusion" }, el("table", {}, el("caption", { text: "Rows are true, columns flagged" }),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { cls: "visually-hidden", text: "True" })), el("th", { scope: "col", text: "flagged" }), el("th", { scope: "col", text: "not flagged" }))),
      el("tbody", {}, el("tr", {}, el("th", { scope: "row", text: curve.label || "positive" }), cell("tp", "hit"), cell("fn", "miss")),
        el("tr", {}, el("th", { scope: "row", text: "others" }), cell("fp", "miss"), cell("tn", "hit")))));
    let start = 0;
    found.threshold.forEach((value, at) => { if (value <= 0.5) start = at; });
    const slider = el("input", { type: "range", min: 0, max: count - 1, step: 1, value: start, "aria-label": "Threshold", oninput: show });
    function show() {
      const at = Number(slider.value), tp = found.hits[at], fp = found.alarms[at], fn = found.positives - tp, tn = found.negatives - fp;
      const share = (part, whole) => (whole ? rf.number(part / whole) : "–");
      out.textContent = rf.number(found.threshold[at]);
      slider.setAttribute("aria-valuetext", rf.number(found.threshold[at]));
      numbers.replaceChildren(...[["Precision", share(tp, tp + fp)], ["Recall", share(tp, found.positives)], ["F1", share(2 * tp, 2 * tp + fp + fn)], ["False positive rate", share(fp, found.negatives)], ["Accuracy", share(tp + tn, rows)], ["Flagged", rf.number(tp + fp)]]
        .map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", { text: value }))));
      for (const [name, value, whole] of [["tp", tp, found.positives], ["fn", fn, found.positives], ["fp", fp, found.negatives], ["tn", tn, found.negatives]]) {
        cells[name].textContent = rf.number(value);
        cells[name].style.setProperty("--share", (whole ? (value / whole) * 55 : 0).toFixed(0) + "%");
      }
      moved({ recall: found.positives ? tp / found.positives : 0, fpr: found.negatives ? fp / found.negatives : 0, precision: tp + fp ? tp / (tp + fp) : 1 });
    }
    show();
    return el("div", { cls: "card-body explorer" }, el("label", {}, "Threshold", slider, out), numbers, table);
  }

  /* ---- Slices ---- */

  function slices(said, metric) {
    const rows = [];
    if (said.metrics[metric]) rows.push({ name: "All rows", rows: (said.dataset || {}).rows || 0, metrics: said.metrics });
    rows.push(...said.slices.rows);
    const better = (said.metrics[metric] || {}).better, shown = rows.slice(0, MOST_ROWS).map((row) => ({ ...row, is: (row.metrics || {})[metric] || null }));
    const values = shown.flatMap(({ is }) => (is ? ["value", "low", "high", "baseline"].map((key) => kit.num(is[key])).filter(Number.isFinite) : []));
    const compared = shown.some(({ is }) => is && is.baseline !== undefined);
    let low = Math.min(...values), high = Math.max(...values);
    const pad = (high - low) * 0.04 || Math.abs(low) * 0.05 || 0.5, scale = kit.scale("linear", low - pad, high + pad, EDGE, WIDE - EDGE), ticks = values.length ? scale.ticks(4) : [];
    const bar = (is) => {
      const made = svg("svg", { class: "slice-svg", viewBox: "0 0 " + WIDE + " " + HIGH, "aria-hidden": "true" }), middle = HIGH / 2;
      ticks.forEach((tick) => made.append(svg("path", { class: "svg-hair", d: "M" + scale.map(tick).toFixed(1) + " 0V" + HIGH })));
      const place = (value) => { const number = kit.num(value); return Number.isFinite(number) ? scale.map(number) : NaN; };
      const dot = (cls, value) => { const x = place(value); if (Number.isFinite(x)) made.append(svg("circle", { class: cls, cx: x.toFixed(1), cy: middle, r: 4.5 })); };
      const from = place(is.low), to = place(is.high);
      if (Number.isFinite(from) && Number.isFinite(to)) {
        made.append(svg("rect", { class: "slice-range", x: from.toFixed(1), y: middle - 3, width: Math.max(2, to - from).toFixed(1), height: 6, rx: 3 }));
      }
      if (is.baseline !== undefined) dot("slice-other", is.baseline);
      dot("slice-dot", is.value);
      return made;
    };
    const cell = (cls, ...children) => el("td", { role: "cell", cls }, ...children), head = (text) => el("th", { role: "columnheader", scope: "col", text });
    const axis = svg("svg", { class: "slice-svg", viewBox: "0 0 " + WIDE + " 18", "aria-hidden": "true" });
    if (ticks.length) scale.labels(ticks).forEach((text, at) => { const label = svg("text", { class: "svg-tick", x: scale.map(ticks[at]).toFixed(1), y: 14, "text-anchor": "middle" }); label.textContent = text; axis.append(label); });
    const made = el("table", { cls: "slices", role: "table", "aria-label": metric + " by slice" },
      el("thead", { role: "rowgroup", cls: "visually-hidden" }, el("tr", { role: "row" }, head("Slice"), head("Rows"), head("Interval"), head(metric), compared ? head("Against the baseline") : null)),
      el("tbody", { role: "rowgroup" }, ...shown.map(({ name, rows: count, is }) => el("tr", { role: "row" }, el("th", { role: "rowheader", scope: "row", text: name || "" }), cell("slice-rows", rf.count(count || 0, "row")),
        cell("slice-bar", is ? bar(is) : null, el("span", { cls: "visually-hidden", text: is && is.low !== undefined ? rf.number(kit.num(is.low)) + " to " + rf.number(kit.num(is.high)) : "" })),
        cell("num strong", is ? rf.number(kit.num(is.value)) : el("span", { cls: "faint", text: "–" })), compared ? cell("num", is && is.difference !== undefined ? rf.delta(kit.num(is.difference), better) : null) : null))),
      el("tfoot", { role: "rowgroup", "aria-hidden": "true" }, el("tr", { role: "row" }, cell(), cell(), cell("slice-bar", axis))));
    return { made, more: rows.length - shown.length };
  }

  function slicesCard(said, place) {
    const names = [...new Set(said.slices.rows.flatMap((row) => Object.keys(row.metrics || {})))].sort();
    if (!names.length) return;
    const start = names.includes(said.slices.metric) ? said.slices.metric : names[0], body = place.querySelector(".card-body"), title = place.querySelector("h3");
    const show = (metric) => {
      const { made, more } = slices(said, metric);
      body.replaceChildren(...[made, more > 0 ? el("p", { cls: "small muted", text: rf.count(more, "more slice") + " in evaluation.json." }) : null].filter(Boolean));
      title.textContent = metric + " by slice";
    };
    const choice = el("select", { cls: "chart-select slice-metric", "aria-label": "Metric of the slices", onchange: () => show(choice.value) }, ...names.map((name) => el("option", { value: name, text: name, selected: name === start })));
    if (names.length > 1) place.querySelector(".card-head").append(choice);
    show(start);
  }

  /* ---- The section ---- */

  const card = (title, ...children) => el("section", { cls: "card chart-card" }, el("div", { cls: "card-head" }, el("h3", { text: title })), el("div", { cls: "card-body" }, ...children));

  function confusionCard(found) {
    return el("div", { cls: "card" }, el("div", { cls: "card-head" }, el("h3", { text: "Confusion matrix" })), el("div", { cls: "card-body" }, rf.confusionTable({ names: found.labels, counts: found.counts })));
  }

  const drawable = (curves) => (curves || []).filter((curve) => curve.roc && curve.pr && curve.auc !== undefined).slice(0, MOST_CURVES);

  /* Put the charts of a document into the places that `find(kind)` gives; what moves with the threshold moves in both. */
  function draw(said, find, explorerPlace) {
    const found = drawable(said.curves), other = drawable((said.baseline || {}).curves)[0], frames = [];
    let at = null;
    const put = (kind, frame) => {
      const place = find(kind);
      if (!place) return;
      const old = place.querySelector("svg.chart-svg");
      if (old) old.replaceWith(frame.node); else place.prepend(frame.node);
      frames.push(frame);
    };
    if (found.length) {
      put("roc", curveChart("roc", found, other, () => at && [at.fpr, at.recall]));
      put("pr", curveChart("pr", found, other, () => at && [at.recall, at.precision]));
      if (found.length > 1) ["roc", "pr"].forEach((kind) => { const place = find(kind); if (place) place.append(el("ul", { cls: "legend" }, ...found.map((curve, slot) => el("li", {}, kit.swatch(slot), " ", curve.label || "?")))); });
      if (found.length === 1 && found[0].calibration) put("calibration", calibrationChart(found[0].calibration));
      if (found.length === 1 && found[0].thresholds && explorerPlace) explorerPlace(explorer(found[0], (now) => { at = now; frames.forEach((frame) => frame.redrawOver()); }));
    }
  }

  rf.evaluationIn = function (section) {
    const said = JSON.parse(section.querySelector("script").textContent), table = section.querySelector("[data-explorer]"), place = section.querySelector("[data-slices]");
    if (place) slicesCard(said, place);
    draw(said, (kind) => section.querySelector('[data-evaluation-chart="' + kind + '"] .card-body'), table && ((made) => table.querySelector(".plain-wrap").replaceWith(made)));
  };

  /* The whole of a document, for pages that are made from data. */
  rf.evaluation = function (parent, said) {
    const places = {}, grid = el("div", { cls: "chart-grid" }), found = drawable(said.curves), made = el("div", { cls: "preview evaluation" });
    const kinds = found.length ? [["roc", "ROC curve"], ["pr", "Precision and recall"], ...(found.length === 1 && found[0].calibration ? [["calibration", "Calibration"]] : [])] : [];
    kinds.forEach(([kind, title]) => { const one = card(title); places[kind] = one.querySelector(".card-body"); grid.append(one); });
    if (said.slices && said.slices.rows && said.slices.rows.length) {
      const one = el("div", { cls: "card" }, el("div", { cls: "card-head" }, el("h3", {})), el("div", { cls: "card-body" }));
      made.append(one);
      slicesCard(said, one);
    }
    // A small matrix takes the place that an odd number of charts leaves.
    const beside = said.confusion && kinds.length % 2 === 1 && said.confusion.labels.length <= 5;
    if (beside) grid.append(confusionCard(said.confusion));
    if (kinds.length) made.append(grid);
    draw(said, (kind) => places[kind], (body) => made.append(el("div", { cls: "card" }, el("div", { cls: "card-head" }, el("h3", { text: "Thresholds" })), body)));
    if (said.confusion && !beside) made.append(confusionCard(said.confusion));
    const names = Object.keys(said.metrics).sort();
    made.append(rf.facts(names.map((name) => [name, rf.number(kit.num(said.metrics[name].value)) + (said.metrics[name].low !== undefined ? " (" + rf.number(kit.num(said.metrics[name].low)) + " to " + rf.number(kit.num(said.metrics[name].high)) + ")" : "")])));
    parent.append(made);
  };

  document.querySelectorAll("[data-evaluation]").forEach(rf.evaluationIn);
})(window.rf = window.rf || {});
