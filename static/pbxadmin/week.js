/* The week's bars in the hand: an end, a whole bar, or a free stretch is dragged, or an end is moved with the arrows. What comes of
   it is written into the day's line, which is what is sent; the server draws the week anew from the lines. */
"use strict";

(() => {
  const STEP = 15;
  const DAY = 24 * 60;
  const KINDS = ["open", "break"];
  const NAMES = { open: "office_hours", break: "break_hours" };

  const clock = (minute) => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;
  const lineOf = (periods) => periods.map(([start, end]) => `${clock(start)}-${clock(end)}`).join(", ");
  const passes = ([start, end]) => end <= start;
  const drawnEnd = (period) => (passes(period) ? DAY : period[1]);
  const inputOf = (bar, kind) => bar.closest("form").elements[`${NAMES[kind]}.${bar.dataset.bar}`];
  const barOf = (element) => element.closest?.("svg[data-bar]");

  /* --- What a bar shows: as the server drew it, or as it was dragged since. Null while somebody types another line beside it --- */
  const dragged = new WeakMap(); // input → { line, periods }
  function periodsOf(bar, kind) {
    const input = inputOf(bar, kind);
    const own = dragged.get(input);
    if (own && own.line === input.value) return own.periods.map((each) => [...each]);
    if (bar.dataset[`${kind}Line`] !== input.value) return null;
    const written = bar.dataset[kind];
    const found = written ? written.split(" ").map((each) => each.split("-").map(Number)) : [];
    // A line that can't be read has no periods: it is put right by typing.
    return found.length || !input.value.trim() ? found : null;
  }
  function stateOf(bar) {
    const found = Object.fromEntries(KINDS.map((kind) => [kind, periodsOf(bar, kind)]));
    return found.open && found.break ? found : null;
  }

  function rect(css, start, end, fill) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const box = { x: `${(start / DAY) * 100}%`, width: `${((end - start) / DAY) * 100}%`, y: "0", height: "100%" };
    for (const [name, value] of Object.entries(box)) made.setAttribute(name, value);
    if (css) made.setAttribute("class", css);
    if (css === "open") made.setAttribute("rx", "4");
    if (fill) made.setAttribute("fill", fill);
    return made;
  }
  function draw(bar, state) {
    const before = document.getElementById(`bar-${(Number(bar.dataset.bar) + 6) % 7}`);
    const runOn = (kind) => (periodsOf(before, kind) ?? []).filter((each) => passes(each) && each[1] > 0).map(([, end]) => [0, end]);
    const shapes = [];
    for (const [start, end] of [...runOn("open"), ...state.open.map((each) => [each[0], drawnEnd(each)])]) shapes.push(rect("open", start, end));
    for (const [start, end] of [...runOn("break"), ...state.break.map((each) => [each[0], drawnEnd(each)])]) {
      shapes.push(rect("break", start, end), rect("", start, end, "url(#hatch)"));
    }
    for (const old of bar.querySelectorAll("rect:not(.grip)")) old.remove();
    const next = bar.querySelector(".now, .grip");
    for (const shape of shapes) bar.insertBefore(shape, next);
    for (const grip of bar.querySelectorAll(".grip")) {
      const { kind, number, side } = partOf(grip);
      const period = state[kind][number];
      if (!period) continue;
      const minute = side === "end" ? period[1] : period[0];
      grip.setAttribute("x", `${(minute / DAY) * 100}%`);
      grip.setAttribute("aria-valuenow", minute);
      grip.setAttribute("aria-valuetext", clock(minute));
    }
  }
  function write(bar, state) {
    for (const kind of KINDS) {
      const input = inputOf(bar, kind);
      const line = lineOf(state[kind]);
      if (periodsOf(bar, kind) && lineOf(periodsOf(bar, kind)) === line) continue; // "8-12" stays as it was typed
      input.value = line;
      dragged.set(input, { line, periods: state[kind] });
    }
    draw(bar, state);
  }
  const tell = (bar) => {
    for (const kind of KINDS) if (dragged.has(inputOf(bar, kind))) return inputOf(bar, kind).dispatchEvent(new Event("change", { bubbles: true }));
    return false;
  };

  /* --- Moving --- */
  function partOf(grip) {
    const [, , kind, number, side] = grip.id.split("-");
    return { kind, number: Number(number), side };
  }
  const limits = (periods, number) => [number ? drawnEnd(periods[number - 1]) : 0, periods[number + 1]?.[0] ?? DAY];
  function moveEnd(state, { kind, number, side }, to) {
    const periods = state[kind];
    const [least, most] = limits(periods, number);
    const period = periods[number];
    if (side === "start") period[0] = Math.max(least, Math.min(drawnEnd(period) - STEP, to));
    else period[1] = Math.min(most, Math.max(period[0] + STEP, to));
  }
  function moveWhole(state, kind, number, by) {
    const period = state[kind][number];
    if (passes(period)) return;
    const [least, most] = limits(state[kind], number);
    const step = Math.max(least - period[0], Math.min(most - period[1], by));
    const within = kind === "open" ? state.break.filter((each) => !passes(each) && each[0] >= period[0] && each[1] <= period[1]) : [];
    for (const each of [period, ...within]) { each[0] += step; each[1] += step; }
  }

  /* --- Keyboard: one place in the order of Tab, the arrows go on from there --- */
  let waiting = 0;
  function stand(grip) {
    for (const other of document.querySelectorAll(".grip[tabindex='0']")) other.setAttribute("tabindex", "-1");
    grip.setAttribute("tabindex", "0");
  }
  document.addEventListener("keydown", (event) => {
    const grip = event.target.closest?.(".grip");
    if (!grip) return;
    const bar = barOf(grip);
    const minute = Number(grip.getAttribute("aria-valuenow"));
    const by = { ArrowLeft: -STEP, ArrowRight: STEP, PageDown: -60, PageUp: 60 }[event.key];
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      const all = [...document.querySelectorAll(".grip")];
      const next = all[all.indexOf(grip) + (event.key === "ArrowDown" ? 1 : -1)];
      if (next) { stand(next); next.focus(); }
      return;
    }
    if (!by && event.key !== "Delete") return;
    event.preventDefault();
    const state = stateOf(bar);
    if (!state) return;
    if (event.key === "Delete") {
      const { kind, number } = partOf(grip);
      state[kind].splice(number, 1);
      inputOf(bar, kind).focus();
      write(bar, state);
      tell(bar);
      return;
    }
    const to = minute + (event.shiftKey && Math.abs(by) === STEP ? by * 4 : by);
    // Onto the grid: 8:07 goes to 8:15, not to 8:22.
    moveEnd(state, partOf(grip), by > 0 ? Math.floor(to / STEP) * STEP : Math.ceil(to / STEP) * STEP);
    write(bar, state);
    clearTimeout(waiting);
    waiting = setTimeout(() => tell(bar), 400); // once for a held key
  });
  document.addEventListener("focusin", (event) => { if (event.target.closest?.(".grip")) stand(event.target); });

  /* --- Pointer --- */
  const minuteAt = (bar, x) => {
    const box = bar.getBoundingClientRect();
    return Math.max(0, Math.min(DAY, Math.round(((x - box.left) / box.width) * (DAY / STEP)) * STEP));
  };
  document.addEventListener("pointerdown", (event) => {
    const bar = barOf(event.target);
    const state = bar && !event.button && stateOf(bar);
    if (!state) return;
    const from = minuteAt(bar, event.clientX);
    const grip = event.target.closest(".grip");
    const under = (kind) => state[kind].findIndex((each) => from >= each[0] && from < drawnEnd(each));
    const kind = under("break") >= 0 ? "break" : "open";
    const held = grip ? partOf(grip) : { kind, number: under(kind) };
    const before = JSON.stringify(state);
    let now = state;
    event.preventDefault(); // no text is selected on the way
    grip?.focus();
    bar.setPointerCapture(event.pointerId);
    const drag = (move) => {
      now = JSON.parse(before);
      const to = minuteAt(bar, move.clientX);
      if (held.side) moveEnd(now, held, to);
      else if (held.number >= 0) moveWhole(now, held.kind, held.number, to - from);
      else if (Math.abs(to - from) >= STEP) {
        const made = [Math.min(from, to), Math.max(from, to)];
        now.open = [...now.open, made].sort((a, b) => a[0] - b[0]);
        const number = now.open.indexOf(made);
        const [least, most] = limits(now.open, number);
        made[0] = Math.max(least, made[0]);
        made[1] = Math.min(most, made[1]);
      }
      write(bar, now);
    };
    const end = (last) => {
      bar.removeEventListener("pointermove", drag);
      bar.removeEventListener("pointerup", end);
      bar.removeEventListener("pointercancel", end);
      if (last.type === "pointercancel") write(bar, JSON.parse(before));
      if (JSON.stringify(now) !== before) tell(bar);
    };
    bar.addEventListener("pointermove", drag);
    bar.addEventListener("pointerup", end);
    bar.addEventListener("pointercancel", end);
  });

  // An answer to what was sent earlier has drawn the week as it was then: bars that were moved since stand where they were put, and
  // where another answer has written a line meanwhile, the week is drawn once more. What somebody is typing isn't a line yet.
  document.addEventListener("htmx:afterSwap", () => {
    let again = null;
    for (const bar of document.querySelectorAll("svg[data-bar]")) {
      const behind = KINDS.map((kind) => [bar.dataset[`${kind}Line`], inputOf(bar, kind)]).filter(([line, input]) => line !== input.value);
      const state = behind.length && stateOf(bar);
      if (state) draw(bar, state);
      else again ??= behind.map(([, input]) => input).find((input) => input !== document.activeElement);
    }
    again?.dispatchEvent(new Event("change", { bubbles: true }));
  });
})();
