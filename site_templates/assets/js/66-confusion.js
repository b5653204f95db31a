/* Confusion matrices out of logged tables: a square of counts with the same names on both sides, or one row a case with what was true
   and what was predicted. Drawn as a table, so that it can be read, copied and heard; the shade is of the row's share. */
(function (rf) {
  "use strict";
  const el = rf.kit.el;
  const MOST = 30;
  const TRUE = /^(y_?true|true|actual|label|target|truth|true_?label)$/i, PREDICTED = /^(y_?pred|pred|predicted|prediction|predicted_?label)$/i, COUNT = /^(count|n|value|freq|frequency)$/i;

  const byName = (a, b) => (Number.isFinite(Number(a)) && Number.isFinite(Number(b)) ? a - b : a < b ? -1 : a > b ? 1 : 0);
  const number = (cell) => (typeof cell === "number" ? cell : typeof cell === "string" && cell.trim() !== "" ? Number(cell) : NaN);

  function square(columns, rows) {
    const names = columns.slice(1);
    if (rows.length !== names.length || rows.length < 2 || rows.some((row, at) => String(row[0]) !== names[at])) return null;
    const counts = rows.map((row) => row.slice(1).map(number));
    return counts.every((row) => row.every((value) => value >= 0)) ? { names, counts } : null;
  }

  function cases(columns, rows) {
    const truth = columns.findIndex((name) => TRUE.test(name)), guess = columns.findIndex((name) => PREDICTED.test(name)), weight = columns.findIndex((name) => COUNT.test(name));
    if (truth < 0 || guess < 0 || !rows.length) return null;
    const names = [...new Set(rows.flatMap((row) => [String(row[truth]), String(row[guess])]))].sort(byName);
    if (names.length < 2 || names.length > MOST) return null;
    const counts = names.map(() => names.map(() => 0)), place = new Map(names.map((name, at) => [name, at]));
    for (const row of rows) {
      const count = weight < 0 ? 1 : number(row[weight]);
      if (!(count >= 0)) return null;
      counts[place.get(String(row[truth]))][place.get(String(row[guess]))] += count;
    }
    return { names, counts };
  }

  /* What a table counts: {names, counts[true][predicted]}; null where it is no confusion matrix, or not all of it is here. */
  rf.confusion = function (body) {
    if (body.hidden || body.total > body.rows.length) return null;
    const found = square(body.columns, body.rows) || cases(body.columns, body.rows);
    return found && found.names.length <= MOST ? found : null;
  };

  rf.confusionTable = function ({ names, counts }) {
    const total = counts.flat().reduce((sum, value) => sum + value, 0), right = counts.reduce((sum, row, at) => sum + row[at], 0);
    const rows = counts.map((row, at) => {
      const sum = row.reduce((one, other) => one + other, 0);
      return el("tr", {}, el("th", { scope: "row", text: names[at] }), ...row.map((value, to) => {
        const cell = el("td", { cls: at === to ? "hit" : value ? "miss" : "none", text: rf.number(value) }), share = sum ? value / sum : 0;
        if (value) cell.style.setProperty("--share", (share * 55).toFixed(0) + "%");
        return cell;
      }), el("td", { cls: "recall", text: sum ? Math.round((100 * row[at]) / sum) + " %" : "–" }));
    });
    return el("div", { cls: "confusion plain-wrap", tabindex: "0", role: "region", "aria-label": "Confusion matrix" }, el("table", {},
      el("caption", { text: "Rows are true, columns predicted: " + rf.number(right) + " of " + rf.number(total) + " right (" + (total ? ((100 * right) / total).toFixed(1) : "0") + " %)" }),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { cls: "visually-hidden", text: "True" })), ...names.map((name) => el("th", { scope: "col", text: name })), el("th", { scope: "col", text: "found" }))), el("tbody", {}, ...rows)));
  };

  /* Tables that the page was written with get their matrix, too. */
  rf.confusionIn = function (place) {
    place.querySelectorAll(".preview table").forEach((table) => {
      const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)), told = table.closest(".preview").nextElementSibling;
      const cut = told && told.tagName === "P" && / of /.test(told.textContent);
      const found = cut ? null : rf.confusion({ columns: [...table.tHead.rows[0].cells].map((cell) => cell.textContent), rows, total: rows.length, hidden: 0 });
      if (found) table.closest(".preview").before(rf.confusionTable(found));
    });
  };
})(window.rf = window.rf || {});
