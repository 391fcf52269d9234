/* Choosing rows of a list. Whoever is chosen is remembered in this browser until the session ends: while the list is paged, searched,
   sorted, left and come back to, in every tab. The form carries those who aren't on the page in one field, so that it says the same
   whoever sends it. Without scripts the boxes of the page, and the one for all that match, are the choice. */
"use strict";

(() => {
  const { announce, warn, fill, texts } = window.portal;
  const PREFIX = "chosen:";
  const begun = document.getElementById("portal-texts").dataset.begun;

  /* --- What is remembered: the keys, under the list and the session --- */
  const shelf = {
    name: (list) => `${PREFIX}${begun}:${list}`,
    read(list) {
      try { return new Set(JSON.parse(localStorage.getItem(shelf.name(list)) ?? "[]")); } catch { return new Set(); }
    },
    write(list, values) {
      try {
        if (values.size) localStorage.setItem(shelf.name(list), JSON.stringify([...values]));
        else localStorage.removeItem(shelf.name(list));
      } catch { /* the page's own boxes remain */ }
    },
    /* Of a session that is over nothing stays, whichever way it ended. */
    tidy() {
      try {
        for (const name of Object.keys(localStorage)) {
          if (name.startsWith(PREFIX) && (!begun || !name.startsWith(`${PREFIX}${begun}:`))) localStorage.removeItem(name);
        }
      } catch { /* nothing was kept */ }
    },
  };
  // A page that knows of no session (an error's) says nothing about it.
  if (begun !== undefined) shelf.tidy();

  const rowBoxes = (scope) => [...scope.querySelectorAll("[data-select-row]")];
  const scopeOf = (element) => element.closest("[data-select]") ?? document;
  const listOf = (scope) => (scope instanceof HTMLElement ? scope.dataset.selectKeep : undefined);
  const formOf = (scope) => document.getElementById(scope.querySelector("[data-select-elsewhere]")?.dataset.selectElsewhere ?? "");
  const number = (n) => n.toLocaleString(document.documentElement.lang, { useGrouping: n >= 10000 });

  function keep(scope) {
    const list = listOf(scope);
    if (!list) return;
    const kept = shelf.read(list);
    for (const box of rowBoxes(scope)) box.checked ? kept.add(box.value) : kept.delete(box.value);
    shelf.write(list, kept);
  }
  function recall(scope) {
    const list = listOf(scope);
    if (!list) return;
    const kept = shelf.read(list);
    for (const box of rowBoxes(scope)) box.checked = kept.has(box.value);
  }

  /* --- What only the server knows: who is gone, whom this search doesn't show --- */
  let known = { about: "", outside: new Set(), asked: new Set() };
  const about = (form) => new URLSearchParams([...new FormData(form)].filter(([name]) => !["chosen", "csrfmiddlewaretoken", "all_matching"].includes(name))).toString();
  async function ask(form, keys, everybody) {
    const body = new URLSearchParams(about(form));
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.set("chosen", [...keys].join(","));
    if (everybody) body.set("all_matching", "1");
    const answer = await fetch(form.dataset.selectSet, { method: "POST", body, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }
  function learn(scope, others) {
    const form = formOf(scope);
    if (!form?.dataset.selectSet || !others.length) return;
    const of = about(form);
    if (known.about !== of) known = { about: of, outside: new Set(), asked: new Set() };
    const unknown = others.filter((key) => !known.asked.has(key));
    if (!unknown.length) return;
    const mine = known;
    for (const key of unknown) mine.asked.add(key);
    ask(form, unknown, false).then(({ gone, outside }) => {
      for (const key of outside) mine.outside.add(String(key));
      if (gone.length) {
        const list = listOf(scope);
        const kept = shelf.read(list);
        for (const key of gone) kept.delete(String(key));
        shelf.write(list, kept);
      }
      showAll();
    }).catch(() => { for (const key of unknown) mine.asked.delete(key); });
  }

  /* --- What is shown --- */
  function showElsewhere(scope) {
    const place = scope.querySelector("[data-select-elsewhere]");
    const list = listOf(scope);
    if (!place || !list) return [];
    const here = new Set(rowBoxes(scope).map((box) => box.value));
    const others = [...shelf.read(list)].filter((value) => !here.has(value));
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "chosen", value: others.join(",") });
    field.setAttribute("form", place.dataset.selectElsewhere);
    place.replaceChildren(...(others.length ? [field] : []));
    return others;
  }
  function show(scope) {
    const boxes = rowBoxes(scope);
    const chosen = boxes.filter((box) => box.checked).length;
    const others = showElsewhere(scope);
    const all = scope.querySelector("[data-select-all]");
    if (all) {
      all.checked = boxes.length > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    const bar = scope.querySelector("[data-select-bar]");
    if (!bar) return;
    const form = formOf(scope);
    learn(scope, others);
    const outside = form && known.about === about(form) ? others.filter((key) => known.outside.has(key)).length : 0;
    const add = bar.querySelector("[data-select-add]");
    const total = Number(add?.dataset.total ?? 0);
    // All of them are chosen, or stand on this page: nothing is left to add.
    if (add) add.hidden = total <= boxes.length || chosen + others.length - outside >= total;
    bar.hidden = chosen + others.length === 0;
    const count = chosen + others.length;
    let words = fill(count === 1 ? texts.oneChosen : texts.manyChosen, { n: number(count) });
    if (outside) words = fill(texts.chosenOutside, { all: words, n: number(outside) });
    else if (others.length) words = fill(texts.chosenElsewhere, { all: words, n: number(others.length) });
    const place = bar.querySelector("[data-select-count]");
    if (place && place.textContent !== words) place.textContent = words;
  }
  function showAll() {
    for (const bar of document.querySelectorAll("[data-select-bar]")) {
      bar.dataset.ready = "";
      // On the page that says who they are, the bar is about these, and always there.
      if (!bar.closest("[data-select]")) continue;
      recall(scopeOf(bar));
      show(scopeOf(bar));
    }
  }

  /* --- Choosing: a click, a click with Shift for all in between (the space bar too), all of a page, all that match --- */
  let last = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-select-row]");
    if (!box) return;
    const boxes = rowBoxes(scopeOf(box));
    const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
    last = box;
    keep(scopeOf(box));
    show(scopeOf(box));
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-select-all], [data-select-row]")) return;
    const scope = scopeOf(event.target);
    if (event.target.matches("[data-select-all]")) for (const box of rowBoxes(scope)) box.checked = event.target.checked;
    keep(scope);
    show(scope);
  });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-select-add]");
    if (!button) return;
    const scope = scopeOf(button);
    const form = formOf(scope);
    const list = listOf(scope);
    button.disabled = true;
    try {
      const found = await ask(form, shelf.read(list), true);
      const kept = shelf.read(list);
      for (const key of found.all) kept.add(String(key));
      for (const key of found.gone) kept.delete(String(key));
      known = { about: about(form), outside: new Set(found.outside.map(String)), asked: new Set(kept) };
      shelf.write(list, kept);
      showAll();
      const words = scope.querySelector("[data-select-count]");
      if (button.hidden) words?.focus();
      announce(words?.textContent ?? "");
    } catch { warn(texts.offline); }
    button.disabled = false;
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-select-clear]");
    if (!button) return;
    const scope = scopeOf(button);
    for (const box of rowBoxes(scope)) box.checked = false;
    if (listOf(scope)) shelf.write(listOf(scope), new Set());
    show(scope);
    scope.querySelector("[data-select-all]")?.focus();
  });

  /* --- What was chosen has been dealt with: the list begins with nobody chosen. Not where the page comes back and says why not. --- */
  const SENT = "chosen-sent";
  document.addEventListener("submit", (event) => {
    const list = event.target.dataset.selectDone;
    if (!list || event.submitter?.hasAttribute("data-keep-chosen")) return;
    try { sessionStorage.setItem(SENT, list); } catch { shelf.write(list, new Set()); }
  });
  try {
    // Asked first who one is, one isn't there yet.
    const sent = document.querySelector("[data-asks-first]") ? null : sessionStorage.getItem(SENT);
    if (sent) sessionStorage.removeItem(SENT);
    if (sent && !document.querySelector("[data-select-done]")) shelf.write(sent, new Set());
  } catch { /* emptied already */ }

  // The page of the chosen says who they are now: whoever was taken off there is off the list too.
  const set = document.querySelector("[data-select-now]");
  if (set) shelf.write(set.dataset.selectNow, new Set(set.value ? set.value.split(",") : []));

  // Another tab chose.
  window.addEventListener("storage", (event) => { if (event.key?.startsWith(PREFIX)) showAll(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) showAll(); });
  document.addEventListener("htmx:afterSwap", showAll);
  document.addEventListener("htmx:oobAfterSwap", showAll);
  showAll();
})();
