// The platform of a mini-program as far as ours needs it: pages, requests over real HTTP, WeChat's pay dialogue by the
// sandbox's phone. What it opens is kept in `opened`.
const path = require("node:path");

const HERE = path.join(__dirname, "..");
const pages = new Map();
const opened = { url: "", documents: 0, logins: 0, tapping: false, asked: /** @type {string[]} */ ([]) };
const world = { api: "", sandbox: "", openid: "" };

function start(told) {
  Object.assign(world, told);
  require(path.join(HERE, "config.js")).api = world.api;
  global.App = (options) => {
    global.theApp = options;
  };
  global.getApp = () => global.theApp;
  global.Page = (options) => pages.set(opened.file, options);
  global.wx = platform();
  require(path.join(HERE, "app.js"));
  global.theApp.onLaunch();
}

/** A page as it is opened: its data, its functions, setData. */
function open(name) {
  opened.file = name;
  const file = path.join(HERE, `pages/${name}/${name}.js`);
  delete require.cache[require.resolve(file)];
  require(file);
  const options = pages.get(name);
  const page = Object.assign(Object.create(null), options, { data: structuredClone(options.data) });
  page.setData = (more) => Object.assign(page.data, more);
  return page;
}

/** A tap: what a dialogue may be opened from is over with the handler's first await. */
function tap(act) {
  opened.tapping = true;
  const going = act();
  opened.tapping = false;
  return going;
}

function platform() {
  const go = ({ url }) => {
    opened.url = url;
  };
  return {
    getAppBaseInfo: () => ({ fontSizeScaleFactor: 1.4 }),
    login({ success, fail }) {
      opened.logins += 1; // a code is good for one session
      const body = JSON.stringify({ phone: "mini" });
      const headers = { "Content-Type": "application/json" };
      fetch(`${world.sandbox}/phone/login-code`, { method: "POST", headers, body })
        .then(async (answer) => success({ code: (await answer.json()).code }))
        .catch(fail);
    },
    redirectTo: go,
    navigateTo: go,
    reLaunch: go,
    navigateBack: () => go({ url: "back" }),
    request({ url, method, data, header, success, fail }) {
      fetch(url, { method, headers: header, body: data === undefined ? undefined : JSON.stringify(data) })
        .then(async (answer) => success({ statusCode: answer.status, data: await answer.json() }))
        .catch(fail);
    },
    requestPayment(asked) {
      const body = JSON.stringify({ code_url: asked.package.replace("prepay_id=", ""), openid: world.openid });
      const headers = { "Content-Type": "application/json" };
      fetch(`${world.sandbox}/phone/pay`, { method: "POST", headers, body }).then(() => asked.complete({}));
    },
    downloadFile({ url, header, success, fail }) {
      fetch(url, { headers: header })
        .then(async (answer) => {
          opened.file = Buffer.from(await answer.arrayBuffer()).subarray(0, 5).toString();
          success({ tempFilePath: "paper.pdf", statusCode: answer.status });
        })
        .catch(fail);
    },
    openDocument({ success }) {
      opened.documents += 1;
      success({});
    },
    requestSubscribeMessage({ tmplIds, complete }) {
      if (!opened.tapping) return complete({ errMsg: "requestSubscribeMessage:fail can only be invoked by user TAP gesture." });
      opened.asked = tmplIds;
      complete(Object.fromEntries(tmplIds.map((id) => [id, "accept"])));
    },
  };
}

module.exports = { start, open, tap, opened };
