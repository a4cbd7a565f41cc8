// The agent's screen says at once what a code would be for. Without this script the button 改好了，重新算 does.
"use strict";
const form = document.querySelector("[data-sum]");

function fen() {
  const ticked = [...form.querySelectorAll("input[name=item]:checked")];
  const chosen = [...form.querySelectorAll("select")].map((each) => each.selectedOptions[0]);
  return [...ticked, ...chosen].reduce((sum, each) => sum + Number(each.dataset.fen || 0), 0);
}

function yuan(sum) {
  const rest = sum % 100;
  return String(Math.floor(sum / 100)) + (rest ? `.${String(rest).padStart(2, "0")}` : "");
}

function chosen(card) {
  const due = Number(card.querySelector("select")?.selectedOptions[0].dataset.fen || 0);
  return due ? `要交 ${yuan(due)} 元` : "还没选档";
}

function show() {
  const sum = fen();
  form.elements.shown.value = sum;
  for (const each of form.querySelectorAll(".total")) each.textContent = yuan(sum);
  for (const each of form.querySelectorAll(".ways")) each.hidden = !sum;
  for (const each of form.querySelectorAll(".tier-open")) each.textContent = chosen(each.closest("section"));
}

for (const each of form.querySelectorAll(".again")) each.hidden = true;
form.addEventListener("change", show);
show(); // a browser that comes back keeps the ticks
