/* Boxes with a list below them that is fetched while one types: the search in the header, and customers picked by their name. The list is
   moved through by arrows while the focus stays in the box; its options are links. Ctrl+K leads to the search. */
(() => {
  "use strict";
  function attach(box) {
    const list = document.getElementById(box.getAttribute("aria-controls"));
    if (!list) return;
    const search = box.id === "search-box";
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
      const announcer = document.getElementById("announcer");
      if (said && announcer && !list.hidden) announcer.textContent = said.dataset.said;
    });
    box.addEventListener("focus", () => show((box.value.trim() !== "" || !search) && options().length > 0));
    box.addEventListener("input", () => { if (search && !box.value.trim()) show(false); });
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
        event.stopPropagation();
        show(false);
      }
    });
  }
  document.querySelectorAll("[role=combobox][aria-controls][hx-get]").forEach((box) => {
    // Pickers of the forms have a script of their own.
    if (box.closest(".search-box, .customer-box")) attach(box);
  });

  // A menu that is opened to type into begins there.
  document.addEventListener("toggle", (event) => {
    if (event.target.open) event.target.querySelector?.(".customer-box [role=combobox]")?.focus();
  }, true);

  // No single sign such as "/": whoever dictates, or rests a hand on the keys, would be carried away (WCAG 2.1.4).
  document.addEventListener("keydown", (event) => {
    const command = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    const box = document.getElementById("search-box");
    if (!command || !box || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (box.offsetParent) {
      box.focus();
      box.select();
    } else {
      document.querySelector(".search-link").click();
    }
  });
})();
