/* Loaded in the head, before the first paint: the theme that was chosen here last, else the system's. */
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var chosen = window.localStorage.getItem("runfolio-theme");
    if (chosen === "dark" || chosen === "light") root.setAttribute("data-theme", chosen);
  } catch (error) {
    // Storage may be forbidden (private windows, file: in some browsers); the system's theme it is.
  }
  window.rfData = function (key, value) {
    (window.rfData.waiting = window.rfData.waiting || {})[key] = value;
  };
})();
