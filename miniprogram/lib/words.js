// How amounts and days are written. Amounts are fen, days YYYY-MM-DD.

/** 32000 → "320", 21334 → "213.34". @param {number} fen */
function yuan(fen) {
  const whole = Math.floor(fen / 100);
  const rest = fen % 100;
  return rest ? `${whole}.${String(rest).padStart(2, "0")}` : String(whole);
}

/** "2022-01-01" → "2022年1月1日". @param {string} day */
function date(day) {
  const [year, month, dayOfMonth] = day.split("-").map(Number);
  return `${year}年${month}月${dayOfMonth}日`;
}

/** A key for one wish: the same wish sent twice is one payment. */
function newKey() {
  const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789";
  return Array.from({ length: 24 }, () => letters[Math.floor(Math.random() * letters.length)]).join("");
}

module.exports = { yuan, date, newKey };
