const test = require("node:test");
const assert = require("node:assert");
const { yuan, date, newKey } = require("../lib/words");

test("amounts are written as people read them", () => {
  assert.deepStrictEqual([32000, 21334, 0, 5, 490000].map(yuan), ["320", "213.34", "0", "0.05", "4900"]);
});

test("a day is said whole", () => assert.strictEqual(date("2022-01-01"), "2022年1月1日"));

test("a key is another one each time, and one that the server takes", () => {
  const keys = new Set(Array.from({ length: 200 }, newKey));
  assert.strictEqual(keys.size, 200);
  for (const key of keys) assert.match(key, /^[A-Za-z0-9_-]{8,64}$/);
});
