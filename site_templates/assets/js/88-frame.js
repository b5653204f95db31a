/* The frame of every page: the switch between light and dark, and what the site was made from, which stands in one small file so
   that a new commit does not change every page. */
(function (rf) {
  "use strict";

  function themeSwitch() {
    const button = document.querySelector("[data-theme-switch]");
    if (!button) return;
    const root = document.documentElement;
    const dark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    const show = () => button.setAttribute("aria-pressed", String(dark()));
    button.addEventListener("click", function () {
      root.dataset.theme = dark() ? "light" : "dark";
      try {
        localStorage.setItem("runfolio-theme", root.dataset.theme);
      } catch (error) {
        // Where storage is forbidden the choice lasts as long as the page.
      }
      show();
    });
    show();
  }

  function madeFrom() {
    const place = document.querySelector("[data-build]");
    if (!place) return;
    rf.load("data/build.js").then(
      function (build) {
        const time = rf.el("time", "", build.committed.slice(0, 16).replace("T", " ") + " UTC");
        time.dateTime = build.committed;
        place.replaceChildren("Made from ", rf.el("code", "", build.commit.slice(0, 10)), ", committed ", time);
      },
      () => {} // the page is whole without it, and "about" says the same
    );
  }

  rf.frame = function () {
    themeSwitch();
    madeFrom();
  };
})((window.rf = window.rf || {}));
