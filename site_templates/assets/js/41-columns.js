/* The runs of an experiment as columns of typed arrays, over all shards; and their order. Columns that are not shown at first are
   loaded when they are asked for, so that twelve thousand of them cost nothing. */
(function (rf) {
  "use strict";

  const SPECIAL = { NaN, Infinity, "-Infinity": -Infinity };
  const SURROGATE = /[\ud800-\udfff]/;
  const number = (value) => (typeof value === "string" ? SPECIAL[value] : value);

  /* Text by code point, as Python orders it: in UTF-16 the letters beyond U+FFFF stand before some that are below. */
  function byCodePoint(a, b) {
    const length = Math.min(a.length, b.length);
    for (let at = 0; at < length; at++) {
      let x = a.charCodeAt(at);
      let y = b.charCodeAt(at);
      if (x === y) continue;
      if (x >= 0xd800 && y >= 0xd800) {
        x += x >= 0xe000 ? -0x800 : 0x2000;
        y += y >= 0xe000 ? -0x800 : 0x2000;
      }
      return x - y;
    }
    return a.length - b.length;
  }

  class Column {
    constructor(key, kind, length) {
      this.key = key;
      this.kind = kind;
      this.length = length;
      const numeric = kind === "num" || kind === "time";
      this.num = numeric ? new Float64Array(length).fill(NaN) : null;
      this.has = new Uint8Array(length);
      this.codes = numeric ? null : new Int32Array(length).fill(-1);
      this.dict = numeric ? null : [];
      this.places = new Map();
      this.order = null;
    }

    /* Put what one shard holds of the column at its place. */
    fill(start, data) {
      const rows = data.i;
      if (data.t === "d") {
        let sum = 0;
        data.v.forEach((step, at) => this.setNumber(start + at, (sum += step)));
      } else if (data.t === "n") {
        data.v.forEach((value, at) => value !== null && this.setNumber(start + (rows ? rows[at] : at), number(value)));
      } else if (data.d) {
        const codes = data.d.map((entry) => this.codeOf(entry));
        data.c.forEach((code, at) => code >= 0 && this.setCode(start + (rows ? rows[at] : at), codes[code]));
      } else {
        // Mostly distinct: no map of all of them is kept; equal texts get the same rank below.
        data.v.forEach((text, at) => text !== null && this.setCode(start + (rows ? rows[at] : at), this.dict.push(text) - 1));
      }
    }

    setNumber(row, value) {
      this.num[row] = value;
      this.has[row] = 1;
    }

    setCode(row, code) {
      this.codes[row] = code;
      this.has[row] = 1;
    }

    codeOf(entry) {
      const place = Array.isArray(entry) ? JSON.stringify(entry) : entry;
      let code = this.places.get(place);
      if (code === undefined) this.places.set(place, (code = this.dict.push(entry) - 1));
      return code;
    }

    /* The place of each code in the order of the texts; equal texts have the same. */
    ranks() {
      if (this.order) return this.order;
      const texts = this.dict.map((entry) => (Array.isArray(entry) ? entry.join(", ") : entry));
      const sorted = [...new Set(texts)];
      if (sorted.some((text) => SURROGATE.test(text))) sorted.sort(byCodePoint);
      else sorted.sort();
      const rank = new Map(sorted.map((text, at) => [text, at]));
      this.order = Uint32Array.from(texts, (text) => rank.get(text));
      return this.order;
    }

    value(row) {
      if (!this.has[row]) return null;
      return this.num ? this.num[row] : this.dict[this.codes[row]];
    }

    text(row) {
      const value = this.value(row);
      if (value === null) return "";
      return Array.isArray(value) ? value.join(", ") : String(value);
    }
  }

  /* All columns of one experiment. */
  class Columns {
    constructor(page) {
      this.shards = page.shards;
      this.length = page.runs;
      this.listed = page.columns;
      this.more = page.more || 0;
      this.manifest = page.manifest;
      this.known = new Map(page.columns.map((column) => [column.key, column]));
      this.held = new Map();
      this.complete = false;
      this.idShards = [];
      const names = { "tags.mlflow.runName": "run_name", "tags.mlflow.user": "user_id", "tags.mlflow.parentRunId": "parent_run_id" };
      this.aliases = new Map(Object.entries(names).map(([tag, name]) => [tag, `attributes.${name}`]));
      this.constants = { "attributes.lifecycle_stage": "active", "attributes.experiment_id": (page.experiment || {}).id };
    }

    /* Facts of all columns: key, kind, the pack they are in. */
    async all() {
      if (!this.complete) {
        for (const column of await rf.load(this.manifest)) this.known.set(column.key, { ...column, core: column.pack < 0 });
        this.complete = true;
      }
      return [...this.known.values()];
    }

    /* Facts of one column, or undefined where no run has it. */
    async find(key) {
      const found = this.known.get(key);
      if (found && (found.core || "pack" in found)) return found;
      if (found || this.more) await this.all();
      return this.known.get(key);
    }

    /* A column, or null where no run has it. */
    get(key) {
      let found = this.held.get(key);
      if (!found) {
        found = this.read(key);
        this.held.set(key, found);
        found.catch(() => this.held.delete(key));
      }
      return found;
    }

    async read(key) {
      if (key === "attributes.run_id" || key === "attributes.artifact_uri") return this.idColumn(key);
      const facts = await this.find(key);
      if (!facts && this.constants[key] !== undefined) return this.constant(key, this.constants[key]);
      if (!facts && key === "attributes.end_time") return this.ends(key);
      if (!facts) return this.aliases.has(key) ? this.get(this.aliases.get(key)) : null;
      const made = new Column(key, facts.kind, this.length);
      await this.visit(facts, (start, columns) => columns[key] && made.fill(start, columns[key]));
      return made;
    }

    /* Call `use` with the columns of each shard of the pack that a column is in. */
    async visit(facts, use) {
      const files = this.shards.map((shard) => (facts.core ? shard.core : shard.packs[facts.pack]));
      const values = files.map((file) => file && rf.load(file, true));
      for (let at = 0; at < values.length; at++) if (values[at]) use(this.shards[at].start, (await values[at]).columns);
    }

    constant(key, value) {
      const made = new Column(key, "text", this.length);
      made.dict.push(value);
      made.codes.fill(0);
      made.has.fill(1);
      return made;
    }

    /* The end of a run is published as its duration, which is smaller. */
    async ends(key) {
      const [start, duration] = await Promise.all([this.get("attributes.start_time"), this.get("attributes.duration")]);
      const made = new Column(key, "time", this.length);
      for (let row = 0; row < this.length; row++) {
        if (start && duration && duration.has[row]) made.setNumber(row, start.num[row] + duration.num[row]);
      }
      return made;
    }

    async idColumn(key) {
      const made = new Column(key, "text", this.length);
      const before = key === "attributes.run_id" ? "" : "runs:/";
      await Promise.all(this.shards.map((shard, at) => this.loadIds(at)));
      for (let row = 0; row < this.length; row++) made.setCode(row, made.dict.push(before + this.idOf(row)) - 1);
      return made;
    }

    shardOf(row) {
      let at = this.shards.length - 1;
      while (at > 0 && this.shards[at].start > row) at--;
      return at;
    }

    async loadIds(at) {
      const found = await rf.load(this.shards[at].ids);
      this.idShards[at] = this.idShards[at] || { ids: found.ids, pages: new Set(found.pages) };
      return this.idShards[at];
    }

    /* A run's id, if the ids of its shard are here; else undefined. */
    idOf(row) {
      const at = this.shardOf(row);
      return this.idShards[at] && this.idShards[at].ids[row - this.shards[at].start];
    }

    /* The address of a run's page, from here; undefined as long as its id is not here. */
    hrefOf(row) {
      const at = this.shardOf(row);
      const shard = this.idShards[at];
      return shard && rf.runHref(shard.ids[row - this.shards[at].start], shard.pages.has(row - this.shards[at].start));
    }

    /* The ids of rows; loads what is missing. */
    async ids(rows) {
      await Promise.all([...new Set(Array.from(rows, (row) => this.shardOf(row)))].map((at) => this.loadIds(at)));
      return Array.from(rows, (row) => this.idOf(row));
    }

    /* The rows of ids, -1 for those that are not in this experiment. */
    async rowsOf(ids) {
      if (!ids.length) return [];
      const shards = await Promise.all(this.shards.map((shard, at) => this.loadIds(at)));
      return ids.map((id) => {
        for (let at = 0; at < shards.length; at++) {
          const place = shards[at].ids.indexOf(id);
          if (place >= 0) return this.shards[at].start + place;
        }
        return -1;
      });
    }
  }

  /* ---- Order. Least significant digit first: each pass keeps the order of equals, so the last key is sorted by first. */

  /* One pass of 16 bits over `rows`, by the digits in `words`; nothing where all digits are equal. */
  function pass(rows, words, shift, counts) {
    counts.fill(0);
    for (let at = 0; at < rows.length; at++) counts[(words[rows[at]] >>> shift) & 0xffff]++;
    if (counts[(words[rows[0]] >>> shift) & 0xffff] === rows.length) return rows;
    let sum = 0;
    for (let at = 0; at < 65536; at++) {
      const count = counts[at];
      counts[at] = sum;
      sum += count;
    }
    const made = new Uint32Array(rows.length);
    for (let at = 0; at < rows.length; at++) made[counts[(words[rows[at]] >>> shift) & 0xffff]++] = rows[at];
    return made;
  }

  /* The bits of numbers, turned so that they order as unsigned integers: high and low words. */
  function words(values, descending) {
    const raw = new Uint32Array(Float64Array.from(values, (value) => value + 0).buffer);
    const little = new Uint8Array(new Uint32Array([1]).buffer)[0];
    const high = new Uint32Array(values.length);
    const low = new Uint32Array(values.length);
    for (let at = 0; at < values.length; at++) {
      let upper = raw[2 * at + little];
      let lower = raw[2 * at + 1 - little];
      if (upper >>> 31) {
        upper = ~upper;
        lower = ~lower;
      } else {
        upper ^= 0x80000000;
      }
      high[at] = descending ? ~upper : upper;
      low[at] = descending ? ~lower : lower;
    }
    return [low, high];
  }

  /* Sort `rows` by one column, stable; then NaN, then what is missing, in both directions. */
  function sortBy(rows, column, ascending, emptyIsMissing) {
    if (!column || !rows.length) return rows;
    const there = [];
    const nan = [];
    const missing = [];
    const { num, codes, has } = column;
    const none = codes && emptyIsMissing ? column.dict.map((text) => text === "") : null;
    for (const row of rows) {
      if (!has[row] || (none && none[codes[row]])) missing.push(row);
      else if (num && num[row] !== num[row]) nan.push(row);
      else there.push(row);
    }
    if (!there.length) return rows.slice();
    let sorted = Uint32Array.from(there);
    const counts = new Uint32Array(65536);
    if (num) {
      for (const word of words(num, !ascending)) sorted = pass(pass(sorted, word, 0, counts), word, 16, counts);
    } else {
      const ranks = column.ranks();
      const word = Uint32Array.from(codes, (code) => (code < 0 ? 0 : ascending ? ranks[code] : ~ranks[code]));
      sorted = pass(pass(sorted, word, 0, counts), word, 16, counts);
    }
    if (sorted.length === rows.length) return sorted;
    const made = new Uint32Array(rows.length);
    made.set(sorted);
    made.set(nan, sorted.length);
    made.set(missing, sorted.length + nan.length);
    return made;
  }

  /* All rows in the order that decides between equals: newest first, then by id; rows are numbered by start, then by id. */
  function newestFirst(length, start) {
    const made = new Uint32Array(length);
    for (let at = length - 1, to = 0; at >= 0; ) {
      let first = at;
      while (first > 0 && start && start.num[first - 1] === start.num[at]) first--;
      for (let row = first; row <= at; row++) made[to++] = row;
      at = first - 1;
    }
    return made;
  }

  rf.Column = Column;
  rf.Columns = Columns;
  rf.order = {
    byCodePoint,
    newestFirst,

    /* Sort rows by keys {column, ascending}, the first of which weighs most. */
    sort(rows, keys) {
      for (const { column, ascending } of [...keys].reverse()) {
        rows = sortBy(rows, column, ascending, column && /^attributes\.(run_name|user_id)$/.test(column.key));
      }
      return rows;
    },
  };
})(window.rf = window.rf || {});
