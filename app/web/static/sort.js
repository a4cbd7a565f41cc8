// A press on a column's head sorts the list by it, a second one the other way. Without this script the order of the
// server stays.
"use strict";

function worth(cell) {
  const words = cell.dataset.sort || cell.textContent.trim();
  const number = Number(words.replace(/[,%]/g, ""));
  return words !== "" && !Number.isNaN(number) ? number : words;
}

function compare(one, other) {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "zh-CN");
}

function sort(table, column, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  const body = table.tBodies[0];
  const rows = [...body.rows].sort((a, b) => compare(worth(a.cells[column]), worth(b.cells[column])));
  if (down) rows.reverse();
  body.append(...rows);
  for (const each of table.tHead.querySelectorAll("th")) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table.sorts")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(table, column, head));
    head.replaceChildren(button);
  });
}
