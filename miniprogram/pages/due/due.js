// What is due for everybody of the account, the tier or level, and what is to be paid now. No amount is ever typed but
// that of a pension, in a year with any amount between two.
const api = require("../../lib/api");
const { yuan } = require("../../lib/words");

const LOST = "停得太久了，请再选一次。";

/** @param {any} tier */
const named = (tier) => `${yuan(tier.tier)} 元档${tier.gov_subsidy ? `，政府再补 ${yuan(tier.gov_subsidy)} 元` : ""}`;

/** @param {any} level */
const ofLevel = (level) => `${level.name}，${level.personal_due ? `交 ${yuan(level.personal_due)} 元` : "不用交钱"}`;

/** @param {any} tier */
const higher = (tier) => `提到 ${yuan(tier.tier)} 元档，补 ${yuan(tier.personal_due)} 元`;

/** Whole yuan as somebody types them, in fen; 0 for what is no amount. @param {string} typed */
const fen = (typed) => (/^[0-9]{1,7}$/.test(typed.trim()) ? Number(typed.trim()) * 100 : 0);

/** @param {string} kind @param {Record<string, number>} chosen */
const asked = (kind, chosen) => Object.entries(chosen).map(([item, of]) => `${kind}.${encodeURIComponent(item)}=${of}`);

Page({
  data: { large: false, people: /** @type {any[]} */ ([]), homes: /** @type {any[]} */ ([]), canPay: true, problem: "" },

  async onShow() {
    this.setData({ large: getApp().globalData.large });
    await this.trying(() => this.load());
  },

  /** @param {() => Promise<any>} act */
  async trying(act) {
    this.setData({ problem: "" });
    try {
      await act();
    } catch (no) {
      if (no.code === "LOGIN_REQUIRED") wx.redirectTo({ url: "/pages/phone/phone" });
      else this.setData({ problem: no.message });
      if (no.code === "ANEW") await this.load(); // under the names of the new session
    }
  },

  async load() {
    const me = await api.call("GET", "/me");
    if (!me.people.length) return wx.redirectTo({ url: "/pages/who/who" });
    const { tiers, levels, rises, items } = getApp().globalData;
    const query = [...asked("tier", tiers), ...asked("level", levels), ...asked("rise", rises)];
    const told = await api.call("GET", `/due${query.length ? `?${query.join("&")}` : ""}`);
    const people = told.people.map((/** @type {any} */ person) => ({
      ...person,
      due: person.due.map((/** @type {any} */ due) => this.shown(person, due, items)),
    }));
    const { lost } = getApp().globalData;
    getApp().globalData.lost = false;
    this.setData({ people, canPay: told.can_pay, homes: this.homes(people), ...(lost ? { problem: LOST } : {}) });
  },

  /** @param {any} person @param {any} due @param {string[]} items */
  shown(person, due, items) {
    const payable = due.eligible === "yes" && !due.settled && due.personal_due > 0;
    const field = `${person.person}:${due.insurance}@${due.year}${due.determination ? `:${due.determination}` : ""}`;
    const offered = due.tiers.filter((/** @type {any} */ tier) => tier.allowed && tier.personal_due);
    return {
      ...due,
      field,
      payable,
      ticked: payable && items.includes(field) === due.late, // of a former year only what he ticks himself
      words: due.personal_due === null ? "" : yuan(due.personal_due),
      offered: due.settled ? [] : offered,
      names: offered.map(named),
      choices: due.settled ? [] : due.levels.filter((/** @type {any} */ level) => level.allowed),
      levelNames: due.levels.filter((/** @type {any} */ level) => level.allowed).map(ofLevel),
      rise: due.rise ? this.shownRise(person, due) : null,
      bounds: due.amounts ? `${yuan(due.amounts.least)} 元到 ${yuan(due.amounts.most)} 元，整元` : "",
    };
  },

  /** A pension that is paid may be raised: no debt, so nothing is in the payment until somebody chose.
   * @param {any} person @param {any} due */
  shownRise(person, due) {
    const offered = due.rise.tiers.filter((/** @type {any} */ tier) => tier.allowed);
    const words = due.rise.personal_due ? yuan(due.rise.personal_due) : "";
    const of = { year: due.year, insurance: due.insurance, late: due.late, within: [], field: `${person.person}:${due.insurance}@${due.year}:rise` };
    return { ...due.rise, ...of, offered, names: ["不提了", ...offered.map(higher)], words };
  },

  /** House by house: one payment is for the people of one house. @param {any[]} people */
  homes(people) {
    return [...new Set(people.map((person) => person.household))].map((household) => {
      const own = people.filter((person) => person.household === household);
      const chosen = own.flatMap((person) => person.due).filter((due) => due.ticked || (due.rise && due.rise.words)).length;
      return { household, people: own, chosen };
    });
  },

  /** @param {WechatMiniprogram.BaseEvent} event */
  tick(event) {
    const { field } = event.currentTarget.dataset;
    const { items } = getApp().globalData;
    const place = items.indexOf(field);
    if (place < 0) items.push(field);
    else items.splice(place, 1);
    return this.trying(() => this.load());
  },

  /** @param {WechatMiniprogram.PickerChange} event */
  pick(event) {
    const { person, index } = event.currentTarget.dataset;
    const due = this.data.people.find((each) => each.person === person).due[index];
    const { tiers } = getApp().globalData;
    const item = `${person}@${due.year}${due.determination ? `:${due.determination}` : ""}`;
    tiers[item] = due.offered[Number(event.detail.value)].tier;
    return this.trying(() => this.load());
  },

  /** @param {WechatMiniprogram.PickerChange} event */
  pickLevel(event) {
    const { person, index } = event.currentTarget.dataset;
    const due = this.data.people.find((each) => each.person === person).due[index];
    getApp().globalData.levels[`${person}@${due.year}`] = due.choices[Number(event.detail.value)].level;
    return this.trying(() => this.load());
  },

  /** The first choice is none. @param {WechatMiniprogram.PickerChange} event */
  pickRise(event) {
    const { person, index } = event.currentTarget.dataset;
    const due = this.data.people.find((each) => each.person === person).due[index];
    const { rises } = getApp().globalData;
    const tier = due.rise.offered[Number(event.detail.value) - 1];
    if (tier) rises[`${person}@${due.year}`] = tier.tier;
    else delete rises[`${person}@${due.year}`];
    return this.trying(() => this.load());
  },

  /** What is typed as a pension; out of its bounds nothing is chosen, and it stands there. @param {any} event */
  typeAmount(event) {
    const { person, index } = event.currentTarget.dataset;
    const due = this.data.people.find((each) => each.person === person).due[index];
    const { tiers } = getApp().globalData;
    const item = `${person}@${due.year}${due.determination ? `:${due.determination}` : ""}`;
    const { least, most, step } = due.amounts;
    const amount = fen(event.detail.value);
    if (!event.detail.value.trim()) delete tiers[item];
    else if (amount < least || amount > most || amount % step) return this.setData({ problem: `金额不对：${due.bounds}。` });
    else tiers[item] = amount;
    return this.trying(() => this.load());
  },

  /** The medical bureau is asked to look. @param {WechatMiniprogram.BaseEvent} event */
  verify(event) {
    return this.trying(async () => {
      const { person, year } = event.currentTarget.dataset;
      await api.call("POST", `/people/${person}/verification?year=${year}`);
      await this.load();
    });
  },

  /** @param {WechatMiniprogram.BaseEvent} event */
  bureau(event) {
    wx.navigateTo({ url: `/pages/bureau/bureau?person=${encodeURIComponent(event.currentTarget.dataset.person)}` });
  },

  another() {
    wx.navigateTo({ url: "/pages/who/who" });
  },

  /** @param {WechatMiniprogram.BaseEvent} event */
  pay(event) {
    const home = this.data.homes.find((each) => each.household === event.currentTarget.dataset.household);
    getApp().globalData.wanted = home.people.flatMap((/** @type {any} */ person) =>
      person.due
        .flatMap((/** @type {any} */ due) => [
          ...(due.ticked ? [{ ...due, rise: false }] : []),
          ...(due.rise && due.rise.words ? [{ ...due.rise, rise: true }] : []),
        ])
        .map((/** @type {any} */ due) => ({ ...due, person: person.person, masked_name: person.masked_name })),
    );
    wx.navigateTo({ url: "/pages/confirm/confirm" });
  },
});
