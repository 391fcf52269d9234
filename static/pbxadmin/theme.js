/* Light, dark or like the system, and how close rows stand: switched at once; the form's own answer keeps the choice in a cookie.
   Without this script the form is simply sent, and the page comes back as it was chosen. */
"use strict";

// redirect: "manual": the cookie is all that is wanted of the answer. keepalive: it comes even when the page is left at once.
function keep(form, chosen) {
  const answer = new FormData(form);
  answer.set(chosen.name, chosen.value);
  fetch(form.action, { method: "POST", body: new URLSearchParams(answer), redirect: "manual", keepalive: true }).catch(() => {});
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-density-form]");
  const chosen = event.submitter;
  if (!form || !chosen) return;
  event.preventDefault();
  keep(form, chosen);
  const dense = chosen.value === "dense";
  document.documentElement.dataset.density = chosen.value;
  chosen.value = dense ? "airy" : "dense";
  chosen.setAttribute("aria-pressed", String(dense));
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-form]");
  const chosen = event.submitter;
  if (!form || !chosen) return;
  event.preventDefault();
  document.documentElement.dataset.theme = chosen.value;
  document.querySelector('meta[name="color-scheme"]').content = chosen.value === "system" ? "light dark" : chosen.value;
  for (const button of form.querySelectorAll("button[name=theme]")) {
    button.setAttribute("aria-pressed", String(button === chosen));
  }
  const menu = form.closest("details");
  menu.querySelector("summary use").setAttribute("href", chosen.querySelector("use").getAttribute("href"));
  menu.open = false;
  menu.querySelector("summary").focus();
  keep(form, chosen);
});
