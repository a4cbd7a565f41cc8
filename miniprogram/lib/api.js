// Calls to /api/v1. A no comes back as {code, message}; the message is the sentence to show.
const config = require("../config");

let token = "";
const SILENT = { code: "SILENT", message: "网络不好，没有连上。什么都没有办，请再试一次。" };
// Who asks what became of something may have paid already.
const UNSEEN = { code: "SILENT", message: "网络不好，查不到结果。钱没有丢，请不要再付，过一会儿再看。" };

/** @param {string} method */
const silence = (method) => (method === "GET" ? UNSEEN : SILENT);
// After half an hour a session ends, and with it the names its people had.
const ANEW = { code: "ANEW", message: "停得太久了，请再选一次。刚才这一步没有办。" };
/** @param {string} path @param {any} body */
const namesSomebody = (path, body) => /\/people\//.test(path) || Boolean(body && body.items);

/** @typedef {{code: string, message: string, fields?: Record<string, string>}} No */

/**
 * One question. Where the session is over a new one is entered, once, and it is asked again; ANEW if it names people
 * by the names of the former session.
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [header]
 * @returns {Promise<any>} the answer; rejected with a No
 */
async function call(method, path, body, header) {
  const asked = token;
  try {
    return await ask(method, path, body, header);
  } catch (no) {
    if (/** @type {No} */ (no).code !== "NO_SESSION") throw no;
  }
  try {
    if (token === asked) await enter();
  } catch (no) {
    throw no === SILENT ? silence(method) : no;
  }
  if (namesSomebody(path, body)) throw ANEW;
  return ask(method, path, body, header);
}

/**
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [header]
 * @returns {Promise<any>}
 */
function ask(method, path, body, header = {}) {
  const all = { ...header, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  return new Promise((resolve, reject) => {
    wx.request({
      url: config.api + path,
      method,
      data: body,
      header: { "Content-Type": "application/json", ...all },
      timeout: 15000,
      success(answer) {
        if (answer.statusCode >= 200 && answer.statusCode < 300) resolve(answer.data);
        else reject(answer.data && Object(answer.data).message ? answer.data : silence(method));
      },
      fail: () => reject(silence(method)),
    });
  });
}

let entering = /** @type {Promise<void> | null} */ (null);

/** A session for this WeChat user: with his account, if he proved a phone before. What was chosen went with the former
 * one. Whoever comes meanwhile waits for the same. */
function enter() {
  entering = entering || anew().finally(() => (entering = null));
  return entering;
}

async function anew() {
  const code = await new Promise((done, fail) =>
    wx.login({ success: (/** @type {any} */ told) => done(told.code), fail: () => fail(SILENT) }),
  );
  forget();
  const { tiers, levels, rises, items } = getApp().globalData;
  const chosen = [tiers, levels, rises].map((each) => Object.keys(each).length);
  const lost = chosen.some((many) => many > 0) || items.length > 0;
  Object.assign(getApp().globalData, { tiers: {}, levels: {}, rises: {}, items: [], lost });
  token = (await ask("POST", "/session", { code })).token;
}

/** @param {string} code six digits; the token changes */
async function confirm(code) {
  const told = await call("POST", "/session/phone/confirm", { code });
  token = told.token;
}

/** A paper into a file of the phone, and shown. @param {string} code */
function showPaper(code) {
  return new Promise((resolve, reject) => {
    wx.downloadFile({
      url: `${config.api}/proofs/${code}/file`,
      header: { Authorization: `Bearer ${token}` },
      success: ({ tempFilePath, statusCode }) => {
        if (statusCode !== 200) return reject(UNSEEN);
        wx.openDocument({ filePath: tempFilePath, fileType: "pdf", success: resolve, fail: () => reject(UNSEEN) });
      },
      fail: () => reject(UNSEEN),
    });
  });
}

function forget() {
  token = "";
}

module.exports = { call, confirm, showPaper, forget };
