"""How does a program drive a gateway? One method for each verb, over HTTP with the operator's token.

Answers are the API's JSON; amounts are {"unit", "value"}. A refusal comes back as GatewayRefused with the problem's
slug, status and members.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from gateway.bulk.sending import Sent, send_usage
from gateway.calling import Caller
from gateway.calling import GatewayRefused as GatewayRefused
from gateway.calling import Json as Json
from ledger.errors import Unavailable

ENDED = frozenset({"final", "reverted", "held", "needs_operator", "dry run"})
"""States in which a submission rests."""
RESTING = ENDED - {"held"}
"""A held one may be tried again any moment, so it rests only when nothing moves."""


class Client(Caller):
    """One carrier's gateway. Not shared between threads."""

    # BEFORE THE MONTH

    def sign_agreement(self, partner: str, *, dry_run: bool = False) -> Json:
        return self._post("/v1/agreement", {"partner": partner}, dry_run)

    def amend(self, partner: str, *, dry_run: bool = False) -> Json:
        """Both carriers call this, with the same file in agreements/amendments; the second one's call submits it."""
        return self._post("/v1/agreementAmendment", {"partner": partner}, dry_run)

    def publish_rates(
        self,
        partner: str,
        deck: str,
        effective_at: int,
        *,
        service: str = "voice",
        change: str | None = None,
        dry_run: bool = False,
    ) -> Json:
        """`deck` is a file name in the decks folder, `effective_at` in seconds."""
        body = {"partner": partner, "deck": deck, "effectiveAt": effective_at, "service": service, "change": change}
        return self._post("/v1/rateDeck", body, dry_run)

    def grant_credit(
        self, partner: str, limit: str, *, unit: str = "USD", policy: str = "refuse", dry_run: bool = False
    ) -> Json:
        """`limit` as a decimal: "400000.00"."""
        body = {"creditLimit": {"unit": unit, "value": limit}, "policy": policy}
        (found,) = self._list("/v1/settlementAccount", debtor=partner)
        return self._change("PATCH", found["href"], found["href"], body, dry_run)

    def set_payee(self, *, dry_run: bool = False) -> Json:
        return self._post("/v1/payee", None, dry_run)

    # THE MONTH

    def import_usage(
        self,
        path: Path,
        preset: str,
        *,
        batch_days: int = 7,
        zone: str | None = None,
        partner: str | None = None,
        direction: str | None = None,
        period: str | None = None,
        dry_run: bool = False,
    ) -> Json:
        """What no trunk and no column says is said beside it: zone, partner and direction, an inventory's month."""
        query: dict[str, str | int] = {"preset": preset, "name": path.name, "batchDays": batch_days}
        said = {"tz": zone, "partner": partner, "direction": direction, "period": period}
        query |= {name: value for name, value in said.items() if value is not None}
        if dry_run:
            query["dryRun"] = "true"
        with path.open("rb") as stream:
            answer: Json = self._answer(lambda: self._http.post("/v1/usageImport", params=query, content=stream)).json()
        return answer

    def submit(
        self, path: Path, partner: str, direction: str, *, service: str = "voice", key: str | None = None
    ) -> Sent:
        """Bring a file of usage records in bulk, as far as its declarations' submissions: each signed by our signer.

        Form and packing go by the file's name (.ndjson, .csv, .arrow, .parquet, then .gz or .zst). What broke off goes
        on where it stopped, under the same `key` (the file's hash unless given). Raises GatewayRefused, Unavailable.
        """
        return send_usage(self, path, partner, direction, service=service, key=key)

    def rate(self, partner: str | None = None, period: str | None = None, *, dry_run: bool = False) -> Json:
        return self._post("/v1/rating", {"partner": partner, "period": period}, dry_run)

    def seal(self, partner: str | None = None, period: str | None = None, *, dry_run: bool = False) -> Json:
        return self._post("/v1/cdrTransaction", {"partner": partner, "period": period}, dry_run)

    def commit(self, root: str, *, dry_run: bool = False) -> Json:
        return self._post(f"/v1/cdrTransaction/{root}/commit", None, dry_run)

    def declare(
        self,
        partner: str | None = None,
        period: str | None = None,
        *,
        igw: str | None = None,
        inline: bool = False,
        dry_run: bool = False,
    ) -> Json:
        """`igw` is what data and private lines cross the border by, instead of the partner's in gsc.toml."""
        body = {"partner": partner, "period": period, "igw": igw, "inline": inline}
        return self._post("/v1/declaration", body, dry_run)

    def correct(self, partner: str | None = None, period: str | None = None, *, dry_run: bool = False) -> Json:
        """Declare what came after its period, `period`, was closed: in the next open one."""
        return self._post("/v1/correction", {"partner": partner, "period": period}, dry_run)

    def close_period(self, period: str, partner: str | None = None, *, dry_run: bool = False) -> Json:
        return self._post("/v1/periodClose", {"period": period, "partner": partner}, dry_run)

    def reveal(self, partner: str, period: str, *, dry_run: bool = False) -> Json:
        return self._post("/v1/reveal", {"partner": partner, "period": period}, dry_run)

    def reconcile(self, partner: str, period: str, *, dry_run: bool = False) -> Json:
        return self._post("/v1/reconciliation", {"partner": partner, "period": period}, dry_run)

    def arbitrage(self, period: str | None = None, *, dry_run: bool = False) -> Json:
        """Search a month for detours; the last one declared if none is named."""
        return self._post("/v1/arbitrageSearch", {"period": period}, dry_run)

    def fraud(self, period: str | None = None, *, dry_run: bool = False) -> Json:
        """Search a month for fraud; the last one declared if none is named."""
        return self._post("/v1/fraudSearch", {"period": period}, dry_run)

    def dispute(
        self, partner: str, period: str, *, unrevealed: bool = False, again: bool = False, dry_run: bool = False
    ) -> Json:
        """`unrevealed` disputes in full what the partner did not reveal, `again` what we withdrew."""
        body = {"partner": partner, "period": period, "unrevealed": unrevealed, "again": again}
        return self._post("/v1/dispute", body, dry_run)

    def resolve(self, dispute_id: str, credited: str, *, unit: str = "USD", dry_run: bool = False) -> Json:
        """Both carriers call this with the same figure; the second one's call submits it."""
        body = {"credited": {"unit": unit, "value": credited}}
        return self._post(f"/v1/dispute/{dispute_id}/resolution", body, dry_run)

    def withdraw(self, dispute_id: str, *, dry_run: bool = False) -> Json:
        return self._post(f"/v1/dispute/{dispute_id}/withdrawal", None, dry_run)

    def accept(self, partner: str, period: str, *, dry_run: bool = False) -> Json:
        """Both carriers call this; the second one's call submits the statement."""
        bill = f"/v1/customerBill/{partner}.{period}"
        return self._change("POST", bill, f"{bill}/acceptance", None, dry_run)

    def net(self, currency: str = "USD", *, dry_run: bool = False) -> Json:
        return self._post("/v1/nettingCycle", {"currency": currency}, dry_run)

    def pay(
        self,
        payable_id: str,
        amount: str | None = None,
        *,
        unit: str = "USD",
        key: str | None = None,
        dry_run: bool = False,
    ) -> Json:
        """Under one `key` a payment is made once, however often it is asked for."""
        body = {"payable": payable_id, "amount": None if amount is None else {"unit": unit, "value": amount}}
        return self._post("/v1/payment", body, dry_run, key)

    def confirm(
        self, payable_id: str, amount: str, bank_reference: str, *, unit: str = "USD", dry_run: bool = False
    ) -> Json:
        body = {"payable": payable_id, "amount": {"unit": unit, "value": amount}, "bankReference": bank_reference}
        return self._post("/v1/paymentConfirmation", body, dry_run)

    def confirm_from_bank(self, path: Path, *, dry_run: bool = False) -> Json:
        """Confirm what a bank's camt.053 or camt.054 file says arrived."""
        query = {"name": path.name} | ({"dryRun": "true"} if dry_run else {})
        with path.open("rb") as stream:
            answer = self._answer(lambda: self._http.post("/v1/bankStatement", params=query, content=stream))
        told: Json = answer.json()
        return told

    def age(self, *, dry_run: bool = False) -> Json:
        return self._post("/v1/ageing", None, dry_run)

    def deposit(
        self, partner: str, amount: str, *, unit: str = "USD", key: str | None = None, dry_run: bool = False
    ) -> Json:
        """Under one `key` a deposit is made once, however often it is asked for."""
        return self._post("/v1/deposit", {"partner": partner, "amount": {"unit": unit, "value": amount}}, dry_run, key)

    def withdraw_deposit(self, partner: str, amount: str, *, unit: str = "USD", dry_run: bool = False) -> Json:
        body = {"partner": partner, "amount": {"unit": unit, "value": amount}}
        return self._post("/v1/depositWithdrawal", body, dry_run)

    def apply_deposit(
        self, payable_id: str, amount: str | None = None, *, unit: str = "USD", dry_run: bool = False
    ) -> Json:
        body = {"payable": payable_id, "amount": None if amount is None else {"unit": unit, "value": amount}}
        return self._post("/v1/depositApplication", body, dry_run)

    def seize_deposit(self, payable_id: str, *, dry_run: bool = False) -> Json:
        return self._post("/v1/depositSeizure", {"payable": payable_id}, dry_run)

    # THE MEMBERS

    def propose(self, decision: str, *, dry_run: bool = False, **arguments: str) -> Json:
        """`arguments` as `gsc members propose` takes them; `from` is written `from_`."""
        named = {name.rstrip("_"): value for name, value in arguments.items()}
        return self._post("/v1/memberProposal", {"decision": decision, "arguments": named}, dry_run)

    def approve(self, proposal_id: str, *, dry_run: bool = False) -> Json:
        return self._post(f"/v1/memberProposal/{proposal_id}/approval", None, dry_run)

    def execute(self, proposal_id: str, *, dry_run: bool = False) -> Json:
        return self._post(f"/v1/memberProposal/{proposal_id}/execution", None, dry_run)

    def join(self, *, dry_run: bool = False) -> Json:
        return self._post("/v1/membership", None, dry_run)

    # WHAT STANDS

    def members(self) -> Json:
        return self._get("/v1/membership")

    def health(self) -> Json:
        return self._get("/v1/health")

    def bill(self, partner: str, period: str) -> Json:
        """The statement of a month with a partner."""
        return self._get(f"/v1/customerBill/{partner}.{period}")

    def findings(self, partner: str, period: str) -> Sequence[Json]:
        return self._list("/v1/finding", partner=partner, period=period)

    def disputes(self, partner: str | None = None, period: str | None = None) -> Sequence[Json]:
        return self._list("/v1/dispute", partner=partner, period=period)

    def credit(self, partner: str | None = None) -> Sequence[Json]:
        """Credit and exposure of each direction."""
        return self._list("/v1/settlementAccount", partner=partner)

    def items(self) -> Sequence[Json]:
        return self._list("/v1/settlementItem")

    def payables(self) -> Sequence[Json]:
        return self._list("/v1/payable")

    def batches(self, partner: str, period: str) -> Sequence[Json]:
        """Our sealed batches; the id of each is its root."""
        return self._list("/v1/cdrTransaction", partner=partner, period=period)

    def declarations(self, partner: str, period: str) -> Sequence[Json]:
        """Of both sides, as the chain has them."""
        return self._list("/v1/declaration", partner=partner, period=period)

    def submissions(self, kind: str | None = None) -> Sequence[Json]:
        return self._list("/v1/submission", kind=kind)

    def submission(self, submission_id: int | str) -> Json:
        return self._get(f"/v1/submission/{submission_id}")

    # WAITING

    def wait(self, submission: Json | None, *, seconds: float = 60.0, poll_seconds: float = 0.1) -> Json | None:
        """The submission once it rests: final, reverted, held, or for a person. Raises Unavailable if it does not."""
        if submission is None or submission["state"] in ENDED:
            return submission
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.submission(submission["id"])
            if found["state"] in ENDED:
                return found
            time.sleep(poll_seconds)
        raise Unavailable(f"submission {submission['id']} is still under way", got=found["state"], todo="Wait longer.")

    def wait_all(
        self, *, seconds: float = 60.0, poll_seconds: float = 0.15, still_seconds: float = 2.0
    ) -> Sequence[Json]:
        """The whole outbox once it rests: all ended, or nothing moved for a while behind a held one."""
        until = time.monotonic() + seconds
        before: Sequence[Json] = ()
        still_since = time.monotonic()
        while time.monotonic() < until:
            found = self.submissions()
            if all(each["state"] in RESTING for each in found):
                return found
            if found != before:
                before, still_since = found, time.monotonic()
            waits = any(each["state"] in ("held", "needs_operator") for each in found)
            if waits and time.monotonic() - still_since > still_seconds:
                return found
            time.sleep(poll_seconds)
        raise Unavailable("the outbox does not come to rest", todo="See `gsc doctor`.")

    def wait_read(self, *, seconds: float = 60.0, poll_seconds: float = 0.05) -> Json:
        """Health, once the gateway has read all that is on chain. Raises Unavailable."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.health()
            if found["chainReachable"] and not found["lag"]:
                return found
            time.sleep(poll_seconds)
        raise Unavailable("the gateway does not catch up with the chain", got=f"{found['lag']} blocks behind")

    def wait_until_up(self, *, seconds: float = 30.0) -> Json:
        """Health, as soon as the gateway answers. Raises Unavailable."""
        until = time.monotonic() + seconds
        while True:
            try:
                return self.health()
            except Unavailable:
                if time.monotonic() > until:
                    raise
            time.sleep(0.05)
