/* The page of a run: what a page written ahead gains from scripts, and the whole page of any other run, made from its data with the
   same words (site/run_facts.py and templates/run.html). */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const MOST_ROWS = 50, MOST_FOLDED = 2000;

  /* ---- Copying ---- */

  /* Copy a text, and say so on the button for a while. */
  rf.copy = function (text, button) {
    const said = button.textContent;
    const tell = (words) => { button.textContent = words; setTimeout(() => { button.textContent = said; }, 1500); };
    const old = () => {
      const area = el("textarea", { cls: "visually-hidden", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      tell(done ? "Copied" : "Not copied");
    };
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => tell("Copied"), old); else old();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-copy],[data-copy-text]");
    if (!button) return;
    rf.copy(button.dataset.copyText || button.parentNode.querySelector("pre").textContent, button);
  });

  /* ---- What site/run_facts.py says, too ---- */

  const parse = (text) => {
    if (!text || text.length >= 1000000) return null;
    try { return JSON.parse(text); } catch (error) { return null; }
  };
  const isDict = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  /* JSON as Python spells it: a space after commas and colons. */
  const plain = (value) => (typeof value === "string" ? value : Array.isArray(value) ? "[" + value.map(spell).join(", ") + "]" : isDict(value) ? "{" + Object.entries(value).map(([key, part]) => JSON.stringify(key) + ": " + spell(part)).join(", ") + "}" : JSON.stringify(value));
  const spell = (value) => (typeof value === "string" ? JSON.stringify(value) : plain(value));
  const quote = (text) => (text === "" ? "''" : /^[\w@%+=:,./-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\"'\"'") + "'");

  function datasetFacts(item) {
    const profile = parse(item.profile), schema = parse(item.schema), source = parse(item.source), columns = [];
    if (isDict(schema) && Array.isArray(schema.mlflow_colspec)) schema.mlflow_colspec.filter(isDict).forEach((part) => columns.push([String(part.name === undefined ? "" : part.name), plain(part.type === undefined ? "" : part.type)]));
    else if (isDict(schema) && isDict(schema.mlflow_tensorspec)) {
      for (const [name, text] of Object.entries(schema.mlflow_tensorspec)) {
        const parts = typeof text === "string" ? parse(text) : text;
        for (const part of Array.isArray(parts) ? parts : []) {
          const inner = isDict(part) ? part["tensor-spec"] || {} : {};
          if (isDict(inner)) columns.push([part.name ? name + "." + part.name : name, (plain(inner.dtype || "") + " " + plain(inner.shape || "")).trim()]);
        }
      }
    }
    const from = isDict(source) ? Object.entries(source).filter(([key, value]) => key !== "tags" && value !== "" && value !== null && !(typeof value === "object" && !Object.keys(value).length)).map(([key, value]) => key + " " + plain(value)).join(", ") : item.source || "";
    return { profile: isDict(profile) ? Object.entries(profile).map(([key, value]) => [key, plain(value)]) : [], columns, source: from };
  }

  rf.originFacts = function (detail) {
    const { code, entry, environment } = detail;
    return [
      ["Entry point", entry.script, true], ["Arguments", (entry.args || []).map((part) => quote(String(part))).join(" "), true],
      ["Commit", code.commit, true], ["Work tree", code.dirty === undefined ? "" : code.dirty ? "changed" : "clean", false],
      ["Branch", code.branch, true], ["Remote", code.remote, true], ["Code tree", code.tree, true],
      ["Python", [environment.implementation, environment.python].filter(Boolean).join(" "), false],
      ["Platform", environment.platform, false], ["Host", environment.host, false], ["User", detail.user, false],
    ].filter(([, value]) => value);
  };

  function reproduce(detail, lockPath, branch) {
    const { code, entry } = detail;
    if (!code.tree) return [];
    const lines = lockPath ? ["git show " + quote(branch + ":" + lockPath) + " > requirements.txt", "python -m pip install -r requirements.txt"] : [];
    lines.push("runfolio runs code " + detail.run_id.slice(0, 16) + " again", "cd again");
    const words = entry.script ? [entry.script, ...(entry.args || [])].map((part) => quote(String(part))).join(" ") : "";
    if (words && entry.type !== "NOTEBOOK") lines.push(entry.type === "PROGRAM" ? words : "python " + words);
    return lines;
  }

  /* What came of making it again, the command that does, and the way by hand: as _proof.html has them. */
  function proofCard(detail, lines) {
    const found = detail.proof, code = detail.code;
    const again = (code.tree || code.cells) && detail.entry.script ? ["runfolio reproduce " + detail.run_id.slice(0, 16)] : [];
    if (!found && !again.length && !lines.length) return null;
    return card("reproduce", found ? "Made again" : "Run it again", "", el("div", { cls: "card-body proof" },
      found ? el("p", { cls: "proof-verdict " + found.tone, text: found.words }) : null,
      found ? el("p", { cls: "small muted", text: rf.time(found.at) }) : null,
      found ? rf.facts(found.facts) : null,
      again.length ? rf.copyBox(again, "Make it again, and compare") : null,
      lines.length ? el("details", {}, el("summary", { text: "By hand" }), rf.copyBox(lines, "Commands that run it again")) : null));
  }

  function recordPath(detail, prefix) {
    const timed = detail.run_id.length === 32 && detail.run_id[12] === "7";
    const day = rf.day(timed ? parseInt(detail.run_id.slice(0, 12), 16) : detail.start);
    return prefix + "runs/" + detail.experiment.slug + "/" + day.slice(0, 7) + "/" + day.slice(8) + "/" + detail.run_id + ".json";
  }

  /* ---- Parts of the page ---- */

  rf.statusPill = function (status) {
    const bad = status === "FAILED" || status === "KILLED";
    return bad || status === "RUNNING" || status === "SCHEDULED" ? el("span", { cls: "pill " + (bad ? "pill-bad" : "pill-warn"), text: status.toLowerCase() }) : null;
  };
  /* A difference by the declared direction: arrow, sign and colour; without a direction only the sign. */
  rf.delta = function (value, direction) {
    if (value === null || Number.isNaN(value)) return el("span", { cls: "faint", text: "–" });
    if (value === 0) return el("span", { cls: "faint", text: "±0" });
    if (!direction) return el("span", { cls: "muted", text: rf.signed(value) });
    return el("span", { cls: ((value > 0) === (direction === "max") ? "good" : "bad") + " nowrap", text: (value > 0 ? "▲ " : "▼ ") + rf.signed(value) });
  };

  function tagsCard(tags) {
    const isClients = ([key]) => key.startsWith("mlflow."), own = tags.filter((tag) => !isClients(tag)), others = tags.filter(isClients);
    return card("tags", "Tags", "", el("div", { cls: "card-body" }, own.length ? rf.facts(own) : null,
      others.length ? el("details", { cls: "client-tags" }, el("summary", { text: rf.count(others.length, "tag") + " of MLflow's client" }), rf.facts(others)) : null));
  }
  const cell = (tag, cls, ...children) => el(tag, { cls }, ...children);
  const heads = (names) => el("thead", {}, el("tr", {}, ...names.map(([name, cls, hidden]) => el("th", { scope: "col", cls }, hidden ? el("span", { cls: "visually-hidden", text: name }) : name))));
  function card(id, title, right, ...children) {
    return el("section", { id, cls: "card run-part" }, kit.head(title, right || ""), ...children);
  }
  /* Rows of a table, most of them folded away; those are made when they are asked for. */
  rf.folded = function (rows, head, make, label) {
    const most = MOST_ROWS;
    const table = (part) => el("div", { cls: "plain-wrap", tabindex: "0", role: "region", "aria-label": label }, el("table", { cls: "plain" }, head(), el("tbody", {}, ...part.map(make))));
    const made = [table(rows.slice(0, most))];
    if (rows.length > most) {
      const more = el("details", { cls: "more" }, el("summary", { text: rf.count(rows.length - most, "more row") }));
      more.addEventListener("toggle", () => { if (more.childNodes.length === 1) more.append(table(rows.slice(most, MOST_FOLDED))); }, { once: true });
      made.push(more);
    }
    return made;
  };
  rf.facts = (pairs) => el("dl", { cls: "facts" }, ...pairs.flatMap(([key, value, isCode]) => [el("dt", { text: key }), el("dd", {}, isCode ? el("code", { text: value }) : value)]));

  /* A metric's course in the height of a line, as site/svg/sparkline.py draws it. */
  rf.mini = function (values) {
    const numbers = values.map(kit.num), finite = numbers.filter(Number.isFinite);
    if (finite.length < 2) return null;
    let low = Infinity, high = -Infinity, path = "", pen = "M";
    finite.forEach((value) => { low = Math.min(low, value); high = Math.max(high, value); });
    numbers.forEach((value, at) => {
      if (!Number.isFinite(value)) { pen = "M"; return; }
      path += pen + (3 + (at * 90) / (numbers.length - 1)).toFixed(1) + " " + (19 - (high > low ? (value - low) / (high - low) : 0.5) * 16).toFixed(1);
      pen = "L";
    });
    const space = "http://www.w3.org/2000/svg", made = document.createElementNS(space, "svg"), line = document.createElementNS(space, "path");
    for (const [name, value] of [["class", "mini"], ["viewBox", "0 0 96 22"], ["width", 96], ["height", 22], ["aria-hidden", "true"]]) made.setAttribute(name, value);
    line.setAttribute("d", path);
    made.append(line);
    return made;
  };

  function metricsCard(detail, base, experiment) {
    const objective = experiment.objective, names = Object.keys(detail.metrics).sort((a, b) => (objective ? (b === objective.metric) - (a === objective.metric) : 0) || (a < b ? -1 : 1));
    const at = (value, step, count) => [rf.number(value), count > 1 && value !== null ? el("span", { cls: "at", text: "at " + step }) : null];
    const row = (key) => {
      const m = detail.metrics[key], goal = objective && key === objective.metric, other = base && base.metrics[key], series = detail.series[key];
      return el("tr", {},
        el("th", { scope: "row" }, key, " ", goal ? el("span", { cls: "pill pill-accent", text: "goal " + (objective.direction === "max" ? "↑" : "↓") }) : null),
        cell("td", "spark-cell", series ? rf.mini(series.value) : null), cell("td", "num strong", rf.number(m.last)),
        base ? cell("td", "num", rf.delta(other ? kit.num(m.last) - kit.num(other.last) : null, goal && objective.direction)) : null,
        cell("td", "num", ...at(m.min, m.min_step, m.count)), cell("td", "num", ...at(m.max, m.max_step, m.count)), cell("td", "num", rf.number(m.step)), cell("td", "num", rf.number(m.count)));
    };
    const head = () => heads([["Metric"], ["Course", "", true], ["Last", "num"], ...(base ? [["To baseline", "num"]] : []), ["Least", "num"], ["Greatest", "num"], ["Step", "num"], ["Points", "num"]]);
    return card("metrics", "Metrics", String(names.length), ...rf.folded(names, head, row, "Metrics"));
  }

  function paramsCard(detail, base) {
    const other = base && base.params, keys = [...new Set([...Object.keys(detail.params), ...Object.keys(other || {})])].sort();
    const differs = (key) => Boolean(base) && detail.params[key] !== other[key];
    keys.sort((a, b) => differs(b) - differs(a));
    const row = (key) => el("tr", { cls: differs(key) ? "differs" : base ? "same" : null }, el("th", { scope: "row", text: key }),
      el("td", {}, detail.params[key] === undefined ? el("span", { cls: "faint", text: "not set" }) : el("span", { cls: "value", text: detail.params[key] }),
        differs(key) ? el("span", { cls: "was", text: "baseline " + (other[key] === undefined ? "has none" : other[key]) }) : null));
    const right = base ? el("span", {}, "bold: not as in ", el("a", { href: rf.runHref(base.run_id), text: rf.nameOf(base) })) : "";
    const head = () => { const made = heads([["Parameter"], ["Value"]]); made.className = "visually-hidden"; return made; };
    return card("params", "Parameters", right, ...(keys.length ? rf.folded(keys, head, row, "Parameters") : [el("p", { cls: "card-body muted small", text: "None was logged." })]));
  }

  // The order of runfolio.site.pages.runs: pictures, charts and tables, texts, the files of models, what cannot be looked at.
  const RANKS = { image: 0, audio: 0, chart: 1, table: 1, markdown: 1 };
  const picturesFirst = (artifacts) => {
    const paths = new Set(artifacts.map((item) => item.path)), models = artifacts.map((item) => item.path).filter((path) => path.endsWith("/MLmodel")).map((path) => path.slice(0, -7));
    const rank = (item) => !item.preview ? 4 : models.some((folder) => item.path.startsWith(folder)) ? 3 : RANKS[item.preview.kind] ?? 2;
    const place = (item) => { const found = rf.loggedImage(item.path); return found ? ["images/" + found.key, found.step] : [item.path, 0]; };
    return artifacts.filter((item) => !rf.isSmallCopy(item.path, paths)).sort((a, b) => {
      const [left, right] = [place(a), place(b)];
      return rank(a) - rank(b) || (left[0] < right[0] ? -1 : left[0] > right[0] ? 1 : left[1] - right[1]);
    });
  };

  const artifactName = (path) => el("span", { cls: "artifact-name", text: rf.artifactName(path), title: rf.loggedImage(path) ? path : null });

  function artifactsCard(detail) {
    const list = picturesFirst(detail.artifacts).slice(0, 200), more = detail.artifact_count - list.length;
    return card("artifacts", "Artifacts", rf.count(detail.artifact_count, "file"),
      el("ul", { cls: "artifacts" }, ...list.map((item) => el("li", {}, el("div", { cls: "row" }, artifactName(item.path),
        el("span", { cls: "muted small nowrap" }, rf.bytes(item.size) + " · ", el("code", { title: item.digest, text: item.digest.slice(7, 19) }))), rf.preview(item)))),
      el("p", { cls: "card-foot" }, more > 0 ? rf.count(more, "more file") + ". " : "", "Get them: ", el("code", { text: "runfolio runs artifacts " + detail.run_id.slice(0, 16) + " --get DIR" })));
  }

  function datasetsCard(detail) {
    return card("datasets", "Datasets", "", ...detail.inputs.map((item) => {
      const found = datasetFacts(item), role = (item.tags || {})["mlflow.data.context"];
      const table = found.columns.length ? el("details", {}, el("summary", { text: rf.count(found.columns.length, "column") }), el("table", { cls: "plain" }, heads([["Column"], ["Type"]]),
        el("tbody", {}, ...found.columns.slice(0, 60).map(([key, value]) => el("tr", {}, el("th", { scope: "row", text: key }), el("td", {}, el("code", { text: value }))))))) : null;
      const source = item.source_type ? [["Source", el("span", {}, item.source_type, found.source ? ": " : "", found.source ? el("code", { text: found.source }) : "")]] : [];
      const said = item.source_type === "runfolio" ? parse(item.source) : null, slug = isDict(said) && (rf.page().datasets || {})[said.dataset];
      const name = slug ? el("a", { href: rf.root() + "d/" + encodeURIComponent(slug) + "/index.html", text: item.name }) : item.name;
      return el("div", { cls: "card-body dataset" }, el("h3", {}, name, role ? el("span", { cls: "pill", text: role }) : null), rf.facts([["Digest", item.digest, true], ...source, ...found.profile]), table);
    }));
  }

  const runLink = (id, name, status) => el("li", {}, el("a", { href: rf.runHref(id), text: name || id.slice(0, 12) }), " ", status ? rf.statusPill(status) : null);
  function nestedCard(detail) {
    const list = el("ul", { cls: "list small" });
    if (detail.parent) { const item = runLink(detail.parent); item.prepend(el("span", { cls: "muted", text: "Part of " })); list.append(item); }
    detail.children.slice(0, 100).forEach((id) => list.append(runLink(id)));
    // Names are in the details of those runs, which mostly lie in this run's own chunk.
    [...list.children].forEach((item, at) => { if (at < 20) { const id = detail.parent ? [detail.parent, ...detail.children][at] : detail.children[at];
      rf.detail(id).then((other) => { item.querySelector("a").textContent = rf.nameOf(other); const pill = rf.statusPill(other.status); if (pill) item.append(pill); },
        () => item.querySelector("a").replaceWith(el("span", { cls: "mono", text: id.slice(0, 12) }), " ", el("span", { cls: "muted", text: "not in this site" }))); } });
    return card("nested", "Nested runs", detail.children.length ? detail.children.length + (detail.children.length === 100 ? " or more" : "") : "", list);
  }

  function packages(box, path) {
    box.addEventListener("toggle", () => rf.load(path).then((lines) => box.append(el("pre", { cls: "packages", tabindex: "0", "aria-label": "List of packages", text: lines.join("\n") })),
      (error) => box.append(el("p", { cls: "small bad", text: error.message }))), { once: true });
    return box;
  }

  function originCard(detail, page, lockPath, lockFile) {
    const pairs = rf.originFacts(detail);
    if (lockPath) pairs.push(["Packages", lockPath, true]);
    pairs.push(["Record", recordPath(detail, page.records.prefix), true]);
    return card("origin", "Where it came from", "", el("div", { cls: "card-body" }, rf.facts(pairs),
      lockFile ? packages(el("details", { cls: "more-packages" }, el("summary", { text: "List of packages" })), lockFile) : null));
  }

  rf.copyBox = (lines, label) => el("div", { cls: "copy-box" }, el("pre", { tabindex: "0", "aria-label": label, text: lines.join("\n") }), el("button", { cls: "btn btn-small", type: "button", "data-copy": true, text: "Copy" }));

  function heading(detail, base, experiment) {
    const objective = experiment.objective, goal = objective && detail.metrics[objective.metric], isBaseline = experiment.baseline === detail.run_id;
    const kpi = (name, value, note, small) => el("div", { cls: "kpi" }, el("dt", { text: name }), el("dd", { cls: small ? "kpi-small" : null }, value, note ? el("div", { cls: "note" }, note) : null));
    const other = goal && base && base.metrics[objective.metric];
    const note = isBaseline ? "the baseline" : other ? el("span", {}, rf.delta(kit.num(goal.last) - kit.num(other.last), objective.direction), " over the baseline") : goal ? "step " + rf.number(goal.step) : "";
    const tags = Object.entries(detail.tags).filter(([key]) => !key.startsWith("mlflow.") && !key.startsWith("runfolio.")).slice(0, 12);
    return el("div", { cls: "head" },
      el("div", { cls: "head-words" }, el("h1", { text: rf.nameOf(detail) }),
        el("p", { cls: "run-id" }, el("code", { text: detail.run_id }), " ", el("button", { cls: "btn btn-small", type: "button", "data-copy-text": detail.run_id, text: "Copy id" })),
        detail.tags["mlflow.note.content"] ? el("p", { cls: "lead as-written", text: detail.tags["mlflow.note.content"] }) : null,
        el("div", { cls: "pills" }, rf.statusPill(detail.status), isBaseline ? el("span", { cls: "pill pill-accent", text: "baseline" }) : null, ...tags.map(([key, value]) => el("span", { cls: "pill", text: key + ": " + value.slice(0, 80) })))),
      el("dl", { cls: "kpis" }, goal ? kpi(objective.metric + (objective.direction === "max" ? " ↑" : " ↓"), rf.number(goal.last), note) : null,
        kpi("Duration", detail.end === null ? "–" : rf.duration(detail.end - detail.start), detail.status.toLowerCase()),
        kpi("Started, UTC", rf.time(detail.start), detail.user ? "by " + detail.user : "", true)));
  }

  /* The names of parts, which scroll to them; the address stays the run's. */
  function jump(id, name, count) {
    return el("button", { type: "button", onclick: () => { const part = document.getElementById(id); part.scrollIntoView(); part.tabIndex = -1; part.focus({ preventScroll: true }); } }, name, count === undefined ? null : el("span", { cls: "count", text: count }));
  }

  async function show(host, page) {
    const id = decodeURIComponent(location.hash.slice(1));
    host.setAttribute("aria-busy", "true");
    let detail, base = null, lockFile = null;
    try {
      if (!id) throw new Error("The address names no run: it ends with # and the run's id.");
      detail = await rf.detail(id);
      const known = page.experiments[detail.experiment.slug];
      if (known && known.baseline && known.baseline !== id) base = await rf.detail(known.baseline).catch(() => null);
      if (detail.environment.lock) lockFile = (await rf.load(page.environments))[detail.environment.lock] || null;
    } catch (error) {
      host.replaceChildren(el("div", { cls: "head" }, el("div", { cls: "head-words" }, el("h1", { text: "No such run" }), el("p", { cls: "lead", role: "alert", text: error.message }))));
      host.removeAttribute("aria-busy");
      return;
    }
    const experiment = page.experiments[detail.experiment.slug] || { objective: null, baseline: null };
    document.title = rf.nameOf(detail) + " · " + document.title.replace(/^.* · /, "");
    const crumb = document.querySelector(".crumbs ol");
    crumb.replaceChildren(crumb.firstElementChild, el("li", {}, el("a", { href: rf.root() + "e/" + detail.experiment.slug + "/index.html", text: detail.experiment.name })), el("li", {}, el("span", { "aria-current": "page", text: rf.nameOf(detail) })));
    const lockPath = lockFile ? page.records.prefix + "environments/" + detail.environment.lock + ".txt" : "";
    const lines = reproduce(detail, lockPath, page.records.branch), board = el("div", { "data-curves": true });
    const count = rf.curves.metrics([detail]).curves.length, metrics = Object.keys(detail.metrics).length;
    const tags = Object.entries(detail.tags).filter(([key]) => key !== "mlflow.note.content").sort().slice(0, 200);
    const tabs = el("nav", { cls: "tabs", "aria-label": "On this page" }, count ? jump("curves", "Curves ", count) : null, metrics ? jump("metrics", "Metrics ", metrics) : null, jump("params", "Parameters ", Object.keys(detail.params).length),
      detail.artifact_count ? jump("artifacts", "Artifacts ", detail.artifact_count) : null, detail.inputs.length ? jump("datasets", "Datasets ", detail.inputs.length) : null, jump("origin", "Origin"),
      base ? el("a", { href: rf.root() + "compare.html#r=" + base.run_id + "," + detail.run_id, text: "Compare with the baseline" }) : null);
    host.replaceChildren(...[heading(detail, base, experiment), tabs,
      detail.notices.length ? el("div", { cls: "notice", role: "note" }, el("b", { text: "Left out or changed when it was logged" }), el("ul", {}, ...detail.notices.slice(0, 50).map((text) => el("li", { text })))) : null,
      el("div", { cls: "grid-main run-grid" },
        el("div", {}, count ? el("section", { id: "curves", cls: "run-part" }, el("div", { cls: "section-title" }, el("h2", { text: "Curves" })), board) : null,
          metrics ? metricsCard(detail, base, experiment) : null, detail.artifact_count ? artifactsCard(detail) : null, detail.inputs.length ? datasetsCard(detail) : null),
        el("aside", { cls: "side", "aria-label": "About this run" }, paramsCard(detail, base), detail.parent || detail.children.length ? nestedCard(detail) : null, originCard(detail, page, lockPath, lockFile),
          proofCard(detail, lines),
          tags.length ? tagsCard(tags) : null))].filter(Boolean));
    if (count) draw(board, detail);
    overSteps(detail);
    host.removeAttribute("aria-busy");
  }

  function draw(board, detail) {
    rf.curves.board(board, [{ ...detail, slot: 0 }]);
  }

  /* Pictures that were logged over steps, above the list of all, where each of them is folded away. */
  function overSteps(run) {
    const made = rf.stepImages(run), list = document.getElementById("artifacts");
    if (!made || !list) return;
    list.before(made);
    const each = [...list.querySelectorAll(".artifacts > li")].filter((item) => item.querySelector(".artifact-name[title]"));
    if (!each.length) return;
    const fold = el("ul", { cls: "artifacts" }), item = el("li", {}, el("details", {}, el("summary", { text: rf.count(each.length, "picture") + " over steps, each by itself" }), fold));
    each[0].before(item);
    fold.append(...each);
  }

  rf.pages.run = function () {
    const page = rf.page(), host = document.querySelector("[data-run]");
    if (host) {
      window.addEventListener("hashchange", () => show(host, page));
      return show(host, page);
    }
    const board = document.querySelector("[data-curves]"), artifacts = document.getElementById("artifacts");
    if (board) draw(board, page.run);
    overSteps(page.run);
    if (artifacts) rf.confusionIn(artifacts);
    document.querySelectorAll("[data-packages]").forEach((box) => packages(box, box.dataset.packages));
  };
})(window.rf = window.rf || {});
