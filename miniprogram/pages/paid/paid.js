// What became of the payment: asked every three seconds until it is known; then the paper, and whether to be told more.
const api = require("../../lib/api");
const { yuan, date } = require("../../lib/words");
const EVERY_MS = 3000;

Page({
  data: { large: false, payment: /** @type {any} */ (null), items: /** @type {any[]} */ ([]), amount: "", starts: /** @type {string[]} */ ([]), kinds: /** @type {string[]} */ ([]), problem: "" },

  gone: false,
  every: EVERY_MS,
  templates: /** @type {Record<string, string>} */ ({}),

  onLoad() {
    this.setData({ large: getApp().globalData.large });
    this.show(getApp().globalData.payment);
  },

  onUnload() {
    this.gone = true;
  },

  /** @param {any} payment */
  show(payment) {
    const covering = payment.items.filter((/** @type {any} */ item) => item.benefit_start);
    const days = [...new Set(covering.map((/** @type {any} */ item) => date(item.benefit_start)))];
    const starts =
      days.length === 1
        ? [`医保从 ${days[0]} 起可以报销。`]
        : covering.map((/** @type {any} */ item) => `${item.masked_name} ${item.title}：从 ${date(item.benefit_start)} 起可以报销。`);
    const items = payment.items.map((/** @type {any} */ item) => ({ ...item, words: yuan(item.amount) }));
    this.setData({ payment, items, amount: yuan(payment.amount), starts });
    const open = payment.state === "waiting" || payment.state === "checking";
    if (open && !this.gone) setTimeout(() => this.ask(), this.every);
    if (payment.state === "paid") this.offer();
  },

  // What can be told is known before the tap: WeChat opens its dialogue from a tap itself, not from what comes after.
  async offer() {
    try {
      const { templates } = await api.call("GET", "/me/subscriptions");
      this.templates = templates;
      this.setData({ kinds: Object.keys(templates).slice(0, 3) });
    } catch {
      this.setData({ kinds: [] }); // who cannot be told in WeChat is told by text
    }
  },

  async ask() {
    try {
      this.show(await api.call("GET", `/payments/${this.data.payment.number}`));
      this.setData({ problem: "" });
    } catch (no) {
      this.setData({ problem: no.message });
      if (!this.gone) setTimeout(() => this.ask(), 2 * EVERY_MS);
    }
  },

  async paper() {
    try {
      const proof = await api.call("POST", `/payments/${this.data.payment.number}/proof`);
      await api.showPaper(proof.code);
    } catch (no) {
      this.setData({ problem: no.message });
    }
  },

  // One tap is one message of each kind; who refuses all has said no, and nothing went wrong.
  async remind() {
    const { templates } = this;
    const { kinds } = this.data;
    try {
      const answer = await new Promise((done) =>
        wx.requestSubscribeMessage({ tmplIds: kinds.map((kind) => templates[kind]), complete: done }),
      );
      const accepted = kinds.filter((kind) => Object(answer)[templates[kind]] === "accept");
      if (accepted.length) await api.call("POST", "/me/subscriptions", { accepted });
    } catch (no) {
      this.setData({ problem: no.message });
    }
  },

  more() {
    wx.reLaunch({ url: "/pages/due/due" });
  },
});
