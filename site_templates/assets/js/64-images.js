/* Pictures side by side: the same artifact of several runs, or of one run over its steps, with a slider through those that differ in a
   number ("samples/epoch-003.png"). Tables and texts with the same name are shown side by side, too. */
(function (rf) {
  "use strict";
  const kit = rf.kit, el = kit.el;
  const MOST_GROUPS = 40, MOST_RUNS = 12, MOST_NAMED = 8;

  /* Pictures of log_image(image, key, step), as runfolio.site.step_images reads their names. */
  const LOGGED = /^images\/(.+?)%step%([0-9]{1,18})%timestamp%[0-9]+%[\w-]+?(%compressed)?\.\w+$/;
  rf.loggedImage = function (path) {
    const found = LOGGED.exec(path);
    return found && { key: found[1].replaceAll("#", "/"), step: Number(found[2]), small: Boolean(found[3]) };
  };
  rf.artifactName = (path) => { const found = rf.loggedImage(path); return found ? found.key + ", step " + found.step : path; };
  rf.isSmallCopy = (path, others) => path.endsWith("%compressed.webp") && others.has(path.slice(0, -16) + ".png");

  /* Artifacts by their name without its last number: [{name, steps: [{step, path, at: {run: artifact}}]}]. A group with one step is the name itself. */
  rf.pictureGroups = function (runs, kinds) {
    const groups = new Map();
    runs.forEach((run) => (run.artifacts || []).forEach((artifact) => {
      if (!artifact.preview || !kinds.includes(artifact.preview.kind)) return;
      const logged = rf.loggedImage(artifact.path), found = /^(.*?)(\d+)(\D*)$/.exec(artifact.path);
      const key = logged ? logged.key : found ? found[1] + "#" + found[3] : artifact.path, step = logged ? logged.step : found ? Number(found[2]) : 0;
      if (logged && logged.small) return;
      if (!groups.has(key)) groups.set(key, new Map());
      const steps = groups.get(key), place = logged ? String(step) : found ? found[2] : "";
      if (!steps.has(place)) steps.set(place, { step, path: artifact.path, at: {} });
      steps.get(place).at[run.run_id] = artifact;
    }));
    return [...groups].map(([name, steps]) => ({ name, steps: [...steps.values()].sort((a, b) => a.step - b.step) })).sort((a, b) => (a.name < b.name ? -1 : 1));
  };

  function titleOf(group) {
    if (group.steps.length === 1) return rf.artifactName(group.steps[0].path);
    return rf.loggedImage(group.steps[0].path) ? group.name : group.name.replace("#", "…");
  }

  function groupCard(group, runs) {
    const grid = el("div", { cls: "image-grid" }), label = el("span", { cls: "small muted" });
    const show = (at) => {
      const step = group.steps[at];
      label.textContent = group.steps.length > 1 ? (rf.loggedImage(step.path) ? "step " + step.step : step.path) + " (" + (at + 1) + " of " + group.steps.length + ")" : "";
      grid.replaceChildren(...runs.filter((run) => group.steps.some((other) => other.at[run.run_id])).slice(0, MOST_RUNS).map((run) => el("figure", {},
        step.at[run.run_id] ? rf.preview(step.at[run.run_id]) : el("div", { cls: "empty small", text: "not logged" }),
        runs.length > 1 ? el("figcaption", {}, kit.swatch(run.slot), el("a", { href: rf.runHref(run.run_id), text: rf.nameOf(run) })) : null)));
    };
    const title = titleOf(group);
    const slider = group.steps.length > 1 ? el("input", { type: "range", min: 0, max: group.steps.length - 1, step: 1, value: group.steps.length - 1, "aria-label": "Step of " + title, oninput: () => show(Number(slider.value)) }) : null;
    show(group.steps.length - 1);
    return el("section", { cls: "card run-part" }, el("div", { cls: "card-head" }, el("h3", { text: title }), label), el("div", { cls: "card-body" }, slider ? el("div", { cls: "chart-controls step-slider" }, el("label", {}, "Step", slider)) : null, grid));
  }

  /* Whether all runs have the same bytes in each of a group's artifacts. */
  const sameInAll = (group, runs) => group.steps.every((step) => runs.every((run) => step.at[run.run_id] && step.at[run.run_id].digest === step.at[runs[0].run_id].digest));

  /* All pictures, tables and texts that at least two of the runs have, or nothing; those that are the same in all are named, and shown when asked for. */
  rf.imageGrid = function (runs) {
    const groups = rf.pictureGroups(runs, ["image", "chart", "table", "text", "markdown"]).filter((group) => runs.length === 1 || new Set(group.steps.flatMap((step) => Object.keys(step.at))).size > 1);
    if (!groups.length) return null;
    const same = runs.length > 1 ? groups.filter((group) => sameInAll(group, runs)) : [], differ = groups.filter((group) => !same.includes(group));
    const cards = (some) => some.slice(0, MOST_GROUPS).map((group) => groupCard(group, runs));
    const quiet = same.length ? el("section", { cls: "card run-part" }, el("p", { cls: "card-body small muted" }, "The same in all: " + same.slice(0, MOST_NAMED).map(titleOf).join(", ") + (same.length > MOST_NAMED ? " and " + (same.length - MOST_NAMED) + " more" : "") + ". ",
      el("button", { type: "button", cls: "linkish", text: "Show", "aria-label": "Show the artifacts that are the same in all", onclick: (event) => event.currentTarget.closest("section").replaceWith(...cards(same)) }))) : null;
    return el("section", { "aria-label": "Artifacts side by side" }, el("div", { cls: "section-title" }, el("h2", { text: "Artifacts side by side" })), ...cards(differ), quiet);
  };

  /* The pictures of a run that were logged over steps, as one slider each. */
  rf.stepImages = function (run) {
    const groups = rf.pictureGroups([run], ["image"]).filter((group) => group.steps.length > 1);
    return groups.length ? el("div", {}, ...groups.slice(0, MOST_GROUPS).map((group) => groupCard(group, [run]))) : null;
  };
})(window.rf = window.rf || {});
