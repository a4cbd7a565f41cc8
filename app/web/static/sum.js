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

// What the page says of a card is of what was chosen when it came.
const changed = (each) => each.selectedIndex !== Math.max(0, [...each.options].findIndex((one) => one.defaultSelected));

function say(words) {
  const card = words.closest("section"), select = card.querySelector("select");
  if (!select) return;
  words.dataset.first ??= words.textContent;
  words.textContent = changed(select) ? chosen(card) : words.dataset.first;
  for (const each of card.querySelectorAll(".said")) each.hidden = changed(select);
}

function chosen(card) {
  const due = Number(card.querySelector("select")?.selectedOptions[0].dataset.fen || 0);
  return due ? `要交 ${yuan(due)} 元` : "还没选档";
}

function show() {
  const sum = fen();
  form.elements.shown.value = sum;
  for (const each of form.querySelectorAll(".total")) each.textContent = yuan(sum);
  for (const each of form.querySelectorAll(".ways")) each.hidden = !sum || amounts.some(isNew);
  for (const each of form.querySelectorAll(".tier-open")) say(each);
}

for (const each of form.querySelectorAll(".again")) each.hidden = !amounts.length;
form.addEventListener("change", show);
form.addEventListener("input", show);
show(); // a browser that comes back keeps the ticks
