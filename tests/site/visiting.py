"""What every page of a site must hold, asked of a page in the browser."""

from __future__ import annotations

from typing import Any

# Runs before any script of the page: what the page's policy refused, and what ran that must not.
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective + " " + event.blockedURI));
window.alert = window.confirm = window.prompt = () => { window.pwned = 1; };
"""
# Elements that begin or end outside of the page's width and that no scrolling ancestor holds.
_WIDE = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const held = (element) => {
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return true;
    return false;
  };
  return Array.from(document.body.querySelectorAll("*"))
    .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 0.5 && !held(element))
    .slice(0, 5)
    .map((element) => `${element.tagName}.${element.getAttribute("class") || ""} ${Math.round(element.getBoundingClientRect().right)}: ${element.textContent.slice(0, 60)}`);
}"""
# Elements that stand out of their card and that nothing in it holds.
_OUT = """() => {
  const held = (element, card) => {
    for (let at = element.parentElement; at && at !== card.parentElement; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== "visible") return true;
    return false;
  };
  return Array.from(document.querySelectorAll(".card"))
    .flatMap((card) => Array.from(card.querySelectorAll("*:not(option):not(.visually-hidden)"))
      .filter((element) => element.getClientRects().length && element.getBoundingClientRect().right > card.getBoundingClientRect().right + 0.5
        && getComputedStyle(element).position !== "absolute" && !element.closest("svg svg, svg *, .menu-list") && !held(element, card)))
    .slice(0, 5)
    .map((element) => `${element.tagName}.${element.getAttribute("class") || ""}: ${element.textContent.slice(0, 60)}`);
}"""
_READY = """() => document.readyState === "complete" && !document.querySelector("main [aria-busy=true]")"""


def settled(page: Any) -> None:
    """Wait until the page has drawn what it loads by itself."""
    page.wait_for_function(_READY)
    page.evaluate("() => window.rf && rf.table && rf.table.ready")
    page.evaluate("() => window.rf && rf.table && rf.table.drawn")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)))")


def leave_dialog(page: Any) -> None:
    """Press Escape and wait until the dialog is gone: Chromium closes one only when its main process has heard of the key."""
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def faults_of(page: Any) -> list[str]:
    """Return what is wrong on a page at the width it has now."""
    found = [f"{page.viewport_size['width']} px: too wide: {text}" for text in page.evaluate(_WIDE)]
    found += [f"{page.viewport_size['width']} px: stands out of its card: {text}" for text in page.evaluate(_OUT)]
    found += [f"refused: {text}" for text in page.evaluate("() => window.refused || []")]
    if page.evaluate("() => window.pwned !== undefined"):
        found.append("a script of the data ran")
    return found


def faults_at_each_width(page: Any) -> list[str]:
    """Return what is wrong on a page on a desk and on a phone."""
    settled(page)
    found = faults_of(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)))")
    found += faults_of(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    return found
