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

  /* Everything that is shown of one run. */
  rf.detail = async function (id) {
    index = index || (rf.page() && rf.page().details);
    if (!index) throw new Error("This page does not say where the details of runs are. Build the site again.");
    const file = chunkOf(await rf.load(index), id);
    const held = file && bare(await rf.load(file));
    const detail = held && held[id];
    if (!detail) throw new Error(`No run ${id} in this site. It may have been deleted, or is newer than the site.`);
    return { ...detail, params: bare(detail.params), metrics: bare(detail.metrics), tags: bare(detail.tags), series: bare(detail.series) };
  };

  /* Where a run's page is, from here; `written` says whether it has a page of its own. */
  rf.runHref = (id, written) => rf.root() + (written ? `r/${id}/index.html` : `r/run.html#${id}`);

  /* The colour of a series as CSS: 0 is the baseline's, then by order of selection. Beyond six the dashes tell them apart. */
  rf.colour = (slot) => `var(--s${(slot % 6) + 1})`;
  rf.dash = (slot) => [[], [6, 3], [2, 3], [8, 3, 2, 3]][Math.floor(slot / 6) % 4];
})(window.rf = window.rf || {});
