// Where the district's server answers. The operator writes his own address here before the first upload.
module.exports = { api: "https://pay.example.gov.cn/api/v1", helpPhone: "0632-12366", payee: "峄城区居民两险缴费" };
