// The agent's screen says at once what a code would be for. Without this script the button 改好了，重新算 does.
"use strict";
const form = document.querySelector("[data-sum]");

// What an amount costs him only the server knows: one that was changed is asked for again.
const amounts = [...form.querySelectorAll("[data-yuan]")];
const isNew = (each) => each.value.trim() !== each.dataset.yuan;

function fen() {
  const ticked = [...form.querySelectorAll("input[name=item]:checked")];
  const chosen = [...form.querySelectorAll("select")].map((each) => each.selectedOptions[0]);
  const typed = amounts.filter((each) => each.value.trim() && !isNew(each));
  return [...ticked, ...chosen, ...typed].reduce((sum, each) => sum + Number(each.dataset.fen || 0), 0);
}

function yuan(sum) {
  const rest = sum % 100;
  return String(Math.floor(sum / 100)) + (rest ? `.${String(rest).padStart(2, "0")}` : "");
}

function chosen(card) {
  if (!card.querySelector("select")) return "还没选档";
  const due = Number(card.querySelector("select")?.selectedOptions[0].dataset.fen || 0);
  return due ? `要交 ${yuan(due)} 元` : "还没选档";
}

function show() {
  const sum = fen();
  form.elements.shown.value = sum;
  for (const each of form.querySelectorAll(".total")) each.textContent = yuan(sum);
  for (const each of form.querySelectorAll(".ways")) each.hidden = !sum || amounts.some(isNew);
  for (const each of form.querySelectorAll(".tier-open")) each.textContent = chosen(each.closest("section"));
}

for (const each of form.querySelectorAll(".again")) each.hidden = !amounts.length;
form.addEventListener("change", show);
form.addEventListener("input", show);
show(); // a browser that comes back keeps the ticks
