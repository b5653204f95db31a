/* Drawing the run table: a real table of which only the rows in view exist. The same elements as templates/_table.html, so that
   nothing moves when this takes over from what the page was built with. */
(function (rf) {
  "use strict";

  const HEIGHT = 36;
  const COMPACT_HEIGHT = 64;
  const MOST_PIXELS = 16e6; // browsers cut elements off between 17.9 and 33.5 million
  const SPARE = 10;
  const STRIP = 68;
  const EDGE = 4;
  const SVG = "http://www.w3.org/2000/svg";
  const GROUPS = {
    metrics: "Metrics", params: "Parameters, bold where they differ from the baseline", tags: "Tags", datasets: "Datasets", attributes: "",
  };
  const START = "attributes.start_time";
  const FOR_WORDS = 4; // columns that are wide enough together for the long words
  const LABELS = {
    start_time: "Started", end_time: "Ended", duration: "Duration", status: "Status", user_id: "User", parent_run_id: "Parent run",
    artifact_count: "Artifacts", nested: "Nested", run_name: "Run",
  };
  const BAD = { FAILED: "pill-bad", KILLED: "pill-bad", RUNNING: "pill-warn", SCHEDULED: "pill-warn" };
  const compact = window.matchMedia("(max-width: 639px)");
  const el = rf.el;

  const entityOf = (key) => key.slice(0, key.indexOf("."));
  const nameOf = (key) => key.slice(key.indexOf(".") + 1);
  rf.labelOf = (key) => (entityOf(key) === "attributes" ? LABELS[nameOf(key)] || nameOf(key) : nameOf(key));

  function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function setClass(node, classes) {
    if (node.className !== classes) node.className = classes;
  }

  function svg(name, attributes, parent) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (parent) parent.append(made);
    return made;
  }

  function makeStrip() {
    const made = svg("svg", { class: "strip", viewBox: `0 0 ${STRIP} 12`, width: STRIP, height: 12, "aria-hidden": "true" });
    svg("line", { class: "strip-track", x1: 0, x2: STRIP, y1: 6, y2: 6 }, made);
    svg("line", { class: "strip-bar", y1: 6, y2: 6 }, made);
    svg("line", { class: "strip-tick", y1: 1.5, y2: 10.5 }, made);
    svg("circle", { class: "strip-dot", cy: 6, r: 3 }, made);
    return made;
  }

  class View {
    constructor(table, place) {
      this.table = table;
      this.scroller = place.querySelector(".runs-scroll");
      this.sizer = this.scroller.querySelector(".runs-sizer");
      this.element = this.sizer.querySelector("table");
      this.hover = -1;
      this.pool = [];
      this.shape = null;
      this.asked = false;
      this.scroller.addEventListener("scroll", () => this.ask(), { passive: true });
      window.addEventListener("resize", () => this.ask());
      compact.addEventListener("change", () => this.table.draw());
    }

    /* Draw with the next frame. */
    ask() {
      if (this.asked) return;
      this.asked = true;
      window.requestAnimationFrame(() => {
        this.asked = false;
        this.render();
      });
    }

    /* Everything may have changed: columns, order, rows. */
    draw() {
      this.compact = compact.matches;
      this.height = this.compact ? COMPACT_HEIGHT : HEIGHT;
      this.keys = this.table.keys.filter((key) => key !== rf.Table.NAME);
      this.wide = this.keys.includes(this.table.goal) ? this.table.goal : null;
      const shape = JSON.stringify([this.keys, this.compact]);
      if (shape !== this.shape) {
        this.shape = shape;
        this.pool = [];
        this.body = el("tbody", "runs-rows");
        this.pinned = el("tbody", "runs-pinned");
        this.head = this.element.createTHead();
        this.element.replaceChildren(this.element.caption || "", this.head, this.pinned, this.body);
      }
      // Another question is answered from its beginning; other columns are shown where the reader is.
      const question = JSON.stringify([this.table.text, this.table.order, this.table.grouped]);
      if (this.question !== undefined && this.question !== question) this.scroller.scrollTop = 0;
      this.question = question;
      this.drawHead();
      this.ranges = new Map(this.wide ? [[this.wide, this.table.strip(this.wide)]] : []);
      const base = this.table.baseline;
      if (base < 0) this.pinned.replaceChildren();
      else {
        if (!this.pinned.firstChild) this.pinned.append(this.makeRow());
        this.fillRow(this.pinned.firstChild, base, 2);
      }
      setClass(this.element, this.table.grouped ? "runs grouped" : "runs");
      this.render();
    }

    /* ---- Head */

    drawHead() {
      const groups = el("tr", "runs-groups");
      const names = el("tr", "runs-names");
      groups.append(el("td", "c-name"));
      names.append(this.headCell(rf.Table.NAME, "c-name"));
      for (let at = 0; at < this.keys.length; ) {
        const entity = entityOf(this.keys[at]);
        let end = at;
        while (end < this.keys.length && entityOf(this.keys[end]) === entity) {
          names.append(this.headCell(this.keys[end], this.classOf(this.keys[end], end === at)));
          end++;
        }
        const text = entity === "params" && (this.table.baseline < 0 || end - at < FOR_WORDS) ? "Parameters" : GROUPS[entity] || (this.keys.slice(at, end).includes(START) && this.table.page.one_day) || "";
        const cell = el(text ? "th" : "td", "edge");
        cell.colSpan = end - at;
        if (text) {
          cell.scope = "colgroup";
          cell.append(el("span", "", text));
        }
        groups.append(cell);
        at = end;
      }
      const focused = this.head.contains(document.activeElement) && document.activeElement.dataset.key;
      this.head.replaceChildren(groups, names);
      groups.setAttribute("aria-rowindex", "1");
      names.setAttribute("aria-rowindex", "2");
      if (focused) this.head.querySelectorAll("button").forEach((button) => button.dataset.key === focused && button.focus());
    }

    headCell(key, classes) {
      const cell = el("th", classes);
      cell.scope = "col";
      const button = el("button", "sort");
      button.type = "button";
      button.dataset.key = key;
      button.title = `${rf.labelOf(key)}: click to sort, shift-click to sort by it, too`;
      button.append(rf.breakable(el("span", "head-name"), rf.labelOf(key)));
      const order = this.table.order;
      const at = order.findIndex((item) => item.key === key);
      if (at >= 0) {
        const mark = el("span", "sort-mark", order[at].ascending ? "\u25b2" : "\u25bc");
        mark.setAttribute("aria-hidden", "true");
        button.append(mark);
        if (order.length > 1) button.append(el("span", "sort-place", String(at + 1)));
        if (at === 0) cell.setAttribute("aria-sort", order[at].ascending ? "ascending" : "descending");
      }
      cell.append(button);
      return cell;
    }

    classOf(key, edge) {
      const column = this.table.column(key);
      const kind = column ? column.kind : "num";
      const size = key === this.table.goal ? "c-goal" : kind === "num" ? "c-num" : kind === "time" ? "c-time" : "c-text";
      return edge ? `${size} edge` : size;
    }

    /* ---- Rows */

    makeRow() {
      const row = el("tr");
      const head = el("th", "c-name");
      head.scope = "row";
      const inside = el("div", "run-cell");
      const box = el("input");
      box.type = "checkbox";
      const fold = el("button", "fold");
      fold.type = "button";
      fold.hidden = true;
      const parts = { row, box, fold, dot: el("span", "dot"), link: el("a", "cut"), pill: el("span", "pill"), mark: el("span", "base-mark", "baseline") };
      inside.append(box, parts.dot, fold, parts.link, parts.pill, parts.mark);
      head.append(inside);
      row.append(head);
      parts.cells = [];
      const shown = this.compact ? this.keys.slice(0, 1) : this.keys;
      shown.forEach((key, at) => {
        const edge = at === 0 || entityOf(key) !== entityOf(shown[at - 1]);
        const cell = el("td", this.classOf(key, edge));
        const made = { key, cell, base: cell.className, column: this.table.column(key) };
        if (key === this.wide) {
          made.value = el("span", "goal-value");
          made.strip = makeStrip();
          made.delta = el("span", "delta");
          const line = el("div", "goal-cell");
          line.append(made.value, made.strip, made.delta);
          cell.append(line);
        }
        row.append(cell);
        parts.cells.push(made);
      });
      if (this.compact) row.append((parts.differing = el("td", "c-diff cut")));
      row.parts = parts;
      return row;
    }

    /* Fill a row's elements for an entry: a run's row, or the rows of a group. */
    fillRow(row, entry, index) {
      const { table } = this;
      const parts = row.parts;
      const group = typeof entry === "number" ? null : entry;
      const run = group ? group[0] : entry;
      const slot = group ? undefined : table.slotOf(run);
      const based = !group && run === table.baseline;
      row.entry = entry;
      setClass(row, [run === table.current && !group && !row.closest(".runs-pinned") ? "current" : "", run === this.hover ? "hovered" : "",
        group ? "group" : table.grouped && table.open.has(table.names[run]) && !row.closest(".runs-pinned") ? "member" : "", based ? "is-base" : ""].filter(Boolean).join(" "));
      row.setAttribute("aria-rowindex", index);
      const on = group ? group.every((one) => table.selection.has(one)) : table.selection.has(run);
      const name = group ? rf.count(group.length, "run") : table.name(run);
      parts.box.checked = on;
      parts.box.setAttribute("aria-label", `Select ${name}`);
      setClass(parts.dot, slot === undefined ? "dot none" : `dot d${slot % 6}`);
      parts.fold.hidden = !group;
      parts.link.hidden = Boolean(group);
      if (group) {
        const open = table.open.has(table.names[run]);
        setText(parts.fold, `${open ? "\u25be" : "\u25b8"} ${name}`);
        parts.fold.setAttribute("aria-expanded", open);
      } else {
        setText(parts.link, name);
        parts.link.title = name;
        parts.link.href = table.hrefOf(run);
      }
      const status = table.column("attributes.status");
      const told = status && !group ? status.text(run) : "";
      parts.pill.hidden = !BAD[told];
      if (BAD[told]) {
        setText(parts.pill, told.toLowerCase());
        setClass(parts.pill, `pill ${BAD[told]}`);
      }
      parts.mark.hidden = !based;
      for (const made of parts.cells) this.fillCell(made, run, group);
      if (parts.differing) setText(parts.differing, this.differing(run, based));
    }

    /* Runs of one day are told apart by the time, and the day stands above the column. */
    when(key) {
      return key === START && this.table.page.one_day ? rf.clock : rf.day;
    }

    fillCell(made, run, group) {
      const column = made.column || (made.column = this.table.column(made.key));
      const { cell, base, key } = made;
      if (group) return this.fillGroup(made, column, group);
      if (!column || !column.has[run]) {
        setClass(cell, `${base} none`);
        this.put(made, "\u2013", null);
      } else if (column.num) {
        const value = column.num[run];
        setClass(cell, base);
        if (column.kind === "time") {
          setText(cell, this.when(key)(value));
          cell.title = `${rf.moment(value)}, ${rf.ago(value)}`;
        } else {
          this.put(made, key === "attributes.duration" ? rf.duration(value) : rf.number(value), value, run);
        }
      } else {
        const text = column.text(run);
        const params = key.startsWith("params.") && this.table.baseline >= 0;
        setClass(cell, params ? `${base} ${this.same(column, run) ? "same" : "differs"}` : base);
        setText(cell, key.startsWith("params.") ? rf.param(text) : text);
        cell.title = text;
      }
    }

    /* Put a number's words into its cell; the goal's cell has its strip and its difference, too. */
    put(made, text, value, run) {
      if (!made.value) {
        setText(made.cell, text);
        const delta = value === null || run === this.table.baseline ? null : this.table.delta(made.key, value);
        made.cell.title = delta ? `${rf.signed(delta.value)} against the baseline` : "";
        return;
      }
      setText(made.value, text);
      const delta = value === null ? null : this.table.delta(made.key, value);
      this.placeStrip(made, value);
      const told = delta && run !== this.table.baseline;
      setClass(made.delta, `delta ${!told || !delta.good ? "faint" : delta.good > 0 ? "good" : "bad"}`);
      setText(made.delta, !told ? "" : delta.value === 0 ? "\u00b10" : `${delta.value > 0 ? "\u25b2" : "\u25bc"} ${rf.signed(delta.value)}`);
      setClass(made.cell, `${made.base} ${!told || !delta.good ? "" : delta.good > 0 ? "better" : "worse"}`.trim());
    }

    placeStrip(made, value) {
      const range = this.ranges.get(made.key);
      const [, bar, tick, dot] = made.strip.children;
      const base = this.table.baseline < 0 ? NaN : this.table.column(made.key).num[this.table.baseline];
      const x = (number) => {
        const part = range[1] > range[0] ? (number - range[0]) / (range[1] - range[0]) : 0.5;
        return (EDGE + Math.min(1, Math.max(0, part)) * (STRIP - 2 * EDGE)).toFixed(1);
      };
      const known = range && Number.isFinite(value) && value !== null;
      const based = range && Number.isFinite(base);
      dot.setAttribute("visibility", known ? "visible" : "hidden");
      bar.setAttribute("visibility", known && based ? "visible" : "hidden");
      tick.setAttribute("visibility", based ? "visible" : "hidden");
      if (known) dot.setAttribute("cx", x(value));
      if (based) for (const side of ["x1", "x2"]) tick.setAttribute(side, x(base));
      if (known && based) {
        bar.setAttribute("x1", x(base));
        bar.setAttribute("x2", x(value));
      }
    }

    fillGroup(made, column, group) {
      setClass(made.cell, made.base);
      made.cell.title = "";
      if (!column || !group.some((row) => column.has[row])) return this.put(made, "\u2013", null);
      if (column.kind === "num") {
        const found = rf.groups.summary(column.num, group, this.table.seeds());
        const words = made.key === "attributes.duration" ? rf.duration : rf.number;
        if (!found) return this.put(made, "NaN", null);
        const text = found.half === null ? words(found.mean) : `${words(found.mean)} \u00b1 ${words(found.half)}`;
        this.put(made, made.value || found.count < group.length ? `${text} (${found.count})` : text, found.mean);
        made.cell.title = `Mean of ${found.count}` + (found.half === null ? "" : `, with its 95 % interval: ${text}`);
        return undefined;
      }
      const values = [...new Set(group.map((row) => column.text(row)))];
      const text = values.length > 1 ? `${values.length} values` : column.kind === "time" ? this.when(made.key)(column.num[group[0]]) : made.key.startsWith("params.") ? rf.param(values[0]) : values[0];
      if (values.length > 1) setClass(made.cell, `${made.base} none`);
      else if (made.key.startsWith("params.") && this.table.baseline >= 0) {
        setClass(made.cell, `${made.base} ${this.same(column, group[0]) ? "same" : "differs"}`);
      }
      setText(made.cell, text);
      made.cell.title = values.slice(0, 20).join(", ");
      return undefined;
    }

    same(column, run) {
      const base = this.table.baseline;
      if (!column.has[base] || !column.has[run]) return column.has[base] === column.has[run];
      const ranks = column.dict[column.codes[base]] === column.dict[column.codes[run]];
      return ranks;
    }

    /* The params in which a run differs from the baseline, in words, for narrow screens. */
    differing(run, based) {
      const params = this.keys.filter((key) => key.startsWith("params.") && this.table.column(key));
      const told = (key) => `${nameOf(key)} ${rf.param(this.table.column(key).text(run)) || "none"}`;
      if (based || this.table.baseline < 0) return params.map(told).join(", ");
      const words = params.filter((key) => !this.same(this.table.column(key), run)).map(told);
      return words.length ? words.join(", ") : "same parameters as the baseline";
    }

    /* ---- Scrolling */

    get top() {
      return this.head.offsetHeight + this.pinned.offsetHeight;
    }

    /* Draw the rows in view. Above 16 million pixels one pixel of the scroll bar stands for several. */
    render() {
      if (!this.body) return;
      const { entries } = this.table;
      const whole = entries.length * this.height + this.top;
      const real = Math.min(whole, MOST_PIXELS);
      this.sizer.style.height = `${real}px`; // before the view is measured: it is as high as what is in it, up to its limit
      const view = this.scroller.clientHeight;
      const ratio = real > view ? (whole - view) / (real - view) : 1;
      const above = this.scroller.scrollTop * ratio;
      const first = Math.max(0, Math.min(entries.length, Math.floor(above / this.height) - SPARE));
      const last = Math.min(entries.length, Math.ceil((above + view) / this.height) + SPARE);
      this.ratio = ratio;
      this.element.style.marginTop = `${Math.max(0, this.scroller.scrollTop - above + first * this.height)}px`;
      while (this.pool.length < last - first) this.pool.push(this.makeRow());
      const before = 3 + (this.table.baseline >= 0 ? 1 : 0);
      const rows = this.pool.slice(0, last - first);
      const focused = this.body.contains(document.activeElement) ? document.activeElement.closest("tr") : null;
      const entry = focused && focused.entry;
      rows.forEach((row, at) => this.fillRow(row, entries[first + at], first + at + before));
      if (this.body.childElementCount !== rows.length) this.body.replaceChildren(...rows);
      this.element.setAttribute("aria-rowcount", entries.length + before - 1);
      if (focused && focused.entry !== entry) this.refocus(rows.find((row) => row.entry === entry));
      this.shown = [first, last];
      rf.tell("view", this.inView(above, view));
    }

    /* The first and the last line that the reader sees, for the foot. */
    inView(above, view) {
      const count = this.table.entries.length;
      const first = Math.min(count, Math.floor(above / this.height) + 1);
      return { first, last: Math.min(count, Math.max(first, Math.floor((above + view - this.top + 1) / this.height))) };
    }

    /* A row's elements are used again for another run: the focus stays with the run, or leaves with it. */
    refocus(row) {
      if (row) row.querySelector("a:not([hidden]), .fold:not([hidden])").focus({ preventScroll: true });
      else this.scroller.focus({ preventScroll: true });
    }

    /* Bring a line into view and put the focus on it. */
    reveal(at) {
      const above = at * this.height;
      const room = this.scroller.clientHeight - this.top - this.height;
      const now = this.scroller.scrollTop * this.ratio;
      if (above < now) this.scroller.scrollTop = above / this.ratio;
      else if (above > now + room) this.scroller.scrollTop = (above - room) / this.ratio;
      this.render();
      this.refocus([...this.body.children].find((row) => row.entry === this.table.entries[at]));
    }
  }

  /* Where a run's page is; as long as its id is not here a place that 45-row-keys.js takes the click from. */
  rf.Table.prototype.hrefOf = function (row) {
    return this.columns.hrefOf(row) || "#";
  };
  rf.View = View;
})(window.rf = window.rf || {});
