// Which file was chosen, in our words: a browser's own words are in its own language.
"use strict";
const file = document.getElementById("file");
const chosen = document.getElementById("chosen");
if (file) {
  file.addEventListener("change", () => {
    chosen.textContent = file.files.length ? `选了：${file.files[0].name}` : "选PDF文件";
  });
}
