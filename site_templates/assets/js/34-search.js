/* Search over experiments, models, commits and runs: every word must stand somewhere in the name, the id, the user or the tags. */
(function (rf) {
  "use strict";

  const MOST = 100;
  const el = rf.el;

  /* What is looked through, and how each thing is shown. */
  function index({ experiments, others, runs }) {
    const names = new Map(experiments.map(([name, , , , slug]) => [slug, name]));
    const made = experiments.map(([name, words, href, count]) => ({
      text: `${name} ${words}`.toLowerCase(), title: name.toLowerCase(), name, href: rf.root() + href, about: rf.count(count, "run"), words,
    }));
    const other = ([name, words, href, about]) => ({ text: `${name} ${words}`.toLowerCase(), title: about === "commit" ? "" : name.toLowerCase(), name, href: rf.root() + href, about, words });
    const isCommit = (item) => item[3] === "commit";
    made.push(...others.filter((item) => !isCommit(item)).map(other));
    for (const [name, slug, id, written, words] of runs) {
      made.push({
        text: `${name} ${id} ${words}`.toLowerCase(), title: name.toLowerCase(), name: name || id.slice(0, 12), href: rf.runHref(id, written),
        about: `run of ${names.get(slug)}`, words,
      });
    }
    made.push(...others.filter(isCommit).map(other)); // a commit says in its subject what it brought, which is what is looked for
    return made;
  }

  /* The things that hold all words: those first whose name holds them all, as a short word stands in most ids; of these, and of the
     others, those first whose name begins with the first word; then as they come. */
  function find(things, text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const ranks = [[], [], [], []];
    if (!words.length) return [];
    for (const thing of things) {
      if (!words.every((word) => thing.text.includes(word))) continue;
      ranks[(words.every((word) => thing.title.includes(word)) ? 0 : 2) + (thing.title.startsWith(words[0]) ? 0 : 1)].push(thing);
    }
    return ranks.flat();
  }

  function show(found, text, left, place) {
    if (!text.trim()) return place.replaceChildren();
    const counted = found.length ? rf.count(found.length, "match", "matches") : "Nothing found";
    const older = left ? `. ${rf.count(left, "older run")} not looked through: the table of their experiment finds them` : "";
    const more = found.length > MOST ? `; the first ${MOST} are shown` : "";
    const list = el("ul", "card list");
    for (const thing of found.slice(0, MOST)) {
      const line = el("li");
      const link = el("a", "", thing.name);
      link.href = thing.href;
      line.append(link, " ", el("span", "muted", thing.about));
      if (thing.words) line.append(el("br"), el("span", "muted small", thing.words));
      list.append(line);
    }
    return place.replaceChildren(el("p", "muted small search-told", `${counted}${more}${older}.`), ...(found.length ? [list] : []));
  }

  rf.search = { index, find };

  rf.pages.search = async function () {
    const box = document.getElementById("search-box");
    const place = document.getElementById("search-found");
    const all = document.getElementById("search-all");
    let things = [];
    let left = 0;
    const run = () => {
      all.hidden = Boolean(box.value.trim());
      show(find(things, box.value), box.value, left, place);
    };
    const read = () => {
      box.value = rf.url.get("q") || "";
      run();
    };
    box.addEventListener("input", () => {
      rf.url.set({ q: box.value.trim() ? box.value : null }, true);
      run();
    });
    box.value = rf.url.get("q") || "";
    box.focus();
    try {
      const value = await rf.load(rf.page().search, true);
      const parts = await Promise.all(value.parts.map((part) => rf.load(part, true)));
      things = index({ ...value, runs: parts.flat() });
      left = value.left;
    } catch (error) {
      place.replaceChildren(el("p", "notice", error.message));
      return;
    }
    rf.on("url", read);
    run();
  };
})(window.rf = window.rf || {});
