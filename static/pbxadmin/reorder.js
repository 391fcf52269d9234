/* Lists whose order counts: <ol data-reorder="insert"> (codecs) and <ol data-reorder="swap"> (keys that keep their place).
   Items are <li data-item="name">, with hidden inputs that carry the order, buttons [data-move=up|down] and a [data-grip]:
   drag it, or press space, arrows, space. [data-fixed] items stay. Lists within one [data-reorder-across] (the pages of a
   phone) swap among each other, each keeping its length. Without this script the buttons are sent to the server. */
"use strict";

(() => {
  const { announce, fill, texts } = window.portal;
  const listsOf = (list) => {
    const together = list.closest("[data-reorder-across]");
    return together ? [...together.querySelectorAll("[data-reorder]")] : [list];
  };
  const itemsOf = (list) => listsOf(list).flatMap((one) => [...one.children].filter((item) => item.matches("li")));
  let lifted = null; // { item, list, before: the order to go back to }

  // The item itself stays in the document and the others go round it: a node that is taken out loses focus and pointer.
  function place(list, order, item) {
    const lists = listsOf(list);
    const lengths = lists.map((one) => one.children.length);
    const holds = document.activeElement;
    let from = 0;
    lists.forEach((one, number) => {
      const own = order.slice(from, from + lengths[number]);
      from += lengths[number];
      const at = own.indexOf(item);
      if (at >= 0 && item.parentElement === one) {
        item.before(...own.slice(0, at));
        item.after(...own.slice(at + 1));
      } else if (own.some((other, index) => other !== one.children[index])) {
        one.append(...own);
      }
      own.forEach((other, index) => {
        const shown = other.querySelector("[data-position]");
        if (shown) shown.textContent = String(Number(one.dataset.first ?? 1) + index);
        const sent = other.querySelector("input[data-position-input]");
        if (sent) sent.value = String(Number(one.dataset.first ?? 1) + index);
      });
    });
    // To another list it can't go without being taken out for a moment.
    if (item.contains(holds) && document.activeElement !== holds) holds.focus();
    list.dispatchEvent(new CustomEvent("portal:changed", { bubbles: true }));
  }

  function moveTo(item, wanted) {
    const list = item.parentElement;
    const order = itemsOf(list);
    const from = order.indexOf(item);
    const to = Math.max(0, Math.min(order.length - 1, wanted));
    if (from === to || order[to].hasAttribute("data-fixed")) return false;
    if (list.dataset.reorder === "swap") {
      [order[from], order[to]] = [order[to], order[from]];
    } else {
      order.splice(to, 0, ...order.splice(from, 1));
    }
    place(list, order, item);
    return true;
  }

  const said = (text, item) => fill(text, {
    item: item.dataset.item,
    n: itemsOf(item.parentElement).indexOf(item) + 1,
    total: itemsOf(item.parentElement).length,
  });

  function step(item, by) {
    const list = item.parentElement;
    const order = itemsOf(list);
    let to = order.indexOf(item) + by;
    while (order[to]?.hasAttribute("data-fixed")) to += Math.sign(by);
    if (order[to] && moveTo(item, to)) announce(said(texts.moved, item));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reorder] [data-move]");
    if (!button) return;
    event.preventDefault();
    step(button.closest("li"), button.dataset.move === "up" ? -1 : 1);
  });

  /* --- Keyboard --- */
  function lift(item) {
    lifted = { item, list: item.parentElement, before: itemsOf(item.parentElement) };
    item.classList.add("is-lifted");
    for (const list of listsOf(lifted.list)) list.classList.add("has-lifted");
    announce(fill(texts.lifted, { item: item.dataset.item }));
  }
  function putDown() {
    lifted.item.classList.remove("is-lifted");
    for (const list of listsOf(lifted.list)) list.classList.remove("has-lifted");
    announce(said(texts.dropped, lifted.item));
    lifted = null;
  }
  function takeBack() {
    const { item, list, before } = lifted;
    lifted = null;
    item.classList.remove("is-lifted");
    for (const one of listsOf(list)) one.classList.remove("has-lifted");
    place(list, before, item);
    announce(texts.moveCancelled);
  }
  // How far the next row and the next column of a grid are, by what stands there: keys are counted across or down.
  const strides = (list) => {
    const [first, ...others] = [...list.children];
    const below = others.findIndex((item) => item.offsetTop > first.offsetTop) + 1 || 1;
    const beside = others.findIndex((item) => item.offsetLeft > first.offsetLeft) + 1 || 1;
    return { ArrowUp: -below, ArrowDown: below, ArrowLeft: -beside, ArrowRight: beside };
  };
  document.addEventListener("keydown", (event) => {
    const grip = event.target.closest("[data-grip]");
    if (!grip) return;
    const item = grip.closest("li");
    if (event.key === " " || event.key === "Enter") {
      event.preventDefault();
      if (lifted?.item === item) putDown();
      else lift(item);
    } else if (lifted?.item === item) {
      const by = strides(item.parentElement)[event.key];
      if (by) { event.preventDefault(); step(item, by); }
      if (event.key === "Home") { event.preventDefault(); step(item, -itemsOf(item.parentElement).indexOf(item)); }
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); takeBack(); }
    }
  });
  document.addEventListener("focusout", (event) => {
    // Only a focus that went elsewhere puts it down; the item's own buttons don't.
    setTimeout(() => {
      const now = document.activeElement;
      const stays = lifted && listsOf(lifted.list).some((list) => list.contains(now));
      if (lifted && event.target.closest?.("li") === lifted.item && now !== document.body && !stays) putDown();
    });
  });

  /* --- Without dragging: press the grip, then the place --- */
  let dragged = false;
  document.addEventListener("click", (event) => {
    const grip = event.target.closest("[data-reorder] [data-grip]");
    if (grip) {
      const item = grip.closest("li");
      if (dragged) return;
      if (lifted?.item === item) { putDown(); return; }
      if (!lifted || !listsOf(lifted.list).includes(item.parentElement)) {
        if (lifted) putDown();
        lift(item);
        return;
      }
    }
    if (!lifted) return;
    const target = event.target.closest("li");
    if (listsOf(lifted.list).includes(target?.parentElement) && target !== lifted.item) {
      event.preventDefault();
      moveTo(lifted.item, itemsOf(lifted.list).indexOf(target));
      putDown();
    }
  });

  /* --- Pointer: mouse, pen and finger alike --- */
  document.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-reorder] [data-grip]");
    if (!grip || event.button) return;
    const item = grip.closest("li");
    const list = item.parentElement;
    const before = itemsOf(list);
    const swap = list.dataset.reorder === "swap";
    let over = null;
    dragged = false;

    const under = (move) => {
      const other = document.elementFromPoint(move.clientX, move.clientY)?.closest("li");
      return listsOf(list).includes(other?.parentElement) && other !== item && !other.hasAttribute("data-fixed") ? other : null;
    };
    const drag = (move) => {
      // A hand that trembles while it presses does not drag.
      if (!dragged && Math.hypot(move.clientX - event.clientX, move.clientY - event.clientY) < 6) return;
      if (!dragged) {
        if (lifted) putDown();
        dragged = true;
        grip.setPointerCapture(event.pointerId);
        item.classList.add("is-lifted");
        document.body.classList.add("is-dragging");
      }
      const other = under(move);
      over?.classList.remove("is-target");
      over = other;
      if (!other) return;
      if (swap) { other.classList.add("is-target"); return; }
      // Only past the middle of the neighbour: otherwise items of unequal height jump to and fro.
      const box = other.getBoundingClientRect();
      const order = itemsOf(list);
      const down = order.indexOf(other) > order.indexOf(item);
      const middle = box.top + box.height / 2;
      if (down ? move.clientY > middle : move.clientY < middle) moveTo(item, order.indexOf(other));
    };
    const end = (last) => {
      document.removeEventListener("pointermove", drag);
      document.removeEventListener("pointerup", end);
      document.removeEventListener("pointercancel", end);
      if (!dragged) return;
      over?.classList.remove("is-target");
      item.classList.remove("is-lifted");
      document.body.classList.remove("is-dragging");
      if (last.type === "pointercancel") place(list, before, item);
      else if (swap && over) moveTo(item, itemsOf(list).indexOf(over));
      if (itemsOf(list).some((one, index) => one !== before[index])) announce(said(texts.dropped, item));
    };
    document.addEventListener("pointermove", drag);
    document.addEventListener("pointerup", end);
    document.addEventListener("pointercancel", end);
  });
})();
