"""The two journeys of the main job as a person sees them, on a phone of 375 × 812."""

from tests.app.web.test_proofs import book_at_the_treasury
from tests.browsing import a_phone, code_in
from tests.system import last_text, second_code


def test_a_resident_pays_for_the_family(phone, district, running):
    def look(name):
        return phone.look(f"resident-{phone.size}-{name}")

    phone.open("/")
    assert "12月31日" in look("1-home")
    phone.press("交社保费")
    number = a_phone()
    phone.fill("手机号", number[:-1])
    assert "6位验证码" in look("2-phone")
    phone.press("发验证码")
    assert "手机号要11位" in look("2-phone-wrong")
    phone.fill("手机号", number)
    phone.press("发验证码")
    phone.fill("验证码", code_in(last_text(running.url, number)))
    phone.who(district.adult.name, district.adult.id_number[:-1])
    phone.page.get_by_label("我同意").check()
    assert "第一次来" in look("2-code")
    phone.press("登录，看要交多少")
    assert "身份证号要18位" in look("2-who-wrong")
    phone.who(district.adult.name, district.adult.id_number)
    phone.press("查一查")
    phone.page.get_by_text("为什么是这个数").first.click()
    assert "财政补助 580 元" in look("3-due")

    phone.press("选养老档次")
    assert "政府再补 80 元" in look("4-tier")
    phone.page.locator('input[value="50000"]').check()
    phone.press("选好了")
    phone.press("添加家人")
    phone.who(district.elder.name, district.elder.id_number)
    look("5-who")
    phone.press("查一查")
    assert "不用交钱" in look("5-family")
    phone.press("办好它")
    assert "已经办好了" in look("6-settled")

    phone.press("去交费")
    assert "820" in look("7-confirm")
    phone.press("用微信付 820 元")
    assert "只能付这一次" in look("8-code")
    pay_on_the_phone(phone, phone.page.get_by_role("link", name="打开付款人的手机").get_attribute("href"))
    phone.page.get_by_role("heading", name="缴费成功").wait_for()
    assert "本页不是税务凭证" in look("9-paid")
    assert paper(phone, "下载缴费确认单").startswith("缴费确认单-")
    phone.open("/paid")
    assert "已经交过了" in look("10-paid-items")
    phone.press("缴费凭证")
    assert "正在入库" in look("10-proof-later")
    book_at_the_treasury(running, "320.00")
    phone.page.reload()
    assert "谁都可以查真假" in look("10-proof")
    code = paper(phone, "下载缴费证明").rpartition("-")[2].removesuffix(".pdf")
    phone.open(f"/check?code={code}")
    assert "请对照纸上的内容" in look("10-checked")
    phone.open("/paid")
    phone.press("交过的钱，往年的也在")
    assert "820" in look("11-history")
    phone.open("/me")
    assert "我替谁交" in look("12-me")
    phone.open("/privacy")
    look("13-privacy")


def test_a_migrant_is_asked_first_and_pays_from_afar(phone, district, running):
    with running.office.engine.begin() as connection:
        connection.exec_driver_sql("update person set is_migrant = true where id = %s", (district.adult.id,))

    def look(name):
        return phone.look(f"migrant-{phone.size}-{name}")

    phone.sign_in(district.adult)
    phone.press("去交费")
    assert "在外地交过吗" in look("1-question")
    phone.press("交过了")
    assert "不用在这里交了" in look("2-elsewhere")
    phone.page.go_back()
    phone.press("没有交过，在这里交")
    phone.press("用微信付 320 元")
    pay_on_the_phone(phone, phone.page.get_by_role("link", name="打开付款人的手机").get_attribute("href"))
    phone.page.get_by_role("heading", name="缴费成功").wait_for()
    book_at_the_treasury(running, "320.00")
    phone.open("/paid")
    phone.press("缴费凭证")
    assert paper(phone, "下载缴费证明").endswith(".pdf")


def test_a_page_is_read_aloud(phone, district, running):
    phone.page.add_init_script("window.speechSynthesis.speak = (words) => { window.said = words.text; };")
    phone.sign_in(district.adult)
    phone.press("读给我听")

    said = phone.page.evaluate("window.said")
    assert "要交多少" in said and "320 元" in said and "张某例" in said
    assert "退出" not in said and "为什么是这个数" not in said


def test_a_resident_is_told_why_not(phone, district, running):
    def look(name):
        return phone.look(f"refusal-{phone.size}-{name}")

    phone.sign_in(district.worker)
    assert "不用再交居民医保" in look("employee")
    phone.open("/pay/YC211105000000019B205GPS7C")
    assert "没有找到" in look("not-found")
    phone.open("/check")
    phone.fill("通知里的核对码，或凭证上的查验码", "ZZZZZZZZ")
    phone.page.get_by_role("button", name="核对", exact=True).click()
    assert "请不要相信那条通知" in look("check")


def test_a_silent_gateway_frightens_nobody(phone, district, running):
    running.outside.fault("html", on="create", count=2)
    phone.sign_in(district.adult)
    phone.press("去交费")
    phone.press("用微信付 320 元")
    assert "请不要再付一次" in phone.look(f"checking-{phone.size}")
    running.outside.clear()
    phone.press("我没有付，取消这一笔")
    assert "没有扣钱" in phone.look(f"closed-{phone.size}")


def test_an_agent_serves_a_household(phone, district, collecting, running):
    def look(name):
        return phone.look(f"agent-{phone.size}-{name}")

    phone.open("/agent/")
    phone.fill("账号", collecting[0])
    phone.fill("密码", collecting[1])
    phone.fill("动态码", second_code(running.url, collecting[0]))
    assert "代办员登录" in look("1-login")
    phone.press("登录")
    assert district.adult.name in look("2-village")
    phone.fill("姓名或户号", "示例")
    phone.press("找人")
    phone.page.get_by_role("link", name=district.adult.name).click()
    assert "要交 320 元" in look("3-person")
    phone.page.get_by_label("养老档次").first.select_option("30000")
    assert "620" in look("4-tier")
    phone.page.get_by_text("同一户还有 3 人").click()
    assert district.poor.name in look("4-tier-family")
    phone.press("告诉他了，办好它")
    assert "政府替您交，什么都不用办" in look("5-settled")
    phone.page.get_by_role("button", name="出微信码").first.click()
    assert "念一遍" in look("6-code")
    pay_on_the_phone(phone, phone.page.get_by_role("link", name="打开付款人的手机").get_attribute("href"))
    phone.page.get_by_role("heading", name="缴费成功").wait_for()
    assert "下一位" in look("7-paid")
    phone.press("下一位")
    assert "办好了" in look("8-next")
    phone.fill("姓名或户号", "没有这人")
    phone.press("找人")
    assert "没有找到" in look("9-nobody")


def paper(phone, words):
    """The name of the file behind a button."""
    with phone.page.expect_download() as taken:
        phone.press(words)
    assert taken.value.path().read_bytes().startswith(b"%PDF")
    return taken.value.suggested_filename


def pay_on_the_phone(phone, address):
    """The payer's own phone is another browser."""
    other = phone.page.context.browser.new_page()
    other.goto(address)
    other.get_by_role("button", name="确认支付").click()
    other.get_by_text("支付成功").first.wait_for()
    other.close()
