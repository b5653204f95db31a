/* What the table shows as a file: CSV, or Parquet (one row group, PLAIN pages, gzip where the browser has it). All rows that match
   the filter, in their order, with the columns that are shown; groups are written as their runs. */
(function (rf) {
  "use strict";

  /* ---- CSV: RFC 4180 */

  /* What a spreadsheet would run as a formula gets an apostrophe; Parquet has every text as it is. */
  const harmless = (text) => (/^[=+@\t\r]|^-[^\d.]/.test(text) ? `'${text}` : text);
  const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

  function cell(column, row) {
    const value = column && column.value(row);
    if (value === null) return "";
    if (column.kind === "time") return Math.abs(value) > 8.64e15 ? String(value) : new Date(value).toISOString();
    return quote(typeof value === "number" ? String(value) : harmless(column.text(row)));
  }

  function csv(columns, rows) {
    const lines = [columns.map(({ name }) => quote(name)).join(",")];
    for (const row of rows) lines.push(columns.map(({ column }) => cell(column, row)).join(","));
    return [`${lines.join("\r\n")}\r\n`];
  }

  /* ---- Parquet: https://parquet.apache.org/docs/file-format/ */

  const DOUBLE = 5;
  const BYTE_ARRAY = 6;
  const INT64 = 2;
  const encoder = new TextEncoder();

  /* Thrift's compact protocol, as far as Parquet's metadata needs it. */
  class Thrift {
    constructor() {
      this.bytes = [];
    }

    varint(value) {
      let left = BigInt(value);
      for (; left > 127n; left >>= 7n) this.bytes.push(Number(left & 127n) | 128);
      this.bytes.push(Number(left));
    }

    /* A struct from [field id, type, value] with types i32, i64, text, list of [type, values], struct. */
    struct(fields) {
      let last = 0;
      for (const [id, type, value] of fields) {
        const code = { i32: 5, i64: 6, text: 8, list: 9, struct: 12 }[type];
        this.bytes.push(((id - last) << 4) | code);
        last = id;
        this.value(type, value);
      }
      this.bytes.push(0);
    }

    value(type, value) {
      if (type === "i32" || type === "i64") return this.varint(BigInt(value) << 1n);
      if (type === "struct") return this.struct(value);
      if (type === "text") {
        const bytes = encoder.encode(value);
        this.varint(bytes.length);
        for (const byte of bytes) this.bytes.push(byte);
        return undefined;
      }
      const [kind, items] = value;
      const code = { i32: 5, text: 8, struct: 12 }[kind];
      if (items.length < 15) this.bytes.push((items.length << 4) | code);
      else {
        this.bytes.push(0xf0 | code);
        this.varint(items.length);
      }
      for (const item of items) this.value(kind, item);
      return undefined;
    }

    static of(fields) {
      const made = new Thrift();
      made.struct(fields);
      return Uint8Array.from(made.bytes);
    }
  }

  /* Which rows have a value: definition levels of one bit, bit-packed (the RLE/bit-packing hybrid, one run). */
  function levels(column, rows) {
    const groups = Math.ceil(rows.length / 8);
    const head = new Thrift();
    head.varint((groups << 1) | 1);
    const made = new Uint8Array(4 + head.bytes.length + groups);
    new DataView(made.buffer).setUint32(0, head.bytes.length + groups, true);
    made.set(head.bytes, 4);
    const start = 4 + head.bytes.length;
    rows.forEach((row, at) => {
      if (column && column.has[row]) made[start + (at >> 3)] |= 1 << (at & 7);
    });
    return made;
  }

  function plain(column, rows, type) {
    const there = column ? Array.from(rows).filter((row) => column.has[row]) : [];
    if (type !== BYTE_ARRAY) {
      const view = new DataView(new ArrayBuffer(8 * there.length));
      there.forEach((row, at) => {
        if (type === DOUBLE) view.setFloat64(8 * at, column.num[row], true);
        else view.setBigInt64(8 * at, BigInt(Math.round(column.num[row])), true);
      });
      return new Uint8Array(view.buffer);
    }
    const texts = new Map();
    const pieces = there.map((row) => {
      const code = column.codes[row];
      if (!texts.has(code)) texts.set(code, encoder.encode(column.text(row)));
      return texts.get(code);
    });
    const made = new Uint8Array(pieces.reduce((sum, piece) => sum + 4 + piece.length, 0));
    const view = new DataView(made.buffer);
    let at = 0;
    for (const piece of pieces) {
      view.setUint32(at, piece.length, true);
      made.set(piece, at + 4);
      at += 4 + piece.length;
    }
    return made;
  }

  async function squeeze(bytes) {
    if (!window.CompressionStream) return bytes;
    return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer());
  }

  const join = (...parts) => {
    const made = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      made.set(part, at);
      at += part.length;
    }
    return made;
  };

  async function parquet(columns, rows) {
    const magic = encoder.encode("PAR1");
    const parts = [magic];
    let at = 4;
    const codec = window.CompressionStream ? 2 : 0;
    const schema = [[[4, "text", "runs"], [5, "i32", columns.length]]];
    const chunks = [];
    for (const { name, column } of columns) {
      const type = !column || column.codes ? BYTE_ARRAY : column.kind === "time" ? INT64 : DOUBLE;
      // Text is UTF8, a moment TIMESTAMP_MILLIS; both are UTC and known to every reader since format 1.0.
      const meaning = type === BYTE_ARRAY ? [[6, "i32", 0]] : type === INT64 ? [[6, "i32", 9]] : [];
      schema.push([[1, "i32", type], [3, "i32", 1], [4, "text", name], ...meaning]);
      const body = join(levels(column, rows), plain(column, rows, type));
      const packed = await squeeze(body);
      const page = [[1, "i32", rows.length], [2, "i32", 0], [3, "i32", 3], [4, "i32", 3]];
      const head = Thrift.of([[1, "i32", 0], [2, "i32", body.length], [3, "i32", packed.length], [5, "struct", page]]);
      const meta = [
        [1, "i32", type], [2, "list", ["i32", [0, 3]]], [3, "list", ["text", [name]]], [4, "i32", codec], [5, "i64", rows.length],
        [6, "i64", head.length + body.length], [7, "i64", head.length + packed.length], [9, "i64", at],
      ];
      chunks.push({ meta, at, size: head.length + packed.length, whole: head.length + body.length });
      parts.push(head, packed);
      at += head.length + packed.length;
    }
    const group = [
      [1, "list", ["struct", chunks.map((chunk) => [[2, "i64", chunk.at], [3, "struct", chunk.meta]])]],
      [2, "i64", chunks.reduce((sum, chunk) => sum + chunk.whole, 0)],
      [3, "i64", rows.length],
    ];
    const foot = Thrift.of([
      [1, "i32", 1], [2, "list", ["struct", schema]], [3, "i64", rows.length], [4, "list", ["struct", [group]]], [6, "text", "runfolio"],
    ]);
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, foot.length, true);
    return [...parts, foot, size, magic];
  }

  /* ---- */

  /* The bytes of what a table shows: parts for a Blob. */
  rf.bytesOf = async function (table, kind) {
    const keys = ["attributes.run_id", ...new Set([rf.Table.NAME, ...table.keys])];
    const columns = [];
    for (const key of keys) columns.push({ name: key, column: await table.columns.get(key) });
    return kind === "csv" ? csv(columns, table.rows) : parquet(columns, table.rows);
  };

  rf.save = async function (table, kind) {
    const parts = await rf.bytesOf(table, kind);
    const type = kind === "csv" ? "text/csv" : "application/vnd.apache.parquet";
    const link = rf.el("a");
    link.href = URL.createObjectURL(new Blob(parts, { type }));
    link.download = `${table.page.experiment.slug || "runs"}.${kind}`;
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
})(window.rf = window.rf || {});
