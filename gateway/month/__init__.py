"""Which verbs does the month have? One public function each; every one may be repeated and gives the same answer."""

from gateway.month.accepting import accept
from gateway.month.agreeing import grant_credit, publish_rates, sign_agreement
from gateway.month.amending import amend
from gateway.month.bypassing import arbitrage
from gateway.month.closing import close
from gateway.month.correcting import correct
from gateway.month.declaring import declare, declare_root
from gateway.month.depositing import apply_deposit, deposit, seize_deposit, withdraw_deposit
from gateway.month.disputing import dispute
from gateway.month.governing import approve, execute, join, list_members, propose
from gateway.month.importing import import_usage
from gateway.month.limits import exposure
from gateway.month.netting import net
from gateway.month.paying import age, confirm, pay, set_payee
from gateway.month.rating import rate
from gateway.month.reconciling import reconcile
from gateway.month.replaying import replay
from gateway.month.resolving import resolve, take_up, withdraw
from gateway.month.revealing import reveal
from gateway.month.sealing import seal
from gateway.month.suspecting import fraud

__all__ = [
    "accept",
    "age",
    "amend",
    "apply_deposit",
    "approve",
    "arbitrage",
    "close",
    "confirm",
    "correct",
    "declare",
    "declare_root",
    "deposit",
    "dispute",
    "execute",
    "exposure",
    "fraud",
    "grant_credit",
    "import_usage",
    "join",
    "list_members",
    "net",
    "pay",
    "propose",
    "publish_rates",
    "rate",
    "reconcile",
    "replay",
    "resolve",
    "reveal",
    "seal",
    "seize_deposit",
    "set_payee",
    "sign_agreement",
    "take_up",
    "withdraw",
    "withdraw_deposit",
]
