"""What should a carrier do about a contract's refusal? One sentence for each custom error."""

ADVICE = {
    "AgreementAlreadySigned": "The agreement is in force; nothing to do.",
    "AmendmentTooEarly": "Move the effective date past now and past the last version's.",
    "AmountZero": "Name an amount above zero.",
    "AlreadyApproved": "Wait for the other members.",
    "ArrearsNotReady": "Try again when the next stage is due.",
    "BankReferenceUsed": "This transfer is already counted; check the bank reference.",
    "BatchEmpty": "Declare a batch with at least one record.",
    "BatchUnknown": "Wait until the declaration is final, or check the batch id.",
    "CreditIsStopped": "The debtor pays what is overdue; then credit resumes and the batch goes through.",
    "CreditLineExceeded": "Agree on a payment or a higher line; the batch waits in the outbox.",
    "CurrencyMismatch": "Use the agreement's currency.",
    "CycleAlreadyExecuted": "The cycle is done; nothing to do.",
    "CycleTooLarge": "Split the cycle.",
    "DeadlinePassed": "Sign again with a later deadline.",
    "DepositNeeded": "Withdraw less, or pay first: the exposure needs the rest.",
    "DepositTooSmall": "Name at most what is deposited in this token.",
    "DisputeAlreadyOpen": "It is on record; withdraw it first to dispute another amount for this reason.",
    "DisputeLimitReached": "Put several causes into one dispute.",
    "DisputeTooLarge": "Dispute at most what was declared.",
    "DisputeTooLate": "The statement is agreed; settle it in the next period.",
    "EventTimesInvalid": "Check the batch's first and last event and the clock.",
    "IgwNotValid": "Name the listed gateway the traffic used, or have the members list it.",
    "InlineTooLarge": "Declare the batch by its root instead.",
    "ItemAlreadyNetted": "Draw up the cycle again without it.",
    "LicenceMissing": "The creditor has the members grant its licence for the dates of the usage.",
    "NoticeTooShort": "Move the effective date past the notice period.",
    "NotOverdue": "Wait for the due date.",
    "Overpayment": "Pay at most what is outstanding.",
    "PartyMissing": "Collect this carrier's signature.",
    "PayableNotTerminated": "The debtor signs the application, or the payable reaches the end of the arrears ladder.",
    "PayeeUnknown": "The creditor names a payee first.",
    "PeriodAlreadyClosed": "Declare a correction in the open period.",
    "PeriodNotClosed": "Wait until both sides have closed the period.",
    "PositionMismatch": "Compute the cycle again from the items on chain.",
    "NotInvited": "Ask the members for a new invitation.",
    "ProposalNotReady": "Wait for the approvals and the delay.",
    "ProposalOutdated": "Make the proposal again under the present members.",
    "RootMismatch": "Seal the records again; do not edit them.",
    "SequenceUnexpected": "Read the last sequence number from the chain and sign the next one.",
    "ServiceNotAgreed": "Agree on the service first.",
    "SignerNotAuthorised": "Sign with a key that is valid for the carrier now.",
    "SilenceNotOver": "Wait until the acceptance time is over, or get the signature.",
    "StatementAlreadyAgreed": "The statement is agreed; nothing to do.",
    "StatementIncomplete": "Draw the statement again from the chain.",
    "StatementLineMismatch": "Draw the statement again from the chain.",
    "TokenNotListed": "Pay in a token the members listed for the currency.",
    "UsageIsLate": "Declare it as an adjustment that names the declaration it corrects.",
}
_BY_ENDING = {
    "Unknown": "Check the id; it may not be final yet.",
    "Unexpected": "Read the current value from the chain and sign again.",
    "Mismatch": "Compare both sides and sign again.",
    "Invalid": "Correct the field and sign again.",
    "Signature": "Sign again with the carrier's key.",
}
_OTHERWISE = "Correct the request; nothing has changed."


def advice(error: str) -> str:
    """What to do next about the custom error of this name."""
    ending = next((text for end, text in _BY_ENDING.items() if end in error), _OTHERWISE)
    return ADVICE.get(error, ending)
