// A page whose answer is still open asks again by itself and shows what is new, without throwing away where the reader
// is. Without this script the page's own refresh does it.
"use strict";
const SELDOM_MS = 30000; // a bad signal is asked less often
const HANDS = "a, button, input, summary";

function follow(main) {
  const often = Number(main.dataset.every) * 1000;
  let wait = often;

  function show(page) {
    const fresh = page.getElementById("main");
    const other = fresh.querySelector("h1").textContent !== main.querySelector("h1").textContent;
    const hand = [...main.querySelectorAll(HANDS)].indexOf(document.activeElement);
    main.replaceWith(fresh);
    main = fresh;
    document.title = page.title;
    if (!other) {
      if (hand >= 0) main.querySelectorAll(HANDS)[hand]?.focus(); // whoever was on a button stays there
      return;
    }
    const head = main.querySelector("h1");
    head.tabIndex = -1; // so that it is read out
    head.focus();
  }

  async function ask() {
    try {
      if (!document.hidden) {
        const answer = await fetch(location.href, { redirect: "manual" });
        if (answer.type === "opaqueredirect") return location.reload(); // the session is over, and so is its code
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (answer.ok && page.getElementById("main").textContent !== main.textContent) show(page);
      }
      wait = often;
    } catch {
      wait = Math.min(SELDOM_MS, wait * 2);
    }
    if (main.dataset.every) setTimeout(ask, wait);
  }

  setTimeout(ask, wait);
}

const asked = document.getElementById("main");
if (asked.dataset.every) follow(asked);
