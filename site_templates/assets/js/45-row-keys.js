/* What the reader does on the rows: keys, clicks, links. */
(function (rf) {
  "use strict";

  /* Make the rows of a table answer. */
  rf.rowKeys = function (table, view) {
    const entryAt = (target) => {
      const row = target.closest && target.closest("tbody tr");
      return row && row.entry;
    };
    const runsOf = (entry) => (typeof entry === "number" ? [entry] : entry);

    view.element.addEventListener("click", (event) => {
      const sort = event.target.closest("button.sort");
      const entry = entryAt(event.target);
      if (sort) return void table.sortBy(sort.dataset.key, event.shiftKey);
      if (entry === undefined || entry === null) return undefined;
      if (event.target.type === "checkbox") return void table.select(runsOf(entry), event.target.checked);
      if (event.target.closest(".fold")) return void table.fold(entry);
      if (event.target.closest("a") && event.target.closest("a").getAttribute("href") === "#") {
        event.preventDefault();
        table.columns.ids([entry]).then(() => window.location.assign(table.hrefOf(entry)));
      }
      return undefined;
    });

    /* Ids are the dearest of all columns: the links get theirs when somebody is about to use one. */
    const want = (event) => {
      const entry = entryAt(event.target);
      if (typeof entry !== "number" || table.columns.idOf(entry)) return;
      const drawn = () => view.ask();
      table.columns.ids([entry]).then(drawn, drawn);
    };
    for (const name of ["pointerover", "pointerdown", "focusin"]) view.element.addEventListener(name, want);
    const hover = (row) => {
      if (view.hover === row) return;
      view.hover = row;
      rf.tell("hover", { row, from: "table" });
    };
    view.element.addEventListener("pointerover", (event) => {
      const entry = entryAt(event.target);
      hover(typeof entry === "number" ? entry : -1);
    });
    view.element.addEventListener("pointerleave", () => hover(-1));
    rf.on("hover", ({ row, from }) => {
      view.hover = row;
      if (from !== "table") view.ask();
    });

    const move = (by) => {
      const { entries } = table;
      if (!entries.length) return;
      const focused = entryAt(document.activeElement);
      const now = entries.indexOf(focused === undefined || focused === null ? table.current : focused);
      const at = Math.max(0, Math.min(entries.length - 1, now + by));
      table.current = typeof entries[at] === "number" ? entries[at] : entries[at][0];
      view.reveal(at);
    };
    const currentRun = () => {
      const focused = entryAt(document.activeElement);
      return focused === undefined || focused === null ? (table.current < 0 ? null : table.current) : focused;
    };
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || rf.typing(event.target)) return;
      const entry = currentRun();
      if (event.key === "j") move(1);
      else if (event.key === "k") move(-1);
      else if (event.key === "x" && entry !== null) table.select(runsOf(entry), !runsOf(entry).every((row) => table.selection.has(row)));
      else if (event.key === "b" && typeof entry === "number") table.setBaseline(entry);
      else if (event.key === "c") rf.compare(table);
      else return;
      event.preventDefault();
    });
  };

  /* Where the selected runs are compared; one of them alone with the baseline. */
  rf.compareHref = async function (table) {
    const rows = [...table.selection.keys()];
    if (table.baseline >= 0 && rows.length === 1 && rows[0] !== table.baseline) rows.unshift(table.baseline);
    return rows.length ? `${rf.root()}compare.html#r=${(await table.columns.ids(rows)).join(",")}` : null;
  };

  rf.compare = async function (table) {
    const href = await rf.compareHref(table);
    if (href) window.location.assign(href);
  };
})(window.rf = window.rf || {});
