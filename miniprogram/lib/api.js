// Calls to /api/v1. A no comes back as {code, message}; the message is the sentence to show.
const config = require("../config");

let token = "";
const SILENT = { code: "SILENT", message: "网络不好，没有连上。什么都没有办，请再试一次。" };
// Who asks what became of something may have paid already.
const UNSEEN = { code: "SILENT", message: "网络不好，查不到结果。钱没有丢，请不要再付，过一会儿再看。" };

/** @typedef {{code: string, message: string, fields?: Record<string, string>}} No */

/**
 * @param {"GET" | "POST" | "DELETE"} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [header]
 * @returns {Promise<any>} the answer; rejected with a No
 */
function call(method, path, body, header = {}) {
  const silent = method === "GET" ? UNSEEN : SILENT;
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
        else reject(answer.data && Object(answer.data).message ? answer.data : silent);
      },
      fail: () => reject(silent),
    });
  });
}

/** A session for this WeChat user: with his account, if he proved a phone before. */
function enter() {
  return new Promise((resolve, reject) => {
    wx.login({
      success: ({ code }) => {
        forget();
        call("POST", "/session", { code }).then((told) => {
          token = told.token;
          resolve(told);
        }, reject);
      },
      fail: () => reject(SILENT),
    });
  });
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

module.exports = { call, enter, confirm, showPaper, forget };
