/* Values in words, the same words as runfolio.site.words and the command line use. */
(function (rf) {
  "use strict";

  const MINUS = "\u2212";
  const DAY = 86400000;

  /* toFixed, but a tie goes to the even digit, as in Python: what the page was built with must not change when a script takes over. */
  function fixed(size, digits) {
    const scaled = size * 10 ** digits;
    const low = Math.floor(scaled);
    const tie = scaled - low === 0.5 && Number.isInteger(size * 2 ** (digits + 1));
    return tie ? ((low + (low % 2)) / 10 ** digits).toFixed(digits) : size.toFixed(digits);
  }

  const grouped = (text) => text.replace(/^\d+/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));

  /* A metric's value: 4 decimals from 0.001 to 100, fewer above, else 4 significant digits. */
  rf.number = function (value) {
    if (value === null || value === undefined) return "\u2013";
    if (typeof value === "string") return { Infinity: "\u221e", "-Infinity": MINUS + "\u221e" }[value] || value;
    if (Number.isNaN(value)) return "NaN";
    const sign = value < 0 ? MINUS : "";
    const size = Math.abs(value);
    if (size === Infinity) return sign + "\u221e";
    if (Number.isInteger(value) && size < 1e15) return sign + grouped(String(size));
    if (size < 1e-3 || size >= 1e9) {
      const [mantissa, exponent] = size.toExponential(3).split("e");
      return `${sign}${mantissa.replace(/\.?0+$/, "")}e${Number(exponent)}`;
    }
    return sign + grouped(fixed(size, size < 100 ? 4 : size < 1000 ? 2 : 0));
  };

  /* A param's value in a table: a number with more digits than a cell holds as a metric's. Cut off, 1.2345678e-05 reads as 1.2345. */
  const LONG = /^(?:-?\d+\.\d{7,}(?:[eE][-+]?\d+)?|-?\d(?:\.\d{4,})?[eE][-+]?\d+)$/;
  rf.param = (text) => (LONG.test(text) ? rf.number(Number(text)) : text);

  rf.signed = (value) => (value > 0 ? "+" : "") + rf.number(value);

  rf.count = (count, one, many) => `${grouped(String(count))} ${count === 1 ? one : many || one + "s"}`;

  rf.bytes = function (size) {
    if (size < 1000) return `${size} B`;
    const units = ["kB", "MB", "GB", "TB"];
    let at = 0;
    for (size /= 1000; size >= 999.95 && at < 3; at++) size /= 1000;
    return `${fixed(size, 1).replace(/\.0$/, "")} ${units[at]}`;
  };

  /* A number of milliseconds, two units at most. */
  rf.duration = function (ms) {
    if (ms === null || ms === undefined || Number.isNaN(ms)) return "\u2013";
    if (ms < 0) return MINUS + rf.duration(-ms);
    if (ms < 1000) return `${fixed(ms, 0)} ms`;
    if (ms < 60000) return `${fixed(ms / 1000, 1).replace(/\.0$/, "")} s`;
    const seconds = Number(fixed(ms / 1000, 0));
    for (const [unit, size, small, part] of [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]]) {
      if (seconds < size) continue;
      const rest = Math.floor((seconds % size) / part);
      return `${Math.floor(seconds / size)} ${unit}` + (rest ? ` ${rest} ${small}` : "");
    }
  };

  function stamp(ms) {
    const date = new Date(ms);
    return Number.isNaN(date.getTime()) ? null : date.toISOString();
  }

  /* A moment, UTC: minutes; the day alone; the time of the day; the seconds. */
  rf.time = (ms) => (ms === null || Number.isNaN(ms) ? "\u2013" : (stamp(ms) || `${ms} ms`).replace("T", " ").replace(/:\d\d\.\d+Z$/, ""));
  rf.day = (ms) => (ms === null || Number.isNaN(ms) ? "\u2013" : (stamp(ms) || `${ms} ms`).replace(/T.*/, ""));
  rf.clock = (ms) => (ms === null || Number.isNaN(ms) ? "\u2013" : (stamp(ms) || `${ms} ms`).replace(/.*T|\.\d+Z$/g, ""));
  rf.moment = (ms) => (stamp(ms) || `${ms} ms`).replace("T", " ").replace(/\.\d+Z$/, " UTC");

  /* How long ago, in one unit: "3 days ago". */
  rf.ago = function (ms, now) {
    const past = (now === undefined ? Date.now() : now) - ms;
    const size = Math.abs(past);
    for (const [unit, length] of [["year", 365 * DAY], ["month", 30 * DAY], ["day", DAY], ["hour", DAY / 24], ["minute", 60000]]) {
      if (size < length) continue;
      const words = rf.count(Math.floor(size / length), unit);
      return past < 0 ? `in ${words}` : `${words} ago`;
    }
    return "just now";
  };
})(window.rf = window.rf || {});
