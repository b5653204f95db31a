/* The table of an experiment's runs: what it shows and in which order. All of it is in the page's address. Drawing is in 44-rows.js,
   what the reader clicks and types in 45-row-keys.js and 46-table-bar.js.

   Beside drawing, it tells the page (rf.on): "rows" {rows, total}, "selection" {rows, ids, slots}, "baseline" {row}, "hover" {row}. */
(function (rf) {
  "use strict";

  const NAME = "attributes.run_name";
  const START = "attributes.start_time";
  const HIDDEN = ["attributes.status", "attributes.duration", NAME];
  const MOST_IN_LINK = 50;

  class Table {
    constructor(page) {
      this.page = page;
      this.columns = new rf.Columns(page);
      const objective = page.experiment.objective;
      this.goal = objective ? `metrics.${objective.metric}` : null;
      this.better = objective ? (objective.direction === "min" ? -1 : 1) : 0;
      this.replicate = objective && objective.replicate;
      this.usual = page.columns.filter((column) => column.core && !HIDDEN.includes(column.key)).map((column) => column.key);
      if (!this.goal || !this.usual.includes(this.goal)) this.goal = null;
      this.held = new Map();
      this.selection = new Map();
      this.brushes = new Map();
      this.open = new Set();
      this.wanted = new Set();
      this.baseline = -1;
      this.rows = new Uint32Array(0);
      this.entries = [];
      this.turn = 0;
      this.current = -1;
      this.drawn = Promise.resolve();
    }

    /* ---- State and address */

    get usualOrder() {
      return this.goal ? [{ key: this.goal, ascending: this.better < 0 }] : [{ key: START, ascending: false }];
    }

    async read() {
      const url = rf.url;
      this.text = url.get("q") || "";
      const order = url.list("s");
      this.order = order
        ? order.map((item) => ({ key: item.replace(/^-/, ""), ascending: !item.startsWith("-") }))
        : this.usualOrder;
      this.keys = url.list("c") || this.usual;
      this.grouped = url.get("g") === "1";
      const named = url.get("base");
      const chosen = url.list("sel") || [];
      this.baseline = await this.rowOfBaseline(named);
      this.selection.clear();
      for (const row of await this.columns.rowsOf(chosen)) if (row >= 0) this.selection.set(row, this.freeSlot());
    }

    async rowOfBaseline(named) {
      if (named === "none") return -1;
      const { baseline, baseline_row: row } = this.page.experiment;
      if (!named || named === baseline) return Number.isInteger(row) ? row : baseline ? (await this.columns.rowsOf([baseline]))[0] : -1;
      return (await this.columns.rowsOf([named]))[0];
    }

    /* Put what changed into the address and show it. */
    set(changes, replace) {
      const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
      Object.assign(this, changes);
      const order = this.order.map(({ key, ascending }) => (ascending ? key : `-${key}`));
      rf.url.set(
        {
          q: this.text.trim() ? this.text : null,
          s: same(this.order, this.usualOrder) ? null : order,
          c: same(this.keys, this.usual) ? null : this.keys,
          g: this.grouped ? "1" : null,
        },
        replace,
      );
      return this.update();
    }

    /* ---- Rows */

    column(key) {
      return this.held.get(key) || null;
    }

    /* Load what is needed, filter, order, group, draw. What a later call makes out of date is not drawn; `drawn` is the last one's promise. */
    update() {
      return (this.drawn = this.show());
    }

    async show() {
      const turn = ++this.turn;
      let clauses = [];
      let fault = "";
      try {
        clauses = rf.filter.parse(this.text);
      } catch (error) {
        if (!(error instanceof rf.FilterError)) throw error;
        fault = error.message;
      }
      if (fault && this.base) return void rf.tell("fault", fault); // what is shown stays, until the filter can be read
      try {
        await this.load([NAME, START, "attributes.status", ...this.keys, ...this.order.map(({ key }) => key), ...rf.filter.keys(clauses)]);
        if (this.grouped) await this.load([`params.${this.replicate}`]);
        if (this.grouped && !this.names) this.names = await rf.groups.paramNames(this.columns, this.replicate);
      } catch (error) {
        return void rf.tell("fault", error.message);
      }
      if (turn !== this.turn) return undefined;
      rf.tell("fault", fault);
      this.base = this.base || rf.order.newestFirst(this.columns.length, this.column(START));
      let rows = rf.filter.apply(clauses, (key) => this.column(key), this.base);
      for (const mask of this.brushes.values()) rows = rows.filter((row) => mask[row]);
      const keys = this.order.map(({ key, ascending }) => ({ column: this.column(key), ascending }));
      this.rows = rf.order.sort(rows, keys);
      this.arrange(keys);
      this.draw();
      return rf.tell("rows", { rows: this.rows, total: this.columns.length });
    }

    async load(keys) {
      const wanted = [...new Set(keys)].filter((key) => !this.held.has(key));
      const found = await Promise.all(wanted.map((key) => this.columns.get(key)));
      wanted.forEach((key, at) => this.held.set(key, found[at]));
    }

    /* What tells replicates apart; null where no run says it. */
    seeds() {
      return this.column(`params.${this.replicate}`);
    }

    /* The lines of the table: a run's row, or the rows of a group. */
    arrange(keys) {
      if (!this.grouped) {
        this.entries = this.rows;
        return;
      }
      const groups = rf.groups.split(this.rows, this.names);
      const order = rf.order.sort(
        Uint32Array.from(groups, (_, at) => at),
        keys.map(({ column, ascending }) => ({ column: rf.groups.columnOf(column, groups, this.seeds()), ascending })),
      );
      this.entries = [];
      for (const at of order) {
        const rows = groups[at];
        if (rows.length === 1) {
          this.entries.push(rows[0]);
          continue;
        }
        this.entries.push(rows);
        if (this.open.has(this.names[rows[0]])) this.entries.push(...rows);
      }
    }

    /* Fold a group out or in. */
    fold(rows) {
      const name = this.names[rows[0]];
      if (!this.open.delete(name)) this.open.add(name);
      this.arrange(this.order.map(({ key, ascending }) => ({ column: this.column(key), ascending })));
      this.draw();
    }

    /* Let charts keep rows out: `mask` has 1 for each row that stays; null takes the brush away. */
    brush(name, mask) {
      if (mask) this.brushes.set(name, mask);
      else if (!this.brushes.delete(name)) return undefined;
      return this.update();
    }

    /* ---- Order */

    sortBy(key, add) {
      const found = this.order.find((item) => item.key === key);
      const first = key === this.goal ? this.better < 0 : !/^(metrics\.|attributes\.(start_time|end_time|duration))/.test(key);
      const next = { key, ascending: found ? !found.ascending : first };
      if (!add) return this.set({ order: [next] });
      return this.set({ order: found ? this.order.map((item) => (item === found ? next : item)) : [...this.order, next] });
    }

    /* ---- Selection and baseline */

    freeSlot() {
      const taken = new Set(this.selection.values());
      let slot = 1; // 0 is the baseline's colour
      while (taken.has(slot)) slot++;
      return slot;
    }

    slotOf(row) {
      return row === this.baseline ? 0 : this.selection.get(row);
    }

    select(rows, on) {
      for (const row of rows) {
        if (!on) this.selection.delete(row);
        else if (!this.selection.has(row)) this.selection.set(row, this.freeSlot());
      }
      return this.selected();
    }

    async selected() {
      const turn = (this.choice = (this.choice || 0) + 1);
      this.draw();
      const rows = [...this.selection.keys()];
      const ids = await this.columns.ids(rows);
      if (turn !== this.choice) return;
      rf.url.set({ sel: ids.length && ids.length <= MOST_IN_LINK ? ids : null }, true);
      rf.tell("selection", { rows, ids, slots: rows.map((row) => this.slotOf(row)) });
    }

    async setBaseline(row) {
      this.baseline = row === this.baseline ? -1 : row;
      this.draw();
      const [id] = this.baseline < 0 ? ["none"] : await this.columns.ids([this.baseline]);
      rf.url.set({ base: id === (this.page.experiment.baseline || "none") ? null : id });
      rf.tell("baseline", { row: this.baseline });
      this.selected();
    }

    /* ---- Values */

    name(row) {
      const text = this.column(NAME) ? this.column(NAME).text(row) : "";
      if (text) return text;
      const id = this.columns.idOf(row);
      if (!id) this.wantId(row);
      return id ? id.slice(0, 12) : "\u2026";
    }

    /* A run without a name goes by its id, so the ids of its shard are wanted. */
    wantId(row) {
      const shard = this.columns.shardOf(row);
      if (this.wanted.has(shard)) return;
      this.wanted.add(shard);
      const drawn = () => this.draw();
      this.columns.loadIds(shard).then(drawn, () => this.wanted.delete(shard));
    }

    /* A value less the baseline's: {value, good} with good 1, -1 or 0; null where one of them is not a number. */
    delta(key, value) {
      const column = this.column(key);
      const against = this.baseline < 0 || !column ? NaN : column.num[this.baseline];
      const off = value - against;
      if (!Number.isFinite(off)) return null;
      return { value: off, good: key === this.goal ? Math.sign(off) * this.better : 0 };
    }

    /* The ends of a metric's strip: all but the worst twentieth, with the baseline; both ends cut where no direction is declared. */
    strip(key) {
      const column = this.column(key);
      if (!column || !column.num) return null;
      if (!column.range) {
        const values = column.num.filter(Number.isFinite).sort();
        if (!values.length) return null;
        const last = values.length - 1;
        const better = key === this.goal ? this.better : 0;
        column.range = [better < 0 ? values[0] : values[Math.floor(0.05 * last)], better > 0 ? values[last] : values[Math.ceil(0.95 * last)]];
      }
      const base = this.baseline < 0 ? NaN : column.num[this.baseline];
      if (!Number.isFinite(base)) return column.range;
      return [Math.min(column.range[0], base), Math.max(column.range[1], base)];
    }

    draw() {
      rf.tell("draw");
    }
  }

  Table.NAME = NAME;
  rf.Table = Table;
})(window.rf = window.rf || {});
