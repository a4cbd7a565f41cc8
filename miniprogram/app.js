// The six screens: 要交多少 → 手机号 → 谁 → 核对 → 结果, and 请部门核定. Nothing is kept on the phone but the session's token.
const api = require("./lib/api");

App({
  globalData: { large: false, tiers: {}, levels: {}, rises: {}, items: [], lost: false, payment: null },

  onLaunch() {
    const { fontSizeScaleFactor = 1 } = wx.getAppBaseInfo(); // care mode is 1.4
    this.globalData.large = fontSizeScaleFactor > 1.2;
    api.forget();
  },
});
