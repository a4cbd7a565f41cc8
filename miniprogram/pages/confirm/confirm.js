// Asked first whether paid elsewhere; then names and amounts; then WeChat's own dialogue.
const api = require("../../lib/api");
const { yuan, newKey } = require("../../lib/words");

/** What cannot be changed once it is paid. @param {any[]} wanted */
function fixed(wanted) {
  const chosen = wanted.filter((due) => due.tier && !due.rise);
  const isTier = (/** @type {any} */ due) => !due.amounts || due.tiers.some((/** @type {any} */ tier) => tier.tier === due.tier);
  if (wanted.some((due) => due.level) || chosen.some(isTier)) return "交了不能改档。";
  if (wanted.some((due) => due.rise)) return "一年只能提高一次，交了不能再改。";
  return chosen.length ? "交了不能改金额。" : "";
}

Page({
  data: { large: false, question: /** @type {any} */ (null), lines: /** @type {any[]} */ ([]), total: "", fixed: "", late: false, problem: "", busy: false },

  key: "",
  wanted: /** @type {any[]} */ ([]),

  onLoad() {
    const app = getApp();
    this.key = newKey(); // pressing twice is one payment
    this.wanted = [...app.globalData.wanted];
    this.setData({ large: app.globalData.large });
    this.next();
  },

  next() {
    const question = this.wanted.find((/** @type {any} */ due) => due.ask_first && !due.home) || null;
    const total = this.wanted.reduce((/** @type {number} */ sum, /** @type {any} */ due) => sum + due.personal_due, 0);
    const late = this.wanted.some((/** @type {any} */ due) => due.late); // of a former year: said once more
    this.setData({ question, lines: this.wanted, total: yuan(total), fixed: fixed(this.wanted), late });
  },

  atHome() {
    this.data.question.home = true;
    this.next();
  },

  elsewhere() {
    this.wanted = this.wanted.filter((/** @type {any} */ due) => due !== this.data.question);
    this.next();
  },

  back() {
    wx.navigateBack();
  },

  async pay() {
    const items = this.wanted.map((/** @type {any} */ due) => ({
      person: due.person,
      year: due.year,
      insurance: due.insurance,
      determination: due.determination || null,
      tier: due.insurance === "RES_PENSION" ? due.tier : null,
      level: due.insurance === "RES_MEDICAL" ? due.level : null,
      rise: due.rise,
    }));
    this.setData({ busy: true, problem: "" });
    try {
      const told = await api.call("POST", "/payments", { items, kind: "jsapi" }, { "Idempotency-Key": this.key });
      getApp().globalData.payment = told;
      if (told.jsapi) await new Promise((done) => wx.requestPayment({ ...told.jsapi, complete: done }));
      wx.redirectTo({ url: "/pages/paid/paid" }); // whatever the dialogue said, the server knows
    } catch (no) {
      this.setData({ problem: no.message });
    }
    this.setData({ busy: false });
  },
});
