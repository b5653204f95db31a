/* What the charts of an experiment's page share: its columns as axes, the rows that the table shows, the selection with its colours,
   and what is brushed. Charts and table only meet in the events of rf.bus. */
(function (rf) {
  "use strict";
  const kit = rf.kit;
  const MOST_NAMES = 12, LOG_FROM = 50, MOST_PARAMS = 40, MANY = 2000;
  const view = (rf.chartView = { page: null, columns: null, rows: null, slots: new Map(), selected: [], baseline: -1, hover: -1, brushes: new Map(), listeners: new Set() });

  view.tell = () => view.listeners.forEach((listener) => listener());
  /* Tell after the next paint, once: the table shows its answer before 100,000 points are drawn again. */
  let asked = false;
  view.soon = function () {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => setTimeout(() => { asked = false; view.tell(); }));
  };
  view.name = (key) => key.slice(key.indexOf(".") + 1);

  /* `table` is the page's rf.Table; without one the charts show all runs. */
  view.start = function (table) {
    view.page = rf.page();
    view.table = table || null;
    view.columns = table ? table.columns : new rf.Columns(view.page);
    const experiment = view.page.experiment;
    view.objective = experiment.objective;
    if (table) {
      view.baseline = table.baseline;
      if (table.rows.length) view.rows = table.rows;
      view.selected = [...table.selection.keys()];
    } else if (Number.isInteger(experiment.baseline_row)) view.baseline = experiment.baseline_row;
    rf.on("rows", (detail) => { view.rows = detail.rows; view.soon(); });
    rf.on("selection", (detail) => view.select(detail));
    rf.on("baseline", (detail) => { view.baseline = detail.row; view.slots = slots(); view.tell(); });
    rf.on("hover", (detail) => { view.hover = detail && detail.row >= 0 ? detail.row : -1; view.point(); });
    view.slots = slots(table ? [...table.selection.values()] : null);
  };
  view.pointers = new Set();
  view.point = () => view.pointers.forEach((listener) => listener());
  view.select = function (detail) {
    view.selected = Array.from(detail.rows || []);
    view.slots = slots(detail.slots);
    view.tell();
  };
  /* A colour for each selected run: the baseline's is the first, and a run keeps its own as long as it is selected. */
  function slots(given) {
    const made = new Map(), used = new Set([0]);
    if (view.baseline >= 0) made.set(view.baseline, 0);
    const left = [];
    view.selected.forEach((row, at) => {
      if (row === view.baseline) return;
      const slot = given ? given[at] : view.slots.get(row);
      if (slot > 0 && !used.has(slot)) { made.set(row, slot); used.add(slot); } else left.push(row);
    });
    left.forEach((row) => { let slot = 1; while (used.has(slot)) slot++; made.set(row, slot); used.add(slot); });
    return made;
  }

  view.filtered = () => view.rows || (view.every = view.every || Uint32Array.from({ length: view.columns.length }, (_, row) => row));

  /* Whether texts are all numbers, as params mostly are. */
  const numeric = (texts) => texts.length > 0 && texts.every((text) => text.trim() !== "" && Number.isFinite(Number(text)));

  /* Numbers by size, then other texts by letters. */
  const byNumber = (a, b) => (numeric([a]) ? (numeric([b]) ? Number(a) - Number(b) : -1) : numeric([b]) ? 1 : a < b ? -1 : 1);

  /* A column as an axis: values by row, NaN where there is none; names where it is categories; null where it cannot be one. */
  view.axis = async function (key) {
    const column = await view.columns.get(key);
    if (!column || column.kind === "list") return null;
    const axis = { key, name: view.name(key), kind: "linear", values: column.num, names: null };
    if (column.num) axis.kind = column.kind === "time" ? "time" : key === "attributes.duration" ? "span" : "linear";
    else {
      const used = column.dict, values = new Float64Array(column.length).fill(NaN);
      const numbers = numeric(used);
      if (numbers) {
        const spelled = used.map(Number);
        for (let row = 0; row < column.length; row++) if (column.codes[row] >= 0) values[row] = spelled[column.codes[row]];
      } else {
        const names = [...new Set(used)].sort(byNumber);
        if (names.length > MOST_NAMES) return null;
        const place = new Map(names.map((name, at) => [name, at]));
        for (let row = 0; row < column.length; row++) if (column.codes[row] >= 0) values[row] = place.get(used[column.codes[row]]);
        axis.kind = "cat";
        axis.names = names;
      }
      axis.values = values;
    }
    const found = new Set();
    let lo = Infinity, hi = -Infinity;
    for (const value of axis.values) {
      if (!Number.isFinite(value)) continue;
      if (value < lo) lo = value;
      if (value > hi) hi = value;
      if (found.size < 9) found.add(value);
    }
    Object.assign(axis, { lo, hi, distinct: found.size < 9 ? [...found].sort((a, b) => a - b) : null, empty: !(lo <= hi) });
    if (axis.kind === "linear" && lo > 0 && hi / lo >= LOG_FROM) axis.kind = "log";
    return axis;
  };

  /* Columns that can be asked for as axes, in the table's order. */
  view.choices = function () {
    const listed = view.columns.listed || [];
    const numbers = listed.filter((column) => column.kind === "num" || column.kind === "time").map((column) => column.key);
    // Of many runs only the columns that the table has anyway: the others cost their bytes when somebody asks for them.
    const params = listed.filter((column) => column.key.startsWith("params.") && (column.core || view.columns.length <= MANY)).map((column) => column.key).slice(0, MOST_PARAMS);
    return { numbers, params, metrics: numbers.filter((key) => key.startsWith("metrics.")) };
  };
  view.goal = () => (view.objective ? "metrics." + view.objective.metric : view.choices().metrics[0]);

  /* Keep the rows for which `test(row)` holds, under a chart's name; null takes its brush away. */
  view.brush = function (source, test) {
    if (test) {
      const mask = new Uint8Array(view.columns.length);
      for (let row = 0; row < mask.length; row++) mask[row] = test(row) ? 1 : 0;
      view.brushes.set(source, mask);
    } else if (!view.brushes.delete(source)) return;
    if (view.table) view.table.brush(source, view.brushes.get(source) || null);
    else {
      const masks = [...view.brushes.values()];
      view.rows = masks.length ? Uint32Array.from({ length: view.columns.length }, (_, row) => row).filter((row) => masks.every((mask) => mask[row])) : null;
      view.tell();
    }
  };
  /* Whether a chart's brush still holds: the table can take it away, too. */
  view.brushed = function (source) {
    if (view.table && !view.table.brushes.has(source)) view.brushes.delete(source);
    return view.brushes.has(source);
  };

  /* Select a run, or take it out of the selection. */
  view.pick = function (row) {
    if (view.table) view.table.select([row], !view.table.selection.has(row));
    else view.select({ rows: view.selected.includes(row) ? view.selected.filter((other) => other !== row) : [...view.selected, row] });
  };

  /* What a row is called in a tip; names are in the table's first columns. */
  view.rowName = async function (row) {
    const names = await view.columns.get("attributes.run_name");
    return (names && names.text(row)) || "run " + (row + 1);
  };

  /* Start a card's work when it comes near the screen: its columns cost bytes. */
  view.whenNear = function (host, start) {
    const eye = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      eye.disconnect();
      Promise.resolve(start()).catch((error) => host.replaceChildren(kit.el("p", { cls: "card-body small bad", text: error.message })));
    }, { rootMargin: "300px" });
    eye.observe(host);
  };

  /* Name what draws <section data-chart="name"> of an experiment's page; it starts when the section comes near and the table is read. */
  rf.charts = rf.charts || {};
  rf.addChart = function (name, make) {
    rf.charts[name] = (host, table) => view.whenNear(host, async () => {
      view.ready = view.ready || Promise.resolve(table && table.ready).then(() => view.start(table));
      await view.ready;
      await make(host);
    });
  };
})(window.rf = window.rf || {});
