// Inside WeChat its own dialogue takes the payment. What it says is believed of nothing: the page asks our books.
"use strict";
const call = () => document.querySelector("[data-pay]");

function pay() {
  const button = call();
  if (!button) return;
  WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(button.dataset.pay), () => location.reload());
}

function ready() {
  const button = call();
  if (!button || sessionStorage.getItem(button.dataset.number)) return; // once by itself, then by the button
  sessionStorage.setItem(button.dataset.number, "called");
  pay();
}

setTimeout(() => {
  const told = document.querySelector("[data-no-bridge]");
  if (told && !window.WeixinJSBridge) told.hidden = false; // what was to answer is not here
}, 3000);

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-pay]") && window.WeixinJSBridge) pay();
});
if (window.WeixinJSBridge) ready();
else document.addEventListener("WeixinJSBridgeReady", ready);
