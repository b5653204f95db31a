/* Previews of artifacts: the same elements and classes as templates/_preview.html. Text is only ever text content. */
(function (rf) {
  "use strict";

  const ELEMENTS = new Set("p h3 h4 h5 h6 ul ol li blockquote pre code em strong s a hr br table thead tbody tr th td".split(" "));
  const root = () => document.body.dataset.root || "";

  function element(name, classes, text) {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const count = (n, word) => `${n.toLocaleString("en-US")} ${word}${n === 1 ? "" : "s"}`;

  /* Nodes of runfolio.site.markdown: text, or [name, attributes, child…]. What is not on the list is drawn as its children. */
  function grow(parent, nodes) {
    for (const node of nodes) {
      if (typeof node === "string") {
        parent.append(node);
      } else if (!ELEMENTS.has(node[0])) {
        grow(parent, node.slice(2));
      } else {
        const made = document.createElement(node[0]);
        if (node[0] === "a" && /^https?:\/\//i.test(node[1].href || "")) {
          made.href = node[1].href;
          made.rel = "nofollow noopener noreferrer";
        }
        grow(made, node.slice(2));
        parent.append(made);
      }
    }
  }

  function table(body, name) {
    const frame = element("div", "preview plain-wrap");
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", name);
    const made = element("table", "plain");
    const head = made.createTHead().insertRow();
    const numeric = new Set(body.numeric);
    for (const [at, column] of body.columns.entries()) {
      const cell = element("th", numeric.has(at) ? "num" : "", column);
      cell.scope = "col";
      head.append(cell);
    }
    const rows = made.createTBody();
    for (const values of body.rows) {
      const row = rows.insertRow();
      for (const [at, value] of values.entries()) {
        const cell = row.insertCell();
        if (numeric.has(at)) cell.className = "num";
        cell.textContent = value === null ? "" : String(value);
      }
    }
    frame.append(made);
    return frame;
  }

  function note(parent, text) {
    parent.append(element("p", "small muted", text));
  }

  function fill(parent, body, artifact) {
    if (body.kind === "text") {
      const made = element("pre", "preview preview-text", body.text);
      made.tabIndex = 0;
      made.setAttribute("aria-label", artifact.path);
      parent.append(made);
    } else if (body.kind === "table") {
      const matrix = rf.confusion(body);
      if (matrix) parent.append(rf.confusionTable(matrix));
      parent.append(table(body, artifact.path));
      if (body.total > body.rows.length || body.hidden) {
        note(parent, `${body.rows.length} of ${count(body.total, "row")}` + (body.hidden ? `, ${count(body.hidden, "column")} left out.` : "."));
      }
    } else if (body.kind === "chart") {
      if (rf.figure) rf.figure(parent, body.spec, artifact.path);
      else note(parent, "A figure in Vega-Lite; the page of its run draws it.");
    } else if (body.kind === "evaluation") {
      rf.evaluation(parent, body.document);
    } else if (body.kind === "pipeline") {
      const rows = body.document.steps.map((step) => [step.name, step.state, step.command || "", step.outputs.map((item) => item.path || "").join(", ")]);
      parent.append(table({ columns: ["Step", "State", "Command", "Makes"], rows, numeric: [] }, artifact.path));
    } else if (body.kind === "sweep") {
      const said = body.document, metrics = said.metrics.map((each) => each.name);
      const first = said.trials.filter((trial) => said.best.includes(trial.number));
      const rows = first.map((trial) => [trial.number, ...trial.values, Object.entries(trial.params).map((pair) => pair.join(" ")).join(", ")]);
      parent.append(table({ columns: ["Best trial", ...metrics, "Params"], rows, numeric: metrics.map((_, at) => at + 1) }, artifact.path));
    } else if (body.kind === "markdown") {
      const made = element("div", "preview prose");
      grow(made, body.nodes);
      parent.append(made);
    } else if (body.kind === "image") {
      parent.append(image(artifact, body.source));
    }
    if (body.cut) note(parent, `${count(body.cut, "more character")} in the file.`);
  }

  function image(artifact, source) {
    const link = element("a", "preview preview-image");
    link.href = root() + artifact.preview.file;
    const made = document.createElement("img");
    made.alt = rf.artifactName ? rf.artifactName(artifact.path) : artifact.path;
    made.loading = "lazy";
    made.decoding = "async";
    if (artifact.preview.width) {
      made.width = artifact.preview.width;
      made.height = artifact.preview.height;
    }
    made.src = source;
    link.append(made);
    return link;
  }

  /* Return an element that shows an artifact of a run's details; bodies of texts are loaded when it is made. */
  rf.preview = function (artifact) {
    const made = element("div", "preview-place");
    const shown = artifact.preview;
    if (!shown) return made;
    if (shown.data) {
      made.setAttribute("aria-busy", "true");
      rf.load(shown.data).then(
        (body) => fill(made, body, artifact),
        () => note(made, "The preview could not be loaded."),
      ).then(() => made.removeAttribute("aria-busy"));
    } else if (shown.kind === "image") {
      made.append(image(artifact, root() + shown.file));
    } else if (shown.kind === "audio") {
      const sound = element("audio", "preview");
      sound.controls = true;
      sound.preload = "none";
      sound.src = root() + shown.file;
      sound.setAttribute("aria-label", artifact.path);
      made.append(sound);
    }
    return made;
  };
})(window.rf = window.rf || {});
