// Which file was chosen, in our words: a browser's own words are in its own language.
"use strict";
for (const label of document.querySelectorAll("label.chooser")) {
  const file = document.getElementById(label.htmlFor);
  file.addEventListener("change", () => {
    label.textContent = file.files.length ? `选了：${file.files[0].name}` : label.dataset.words;
  });
}
