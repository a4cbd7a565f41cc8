// 读给我听: the browser reads the page aloud, where it can. Without speech there is no button.
"use strict";
const SILENT = "a, button, form, input, select, details, .small, .hint, [hidden]";

function sentences(main) {
  const copy = main.cloneNode(true);
  for (const each of copy.querySelectorAll(SILENT)) each.remove();
  const blocks = [...copy.querySelectorAll("h1, h2, h3, p, li, dt, dd, label")];
  return blocks.map((each) => each.textContent.replace(/\s+/g, " ").replace(/\*/g, "某").trim()).filter(Boolean);
}

function offer(main) {
  const button = document.createElement("button");
  const [READ, STOP] = ["读给我听", "不读了"];
  button.type = "button";
  button.className = "plain";
  button.textContent = READ;
  const still = () => { button.textContent = READ; };
  button.addEventListener("click", () => {
    if (speechSynthesis.speaking) {
      speechSynthesis.cancel();
      return still();
    }
    const words = new SpeechSynthesisUtterance(sentences(document.getElementById("main")).join("。"));
    words.lang = "zh-CN";
    words.rate = 0.85;
    words.onend = words.onerror = still;
    button.textContent = STOP;
    speechSynthesis.speak(words);
  });
  document.querySelector("footer").prepend(button);
  addEventListener("pagehide", () => speechSynthesis.cancel());
}

if ("speechSynthesis" in window && "SpeechSynthesisUtterance" in window) offer(document.getElementById("main"));
