/* The filter and order-by language, as runfolio.query has it: the same words, the same errors, the same answers (query/golden.json).
   Beside the language: making a filter into tests of a row's number. */
(function (rf) {
  "use strict";

  const SPACE = "\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
  const TOKEN = new RegExp(
    `([${SPACE}]+)|('(?:[^']|'')*')|("(?:[^"]|"")*")|(\`(?:[^\`]|\`\`)*\`)|([=!<>]+)|([(),;])|([^${SPACE}'"\`()<>=!,;]+)`, "uy");
  const KINDS = ["", "space", "string", "double", "backtick", "operator", "mark", "word"];
  const TRAILING = new RegExp(`[${SPACE}]+$`, "u");
  const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
  const COMPARISONS = ["=", "!=", ">", ">=", "<", "<="];
  const NUMBER_OPERATORS = [...COMPARISONS, "IS NULL", "IS NOT NULL"];
  const TEXT_OPERATORS = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"];
  const INSTEAD = { "==": "=", "<>": "!=", "=>": ">=", "=<": "<=" };
  const ENTITIES = {
    metric: "metrics", metrics: "metrics", param: "params", params: "params", parameter: "params", parameters: "params",
    tag: "tags", tags: "tags", attribute: "attributes", attributes: "attributes", attr: "attributes", run: "attributes",
    dataset: "datasets", datasets: "datasets",
  };
  const ATTRIBUTES = "run_id run_name status user_id artifact_uri start_time end_time experiment_id lifecycle_stage".split(" ");
  const SPELLED = { "run name": "run_name", created: "start_time" };
  const FIELDS = ["name", "digest", "context"];
  const QUOTED = ["double", "backtick"];
  const SHOWN = 100;

  const own = (table, key) => (Object.prototype.hasOwnProperty.call(table, key) ? table[key] : undefined);
  const quoted = (text) => (text.includes("'") && !text.includes('"') ? `"${text}"` : `'${text.replace(/[\\']/g, "\\$&")}'`);
  const isNumber = (entity, key) => entity === "metrics" || (entity === "attributes" && /^(start|end)_time$/.test(key));
  const upper = (token) => (token.kind === "word" ? token.text.toUpperCase() : "");

  class FilterError extends Error {}

  /* The error that quotes the text and points at a place in it. Places are counted in characters, not in UTF-16 units. */
  function fault(text, at, message, what) {
    const letters = Array.from(text);
    const place = Array.from(text.slice(0, at)).length;
    const start = Math.max(0, Math.min(place - SHOWN / 2, letters.length - SHOWN));
    const before = start ? "\u2026" : "";
    const after = start + SHOWN < letters.length ? "\u2026" : "";
    const shown = letters.slice(start, start + SHOWN).map((letter) => (/[\p{C}\p{Z}]/u.test(letter) ? " " : letter));
    let columns = before.length;
    for (const letter of shown.slice(0, place - start)) {
      columns += /\p{Mn}/u.test(letter) ? 0 : /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u.test(letter) ? 2 : 1;
    }
    const line = before + shown.join("") + after;
    return new FilterError(`Invalid ${what}: ${message}.\n  ${line}\n  ${" ".repeat(columns)}^`);
  }

  function tokenize(text, what) {
    const made = [];
    for (let at = 0; at < text.length; ) {
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(text);
      if (!match) throw fault(text, at, `the quote ${text[at]} is not closed: write another ${text[at]} where the text ends`, what);
      const kind = KINDS[match.findIndex((group, place) => place && group !== undefined)];
      let found = match[0];
      if (kind === "string" || QUOTED.includes(kind)) found = found.slice(1, -1).split(found[0] + found[0]).join(found[0]);
      if (kind !== "space") made.push({ kind, text: found, at, end: at + match[0].length });
      at += match[0].length;
    }
    made.push({ kind: "end", text: "", at: text.replace(TRAILING, "").length, end: text.length });
    return made;
  }

  /* Reads one text from left to right. */
  class Reader {
    constructor(text, what) {
      this.text = text;
      this.what = what;
      this.tokens = tokenize(text, what);
      this.place = 0;
    }

    get atEnd() {
      return this.peek.kind === "end";
    }

    get peek() {
      return this.tokens[this.place];
    }

    next() {
      const token = this.peek;
      if (token.kind !== "end") this.place++;
      return token;
    }

    fail(at, message) {
      throw fault(this.text, at, message, this.what);
    }

    conjunction() {
      const token = this.next();
      if (upper(token) === "AND") return;
      if (upper(token) === "OR") this.fail(token.at, "OR is not supported: write one filter for each side, or use IN ('a', 'b')");
      if (token.text === ";") this.fail(token.at, "one filter at a time, without ';'");
      if (token.text === ")") this.fail(token.at, "parentheses are not supported but for the list after IN");
      this.fail(token.at, "AND is expected between two conditions");
    }

    clause() {
      const [entity, key] = this.key();
      const place = this.peek.at;
      const operator = this.operator(entity, key);
      const number = isNumber(entity, key);
      const allowed = number ? NUMBER_OPERATORS : TEXT_OPERATORS;
      if (!allowed.includes(operator)) {
        const what = number ? "a number" : "text";
        this.fail(place, `${operator} does not work on ${entity}.${key}, which is ${what}: use ${allowed.join(", ")}`);
      }
      let value = null;
      if (operator.endsWith("IN")) value = this.list();
      else if (!operator.startsWith("IS")) value = number ? this.number(entity, key) : this.string();
      return { entity, key, operator, value };
    }

    orderKey() {
      if (this.atEnd) this.fail(0, "it is empty: write a key such as metrics.acc DESC");
      const at = this.peek.at;
      const [entity, key] = this.key();
      if (entity === "datasets") this.fail(at, "runs cannot be ordered by a dataset, of which a run may have many");
      const token = this.next();
      const remedy = (found) => (found.text === "," ? "; write each key as an item of the list" : "");
      if (token.kind !== "end" && !["ASC", "DESC"].includes(upper(token))) this.fail(token.at, `ASC, DESC or the end is expected${remedy(token)}`);
      if (!this.atEnd) this.fail(this.peek.at, `the end is expected${remedy(this.peek)}`);
      return { entity, key, ascending: upper(token) !== "DESC" };
    }

    key() {
      const first = this.next();
      if (upper(first) === "NOT") this.fail(first.at, "NOT stands only before IN and after IS: use != or NOT IN");
      if (["AND", "OR"].includes(upper(first)) && this.peek.kind !== "operator") {
        this.fail(first.at, `a condition is expected before ${upper(first)}`);
      }
      if (first.text === "(" && first.kind === "mark") this.fail(first.at, "parentheses are not supported: all conditions are joined by AND");
      if (first.kind !== "word" && !QUOTED.includes(first.kind)) this.fail(first.at, "a key is expected, such as metrics.acc, params.depth or status");
      const follower = this.peek;
      if (first.kind !== "word") {
        if (follower.at === first.end && follower.kind === "word" && follower.text.startsWith(".")) {
          return this.afterDot(first.text, this.next(), follower.text.slice(1), first.at);
        }
        return this.attribute(first.text, first.at);
      }
      const dot = first.text.indexOf(".");
      return dot < 0
        ? this.attribute(first.text, first.at)
        : this.afterDot(first.text.slice(0, dot), first, first.text.slice(dot + 1), first.at);
    }

    afterDot(entity, word, rest, at) {
      const follower = this.peek;
      if (follower.at === word.end && QUOTED.includes(follower.kind)) {
        if (rest) this.fail(follower.at, `quote the whole name: ${entity}."${rest}${follower.text}"`);
        rest = this.next().text;
      }
      const name = own(ENTITIES, entity.toLowerCase());
      if (!name) this.fail(at, `${quoted(entity)} is not something that runs have: use metrics, params, tags, attributes, datasets`);
      if (!rest) this.fail(word.end, `a name is expected after '${entity}.'`);
      if (name === "attributes") return this.attribute(rest, at);
      if (name === "datasets" && !FIELDS.includes(rest)) this.fail(at, `a dataset has no ${quoted(rest)}: use ${FIELDS.join(", ")}`);
      return [name, rest];
    }

    attribute(text, at) {
      const found = own(SPELLED, text.toLowerCase()) || text.toLowerCase();
      if (ATTRIBUTES.includes(found)) return ["attributes", found];
      return this.fail(at, `${quoted(text)} is not an attribute: use ${ATTRIBUTES.join(", ")}, or put metrics., params. or tags. before a key`);
    }

    operator(entity, key) {
      const token = this.next();
      if (token.kind === "operator") {
        if (COMPARISONS.includes(token.text)) return token.text;
        const instead = own(INSTEAD, token.text);
        this.fail(token.at, `${token.text} is not an operator: ` + (instead ? `write ${instead}` : `use ${COMPARISONS.join(", ")}`));
      }
      const word = upper(token);
      if (["LIKE", "ILIKE", "IN"].includes(word)) return word;
      if (word === "NOT") {
        if (upper(this.next()) === "IN") return "NOT IN";
        this.fail(token.at, "after NOT only IN is known");
      }
      if (word === "IS") {
        const after = upper(this.next());
        if (after === "NULL") return "IS NULL";
        if (after === "NOT" && upper(this.next()) === "NULL") return "IS NOT NULL";
        this.fail(token.at, "after IS, NULL or NOT NULL is expected");
      }
      return this.fail(token.at, `an operator is expected: ${(isNumber(entity, key) ? NUMBER_OPERATORS : TEXT_OPERATORS).join(", ")}`);
    }

    number(entity, key) {
      const token = this.next();
      if (token.kind === "word" && NUMBER.test(token.text)) return Number(token.text);
      const without = token.kind === "string" || token.kind === "double" ? " without quotes" : "";
      return this.fail(token.at, `a number is expected${without}, because ${entity}.${key} is a number`);
    }

    string() {
      const token = this.next();
      if (token.kind === "string" || token.kind === "double") return token.text;
      if (token.kind === "word") this.fail(token.at, `text is expected: write '${token.text}' in quotes`);
      if (token.kind === "backtick") this.fail(token.at, `back-ticks are for keys: write '${token.text}'`);
      return this.fail(token.at, "text in quotes is expected");
    }

    list() {
      const isMark = (token, text) => token.kind === "mark" && token.text === text;
      const opening = this.next();
      if (!isMark(opening, "(")) this.fail(opening.at, "a list is expected: ('a', 'b')");
      const made = [this.string()];
      for (;;) {
        const token = this.next();
        if (isMark(token, ")")) return made;
        if (!isMark(token, ",")) this.fail(token.at, "a comma or ')' is expected");
        if (!isMark(this.peek, ")")) made.push(this.string());
      }
    }
  }

  function parseFilter(text) {
    const reader = new Reader(text || "", "filter");
    const clauses = [];
    while (!reader.atEnd) {
      clauses.push(reader.clause());
      if (reader.atEnd) break;
      reader.conjunction();
    }
    return clauses;
  }

  function parseOrder(keys) {
    const made = [];
    for (const text of keys) {
      const key = new Reader(text, "order_by").orderKey();
      if (made.some((other) => other.entity === key.entity && other.key === key.key)) {
        throw fault(text, 0, `${key.entity}.${key.key} stands twice; leave one out`, "order_by");
      }
      made.push(key);
    }
    return made;
  }

  const fold = (text) => text.toLowerCase().replace(/\u03c2/g, "\u03c3");

  const pieceOf = (piece, before, after, flags) =>
    new RegExp(before + Array.from(piece, (letter) => (letter === "_" ? "." : letter.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))).join("") + after, "su" + flags);

  /* The test for LIKE and ILIKE: each piece where it first fits, the last one at the end; linear, whatever the pattern. */
  function like(pattern, ignoreCase) {
    const pieces = (ignoreCase ? fold(pattern) : pattern).split("%");
    const head = pieces.shift();
    const starts = pieceOf(head, "^", pieces.length ? "" : "$", "");
    const last = pieces.pop();
    const ends = last === undefined ? null : pieceOf(last, "^", "$", "");
    const size = last === undefined ? 0 : Array.from(last).length;
    const searches = pieces.filter(Boolean).map((piece) => pieceOf(piece, "", "", "g"));
    return (given) => {
      const text = ignoreCase ? fold(given) : given;
      const found = starts.exec(text);
      if (!found || !ends) return Boolean(found);
      let at = found[0].length;
      for (const search of searches) {
        search.lastIndex = at;
        const match = search.exec(text);
        if (!match) return false;
        at = search.lastIndex;
      }
      const rest = Array.from(text.slice(at));
      return rest.length >= size && ends.test(size ? rest.slice(-size).join("") : "");
    };
  }

  /* The test of one text. */
  function textTest({ operator, value }) {
    if (operator === "=") return (text) => text === value;
    if (operator === "!=") return (text) => text !== value;
    if (operator === "LIKE" || operator === "ILIKE") return like(value, operator === "ILIKE");
    const wanted = new Set(value);
    if (operator === "IN") return (text) => wanted.has(text);
    if (operator === "NOT IN") return (text) => !wanted.has(text);
    return () => true;
  }

  function numberTest({ operator, value }, { num, has }) {
    if (operator === "=") return (row) => num[row] === value;
    if (operator === "!=") return (row) => has[row] === 1 && num[row] !== value;
    if (operator === ">") return (row) => num[row] > value;
    if (operator === ">=") return (row) => num[row] >= value;
    if (operator === "<") return (row) => num[row] < value;
    if (operator === "<=") return (row) => num[row] <= value;
    return (row) => has[row] === 1;
  }

  /* Columns that cannot hold an empty text: the run has no name, no user. */
  const EMPTY_IS_MISSING = /^(attributes\.(run_name|user_id)|datasets\.context)$/;

  /* The test of a row's number, for one clause over its column; a column that nobody has is null. Text is tested once for each
     different text, not once for each row. */
  function rowTest(clause, column) {
    const isNull = clause.operator === "IS NULL";
    if (!column) return () => isNull;
    if (column.kind === "num" || column.kind === "time") {
      return isNull ? (row) => column.has[row] === 0 : numberTest(clause, column);
    }
    const test = textTest(isNull ? { operator: "IS NOT NULL" } : clause);
    const there = (text) => (text !== "" || !EMPTY_IS_MISSING.test(column.key)) && test(text);
    const holds = Uint8Array.from(column.dict, (entry) => Number(Array.isArray(entry) ? entry.some(there) : there(entry)));
    const codes = column.codes;
    return (row) => (codes[row] >= 0 && holds[codes[row]] === 1) !== isNull;
  }

  rf.FilterError = FilterError;
  rf.filter = {
    parse: parseFilter,
    parseOrder,
    like,

    /* The columns that a filter looks at. */
    keys: (clauses) => [...new Set(clauses.map((clause) => `${clause.entity}.${clause.key}`))],

    /* The rows of `rows` for which every clause holds. `columnOf` gives the column of a key, or null. */
    apply(clauses, columnOf, rows) {
      for (const clause of clauses) {
        rows = rows.filter(rowTest(clause, columnOf(`${clause.entity}.${clause.key}`)));
      }
      return rows;
    },
  };
})(window.rf = window.rf || {});
