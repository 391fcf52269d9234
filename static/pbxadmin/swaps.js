/* What htmx brings is worked into the page instead of put in its place: an element that stays the same element keeps its focus,
   its caret, its open menu, and what somebody typed since the question was sent. Every swap of outerHTML and innerHTML goes this
   way, out-of-band ones too; templates write htmx's own names. */
"use strict";

(() => {
  let sent = new Map(); // what the request carried whose answer is being put in: name → values
  let answers = 0; // how many were put in so far
  let known = 0; // how many of them were there when the question was asked whose answer is being put in
  const answered = new WeakMap(); // field → the answer that last changed what stands there
  let news = []; // elements that are new, or ask the server for something else than before
  const asksNoMore = new WeakSet(); // what an earlier answer has settled: a question that was still waiting is neither sent nor answered

  const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;
  const path = (link) => (link.getAttribute("href") ?? "").split(/[?#]/, 1)[0];

  /* What an element does when it is pressed, or as what it is sent. Elements that differ in it are different elements: a focus
     that stayed while its button became another row's would press the wrong one. */
  const DOES = {
    FORM: ["action", "hx-get", "hx-post"], BUTTON: ["name", "value", "formaction", "hx-get", "hx-post", "data-copy-text"],
    INPUT: ["type", "name"], SELECT: ["name"], TEXTAREA: ["name"], OPTION: ["value"],
  };
  function same(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return false;
    if (!isElement(old)) return true;
    const differs = (name) => old.getAttribute(name) !== fresh.getAttribute(name);
    if (old.id !== fresh.id || DOES[old.nodeName]?.some(differs)) return false;
    if (["checkbox", "radio"].includes(old.type) && differs("value")) return false;
    // A column that is sorted the other way now, the next page: one link that goes on.
    return old.nodeName !== "A" || !differs("href") || (path(old) === path(fresh) && old.textContent.trim() === fresh.textContent.trim());
  }

  /* --- Fields: the server's word counts where it knew what stands there, or where nobody has touched it --- */
  const isField = (node) => /^(INPUT|SELECT|TEXTAREA)$/.test(node.nodeName) && !/^(file|hidden|select-multiple)$/.test(node.type);
  const ticks = (field) => field.type === "checkbox" || field.type === "radio";
  const standing = (field) => (ticks(field) ? field.checked : field.value);
  function served(field) {
    if (ticks(field)) return field.defaultChecked;
    if (field.nodeName !== "SELECT") return field.defaultValue;
    return ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value ?? "";
  }
  function typedSince(field) {
    if (standing(field) === served(field)) return false;
    const asked = sent.get(field.name);
    if (!asked) return true;
    return ticks(field) ? asked.includes(field.value) !== field.checked : !asked.includes(field.value);
  }

  // An answer takes nothing back that another one put in after its question was asked: it can't know of it.
  const isAhead = (field) => (answered.get(field) ?? 0) > known;

  // What the reader opened stays open; what has the focus keeps what lets it have it.
  const stays = (element, name) =>
    (name === "open" && /^(DETAILS|DIALOG)$/.test(element.nodeName)) || (name === "tabindex" && element === document.activeElement)
    || name === "style";

  function adapt(old, fresh) {
    // What a script alone brings to a state (a recording that goes on) is none of the answer's business.
    if (isElement(old) && old.hasAttribute("data-left-alone")) return;
    if (!isElement(old)) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    const stood = isField(old) ? standing(old) : undefined;
    const wanted = isField(old) ? (typedSince(old) || isAhead(old) ? stood : served(fresh)) : undefined;
    const changed = new Set();
    for (const name of old.getAttributeNames()) {
      if (fresh.hasAttribute(name) || stays(old, name)) continue;
      old.removeAttribute(name);
      changed.add(name);
    }
    for (const name of fresh.getAttributeNames()) {
      if (old.getAttribute(name) === fresh.getAttribute(name)) continue;
      old.setAttribute(name, fresh.getAttribute(name));
      changed.add(name);
    }
    for (const name of ["hx-get", "hx-post"]) if (changed.has(name)) asksNoMore[old.hasAttribute(name) ? "delete" : "add"](old);
    if ([...changed].some((name) => name.startsWith("hx-") || name === "href" || name === "action")) news.push(old);
    if (old.nodeName === "TEMPLATE") old.innerHTML = fresh.innerHTML;
    else join(old, [...old.childNodes], [...fresh.childNodes], null);
    if (wanted !== stood) answered.set(old, answers);
    if (wanted === undefined || standing(old) === wanted) return;
    if (ticks(old)) old.checked = wanted;
    else old.value = wanted;
  }

  /* The nodes `olds` of `parent`, which stand before `end`, become `freshes`. What stays is never taken out and put back: that alone
     would cost it the focus. */
  function join(parent, olds, freshes, end) {
    const rest = [...olds];
    freshes.forEach((fresh, number) => {
      const at = rest.findIndex((old) => same(old, fresh));
      const between = rest.slice(0, Math.max(at, 0)).filter(isElement);
      const held = (node) => node.contains(document.activeElement);
      const isNext = at === 0 || (at > 0 && isElement(fresh) && !between.some(held)
        && (held(rest[at]) || !between.some((old) => freshes.slice(number + 1).some((later) => same(old, later)))));
      if (isNext) {
        for (const gone of rest.splice(0, at)) gone.remove();
        adapt(rest.shift(), fresh);
      } else {
        parent.insertBefore(fresh, rest[0] ?? end);
        if (isElement(fresh)) news.push(fresh);
      }
    });
    for (const gone of rest) gone.remove();
  }

  function workIn(style, target, fragment) {
    const held = document.activeElement;
    const inside = target.contains(held);
    const parent = target.parentNode;
    news = [];
    if (style === "inner") join(target, [...target.childNodes], [...fragment.childNodes], null);
    else join(parent, [target], [...fragment.childNodes], target.nextSibling);
    // Whoever was on something that is gone goes on where it was, not at the top of the page.
    if (inside && !held.isConnected) {
      const goOn = (held.id && document.getElementById(held.id)) || (target.isConnected ? target : document.getElementById(target.id)) || parent;
      if (!goOn.matches("a[href], button, input, select, textarea, summary, [tabindex]")) goOn.tabIndex = -1;
      goOn.focus({ preventScroll: true });
    }
    return news;
  }

  window.htmx.defineExtension("work-in", {
    handleSwap: (style, target, fragment) => style.startsWith("work-in-") && workIn(style.replace("work-in-", ""), target, fragment),
  });
  document.body.setAttribute("hx-ext", "work-in");

  const WHOLE_OR_CONTENTS = /^\s*(outer|inner)HTML\b/;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (asksNoMore.has(event.detail.elt)) event.preventDefault();
    event.detail.requestConfig.known = answers;
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (asksNoMore.has(detail.elt)) detail.shouldSwap = false;
    answers += 1;
    known = detail.requestConfig.known ?? answers;
    sent = new Map();
    for (const [name, value] of detail.requestConfig.formData) sent.set(name, [...(sent.get(name) ?? []), value]);
    // `detail.elt` is where the answer goes: how it goes in is said there, or by what stands around it.
    const written = detail.swapOverride ?? detail.elt.closest("[hx-swap]")?.getAttribute("hx-swap") ?? "innerHTML";
    detail.swapOverride = written.replace(WHOLE_OR_CONTENTS, "work-in-$1");
  });
  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    // As itself where the element is swapped whole; where its contents are, htmx has taken them out of it.
    const whole = [...detail.fragment.childNodes].some((node) => isElement(node) && node.id && node.id === detail.target.id);
    detail.shouldSwap = false;
    for (const element of workIn(whole ? "outer" : "inner", detail.target, detail.fragment)) window.htmx.process(element);
  });
})();
