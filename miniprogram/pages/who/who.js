// Name and number of somebody to pay for, and the consent, once, to a text that can be read here.
const api = require("../../lib/api");
const privacy = require("../../lib/privacy");

Page({
  data: { large: false, name: "", id_number: "", agreed: false, asks: true, notice: privacy, shown: false, problem: "", busy: false },

  async onLoad() {
    this.setData({ large: getApp().globalData.large });
    try {
      const me = await api.call("GET", "/me");
      this.setData({ asks: !me.agreed });
    } catch (no) {
      this.setData({ problem: no.message });
    }
  },

  /** @param {WechatMiniprogram.Input} event */
  typed(event) {
    this.setData({ [event.currentTarget.dataset.field]: event.detail.value });
  },

  read() {
    this.setData({ shown: !this.data.shown });
  },

  agree() {
    this.setData({ agreed: !this.data.agreed });
  },

  async find() {
    const { name, id_number, agreed } = this.data;
    this.setData({ busy: true, problem: "" });
    try {
      await api.call("POST", "/people", { name, id_number, agreed });
      this.setData({ id_number: "" });
      wx.redirectTo({ url: "/pages/due/due" });
    } catch (no) {
      this.setData({ problem: Object.values(no.fields || {})[0] || no.message });
    }
    this.setData({ busy: false });
  },
});
