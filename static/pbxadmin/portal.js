/* What makes the portal's pages quicker in the hand. Each part listens on the document, so that it also serves what
   htmx puts in later, and each leaves a page behind that works without it. */
"use strict";

(() => {
  const texts = document.getElementById("portal-texts").dataset;
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

  function announce(text) {
    const place = document.getElementById("announcer");
    place.textContent = "";
    // Emptied first and filled a moment later: the same words twice are otherwise not read again.
    setTimeout(() => { place.textContent = text; }, 50);
  }

  function warn(text) {
    const area = document.getElementById("toasts");
    const notice = document.createElement("div");
    notice.className = "notice error";
    notice.append(document.getElementById("portal-texts").content.cloneNode(true));
    const words = document.createElement("div");
    words.textContent = text;
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn-close";
    close.dataset.dismiss = "";
    close.setAttribute("aria-label", texts.close);
    notice.append(words, close);
    const held = area.contains(document.activeElement);
    area.replaceChildren(notice);
    if (held) close.focus();
  }

  window.portal = { announce, warn, fill, texts };

  /* --- Menus: one at a time, shut by Escape and by a click elsewhere --- */
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest("details.menu[open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  // What is typed narrows a list that is there already.
  document.addEventListener("input", (event) => {
    const box = event.target.closest("[data-narrow]");
    if (!box) return;
    const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    const wanted = plain(box.value.trim());
    for (const entry of document.querySelector(box.dataset.narrow).children) {
      entry.hidden = !plain(entry.textContent).includes(wanted);
    }
  });

  /* --- Notices. Whoever closes one by keyboard goes on at the next, or at the beginning of the page's content --- */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-dismiss]");
    if (!button) return;
    const held = button === document.activeElement;
    button.closest(".notice").remove();
    if (held) (document.querySelector(".notice [data-dismiss]") ?? document.getElementById("content")).focus({ preventScroll: true });
  });

  /* --- The error summary takes the focus; its links lead into the field --- */
  function focusSummary(root) {
    const summary = root.matches?.("[data-focus]") ? root : root.querySelector("[data-focus]");
    summary?.focus({ preventScroll: false });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".error-summary a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    const box = field.matches("input, select, textarea, button") ? field : field.querySelector("input, select, textarea, button");
    (box ?? field).focus();
    field.scrollIntoView({ block: "center" });
  });

  // Not by the address: a form that is sent from "#content" would come back there, and take the focus from what was refused.
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".skip")) return;
    event.preventDefault();
    document.getElementById("content").focus();
    document.getElementById("content").scrollIntoView();
  });

  /* --- Unsaved changes: <form data-guard> --- */
  const asFirstShown = new WeakMap();
  let mayLeave = false;
  const contents = (form) => {
    const pairs = [];
    for (const [name, value] of new FormData(form)) {
      if (name !== "csrfmiddlewaretoken" && !name.startsWith("_")) pairs.push(`${name}=${value instanceof File ? value.name + value.size : value}`);
    }
    return pairs.join("\n");
  };
  const guarded = () => [...document.querySelectorAll("form[data-guard]")];
  const changed = (form) => {
    if (form.dataset.guard === "changed") return true; // came back refused: what it holds is not saved
    return asFirstShown.has(form) && asFirstShown.get(form) !== contents(form);
  };
  const anyChanged = () => guarded().some(changed);

  function showUnsaved() {
    const unsaved = anyChanged();
    document.body.classList.toggle("has-unsaved", unsaved);
    const tab = document.querySelector("[data-tab][aria-current]");
    if (!tab) return;
    const dot = tab.querySelector("[data-own-dot]");
    if (unsaved && !tab.querySelector(".dot")) {
      const mark = document.createElement("span");
      mark.dataset.ownDot = "";
      const shape = document.createElement("span");
      shape.className = "dot";
      const words = document.createElement("span");
      words.className = "visually-hidden";
      words.textContent = texts.unsaved;
      mark.append(shape, words);
      tab.append(mark);
    } else if (!unsaved && dot) {
      dot.remove();
    }
  }
  function watchForms() {
    for (const form of guarded()) if (!asFirstShown.has(form)) asFirstShown.set(form, contents(form));
    showUnsaved();
  }
  for (const kind of ["input", "change", "portal:changed"]) document.addEventListener(kind, () => setTimeout(showUnsaved));
  document.addEventListener("reset", () => setTimeout(showUnsaved));
  document.addEventListener("submit", (event) => {
    if (event.target.matches("form[data-guard]") && !event.submitter?.hasAttribute("data-no-guard")) mayLeave = true;
  });
  window.addEventListener("pageshow", () => { mayLeave = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!mayLeave && anyChanged()) event.preventDefault();
  });
  // In the capture phase: before htmx, or anybody else, follows the link.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.target === "_blank" || link.hasAttribute("download") || link.getAttribute("href").startsWith("#")) return;
    if (mayLeave || !anyChanged()) return;
    if (link.hasAttribute("data-discard")) {
      mayLeave = true;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const dialog = document.getElementById("leave-dialog");
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "yes") return;
      mayLeave = true;
      link.click();
    }, { once: true });
    dialog.showModal();
  }, true);
  document.addEventListener("click", (event) => {
    const answer = event.target.closest("[data-leave]");
    if (answer) answer.closest("dialog").close(answer.dataset.leave);
  });

  /* --- Somebody else's value, taken over --- */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-take]");
    const field = button && document.getElementById(button.dataset.take.slice(1)); // an id may hold a dot
    if (!field) return;
    field.value = button.dataset.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  });

  /* --- Copy --- */
  function copyTheOldWay(text) {
    // navigator.clipboard only exists on https and localhost; a portal tried on a LAN address has neither.
    const box = document.createElement("textarea");
    box.value = text;
    box.className = "visually-hidden";
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("copy"));
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-copy-text]");
    if (!button) return;
    const source = button.dataset.copy && document.querySelector(button.dataset.copy);
    const text = source ? (source.value ?? source.textContent) : button.dataset.copyText;
    const written = navigator.clipboard?.writeText(text) ?? copyTheOldWay(text);
    written.catch(() => copyTheOldWay(text)).then(() => {
      const use = button.querySelector("use");
      const drawing = use?.getAttribute("href");
      if (drawing && !button.classList.contains("is-done")) {
        use.setAttribute("href", drawing.replace(/#.*/, "#check"));
        setTimeout(() => { use.setAttribute("href", drawing); button.classList.remove("is-done"); }, 1600);
      }
      button.classList.add("is-done");
      announce(texts.copied);
    }, () => warn(texts.copyFailed));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-hide]");
    if (!button) return;
    // The value is dropped from the page, not only covered; to see it again is to ask again.
    document.querySelector(button.dataset.hide).textContent = "•".repeat(8);
    const place = button.parentElement;
    for (const copy of place.querySelectorAll("[data-copy]")) copy.remove();
    button.remove();
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });

  /* --- Lists: the box, the chips, the rows and the address are one state --- */
  const listBox = () => document.querySelector("#list-search input[type=search]");
  let asked = listBox()?.value.trim(); // the text of the latest question
  document.addEventListener("htmx:confirm", (event) => {
    // Typing is asked about a moment later; a link that was pressed in between has taken the text along, and must not be replaced.
    if (event.detail.elt.id === "list-search" && event.detail.triggeringEvent?.type === "input" && listBox().value.trim() === asked) {
      event.preventDefault();
    }
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const link = event.detail.elt.closest("[data-list] a[href]");
    const box = listBox();
    if (!box || !event.detail.elt.closest("[data-list]")) return;
    asked = link?.hasAttribute("data-list-clear") ? "" : box.value.trim();
    if (!link) return;
    if (!asked) box.value = "";
    if (link.hasAttribute("data-list-clear")) return;
    // What stands in the box and hasn't been asked for yet goes along with whatever is pressed.
    const url = new URL(event.detail.path, location.href);
    box.value.trim() ? url.searchParams.set(box.name, box.value.trim()) : url.searchParams.delete(box.name);
    event.detail.path = url.pathname + url.search;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "results") return;
    const box = listBox();
    const state = document.getElementById("list-chips");
    // Whoever is typing goes on; else the box says what was asked for.
    if (box && state && document.activeElement !== box) box.value = state.dataset.text;
    if (document.activeElement === document.body) (box ?? document.getElementById("content")).focus({ preventScroll: true });
    announce(document.getElementById("list-count")?.dataset.said ?? "");
  });
  // A value was chosen: its menu has done its work.
  document.addEventListener("click", (event) => {
    const menu = event.target.closest("#list-chips details a")?.closest("details");
    if (!menu || event.ctrlKey || event.metaKey || event.shiftKey) return;
    menu.open = false;
    menu.querySelector("summary").focus({ preventScroll: true });
  });
  // What leads back here leads back to the list as it stands now.
  document.addEventListener("submit", (event) => {
    const here = event.target.querySelector?.("[data-here]");
    if (here) here.value = location.pathname + location.search;
  }, true);

  /* --- Many at once: a field that is changed is meant to be --- */
  for (const kind of ["input", "change", "portal:changed"]) {
    document.addEventListener(kind, (event) => {
      const box = event.target.closest(".field.for-many")?.querySelector(".change");
      if (box && box !== event.target) box.checked = true;
    });
  }
  // What was changed before this script came: a page for many is long, and hands are quick.
  const isChanged = (field) => field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.options ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((each) => each.defaultSelected))
      : field.value !== field.defaultValue;
  for (const field of document.querySelectorAll(".field.for-many :is(input, select, textarea):not(.change)")) {
    const box = field.closest(".field.for-many").querySelector(".change");
    if (box && field.type !== "hidden" && isChanged(field)) box.checked = true;
  }

  /* --- A file that is too large is said before it is sent --- */
  document.addEventListener("change", (event) => {
    const box = event.target;
    if (!box.matches?.("[data-largest]")) return;
    box.setCustomValidity([...box.files].some((file) => file.size > Number(box.dataset.largest)) ? box.dataset.tooLarge : "");
    box.reportValidity();
  });

  /* --- Typed confirmation --- */
  function showConfirmed(box) {
    const button = box.form?.querySelector("[data-confirm-button]");
    if (button) button.disabled = box.value.trim() !== box.dataset.confirmText;
  }
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-confirm-text]")) showConfirmed(event.target);
  });

  /* --- One-time codes: only digits count; data-code="send" sends the form when the code is whole --- */
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (!box.matches("[data-code]") || event.isComposing) return;
    const digits = box.value.normalize("NFKC").replace(/\D/g, "").slice(0, Number(box.dataset.codeLength ?? 6));
    if (digits !== box.value) box.value = digits;
    if (box.dataset.code === "send" && digits.length === Number(box.dataset.codeLength ?? 6)) box.form.requestSubmit();
  });

  /* --- Forms that are sent by a choice in them (a filter, a menu that picks the phone) --- */
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-autosubmit]");
    if (form) form.requestSubmit();
  });

  /* --- A second click on a button that is on its way sends nothing twice --- */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (event.submitter?.hasAttribute("hx-post")) return;
    if (form.dataset.onItsWay) event.preventDefault();
    form.dataset.onItsWay = "yes";
    // A download leaves the page standing: the form must work again.
    setTimeout(() => { delete form.dataset.onItsWay; }, 3000);
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-on-its-way]")) delete form.dataset.onItsWay;
  });

  /* --- htmx: what it brought is looked after; what it could not do is said --- */
  document.addEventListener("htmx:afterSwap", (event) => { prepare(event.detail.target); });
  document.addEventListener("htmx:oobAfterSwap", () => prepare(document.body));
  document.addEventListener("htmx:sendError", (event) => { if (!isPolling(event)) warn(texts.offline); });
  document.addEventListener("htmx:timeout", (event) => { if (!isPolling(event)) warn(texts.offline); });
  document.addEventListener("htmx:responseError", (event) => {
    if (isPolling(event)) return;
    warn(event.detail.xhr.status === 401 ? texts.signedOut : texts.refused);
  });
  // A row that asks every second must not cover the page with the same sentence.
  const isPolling = (event) => event.detail.elt?.getAttribute?.("hx-trigger")?.includes("every");

  function prepare(root) {
    watchForms();
    for (const box of document.querySelectorAll("[data-confirm-text]")) showConfirmed(box);
    if (root instanceof Element) focusSummary(root);
  }
  prepare(document.body);
  // A strip that is wider than the window shows where one is: the tabs, and on a phone the navigation at the lower edge.
  for (const current of document.querySelectorAll(".tabs [aria-current], .rail-nav [aria-current]")) {
    const strip = current.closest(".tabs, .rail-scroll");
    strip.scrollLeft = current.offsetLeft - (strip.clientWidth - current.offsetWidth) / 2;
  }
})();
