/* Charts in Vega-Lite: those that a team declares, over the runs that the table shows, and figures that were logged. Vega weighs ten times
   what the rest of the page does, so it is loaded when the first such chart comes near the screen. Its expressions are interpreted, its
   styles and its tooltip are ours: the page's policy allows no others. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el, view = rf.chartView;
  const { vega, theme } = document.currentScript.dataset;
  const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$/;
  const CANVAS_FROM = 2000, MOST_ROWS = 100000;
  const drawn = new Set();

  /* ---- The theme: its colours are the names of the page's tokens ---- */

  const root = document.documentElement;
  function coloured(value, style) {
    if (Array.isArray(value)) return value.map((inner) => coloured(inner, style));
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, coloured(inner, style)]));
    return typeof value === "string" && value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  }

  /* ---- What a chart calls runs: the same rows as site/charts/rows.py makes ---- */

  function reader(key, column) {
    if (column.num) return (row) => (column.has[row] && Number.isFinite(column.num[row]) ? column.num[row] : null);
    const entries = key.startsWith("params.") && column.dict.every((text) => NUMBER.test(text)) ? column.dict.map(Number) : column.dict;
    return (row) => (column.has[row] ? entries[column.codes[row]] : null);
  }

  async function readers(keys) {
    const made = [];
    for (const key of keys) {
      const column = await view.columns.get(key);
      if (column) made.push([key, reader(key, column)]);
    }
    return made;
  }

  function rowsOf(columns) {
    const rows = view.filtered();
    return Array.from(rows.length > MOST_ROWS ? rows.slice(-MOST_ROWS) : rows, (row) => {
      const made = {};
      for (const [key, read] of columns) {
        const dot = key.indexOf("."), entity = key.slice(0, dot), name = key.slice(dot + 1), value = read(row);
        made[entity === "attributes" ? name : key] = value;
        (made[entity] = made[entity] || {})[name] = value;
      }
      return made;
    });
  }

  /* ---- The tooltip: text, where Vega's own makes markup and loads pictures that the data name ---- */

  function tooltip(place) {
    const tip = el("div", { cls: "chart-tip", hidden: true, "aria-hidden": "true" });
    place.append(tip);
    const words = (value) => (value === null || value === undefined ? "–" : typeof value === "object" ? JSON.stringify(value) : String(value));
    return (handler, event, item, value) => {
      tip.hidden = value === null || value === undefined || value === "";
      if (tip.hidden) return;
      const rows = typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [["", value]];
      tip.replaceChildren(...rows.slice(0, 12).map(([name, inner]) => el("div", { cls: "vega-tip-row" }, el("span", { text: name }), el("b", { text: words(inner) }))));
      const box = place.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      tip.style.left = Math.max(0, Math.min(box.width - tip.offsetWidth, x + 14)) + "px";
      tip.style.top = Math.max(0, y - tip.offsetHeight - 8) + "px";
    };
  }

  /* ---- Drawing ---- */

  /* A chart in `host`: `chart` is {title, spec, columns, uses_runs}. */
  class Figure {
    constructor(host, chart) {
      this.host = host;
      this.chart = chart;
      // Vega names each group of marks without words; what is heard is the title.
      this.inner = el("div", { cls: "vega-inner", "aria-hidden": "true" });
      this.canvas = el("div", { cls: "vega-canvas", role: "img", "aria-label": chart.title }, this.inner);
      this.inputs = el("div", { cls: "chart-controls vega-inputs" });
      this.place = el("div", { cls: "vega-place" }, this.canvas);
      this.turn = 0;
    }

    async draw() {
      const turn = ++this.turn, { spec, columns, uses_runs: usesRuns } = this.chart;
      const [embed, config] = await Promise.all([rf.load(vega), rf.load(theme)]);
      if (usesRuns && !this.readers) this.readers = await readers(columns);
      if (turn !== this.turn) return;
      const rows = usesRuns ? rowsOf(this.readers) : null;
      const full = structuredClone(spec);
      if (rows) full.datasets = { ...full.datasets, runs: rows };
      if (this.result) this.result.finalize();
      this.place.replaceChildren(this.canvas);
      this.inputs.replaceChildren();
      this.host.replaceChildren(this.inputs, this.place);
      this.result = await embed(this.inner, full, {
        mode: "vega-lite", ast: true, actions: false, defaultStyle: false, tooltip: tooltip(this.place), bind: this.inputs,
        renderer: rows && rows.length > CANVAS_FROM ? "canvas" : "svg", config: coloured(config, getComputedStyle(root)), logLevel: 1,
      });
      this.check();
      if (this.canvas.scrollWidth > this.canvas.clientWidth) this.canvas.tabIndex = 0;
      this.inputs.hidden = !this.inputs.childNodes.length;
      drawn.add(this);
    }

    /* What went wrong while it was drawn Vega keeps for itself. */
    check() {
      const [fault] = this.result.view.faults.splice(0);
      if (fault) throw fault;
    }

    /* Show the rows that the table shows now; axes and marks move, the chart does not start again. */
    update() {
      if (!this.result) return this.redraw();
      // Other rows may have longer labels, which need their room anew.
      return this.result.view.data("runs", rowsOf(this.readers)).resize().runAsync().then(() => this.check()).catch((error) => this.fail(error));
    }

    /* Draw again; what goes wrong is said in the card. */
    redraw() {
      return this.draw().catch((error) => this.fail(error));
    }

    fail(error) {
      if (this.result) this.result.finalize();
      this.result = null;
      this.host.replaceChildren(el("p", { cls: "small bad", role: "alert", text: "This chart could not be drawn: " + error.message }));
    }
  }

  let queued = 0;
  const redrawAll = () => { queued = 0; drawn.forEach((figure) => figure.redraw()); };
  const themed = () => { if (!queued) queued = requestAnimationFrame(redrawAll); };
  new MutationObserver(themed).observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", themed);

  /* A declared chart: <section data-chart="altair" data-spec="…">. Without Vega its static picture stays. */
  if (vega) rf.addChart("altair", async (host) => {
    const place = host.querySelector(".vega-still"), figure = new Figure(place, await rf.load(host.dataset.spec));
    await figure.redraw();
    if (!figure.chart.uses_runs) return;
    let shown = view.filtered(), waiting = 0;
    view.listeners.add(() => {
      if (view.filtered() === shown) return;
      shown = view.filtered();
      clearTimeout(waiting);
      waiting = setTimeout(() => figure.update(), 120);
    });
  });

  /* A logged figure; `path` is the artifact's name. */
  rf.figure = function (host, spec, path) {
    if (!vega) { host.append(el("p", { cls: "small muted", text: "A figure in Vega-Lite; this site has no script that draws it." })); return; }
    const place = el("div", { cls: "preview vega-still" });
    host.append(place);
    view.whenNear(place, () => new Figure(place, { title: path, spec, columns: [], uses_runs: false }).redraw());
  };

  /* Figures on the pages that were written ahead: <div data-figure="…">. */
  if (vega) document.querySelectorAll("[data-figure]").forEach((host) => view.whenNear(host, async () => {
    const body = await rf.load(host.dataset.figure);
    await new Figure(host, { title: host.dataset.title, spec: body.spec, columns: [], uses_runs: false }).redraw();
  }));
})(window.rf = window.rf || {});
