/* What a page shows, in the part of its address behind '#': a link to it shows the same. Works from a folder, too. */
(function (rf) {
  "use strict";

  let hash = null;
  let held = new Map();

  function decode(text) {
    try {
      return decodeURIComponent(text);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      return text; // a link that was cut off in the middle of a letter
    }
  }

  function read() {
    if (hash !== window.location.hash) {
      hash = window.location.hash;
      held = new Map();
      for (const part of hash.slice(1).split("&")) {
        const at = part.indexOf("=");
        if (at > 0) held.set(decode(part.slice(0, at)), part.slice(at + 1));
      }
    }
    return held;
  }

  const encode = (value) => encodeURIComponent(value).replace(/%20/g, "+");

  rf.url = {
    /* A value as text; null where the address does not say. */
    get(name) {
      const value = read().get(name);
      return value === undefined ? null : decode(value.replace(/\+/g, " "));
    },

    /* A value as a list of texts; null where the address does not say. */
    list(name) {
      const value = read().get(name);
      return value === undefined ? null : value.split(",").filter(Boolean).map((item) => decode(item.replace(/\+/g, " ")));
    },

    /* Change values (null takes one out). A new entry of the browser's history, unless `replace`. */
    set(changes, replace) {
      const next = new Map(read());
      for (const [name, value] of Object.entries(changes)) {
        const text = Array.isArray(value) ? value.map(encode).join(",") : value === null || value === undefined ? null : encode(value);
        if (text === null) next.delete(name);
        else next.set(name, text);
      }
      const text = Array.from(next, ([name, value]) => `${encode(name)}=${value}`).join("&");
      if (text === window.location.hash.slice(1)) return;
      const place = text ? `#${text}` : window.location.pathname + window.location.search;
      window.history[replace ? "replaceState" : "pushState"](null, "", place);
    },
  };

  /* Told when the reader goes back or forward, or edits the address; not by our own changes. */
  window.addEventListener("popstate", () => rf.tell("url"));
})(window.rf = window.rf || {});
