/* Any runs side by side: compare.html#r=id,id,…  Only what differs, unless the rest is asked for; the baseline is one of them. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const MOST = 50, MOST_ROWS = 300;

  /* ---- What differs ---- */

  const same = (a, b) => a === b || (typeof a === "number" && typeof b === "number" && Number.isNaN(a) && Number.isNaN(b));
  /* Rows of facts of several runs: {key, values, differs}. `facts` are one object a run. */
  rf.differences = function (facts) {
    const keys = [...new Set(facts.flatMap(Object.keys))];
    return keys.map((key) => {
      const values = facts.map((fact) => (Object.prototype.hasOwnProperty.call(fact, key) ? fact[key] : undefined));
      return { key, values, differs: values.some((value) => !same(value, values[0])) };
    });
  };

  /* Packages of two lists ("name==version"): {added, removed, changed}. */
  rf.packageChanges = function (before, after) {
    const read = (lines) => new Map(lines.map((line) => { const at = line.search(/==| @ /); return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at).replace(/^==/, "").trim()]; }));
    const old = read(before), now = read(after), made = [];
    [...new Set([...old.keys(), ...now.keys()])].sort().forEach((name) => {
      if (!old.has(name)) made.push({ name, what: "added", before: "", after: now.get(name) });
      else if (!now.has(name)) made.push({ name, what: "removed", before: old.get(name), after: "" });
      else if (old.get(name) !== now.get(name)) made.push({ name, what: "changed", before: old.get(name), after: now.get(name) });
    });
    return made;
  };

  const spell = (value) => (value === undefined || value === null ? null : typeof value === "boolean" ? (value ? "yes" : "no") : typeof value === "object" ? JSON.stringify(value) : String(value));
  const spelled = (fact) => Object.fromEntries(Object.entries(fact).map(([key, value]) => [key, spell(value)]).filter(([, value]) => value !== null));
  const sorted = (fact) => Object.fromEntries(Object.entries(fact).sort(([a], [b]) => (a < b ? -1 : 1)));

  function datasets(run) {
    const made = Object.create(null);
    run.inputs.forEach((item) => {
      const role = (item.tags || {})["mlflow.data.context"], key = role ? role + ": " + item.name : item.name;
      made[key] = made[key] ? made[key] + ", " + item.digest : item.digest;
    });
    return made;
  }
  const PARTS = [
    ["Parameters", (run) => sorted(run.params)],
    ["Metrics", (run) => sorted(Object.fromEntries(Object.entries(run.metrics).map(([key, told]) => [key, kit.num(told.last)]))), true],
    ["Tags", (run) => sorted(Object.fromEntries(Object.entries(run.tags).filter(([key]) => !key.startsWith("mlflow."))))],
    ["Datasets", datasets],
    ["Code", (run) => spelled({ ...run.code, ...run.entry })],
    ["Environment", (run) => spelled(run.environment)],
    ["About", (run) => ({ experiment: run.experiment.name, status: run.status, started: rf.time(run.start), duration: run.end === null ? "–" : rf.duration(run.end - run.start), ...(run.user ? { user: run.user } : {}) })],
  ];

  /* ---- Tables ---- */

  function header(runs, state) {
    return el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { cls: "visually-hidden", text: "What" })), ...runs.map((run, at) => el("th", { scope: "col", cls: at === state.base ? "base" : null },
      el("span", { cls: "run-head" }, kit.swatch(run.slot), el("a", { href: rf.runHref(run.run_id), text: rf.nameOf(run) }))))));
  }

  function row(found, isMetric, runs, state, objective) {
    const base = found.values[state.base], finite = isMetric ? found.values.filter(Number.isFinite) : [];
    const direction = objective && objective.metric === found.key ? objective.direction : "";
    const best = direction && finite.length > 1 ? Math[direction](...finite) : null;
    return el("tr", { cls: found.differs ? null : "equal" }, el("th", { scope: "row", text: found.key }), ...found.values.map((value, at) => {
      const cls = (isMetric ? "num " : "") + (at === state.base ? "base " : "") + (same(value, base) ? "same" : "differs");
      if (value === undefined) return el("td", { cls }, el("span", { cls: "faint", text: "–" }));
      if (!isMetric) return el("td", { cls }, el("span", { cls: "value", text: String(value) }));
      return el("td", { cls }, el("span", { cls: value === best ? "value best" : "value", text: rf.number(value) }), at !== state.base && Number.isFinite(base) ? el("span", { cls: "was" }, rf.delta(value - base, direction)) : null);
    }));
  }

  function part([title, facts, isMetric], runs, state, objective) {
    const all = rf.differences(runs.map(facts)), differing = all.filter((found) => found.differs), equal = all.length - differing.length;
    if (!all.length) return null;
    if (runs.length > 1 && !differing.length) {
      state.quiet.add(title);
      if (!state.all.has(title)) return null;
    }
    const shown = (runs.length > 1 && !state.all.has(title) ? differing : all);
    const toggle = runs.length > 1 && equal ? el("button", { type: "button", cls: "linkish small", "aria-expanded": String(state.all.has(title)), text: state.all.has(title) ? "Hide the " + equal + " equal" : "Show the " + equal + " equal", onclick: () => { state.all[state.all.has(title) ? "delete" : "add"](title); state.draw(title); } }) : null;
    const body = el("div", { cls: "plain-wrap compare-wrap", tabindex: "0", role: "region", "aria-label": title }, el("table", { cls: "plain compare" }, header(runs, state), el("tbody", {}, ...shown.slice(0, MOST_ROWS).map((found) => row(found, isMetric, runs, state, objective)))));
    return el("section", { cls: "card run-part", "data-part": title }, kit.head(title, toggle || ""), body,
      shown.length > MOST_ROWS ? el("p", { cls: "card-foot", text: rf.count(shown.length - MOST_ROWS, "more row") + " are not shown." }) : null);
  }

  async function packagesPart(runs, state, page) {
    const base = runs[state.base], index = await rf.load(page.environments), lists = new Map();
    for (const run of runs) { const lock = run.environment.lock; if (lock && index[lock] && !lists.has(lock)) lists.set(lock, await rf.load(index[lock])); }
    const mine = lists.get(base.environment.lock), others = [...new Set(runs.map((run) => run.environment.lock))].filter((lock) => lock !== base.environment.lock && lists.has(lock));
    if (!mine || !others.length) return null;
    return el("section", { cls: "card run-part", "data-part": "Packages" }, kit.head("Packages", "against " + rf.nameOf(base)), ...others.map((lock) => {
      const changes = rf.packageChanges(mine, lists.get(lock)), names = runs.filter((run) => run.environment.lock === lock).map(rf.nameOf);
      return el("div", {}, el("h3", { cls: "card-body", text: names.slice(0, 3).join(", ") + (names.length > 3 ? " and " + (names.length - 3) + " more" : "") }),
        changes.length ? el("div", { cls: "plain-wrap", tabindex: "0", role: "region", "aria-label": "Packages" }, el("table", { cls: "plain" }, el("thead", {}, el("tr", {}, ...["Package", "", "Baseline", "These"].map((text, at) => el("th", { scope: "col" }, at === 1 ? el("span", { cls: "visually-hidden", text: "Change" }) : text)))),
          el("tbody", {}, ...changes.slice(0, MOST_ROWS).map((change) => el("tr", {}, el("th", { scope: "row", text: change.name }), el("td", { cls: "muted", text: change.what }), el("td", {}, change.before ? el("del", { cls: "bad mono", text: change.before }) : ""), el("td", {}, change.after ? el("ins", { cls: "good mono", text: change.after }) : "")))))) : el("p", { cls: "card-body small muted", text: "The same packages." }));
    }));
  }

  /* What the recorded datasets that the runs read say of each other: rows, columns, drift; told by the site, not made here. */
  function contents(run) {
    const made = Object.create(null);
    run.inputs.filter((item) => item.source_type === "runfolio").forEach((item) => {
      try { const said = JSON.parse(item.source); made[said.dataset] = said.digest; } catch { /* no source of ours */ }
    });
    return made;
  }

  function driftPart(runs, state, page) {
    const base = contents(runs[state.base]), lines = [];
    Object.keys(base).sort().forEach((name) => {
      const known = (page.datasets || {})[name], seen = new Set([base[name]]);
      runs.forEach((run) => {
        const digest = contents(run)[name];
        if (!digest || seen.has(digest)) return;
        seen.add(digest);
        const names = runs.filter((other) => contents(other)[name] === digest).map(rf.nameOf), text = known && known.drift[base[name] + " " + digest];
        lines.push(el("dt", {}, known ? el("a", { href: rf.root() + known.href, text: name }) : name), el("dd", {}, text || "another content: how it differs is not recorded", " ", el("span", { cls: "small muted", text: names.slice(0, 3).join(", ") + (names.length > 3 ? " and " + (names.length - 3) + " more" : "") })));
      });
    });
    return lines.length ? el("section", { cls: "card run-part", "data-part": "Data" }, kit.head("Data", "against " + rf.nameOf(runs[state.base])), el("div", { cls: "card-body" }, el("dl", { cls: "facts" }, ...lines))) : null;
  }

  /* ---- Charts over the runs as rows ---- */

  function axes(runs, objective) {
    const made = (key, facts) => {
      const raw = runs.map(facts);
      const texts = raw.filter((value) => value !== undefined), numbers = texts.every((value) => typeof value === "number" || (value.trim() !== "" && Number.isFinite(Number(value))));
      const names = numbers ? null : [...new Set(texts)].sort(), values = Float64Array.from(raw, (value) => (value === undefined ? NaN : numbers ? Number(value) : names.indexOf(value)));
      const finite = Array.from(values).filter(Number.isFinite), lo = Math.min(...finite), hi = Math.max(...finite), distinct = [...new Set(finite)].sort((a, b) => a - b);
      return { key, name: key.slice(key.indexOf(".") + 1), kind: names ? "cat" : lo > 0 && hi / lo >= 50 ? "log" : "linear", values, names, lo, hi, distinct: distinct.length <= 8 ? distinct : null, empty: !finite.length, differs: distinct.length > 1 };
    };
    const keys = (part) => [...new Set(runs.flatMap((run) => Object.keys(run[part])))].sort();
    const params = keys("params").map((key) => made("params." + key, (run) => run.params[key])), metrics = keys("metrics").map((key) => made("metrics." + key, (run) => run.metrics[key] && kit.num(run.metrics[key].last)));
    const goal = metrics.find((axis) => objective && axis.name === objective.metric) || metrics[0];
    return { params: params.filter((axis) => axis.differs), metrics: metrics.filter((axis) => axis.differs), goal: goal && goal.differs ? goal : metrics.find((axis) => axis.differs) };
  }

  function overview(runs, objective) {
    const found = axes(runs, objective), every = Uint32Array.from(runs, (_, at) => at), made = [];
    const view = { filtered: () => every, slots: new Map(runs.map((run, at) => [at, run.slot])), hover: -1, brush() {}, rowName: async (at) => rf.nameOf(runs[at]) };
    const open = (at) => { location.href = rf.runHref(runs[at].run_id); };
    if (runs.length > 1 && found.goal && found.params.length) {
      const chart = rf.parcoords(view, [...found.params.filter((axis) => !axis.names || axis.names.length <= 12).slice(0, 5), found.goal], { height: 272 });
      made.push(el("section", { cls: "card chart-card" }, kit.head("From parameters to " + found.goal.name), el("div", { cls: "card-body" }, chart.node)));
    }
    const all = [...found.metrics, ...found.params];
    if (runs.length > 2 && all.length > 1) {
      const chosen = { y: found.goal || all[0], x: all.find((axis) => axis !== (found.goal || all[0])) };
      const chart = rf.scatter(view, { height: 230, direction: (key) => (objective && key === "metrics." + objective.metric && chosen.x.key.startsWith("metrics.") ? objective.direction : null), pick: open });
      const pick = (which) => kit.choice(which === "y" ? "Vertical axis" : "Horizontal axis", all.map((axis) => [axis.key, axis.name]), chosen[which].key, (key) => { chosen[which] = all.find((axis) => axis.key === key); chart.axes(chosen.x, chosen.y); });
      chart.axes(chosen.x, chosen.y);
      made.push(el("section", { cls: "card chart-card" }, kit.head("One against another"), el("div", { cls: "card-body" }, el("div", { cls: "chart-axes" }, pick("y"), "against", pick("x")), chart.node)));
    }
    return made.length ? el("div", { cls: "chart-grid compare-charts" }, ...made) : null;
  }

  /* ---- The page ---- */

  rf.pages.compare = function () {
    const host = document.querySelector("[data-compare]"), page = rf.page(), first = [...host.childNodes];
    const state = { base: 0, all: new Set(), quiet: new Set() };

    async function show() {
      const ids = [...new Set((rf.url.list("r") || []).filter((id) => /^[\w-]{1,64}$/.test(id)))];
      if (!ids.length) { host.replaceChildren(...first); return; }
      host.setAttribute("aria-busy", "true");
      const found = await Promise.all(ids.slice(0, MOST).map((id) => rf.detail(id).catch((error) => error.message)));
      const runs = found.filter((run) => typeof run !== "string"), faults = found.filter((run) => typeof run === "string");
      if (ids.length > MOST) faults.push("Of " + ids.length + " runs the first " + MOST + " are shown.");
      host.removeAttribute("aria-busy");
      const known = runs.length ? page.experiments[runs[0].experiment.slug] : null, wanted = rf.url.get("base") || (known && known.baseline);
      state.base = Math.max(0, runs.findIndex((run) => run.run_id === wanted));
      // The baseline is the first colour; the others keep theirs by their place in the address.
      runs.forEach((run, at) => { runs[at] = { ...run, slot: at === state.base ? 0 : at === 0 ? state.base : at }; });
      state.quiet.clear();
      const one = new Set(runs.map((run) => run.experiment.slug)).size === 1;
      draw(runs, faults, one && known ? known.objective : null);
    }

    function go(changes) { rf.url.set(changes); show(); }

    function draw(runs, faults, objective) {
      const ids = runs.map((run) => run.run_id);
      const chips = el("ul", { cls: "chips" }, ...runs.map((run, at) => el("li", { cls: "chip" + (at === state.base ? " chip-base" : "") }, kit.swatch(run.slot), el("a", { cls: "cut", href: rf.runHref(run.run_id), text: rf.nameOf(run) }), rf.statusPill(run.status),
        at === state.base ? el("span", { cls: "small muted", text: "baseline" }) : null,
        runs.length > 1 ? el("button", { type: "button", cls: "chip-x", "aria-label": "Take " + rf.nameOf(run) + " out", text: "×", onclick: () => go({ r: ids.filter((id) => id !== run.run_id) }) }) : null)));
      const choose = runs.length > 1 ? el("label", { cls: "chart-axes" }, "Baseline", kit.choice("Baseline", runs.map((run) => [run.run_id, rf.nameOf(run)]), ids[state.base], (id) => go({ base: id }))) : null;
      const names = [...new Set(runs.map((run) => run.experiment.slug))].map((slug) => el("a", { href: rf.root() + "e/" + slug + "/index.html", text: (page.experiments[slug] || { name: slug }).name }));
      const of = el("p", { cls: "lead" }, names.length ? "Of " : "", ...names.flatMap((link, at) => (at ? [", ", link] : [link])), ". Bold is what is not as in the baseline.");
      const made = [el("div", { cls: "head" }, el("div", { cls: "head-words" }, el("h1", { text: "Compare " + rf.count(runs.length, "run") }), of), el("div", { cls: "compare-tools" }, choose, el("button", { type: "button", cls: "btn", text: "Copy link", onclick: (event) => rf.copy(location.href, event.currentTarget) }))), chips];
      faults.forEach((words) => made.push(el("p", { cls: "notice", role: "alert", text: words })));
      if (runs.length) {
        const board = el("div"), charts = overview(runs, objective), parts = el("div", { "data-parts": true });
        const group = rf.curves.board(board, runs.slice(0, rf.curves.MAX_RUNS), { remember: true });
        state.draw = (title) => fillParts(parts, runs, objective, title);
        made.push(parts);
        if (charts) made.push(charts);
        if (group) made.push(el("div", { cls: "section-title" }, el("h2", { text: "Curves" }), runs.length > rf.curves.MAX_RUNS ? el("span", { cls: "small muted", text: "of the first " + rf.curves.MAX_RUNS + " runs" }) : null), board);
        const images = rf.imageGrid && rf.imageGrid(runs);
        if (images) made.push(images);
        state.draw();
      }
      host.replaceChildren(...made);
    }

    function fillParts(parts, runs, objective, title) {
      parts.replaceChildren(...PARTS.map((item) => part(item, runs, state, objective)).filter(Boolean));
      const quiet = PARTS.filter(([name]) => state.quiet.has(name) && !state.all.has(name)).map(([name]) => name);
      if (quiet.length) parts.append(el("section", { cls: "card run-part" }, el("p", { cls: "card-body small muted" }, "The same in all: ", ...quiet.flatMap((name, at) => [at ? ", " : "",
        el("button", { type: "button", cls: "linkish", text: name.toLowerCase(), "aria-label": "Show " + name.toLowerCase(), onclick: () => { state.all.add(name); state.draw(name); } })]), ".")));
      const drift = driftPart(runs, state, page);
      if (drift) parts.append(drift);
      packagesPart(runs, state, page).then((made) => { if (made) parts.append(made); }, () => {});
      if (title) { const again = parts.querySelector("[data-part='" + title + "'] .linkish"); if (again) again.focus(); }
    }

    rf.on("url", show);
    window.addEventListener("hashchange", show);
    return show();
  };
})(window.rf = window.rf || {});
