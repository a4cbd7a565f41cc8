"""What can go wrong with money. Each has a stable code and a sentence for the person in front of the screen."""

from core.errors import BadInput, Conflict, NotFound, Refused, TryLater


class ForgedCallback(Refused):
    """A callback that does not prove where it comes from. `args[0]` says which check failed, for the log."""

    status = 401
    text = "签名验证失败。"


class SignatureProbe(ForgedCallback):
    """A gateway tries, as a routine, whether a wrong signature is refused; the true message follows."""

    text = "签名探测已按规定拒绝。"


class UnknownGateway(NotFound):
    """A channel that is not configured here; its callback path does not exist (A26)."""

    text = "没有这个缴费渠道。"


class GatewaySilent(TryLater):
    """No usable answer: time-out, network, 5xx, unverifiable. What happened there is unknown; ask again."""

    text = "正在向支付平台核对，钱没有丢，请不要重复付款。"


class GatewayRefused(Conflict):
    """The gateway said a definite no (its code is in `args[0]`); nothing can be paid under this number."""

    text = "支付平台没有接受这一笔，请稍后再试或换一种方式。"


class GatewayTakesNobody(GatewayRefused):
    """Refused whoever pays: our contract, our account or our application there is not as it must be."""

    text = "这个渠道现在收不了款，没有扣钱，请换一种付款方式。"


class ChannelPaused(Conflict):
    """The offices paused this channel: it takes no new payment, and another way is open. The words are theirs."""

    text = "这个渠道暂停收款，没有扣钱，请换一种付款方式。"

    def __init__(self, gateway: str, words: str = "") -> None:
        super().__init__(gateway)
        self._words = words

    def sentence(self) -> str:
        """What the offices wrote for the residents."""
        return self._words or self.text


class ChannelOpen(Conflict):
    """Somebody has opened it, or it was never paused."""

    text = "这个渠道没有暂停，请刷新再看。"


class TooLateToStart(GatewayRefused):
    """So little is left of an order's time that a gateway would lengthen it, or nobody could pay in it."""

    text = "马上就到截止时间了，这一笔来不及付，没有扣钱。"


class GatewayBusy(GatewaySilent):
    """They have heard too much of us: the same again in a minute."""

    text = "支付平台说问得太频繁了，一分钟后会自动再问。"


class GatewayShort(TryLater):
    """Our balance at the gateway does not cover a refund now: later, with the same number."""

    text = "支付平台上的余额暂时不够退款，稍后会自动再退。"


class StatementNotReady(TryLater):
    """The gateway has not made the day's statement yet: ask again later."""

    text = "支付平台还没有出这一天的对账单，稍后会自动再取。"


class NoStatement(StatementNotReady):
    """The gateway says that there is none of that day; whether there will be one it does not say."""

    text = "支付平台说没有这一天的对账单，稍后会自动再取。"


class BadStatement(BadInput):
    """A statement that contradicts itself or its documented form; `args[0]` names the line and what is wrong."""

    text = "对账单内容不对，没有导入。"


class AlreadyPaidThere(Conflict):
    """The gateway will not close or take this number because it is paid: ask it, then book."""

    text = "这一笔好像已经付过了，正在核对，请不要重复付款。"


class NoSuchPayment(NotFound):
    """No payment of that number, or not yours."""

    text = "没有找到这一笔缴费。"


class BillSettled(Conflict):
    """Somebody has paid this item meanwhile."""

    text = "这一项已经有人交过了，不用再交。"


class PledgeSpent(Conflict):
    """What a sponsor would have paid of a bill is used up: without it another price holds."""

    text = "资助款刚刚用完了，没有扣钱。请回上一页再看一次应交多少。"


class PaymentUnderWay(Conflict):
    """Another live payment holds this bill (decision 6): its number, and where nobody can end it before, its end."""

    text = "这一项正在付款。请先付完，或者等它结束后再试。"

    def __init__(self, number: str, *, title: str = "", ends: str = "") -> None:
        """`title` of the gateway and `ends`, the time, if only time ends it."""
        super().__init__(number)
        self.number, self._title, self._ends = number, title, ends

    def sentence(self) -> str:
        """With the time from which another way is open."""
        if not self._ends:
            return self.text
        return f"这一项有一个还没失效的{self._title}付款码，请先用它付；不用的话，等到{self._ends}以后再换别的方式。"


class DifferentHouseholds(BadInput):
    """One payment covers the bills of one household only."""

    text = "不是同一户的人，请分开交。"


class BookedDifferently(Conflict):
    """The same cause was booked before with other figures: never overwritten, always looked at."""

    text = "账目与以前记的不一样，已转人工核对。"


class KeyReused(Conflict):
    """The idempotency key came before with another request (INV-27)."""

    text = "请求编号重复使用了，请刷新页面再试。"


class NoSuchRefund(NotFound):
    """No refund of that number."""

    text = "没有找到这一笔退款。"


class NothingToGiveBack(Conflict):
    """What is to be given back was not paid, was given back already, or was asked for before (INV-11)."""

    text = "这一笔没有可退的钱，或者已经申请过退款了。"


class OwnRefund(Refused):
    """Who did one step of a refund does no other (INV-33)."""

    text = "同一笔退款，一个人只能办一步：申请、受理、复核、审批要由不同的人办。"


class RefundDecided(Conflict):
    """Somebody has decided on it, or it has moved on."""

    text = "这一笔退款已经有人处理过了，请刷新再看。"


class RefundStepMissing(Conflict):
    """Another step comes before this one."""

    text = "这一笔退款还没走到这一步：先税务受理，再由部门复核，最后审批。"


class RefundChanged(Conflict):
    """What can be given back is not what the screen showed (A68)."""

    text = "可以退的钱和您刚才看到的不一样了，请刷新后再看。"


class RaisedSince(Conflict):
    """A pension whose tier was raised since: the difference stands on it, and goes back first (decision 0048)."""

    text = "这一项后来补差价提高过档次。请先退“补差提档”那一笔，退了再来退这一笔。"


class RefundTooOld(Conflict):
    """The gateway gives nothing back any more for a payment of that age."""

    text = "付款时间太久，不能再原路退回，请用银行转账退。"


class NoSuchSuspense(NotFound):
    """No money in doubt of that cause."""

    text = "没有找到这一笔待查款。"


class SuspenseSolved(Conflict):
    """Somebody has solved it."""

    text = "这一笔待查款已经处理过了，请刷新再看。"


class SuspenseUnfit(Conflict):
    """The bills do not sum up to the money, are not open, their price was over, or somebody is paying them."""

    text = "这些缴费单和这笔钱对不上：金额要分文不差，缴费单要没交、没过期、没人正在付，钱也没有在退。"


class SuspenseChanged(Conflict):
    """What is proposed is not what the screen showed."""

    text = "提出的内容和您刚才看到的不一样了，请刷新后再看。"


class NotYoursToWithdraw(Refused):
    """Only who proposed something takes it back."""

    text = "只有提出的人自己能撤回。"


class NothingProposed(Conflict):
    """Nobody has proposed bills for it."""

    text = "还没有人提出用这笔钱交哪几项。"


class OwnSuspense(Refused):
    """Who proposes does not agree (INV-33)."""

    text = "提出的人不能自己同意，请换一个人。"
