/* The last part: start what the page needs. Scripts are deferred, so the page is there. */
(function (rf) {
  "use strict";

  rf.pages.experiment = function () {
    const place = document.getElementById("runs");
    if (!place || !rf.page() || !rf.page().runs) return;
    const table = (rf.table = new rf.Table(rf.page()));
    const view = (rf.view = new rf.View(table, place));
    const show = rf.tableBar(table, place);
    rf.rowKeys(table, view);
    rf.on("draw", () => view.draw());
    const start = async () => {
      try {
        const { baseline, selection } = table;
        const had = selection.size;
        await table.read();
        show();
        await table.update();
        if (table.baseline !== baseline) rf.tell("baseline", { row: table.baseline });
        if (had || table.selection.size) await table.selected();
      } catch (error) {
        rf.tell("fault", error.message); // the rows that the page was built with stay
      }
    };
    rf.on("url", start);
    table.ready = start();
  };

  if (rf.frame) rf.frame();
  rf.keys();
  const page = rf.pages[document.body.dataset.page];
  if (page) page();
  document.querySelectorAll("[data-chart]").forEach((element) => {
    const chart = rf.charts[element.dataset.chart];
    if (chart) chart(element, rf.table);
  });
})(window.rf = window.rf || {});
