/* Keys that every page has, the list of them, and dialogs. */
(function (rf) {
  "use strict";

  const el = rf.el;
  const KEYS = [
    ["/", "filter the runs; on other pages, search"],
    ["j, k", "next and previous run"],
    ["Enter", "open the run"],
    ["x", "select the run, or take it out"],
    ["b", "make the run the baseline, or take it away"],
    ["c", "compare the selected runs"],
    ["Esc", "leave the filter; close what is open"],
    ["?", "this list"],
  ];

  /* A dialog with a heading and a way out. It is taken away when it closes. */
  rf.dialog = function (title, ...parts) {
    const made = el("dialog", "dialog");
    const head = el("div", "dialog-head");
    const heading = el("h2", "", title);
    heading.id = "rf-dialog";
    const close = el("button", "btn", "Close");
    close.type = "button";
    close.addEventListener("click", () => made.close());
    head.append(heading, close);
    made.append(head, ...parts);
    made.setAttribute("aria-labelledby", "rf-dialog");
    made.addEventListener("click", (event) => event.target === made && made.close());
    made.addEventListener("close", () => made.remove());
    document.body.append(made);
    made.showModal();
    return made;
  };

  function help() {
    const list = el("dl", "facts dialog-body");
    for (const [keys, words] of KEYS) {
      const term = el("dt");
      keys.split(", ").forEach((key) => term.append(el("kbd", "", key), " "));
      list.append(term, el("dd", "", words));
    }
    const about = el("p", "dialog-body small muted");
    about.append(
      "The filter is the language of the command line: ",
      el("code", "", "metrics.acc > 0.9 AND params.opt = 'adam' AND tags.team IS NOT NULL"),
      ". Shift-click a column to sort by it, too.",
    );
    rf.dialog("Keyboard shortcuts", list, about);
  }

  /* Whether keys are for what has the focus. */
  rf.typing = (target) => target.closest && target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]");

  /* Keys of every page. */
  rf.keys = function () {
    document.querySelectorAll("[data-help]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", help);
    });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || rf.typing(event.target)) return;
      if (event.key === "?") help();
      else if (event.key === "/") {
        const filter = document.querySelector("#rf-filter, input[type=search]");
        const search = document.querySelector(".find");
        if (filter) filter.focus();
        else if (search) search.click();
      } else return;
      event.preventDefault();
    });
  };
})(window.rf = window.rf || {});
