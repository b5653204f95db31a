/* What a page knows and what it loads. Data files are classic scripts with one call of rfData, so that a page also works from a
   folder, where browsers refuse everything else. */
(function (rf) {
  "use strict";

  const given = Object.assign(Object.create(null), window.rfData && window.rfData.waiting);
  const loading = new Map();

  window.rfData = function (key, value) {
    given[key] = value;
  };

  rf.root = () => document.body.dataset.root || "";
  rf.bus = new EventTarget();
  rf.pages = rf.pages || {};
  rf.charts = rf.charts || {};

  /* Tell the other parts of a page that something happened; what it is about is the event's `detail`. */
  rf.tell = (name, detail) => rf.bus.dispatchEvent(new CustomEvent(name, { detail }));
  rf.on = (name, listener) => rf.bus.addEventListener(name, (event) => listener(event.detail));

  /* Make an element. Text is only ever text content. */
  rf.el = function (name, classes, text) {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    if (text !== undefined && text !== null) made.textContent = text;
    return made;
  };

  /* Put a name into an element so that a line may end behind each of its parts: min_samples_split. */
  rf.breakable = function (element, text) {
    for (const part of text.split(/(?<=[_./:-])(?=.)/)) element.append(...(element.firstChild ? [rf.el("wbr")] : []), part);
    return element;
  };

  /* What the page was built with: the JSON in #rf-page. */
  let page;
  rf.page = function () {
    if (page === undefined) {
      const element = document.getElementById("rf-page");
      page = element ? JSON.parse(element.textContent) : null;
    }
    return page;
  };

  function fetchScript(path) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      const key = path.replace(/(\.[0-9a-f]{6,})?\.js$/, "");
      const end = (message) => {
        script.remove();
        const value = given[key];
        delete given[key];
        if (value === undefined) reject(new Error(message));
        else resolve(value);
      };
      script.onload = () => end(`${path} holds no data for ${key}. Build the site again.`);
      script.onerror = () => end(`${path} could not be loaded. Reload the page; if that does not help, the site is incomplete.`);
      script.src = rf.root() + path;
      document.head.append(script);
    });
  }

  /* Load a data file, by its path from the site's root; once, however often it is asked for. With `drop` it is forgotten as soon as
     those who wait for it have it: what has been decoded is not kept a second time. */
  rf.load = function (path, drop) {
    let found = loading.get(path);
    if (!found) {
      found = fetchScript(path);
      loading.set(path, found);
      const forget = () => loading.delete(path);
      found.then(drop ? forget : undefined, forget);
    }
    return found;
  };

  let index;

  /* Where a run's details are: in the last chunk that starts before it, if its id has a time in it (UUIDv7); else by two digits. */
  function chunkOf(places, id) {
    if (!/^.{12}7/.test(id) || id.length !== 32) return places.hash[id.slice(0, 2)];
    let low = 0;
    let high = places.time.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places.time[middle][0] <= id) low = middle + 1;
      else high = middle;
    }
    return low ? places.time[low - 1][1] : undefined;
  }

  /* What people named, without what every object inherits: a metric may be called "constructor". */
  const bare = (named) => Object.assign(Object.create(null), named);

  /* A metric of a record with what the record leaves out because it follows from the rest. */
  function metricOf(told) {
    const made = { last: told.last, step: told.step || 0, timestamp: told.at || 0, count: told.count === undefined ? 1 : told.count };
    for (const name of ["min", "max"]) {
      made[name] = told[name] === undefined ? told.last : told[name];
      made[name + "_step"] = told[name + "_step"] === undefined ? made.step : told[name + "_step"];
    }
    return made;
  }

  /* A committed record and what the site adds to it as one thing: what site/details.py makes, too. */
  function detailOf(record, more, name) {
    const metrics = bare({}), listed = more.artifacts || record.artifacts || {}, previews = more.previews || {};
    for (const key of Object.keys(record.metrics || {})) metrics[key] = metricOf(record.metrics[key]);
    const artifacts = Object.keys(listed).sort((a, b) => (a < b ? -1 : 1)).map((path) => ({
      path, size: listed[path].size, digest: listed[path].digest, media_type: listed[path].type || "", preview: (Object.hasOwn(previews, path) && previews[path]) || null,
    }));
    return {
      run_id: record.run_id, name: record.name || "", experiment: { slug: record.experiment, name }, status: record.status, start: record.start,
      end: record.end === undefined ? null : record.end, user: record.user || "", parent: record.parent || null, children: more.children || [], proof: more.proof || null,
      params: bare(record.params), metrics, tags: bare(record.tags), inputs: record.inputs || [], artifacts,
      artifact_count: record.artifact_count === undefined ? artifacts.length : record.artifact_count,
      code: record.code || {}, entry: record.entry || {}, environment: record.environment || {}, notices: record.notices || [], series: bare(more.series),
    };
  }

  /* Everything that is shown of one run. */
  rf.detail = async function (id) {
    index = index || (rf.page() && rf.page().details);
    if (!index) throw new Error("This page does not say where the details of runs are. Build the site again.");
    const file = chunkOf(await rf.load(index), id);
    const held = file && await rf.load(file), record = held && bare(held.runs)[id];
    if (!record) throw new Error(`No run ${id} in this site. It may have been deleted, or is newer than the site.`);
    return detailOf(record, bare(held.more)[id] || {}, bare(held.names)[record.experiment] || record.experiment);
  };

  /* Where a run's page is, from here; `written` says whether it has a page of its own. */
  rf.runHref = (id, written) => rf.root() + (written ? `r/${id}/index.html` : `r/run.html#${id}`);

  /* The colour of a series as CSS: 0 is the baseline's, then by order of selection. Beyond six the dashes tell them apart. */
  rf.colour = (slot) => `var(--s${(slot % 6) + 1})`;
  rf.dash = (slot) => [[], [6, 3], [2, 3], [8, 3, 2, 3]][Math.floor(slot / 6) % 4];
})(window.rf = window.rf || {});
