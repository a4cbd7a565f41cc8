"""Callbacks of the far side: signed, sealed, sent from threads of their own, repeated until acknowledged."""

import heapq
import itertools
import json
import logging
import time
from collections import deque
from dataclasses import dataclass
from threading import Condition, Thread
from typing import Any

import urllib3

from payments.sandbox.config import SandboxConfig
from payments.sandbox.faults import Faults
from payments.sandbox.shelf import Document
from payments.sandbox.signing import random_digits, seal_resource
from payments.sandbox.wechat_trades import Trades, transaction_of
from payments.sandbox.wechat_voice import Voice

# Documented pauses after an unsuccessful callback, in seconds; then never again.
RETRY_AFTER_S = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)
_THREADS = 8
_SIGNTEST = "WECHATPAY/SIGNTEST/"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One delivery to make: the trade, how many went before, and whether its failure leads to another."""

    trade: Document
    attempt: int
    repeats: bool = True
    signature: str = "right"  # or "wrong", "signtest"


class Notifier:
    """Sends callbacks; `deliveries` tells what was sent and what came back."""

    def __init__(self, config: SandboxConfig, voice: Voice, trades: Trades, faults: Faults) -> None:
        self._voice, self._trades, self._faults = voice, trades, faults
        self.factor = config.notify_factor
        self.public_key_percent = config.callback_public_key_percent
        self.deliveries: deque[dict[str, Any]] = deque(maxlen=10_000)
        self._client = urllib3.PoolManager(maxsize=_THREADS, retries=False, timeout=urllib3.Timeout(5.0))
        self._due: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._changed = Condition()
        self._stopped = False
        self._threads = [Thread(target=self._work, daemon=True, name=f"callback-{n}") for n in range(_THREADS)]
        for thread in self._threads:
            thread.start()

    def resume(self) -> None:
        """After a restart: what was paid and never acknowledged is told again."""
        for trade in self._trades.paid():
            if not trade["acknowledged"]:
                self._later(Job(trade, 0), 0)

    def tell(self, trade: Document) -> None:
        """A trade was paid: send its callback soon, with whatever faults wait for it."""
        delay = self._faults.take("delay", trade["number"], "callback")
        after = delay["seconds"] if delay else 0.0
        if self._faults.take("callback_signtest", trade["number"]):
            self._later(Job(trade, 0, repeats=False, signature="signtest"), after)
        duplicate = self._faults.take("callback_duplicate", trade["number"])
        for _ in range(duplicate.get("times", 2) - 1 if duplicate else 0):
            self._later(Job(trade, 0, repeats=False), after)
        self._later(Job(trade, 0), after)

    def tell_now(self, trade: Document) -> None:
        """The first delivery in the caller's thread; what it does not achieve, retries will."""
        self._handled(Job(trade, 0))

    def stop(self) -> None:
        """Let the threads end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=6)
        self._client.clear()

    def _later(self, job: Job, seconds: float) -> None:
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), job))
            self._changed.notify_all()  # every idle thread waits for the next due moment, whoever gets there first

    def _work(self) -> None:
        while (job := self._next()) is not None:
            self._handled(job)

    def _next(self) -> Job | None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None

    def _handled(self, job: Job) -> None:
        if self._delivered(job):
            self._trades.acknowledge(job.trade["number"])
        elif job.repeats and job.attempt < len(RETRY_AFTER_S):
            self._later(Job(job.trade, job.attempt + 1), RETRY_AFTER_S[job.attempt] * self.factor)

    def _delivered(self, job: Job) -> bool:
        number = job.trade["number"]
        if self._faults.take("callback_drop", number):
            status = 0
        else:
            forged = self._faults.take("callback_wrong_signature", number)
            status = self._send(job.trade, "wrong" if forged else job.signature)
        with self._changed:
            self.deliveries.append({"number": number, "attempt": job.attempt, "status": status})
        return status in (200, 204)

    def _send(self, trade: Document, signature: str) -> int:
        """The status that came back; 0 for none."""
        body = self._envelope(trade)
        by_public_key = int(random_digits(2)) < self.public_key_percent
        headers = self._voice.signed(body, by_public_key=by_public_key)
        if signature == "wrong":
            headers |= {
                "Wechatpay-Signature": self._voice.signed(b"else", by_public_key=by_public_key)["Wechatpay-Signature"]
            }
        elif signature == "signtest":
            headers["Wechatpay-Signature"] = _SIGNTEST + headers["Wechatpay-Signature"][len(_SIGNTEST) :]
        headers |= {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0"}
        try:
            url = trade["wanted"]["notify_url"]
            return self._client.request("POST", url, body=body, headers=headers, redirect=False).status
        except urllib3.exceptions.HTTPError as error:
            log.info("callback for %s not delivered: %s", trade["number"], type(error).__name__)
            return 0

    def _envelope(self, trade: Document) -> bytes:
        clear = json.dumps(transaction_of(trade), ensure_ascii=False, separators=(",", ":")).encode()
        resource = {"original_type": "transaction", **seal_resource(self._voice.keys.api_v3_key, clear, "transaction")}
        envelope = {
            "id": trade["event_id"],
            "create_time": trade["success_time"],
            "resource_type": "encrypt-resource",
            "event_type": "TRANSACTION.SUCCESS",
            "summary": "支付成功",
            "resource": resource,
        }
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
