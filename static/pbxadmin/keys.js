/* The keys' page: what is chosen in a key's fields is shown on the key at once; and the button that prints the labels. */
"use strict";

(() => {
  const chosen = (select) => select.selectedOptions[0]?.textContent ?? "";
  const LABELS = {
    line: (field) => field("kind").closest("[data-line]").dataset.line,
    blf: (field) => field("target").value,
    speed_dial: (field) => field("target").value,
    custom_speed_dial: (field) =>
      [[field("first_name").value, field("last_name").value].join(" ").trim(), field("number").value].filter(Boolean).join(" · "),
    shared_parking: (field) => field("slot").value.toUpperCase(),
    agent: (field) => chosen(field("agent")),
    status: (field) => chosen(field("status")),
    unknown: (field) => field("kept").dataset.label,
  };

  function show(key) {
    const field = (name) => key.querySelector(`[name$="-${name}"]`);
    const select = field("kind");
    const kind = chosen(select);
    const blank = select.value === "blank";
    const label = LABELS[select.value]?.(field).trim() ?? "";
    key.classList.toggle("blank", blank);
    key.querySelector("[data-shown-kind]").textContent = blank ? "" : kind;
    key.querySelector("[data-shown-label]").textContent = label || kind;
    key.querySelector(".lamp").classList.toggle("none", !["blf", "shared_parking"].includes(select.value));
    key.dataset.item = `${kind} ${label}`.trim();
  }

  document.addEventListener("input", (event) => {
    const key = event.target.closest("[data-key]");
    if (key) show(key);
  });
  // A key that was moved is called by its new place: the first number in each of its names.
  document.addEventListener("portal:changed", (event) => {
    for (const key of event.target.closest("[data-reorder-across]")?.querySelectorAll("[data-key]") ?? []) {
      const place = key.querySelector("[data-position]").textContent;
      const name = key.querySelector("summary > .visually-hidden");
      name.textContent = name.textContent.replace(/\d+/, place);
      for (const button of key.querySelectorAll("[data-grip], [data-move]")) {
        button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/\d+/, place));
      }
    }
  });
  /* Of many people: keys that are entered are meant to be, at the positions that hold one; until somebody says it otherwise. */
  const none = document.getElementById("keys-none");
  let saidOtherwise = none ? !none.checked : true;
  const meant = (event) => {
    if (saidOtherwise || !event.target.closest("[data-reorder-across]")) return;
    const held = [...document.querySelectorAll("[data-key]")].flatMap((key, place) => (key.classList.contains("blank") ? [] : [place + 1]));
    if (!held.length) return;
    document.getElementById("keys-some").checked = true;
    document.getElementById("keys-from").value = Math.min(...held);
    document.getElementById("keys-to").value = Math.max(...held);
  };
  document.addEventListener("change", (event) => {
    if (["keys_mode", "keys_from", "keys_to"].includes(event.target.name)) saidOtherwise = true;
  });
  for (const kind of ["input", "change", "portal:changed"]) document.addEventListener(kind, meant);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });
})();
