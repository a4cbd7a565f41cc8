// The privacy notice, word for word as the page of the website has it: what is agreed to can be read where it is asked.
const { helpPhone, payee } = require("../config");

module.exports = [
  { head: "我们要什么", words: "手机号、姓名、身份证号。只用来查您和家人要交多少、记下谁交了、把结果告诉您。" },
  {
    head: "我们不要什么",
    words:
      "不要通讯录、位置、照片、人脸，不要银行卡号和密码。付款在微信、支付宝或云闪付里完成。网页记住字号、认得您常用的手机，靠浏览器里的小记号（Cookie），只在本站用，不记您看过什么。",
  },
  {
    head: "谁看得到",
    words:
      "办这件事的税务、人社、医保人员和本村代办员，只看得到经办需要的。每次看完整号码都要写明原因，有记录可查。替您交钱的家人只看得到交什么、多少钱、交没交，看不到您属于哪类人群。",
  },
  { head: "放在哪里，放多久", words: "加密存放。缴费记录按会计档案规定保存三十年；通知里的手机号半年后清空，三年没登录的账号清空手机号和微信；家人移除以后，这个账号里就没有他了。" },
  {
    head: "您可以",
    words: `在“我的”里移除家人、退出其他手机上的登录。要更正或有疑问，打 ${helpPhone}。不同意也能交：找代办员、去办税大厅或银行网点。`,
  },
  { head: "收款和经办单位", words: `${payee}。本说明自2021年11月起有效。` },
];
