/* The search in the header: Ctrl+K leads there; the list below it is moved through by arrows while the focus stays in the box. */
(() => {
  "use strict";
  const box = document.getElementById("search-box");
  const list = document.getElementById("search-list");
  const link = document.querySelector(".search-link");
  if (!box || !list) return;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const active = () => list.querySelector("[aria-selected=true]");
  function choose(option) {
    active()?.setAttribute("aria-selected", "false");
    if (!option) return box.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }
  function show(open) {
    list.hidden = !open;
    box.setAttribute("aria-expanded", String(open));
    if (!open) choose(null);
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== list) return;
    choose(null);
    show(document.activeElement === box && options().length > 0);
    const said = list.querySelector("[data-said]");
    if (said && !list.hidden) document.getElementById("announcer").textContent = said.dataset.said;
  });
  box.addEventListener("focus", () => show(box.value.trim() !== "" && options().length > 0));
  box.addEventListener("input", () => { if (!box.value.trim()) show(false); });
  // A press on an option must not take the focus, and so the list, away before it is a click.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  box.addEventListener("blur", () => show(false));

  box.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const found = options();
    const place = found.indexOf(active());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!found.length) return;
      event.preventDefault();
      show(true);
      // Past either end the box itself is next, as in the browser's own lists.
      const next = event.key === "ArrowDown" ? place + 1 : place < 0 ? found.length - 1 : place - 1;
      choose(found[next]);
    } else if (event.key === "Enter" && active() && !list.hidden) {
      event.preventDefault();
      active().click();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      show(false);
    }
  });

  // No single sign such as "/": whoever dictates, or rests a hand on the keys, would be carried away (WCAG 2.1.4).
  document.addEventListener("keydown", (event) => {
    const command = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    if (!command || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (box.offsetParent) {
      box.focus();
      box.select();
    } else {
      link.click();
    }
  });
})();
