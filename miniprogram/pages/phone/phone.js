// Which phone, and the code of its message.
const api = require("../../lib/api");

Page({
  data: { large: false, phone: "", code: "", sent: false, problem: "", busy: false },

  onLoad() {
    this.setData({ large: getApp().globalData.large });
  },

  /** @param {WechatMiniprogram.Input} event */
  typed(event) {
    this.setData({ [event.currentTarget.dataset.field]: event.detail.value });
  },

  async ask() {
    await this.trying(async () => {
      await api.call("POST", "/session/phone", { phone: this.data.phone });
      this.setData({ sent: true });
    });
  },

  async prove() {
    await this.trying(async () => {
      await api.confirm(this.data.code);
      wx.redirectTo({ url: "/pages/due/due" });
    });
  },

  /** @param {() => Promise<void>} act */
  async trying(act) {
    this.setData({ busy: true, problem: "" });
    try {
      await act();
    } catch (no) {
      this.setData({ problem: Object.values(no.fields || {})[0] || no.message });
    }
    this.setData({ busy: false });
  },
});
