// The button of each household says what its ticks come to. Without this script the next page does.
"use strict";

function show(form) {
  const ticked = [...form.elements].filter((each) => each.name === "item" && each.checked);
  const sum = ticked.reduce((fen, each) => fen + Number(each.dataset.fen), 0);
  const rest = sum % 100;
  const words = String(Math.floor(sum / 100)) + (rest ? `.${String(rest).padStart(2, "0")}` : "");
  for (const each of form.elements) {
    for (const total of each.querySelectorAll(".total")) total.textContent = words;
  }
}

for (const form of document.querySelectorAll("[data-sum]")) {
  for (const each of form.elements) each.addEventListener("change", () => show(form));
  show(form); // a browser that comes back keeps the ticks
}
