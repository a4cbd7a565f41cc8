const test = require("node:test");
const assert = require("node:assert");
const api = require("../lib/api");

test("who asks what became of his money and hears nothing is not told that it did not move", async () => {
  global.wx = { request: ({ fail }) => fail() };
  await assert.rejects(api.call("GET", "/payments/1"), { message: /钱没有丢，请不要再付/ });
  await assert.rejects(api.call("POST", "/people"), { message: /什么都没有办，请再试一次/ });
});

test("whose session is over and who cannot enter anew is told no more than before", async () => {
  global.wx = {
    request: ({ success }) => success({ statusCode: 401, data: { code: "NO_SESSION", message: "时间久了" } }),
    login: ({ fail }) => fail(),
  };
  await assert.rejects(api.call("GET", "/payments/1"), { message: /钱没有丢，请不要再付/ });
  await assert.rejects(api.call("POST", "/people"), { message: /什么都没有办/ });
});
