/* What stands around the rows: the filter, the choice of columns, grouping, the link, downloads, the foot. */
(function (rf) {
  "use strict";

  const el = rf.el;
  const WAIT = 120;
  const MOST_LISTED = 200;
  const HEADINGS = [["metrics", "Metrics"], ["params", "Parameters"], ["tags", "Tags"], ["datasets", "Datasets"], ["attributes", "The run itself"]];

  const count = (number) => rf.number(number);

  /* ---- Filter */

  function filterBox(table, place) {
    const box = place.querySelector("#rf-filter");
    const fault = place.querySelector(".filter-fault");
    const told = place.querySelector(".filter-count");
    let timer = 0;
    let typed = false;
    const apply = () => {
      window.clearTimeout(timer);
      if (box.value === table.text) return;
      table.set({ text: box.value }, typed);
      typed = true;
    };
    box.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(apply, table.columns.length > 20000 ? WAIT : WAIT / 4);
    });
    box.addEventListener("change", apply);
    box.addEventListener("blur", () => (typed = false));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") apply();
      if (event.key === "Escape") box.blur();
    });
    rf.on("fault", (message) => {
      fault.hidden = !message;
      fault.textContent = message;
      box.setAttribute("aria-invalid", String(Boolean(message)));
      told.classList.toggle("stale", Boolean(message));
    });
    rf.on("rows", ({ rows, total }) => {
      told.replaceChildren(el("b", "", count(rows.length)), ` of ${count(total)}`);
    });
    return () => (box.value = table.text);
  }

  /* ---- Columns */

  async function chooseColumns(table) {
    const all = await table.columns.all();
    const search = el("input", "search-box");
    search.type = "search";
    search.placeholder = "Find a column";
    search.setAttribute("aria-label", "Find a column");
    const list = el("div", "choices");
    list.tabIndex = 0;
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "Columns");
    const usual = el("button", "btn", "As at first");
    usual.type = "button";
    const line = el("div", "dialog-body choice-line");
    line.append(search, usual);

    const choice = (facts) => {
      const label = el("label", "choice");
      const box = el("input");
      box.type = "checkbox";
      box.checked = table.keys.includes(facts.key);
      box.addEventListener("change", () =>
        table.set({ keys: box.checked ? inOrder([...table.keys, facts.key]) : table.keys.filter((key) => key !== facts.key) }),
      );
      const filled = facts.filled === undefined || facts.filled >= table.columns.length ? "" : count(facts.filled);
      label.append(box, el("span", "cut", rf.labelOf(facts.key)), el("span", "muted small", filled));
      label.title = facts.key;
      return label;
    };
    const fill = () => {
      const words = search.value.toLowerCase();
      let room = MOST_LISTED;
      let hidden = 0;
      list.replaceChildren();
      for (const [entity, heading] of HEADINGS) {
        const found = all.filter(({ key }) => key.startsWith(`${entity}.`) && key !== rf.Table.NAME && rf.labelOf(key).toLowerCase().includes(words));
        if (!found.length) continue;
        // What is shown comes first, so that it can be taken away whatever the number of columns.
        found.sort((a, b) => table.keys.includes(b.key) - table.keys.includes(a.key));
        list.append(el("h3", "", `${heading} ${count(found.length)}`), ...found.slice(0, room).map(choice));
        hidden += Math.max(0, found.length - room);
        room = Math.max(0, room - found.length);
      }
      if (hidden) list.append(el("p", "muted small", `${rf.count(hidden, "more column")}: type a part of the name.`));
    };
    const inOrder = (keys) => HEADINGS.flatMap(([entity]) => keys.filter((key) => key.startsWith(`${entity}.`)));
    search.addEventListener("input", fill);
    usual.addEventListener("click", () => {
      table.set({ keys: table.usual });
      fill();
    });
    fill();
    rf.dialog("Columns", line, list);
    search.focus();
  }

  /* ---- Foot */

  function foot(table, place) {
    const chosen = place.querySelector(".runs-chosen");
    const compare = place.querySelector("[data-do=compare]");
    const clear = place.querySelector("[data-do=clear]");
    const shown = place.querySelector(".runs-shown");
    compare.addEventListener("click", () => rf.compare(table));
    clear.addEventListener("click", () => {
      table.select([...table.selection.keys()], false);
      compare.focus();
    });
    rf.on("draw", () => {
      const size = table.selection.size;
      chosen.replaceChildren(el("b", "", count(size)), " selected");
      compare.disabled = !size;
      clear.hidden = !size;
    });
    rf.on("view", ({ first, last }) => {
      const all = table.entries.length;
      const what = table.grouped ? " lines" : "";
      shown.textContent = all ? `Showing ${count(first)}\u2013${count(last)} of ${count(all)}${what}` : "No run matches the filter";
    });
  }

  /* On narrow screens there is no head to click. */
  function sortChoice(table, place) {
    const select = place.querySelector("#rf-sort");
    const fill = () => {
      const { key, ascending } = table.order[0] || {};
      const keys = [...new Set([...table.keys, "attributes.run_name", ...(key ? [key] : [])])];
      select.replaceChildren(
        ...keys.flatMap((one) => [[`-${one}`, `${rf.labelOf(one)} \u25bc`], [one, `${rf.labelOf(one)} \u25b2`]]).map(([value, text]) => {
          const option = el("option", "", text);
          option.value = value;
          return option;
        }),
      );
      select.value = ascending ? key : `-${key}`;
    };
    select.addEventListener("change", () => {
      table.set({ order: [{ key: select.value.replace(/^-/, ""), ascending: !select.value.startsWith("-") }] });
    });
    rf.on("draw", fill);
  }

  async function copyLink(button) {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(window.location.href);
      button.textContent = "Copied";
    } catch (error) {
      button.textContent = "Copy it from the address bar"; // the browser forbids it; the address is the link
    }
    window.setTimeout(() => (button.textContent = label), 1600);
  }

  rf.tableBar = function (table, place) {
    const show = filterBox(table, place);
    foot(table, place);
    sortChoice(table, place);
    const group = place.querySelector("[data-do=group]");
    const columns = place.querySelector("[data-do=columns]");
    const menu = place.querySelector("details.menu");
    columns.addEventListener("click", () => chooseColumns(table));
    group.addEventListener("click", () => table.set({ grouped: !table.grouped }));
    place.querySelector("[data-do=link]").addEventListener("click", (event) => copyLink(event.currentTarget));
    place.querySelectorAll("[data-save]").forEach((button) =>
      button.addEventListener("click", () => {
        menu.open = false;
        rf.save(table, button.dataset.save);
      }),
    );
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => menu.contains(event.target) || (menu.open = false));
    rf.on("draw", () => {
      group.setAttribute("aria-pressed", String(table.grouped));
      const all = table.page.columns.length + (table.page.more || 0);
      columns.querySelector(".muted").textContent = `${table.keys.length + 1}/${count(all)}`;
    });
    return show;
  };
})(window.rf = window.rf || {});
