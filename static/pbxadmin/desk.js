/* The desk before it is drawn: light or dark as it was chosen in the portal. Afterwards: one menu open at a time, closed by Escape. */
"use strict";
(() => {
  const schemes = document.querySelector('meta[name="color-scheme"]').content;
  document.documentElement.dataset.theme = schemes === "light dark" ? "system" : schemes;
  const others = (kept) => document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!kept || !menu.contains(kept)) menu.open = false;
  });
  document.addEventListener("click", (event) => others(event.target));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest("details.menu[open]");
    others(null);
    menu?.querySelector("summary").focus();
  });
  document.addEventListener("DOMContentLoaded", () => {
    // Where one is goes along with the choice of a language.
    document.querySelectorAll("input[data-here]").forEach((field) => { field.value = location.pathname + location.search; });
  });
})();
