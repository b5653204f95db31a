/* Replicates: runs with the same params but for one (the seed), as one row with their mean and its 95 % interval. */
(function (rf) {
  "use strict";

  // Student's t at 97.5 %, for 1 to 30 degrees of freedom; beyond, its expansion around the normal quantile.
  const T = [
    12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306, 2.26216, 2.22814, 2.20099, 2.17881, 2.16037, 2.14479, 2.13145,
    2.11991, 2.10982, 2.10092, 2.09302, 2.08596, 2.07961, 2.07387, 2.06866, 2.0639, 2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227,
  ];
  const Z = 1.959963985;

  function quantile(freedom) {
    if (freedom <= T.length) return T[freedom - 1];
    return Z + (Z ** 3 + Z) / (4 * freedom) + (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * freedom ** 2);
  }

  /* One finite value a replicate, as the report on a pull request counts them: runs of one seed are one, with their mean; runs that name
     no seed are one each, unless all of them came to the same number (a program that fixes its seed itself, run again). */
  function replicates(num, rows, seeds) {
    const seeded = new Map();
    const bare = [];
    for (const row of rows) {
      const value = num[row];
      if (!Number.isFinite(value)) continue;
      if (!seeds || !seeds.has[row]) {
        bare.push(value);
        continue;
      }
      const seed = seeds.text(row);
      if (seeded.has(seed)) seeded.get(seed).push(value);
      else seeded.set(seed, [value]);
    }
    const means = [...seeded.values()].map((values) =>
      values.every((value) => value === values[0]) ? values[0] : values.reduce((sum, value) => sum + value, 0) / values.length,
    );
    return [...means, ...(new Set(bare).size === 1 ? bare.slice(0, 1) : bare)];
  }

  /* The mean of the replicates among rows, the half width of its interval (null of one), and how many there are. */
  function summary(num, rows, seeds) {
    let count = 0;
    let mean = 0;
    let squares = 0;
    for (const value of replicates(num, rows, seeds)) {
      const off = value - mean;
      mean += off / ++count;
      squares += off * (value - mean);
    }
    if (!count) return null;
    const half = count < 2 ? null : quantile(count - 1) * Math.sqrt(squares / (count - 1) / count);
    return { mean, half, count };
  }

  /* FNV-1a with a finish that spreads: two of them make the name of a set of params. */
  function hashOf(text, seed) {
    let made = seed;
    for (let at = 0; at < text.length; at++) made = Math.imul(made ^ text.charCodeAt(at), 16777619);
    made = Math.imul(made ^ (made >>> 15), 0x2c1b3c6d);
    made = Math.imul(made ^ (made >>> 12), 0x297a2d39);
    return (made ^ (made >>> 15)) >>> 0;
  }

  /* A number for each row: equal where all params but `replicate` are equal. Params are read one pack after the other and not kept;
     the sum does not depend on their order. 53 bits: among 100,000 runs two sets meet by chance once in two million folios. */
  async function paramNames(columns, replicate) {
    const high = new Uint32Array(columns.length);
    const low = new Uint32Array(columns.length);
    const packs = new Map();
    for (const facts of await columns.all()) {
      if (!facts.key.startsWith("params.") || facts.key === `params.${replicate}`) continue;
      packs.set(facts.pack, [...(packs.get(facts.pack) || []), facts]);
    }
    for (const wanted of packs.values()) {
      await columns.visit(wanted[0], (start, held) => wanted.forEach(({ key }) => held[key] && fold(key, held[key], start)));
    }

    function fold(key, data, start) {
      const add = (place, first, second) => {
        const row = start + (data.i ? data.i[place] : place);
        high[row] += first;
        low[row] += second;
      };
      const pair = (text) => [hashOf(`${key}\0${text}`, 0x811c9dc5), hashOf(`${key}\0${text}`, 0x1234567)];
      if (data.d) {
        const pairs = data.d.map(pair);
        data.c.forEach((code, place) => code >= 0 && add(place, ...pairs[code]));
      } else {
        data.v.forEach((text, place) => text !== null && add(place, ...pair(text)));
      }
    }

    return Float64Array.from(high, (word, row) => (word & 0x1fffff) * 4294967296 + low[row]);
  }

  /* Rows by their names, in the order of their first rows. */
  function split(rows, names) {
    const places = new Map();
    const made = [];
    for (const row of rows) {
      const place = places.get(names[row]);
      if (place === undefined) {
        places.set(names[row], made.length);
        made.push([row]);
      } else {
        made[place].push(row);
      }
    }
    return made;
  }

  /* A column with one value for each group: the mean of numbers, else what its first run has. */
  function columnOf(column, groups, seeds) {
    if (!column) return null;
    const made = new rf.Column(column.key, column.kind, groups.length);
    groups.forEach((rows, at) => {
      if (column.num) {
        const found = summary(column.num, rows, seeds);
        if (found) made.setNumber(at, found.mean);
        else if (rows.some((row) => column.has[row])) made.setNumber(at, NaN);
      } else if (column.has[rows[0]]) {
        made.setCode(at, column.codes[rows[0]]);
      }
    });
    if (!column.num) {
      made.dict = column.dict;
      made.order = column.ranks();
    }
    return made;
  }

  rf.groups = { summary, paramNames, split, columnOf, quantile };
})(window.rf = window.rf || {});
