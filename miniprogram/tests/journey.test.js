// The six screens against a running system; without one (LIANGXIAN_API) there is nothing to talk to.
const test = require("node:test");
const assert = require("node:assert");
const { start, open, tap, opened } = require("./platform");
const { call } = require("../lib/api");

const { LIANGXIAN_API: api, SANDBOX: sandbox, OPENID: openid, PHONE: phone } = process.env;
const { LEVELS: levels, RISE: rise } = process.env; // of such a year other things are to be chosen
const { NAME: name, ID_NUMBER: idNumber, NEIGHBOUR: neighbour, NEIGHBOURS_NUMBER: neighboursNumber } = process.env;
const idle = () => call("DELETE", "/session").catch(() => {}); // as half an hour would end it

const until = async (true_) => {
  for (let turn = 0; turn < 200 && !true_(); turn += 1) await new Promise((done) => setTimeout(done, 50));
  assert.ok(true_(), "it did not come about");
};

async function text() {
  const { messages } = await (await fetch(`${sandbox}/messages`)).json();
  const found = messages.filter((each) => each.channel === "sms" && each.to === phone);
  return /\d{6}/.exec(found[found.length - 1].text)[0];
}

const inSixScreens = async () => {
  start({ api, sandbox, openid });
  const first = open("due");
  await first.onShow();
  assert.strictEqual(opened.url, "/pages/phone/phone");
  assert.strictEqual(first.data.large, true, "care mode is followed");

  const login = open("phone");
  login.onLoad();
  login.typed({ currentTarget: { dataset: { field: "phone" } }, detail: { value: phone.slice(1) } });
  await login.ask();
  assert.match(login.data.problem, /手机号/);
  login.typed({ currentTarget: { dataset: { field: "phone" } }, detail: { value: phone } });
  await login.ask();
  login.typed({ currentTarget: { dataset: { field: "code" } }, detail: { value: await text() } });
  await login.prove();
  assert.strictEqual(opened.url, "/pages/due/due");

  const nobody = open("due");
  await nobody.onShow();
  assert.strictEqual(opened.url, "/pages/who/who");
  const who = open("who");
  await who.onLoad();
  who.setData({ name, id_number: idNumber });
  await who.find();
  assert.match(who.data.problem, /同意/);
  who.read();
  assert.ok(who.data.shown && who.data.notice.some((each) => each.words.includes("加密存放")), "it can be read here");
  who.agree();
  await who.find();
  assert.strictEqual(who.data.id_number, "", "the number does not stay on the screen");

  who.setData({ name: neighbour, id_number: neighboursNumber });
  await who.find();

  const due = open("due");
  await due.onShow();
  await idle();
  await due.onShow();
  assert.deepStrictEqual([opened.logins, due.data.problem, due.data.people.length], [2, "", 2], "entered anew by itself");
  const [person] = due.data.people;
  const [home, elsewhere] = due.data.homes;
  assert.deepStrictEqual([home.people.length, elsewhere.people.length, elsewhere.chosen], [1, 1, 1]);
  assert.strictEqual(person.due[0].words, "320");
  const back = person.due[2]; // a determined amount: one tick, no tier to choose
  assert.deepStrictEqual([back.title, back.words, back.offered, back.ticked], ["2020、2021年养老补缴", "1500", [], true]);
  await due.pick({ currentTarget: { dataset: { person: person.person, index: 1 } }, detail: { value: 1 } });
  assert.strictEqual(due.data.homes[0].chosen, 3);
  for (const one of [0, 1]) {
    await due.tick({ currentTarget: { dataset: { field: person.due[one].field } } });
    assert.strictEqual(due.data.homes[0].chosen, 2, "a chosen pension can be let be as the medical can");
    await due.tick({ currentTarget: { dataset: { field: person.due[one].field } } });
  }
  await idle();
  await due.tick({ currentTarget: { dataset: { field: person.due[0].field } } });
  assert.match(due.data.problem, /停得太久了，请再选一次/);
  await due.pick({ currentTarget: { dataset: { person: due.data.people[0].person, index: 1 } }, detail: { value: 1 } });
  assert.deepStrictEqual([due.data.problem, due.data.homes[0].chosen], ["", 3]);
  due.bureau({ currentTarget: { dataset: { person: due.data.people[0].person } } });
  const bureau = open("bureau");
  await bureau.onLoad({ person: decodeURIComponent(opened.url.split("=")[1]) });
  assert.match(bureau.data.cases[0].stands, /人社局核定通过了/);
  bureau.ask();
  assert.match(bureau.data.problem, /先选/);
  bureau.choose({ detail: { value: bureau.data.offers[0].offer } });
  bureau.typed({ detail: { value: "断了三年" } });
  await bureau.ask();
  assert.deepStrictEqual([bureau.data.problem, bureau.data.words, bureau.data.cases[0].may_withdraw], ["", "", true]);
  const [{ number }] = bureau.data.cases;
  await bureau.takeBack({ currentTarget: { dataset: { number } } });
  assert.deepStrictEqual([bureau.data.problem, bureau.data.cases[0].state], ["", "withdrawn"]);
  await bureau.takeBack({ currentTarget: { dataset: { number } } });
  assert.match(bureau.data.problem, /不能再撤回/);
  due.pay({ currentTarget: { dataset: { household: home.household } } });

  const confirm = open("confirm");
  confirm.onLoad();
  assert.match(confirm.data.question.ask_first, /在外地交过吗/);
  confirm.atHome();
  assert.strictEqual(confirm.data.total, "2320");
  await confirm.pay();
  assert.strictEqual(opened.url, "/pages/paid/paid");

  const paid = open("paid");
  paid.every = 50;
  paid.onLoad();
  await until(() => paid.data.payment.state === "paid");
  assert.match(paid.data.payment.words, /缴费成功/);
  assert.deepStrictEqual(paid.data.starts, ["医保从 2022年1月1日 起可以报销。"]);
  await idle();
  await paid.ask();
  assert.deepStrictEqual([paid.data.problem, paid.data.payment.state], ["", "paid"]);
  await paid.paper();
  assert.strictEqual(opened.documents, 1);
  assert.strictEqual(opened.file, "%PDF-");
  await until(() => paid.data.kinds.length > 0);
  await tap(() => paid.remind());
  assert.deepStrictEqual([paid.data.problem, opened.asked.length > 0], ["", true], "the dialogue opens from the tap itself");
  paid.onUnload();
};

const byLevel = async () => {
  start({ api, sandbox, openid });
  const login = open("phone");
  login.onLoad();
  login.typed({ currentTarget: { dataset: { field: "phone" } }, detail: { value: phone } });
  await login.ask();
  login.typed({ currentTarget: { dataset: { field: "code" } }, detail: { value: await text() } });
  await login.prove();
  const who = open("who");
  await who.onLoad();
  who.setData({ name, id_number: idNumber });
  who.agree();
  await who.find();

  const due = open("due");
  await due.onShow();
  const [{ person }] = due.data.people;
  const at = (index, value) => ({ currentTarget: { dataset: { person, index } }, detail: { value } });
  const [medical, pension] = due.data.people[0].due;
  assert.deepStrictEqual(medical.levelNames, ["一档，交 320 元", "二档，交 500 元"]);
  assert.deepStrictEqual([medical.payable, pension.bounds], [false, "1000 元到 9000 元，整元"]);
  await due.pickLevel(at(0, 1));
  for (const wrong of ["999", "9001", "12.5"]) {
    await due.typeAmount(at(1, wrong));
    assert.strictEqual(due.data.problem, "金额不对：1000 元到 9000 元，整元。");
  }
  await due.typeAmount(at(1, "1234"));
  assert.deepStrictEqual([due.data.problem, due.data.homes[0].chosen], ["", 2]);
  assert.strictEqual(due.data.people[0].due[0].title, "2022年居民医保（二档）");
  due.pay({ currentTarget: { dataset: { household: due.data.homes[0].household } } });

  const confirm = open("confirm");
  getApp().globalData.wanted = getApp().globalData.wanted.filter((each) => !each.level);
  confirm.onLoad();
  assert.strictEqual(confirm.data.fixed, "交了不能改金额。", "an amount is no tier");
  due.pay({ currentTarget: { dataset: { household: due.data.homes[0].household } } });
  confirm.onLoad();
  assert.deepStrictEqual([confirm.data.total, confirm.data.fixed], ["1734", "交了不能改档。"]);
  await confirm.pay();
  const paid = open("paid");
  paid.every = 50;
  paid.onLoad();
  await until(() => paid.data.payment.state === "paid");
  assert.strictEqual(paid.data.payment.items[0].title, "2022年居民医保（二档）");
  assert.deepStrictEqual(paid.data.items.map((each) => each.words), ["500", "1234"]);
  paid.onUnload();
};

const byRise = async () => {
  start({ api, sandbox, openid });
  const login = open("phone");
  login.onLoad();
  login.typed({ currentTarget: { dataset: { field: "phone" } }, detail: { value: phone } });
  await login.ask();
  login.typed({ currentTarget: { dataset: { field: "code" } }, detail: { value: await text() } });
  await login.prove();
  const who = open("who");
  await who.onLoad();
  who.setData({ name, id_number: idNumber });
  who.agree();
  await who.find();

  const due = open("due");
  await due.onShow();
  const [{ person }] = due.data.people;
  const at = (value) => ({ currentTarget: { dataset: { person, index: 1 } }, detail: { value } });
  const [medical, pension] = due.data.people[0].due;
  assert.deepStrictEqual([pension.payable, pension.rise.words, due.data.homes[0].chosen], [false, "", 1], "it is no debt");
  assert.deepStrictEqual(pension.rise.names.slice(0, 2), ["不提了", "提到 500 元档，补 200 元"]);
  await due.pickRise(at(2));
  assert.strictEqual(due.data.people[0].due[1].rise.words, "300");
  await due.pickRise(at(0));
  assert.deepStrictEqual([due.data.people[0].due[1].rise.words, due.data.homes[0].chosen], ["", 1]);
  await due.pickRise(at(1));
  await due.tick({ currentTarget: { dataset: { field: medical.field } } });
  assert.strictEqual(due.data.homes[0].chosen, 1);
  due.pay({ currentTarget: { dataset: { household: due.data.homes[0].household } } });

  const confirm = open("confirm");
  confirm.onLoad();
  assert.deepStrictEqual([confirm.data.total, confirm.data.lines[0].title], ["200", "2022年居民养老补差提档：300元→500元"]);
  await confirm.pay();
  const paid = open("paid");
  paid.every = 50;
  paid.onLoad();
  await until(() => paid.data.payment.state === "paid");
  assert.strictEqual(paid.data.payment.items[0].title, "2022年居民养老补差提档：300元→500元");
  paid.onUnload();
};

if (rise) test("by the difference to a higher tier", byRise);
else if (levels) test("by level and amount", byLevel);
else test("from the phone to the paper in six screens", { skip: !api }, inSixScreens);
