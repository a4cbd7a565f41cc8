// The agent's list: whoever has just paid turns green by itself. Without this script the list is right when opened anew.
"use strict";
const list = document.querySelector("[data-news]");
const told = document.getElementById("told");
const [OFTEN_MS, SELDOM_MS] = [4000, 30000]; // a bad signal is asked less often
let edition = "";
let wait = OFTEN_MS;

function show(found) {
  edition = found.edition;
  document.getElementById("progress").textContent = found.progress;
  for (const [person, now] of Object.entries(found.people)) {
    const line = list.querySelector(`[data-person="${person}"]`);
    const state = line && line.querySelector(".state");
    if (!state || state.textContent === now.words) continue;
    state.textContent = now.words;
    state.classList.toggle("todo", !now.done);
    line.classList.toggle("done", now.done);
    const due = line.querySelector(".due");
    if (due) due.textContent = now.due;
    told.textContent = `${line.querySelector("strong").textContent} ${now.words}`;
  }
}

async function ask() {
  try {
    if (!document.hidden) {
      const answer = await fetch(`${list.dataset.news}?edition=${edition}`, { redirect: "error" });
      if (answer.status === 200) show(await answer.json());
    }
    wait = OFTEN_MS;
  } catch {
    wait = Math.min(SELDOM_MS, wait * 2);
  }
  setTimeout(ask, wait);
}

if (list) setTimeout(ask, wait);
