// A bureau asked for its word on one person: what may be asked for, where stands what was. No photo from here.
const api = require("../../lib/api");

Page({
  data: {
    large: false,
    person: "",
    offers: /** @type {any[]} */ ([]),
    cases: /** @type {any[]} */ ([]),
    chosen: "",
    words: "",
    problem: "",
    busy: false,
  },

  /** @param {Record<string, string | undefined>} query */
  async onLoad(query) {
    this.setData({ large: getApp().globalData.large, person: query.person || "" });
    await this.trying("GET", "");
  },

  /** What every call answers is what the page shows. @param {string} method @param {string} way @param {any} [said] */
  async trying(method, way, said) {
    this.setData({ busy: true, problem: "" });
    try {
      const told = await api.call(method, `/people/${this.data.person}/determinations${way}`, said);
      this.setData({ offers: told.offers, cases: told.determinations, chosen: "", words: "" });
    } catch (no) {
      if (no.code === "ANEW") wx.redirectTo({ url: "/pages/due/due" }); // the person has another name now
      else this.setData({ problem: no.message });
    }
    this.setData({ busy: false });
  },

  /** @param {WechatMiniprogram.RadioGroupChange} event */
  choose(event) {
    this.setData({ chosen: event.detail.value });
  },

  /** @param {WechatMiniprogram.TextareaInput} event */
  typed(event) {
    this.setData({ words: event.detail.value });
  },

  ask() {
    const { chosen, words } = this.data;
    if (!chosen) return this.setData({ problem: "请先选要申请哪一种。" });
    return this.trying("POST", "", { offer: chosen, words });
  },

  /** @param {WechatMiniprogram.BaseEvent} event */
  takeBack(event) {
    return this.trying("POST", `/${event.currentTarget.dataset.number}/withdrawal`);
  },

  back() {
    wx.navigateBack();
  },
});
