"""What does a gateway remember, and where is it kept?

Every function takes a `Connection` first, so that the caller decides what is one transaction:

    engine = open_store("sqlite:///gsc.db")          # or postgresql://...
    with writing(engine) as connection: ...          # one transaction: all of it or nothing
    with reading(engine) as connection: ...          # one consistent view

What a carrier made
    engine          open_store(url), engine_of, writing, reading, lock(connection, name)
    imports         find_import, list_imports, record_import, list_quarantined, add_usage, unsealed_usage, mark_sealed,
                    partly_sealed, later_usage, move_usage
    documents       keep_document, document, list_documents       agreement files and decks by hash
    batches         record_batch, declare_batch, release_batch, replace_batch, batch_of_root, batch_of_id,
                    list_batches, record_revealed, list_revealed
    findings        record_reconciliation, latest_reconciliation, latest_reconciliations, list_findings
    arbitrages      replace_arbitrages, list_arbitrages           what the latest search of a period found
    suspicions      replace_suspicions, list_suspicions           the same of fraud and forgery
    idempotency     ask, answer, forget_answers                   a repeat of a request gets the same answer
    proposals       record_proposal, signatures_of, list_proposals, struct_of

What it says to the chain
    outbox          list_submissions, submission_of, find_submission, attempts_of; the rest is for gateway.outbox,
                    which puts in (enqueue, enqueue_declaration) and sends (Submitter)

What the chain said (written by ledger.follow only)
    chain_log       checkpoint, append_blocks, roll_back, list_alarms, chain_rows
    agreements      list_carriers, list_keys, is_key_of, list_tokens, list_agreements, agreement_of,
                    list_amendments, list_rate_notices
    crossings       list_licences, list_igws, covers              who may carry what across a border, and when
    membership      membership_of, list_decided, decided_of       the members and their proposals
    declarations    list_declarations, declaration_of, last_seq, declared_micros, declared_scopes, batches_hash,
                    list_closes, closed_by, list_inline_leaves
    credit          list_credit, credit_of, list_credit_alerts, list_overruns, list_exposure_changes
    settlement      list_statements, list_statement_lines, list_disputes, dispute_of, withheld_micros, list_items,
                    list_cycles, list_positions, list_payables, list_payments, list_arrears, payee_of

Beneath: columns (types of columns), tables and event_tables (the tables), rows (row to value), latest (present state),
rules (second assertion of the ledger's rules), states, migrate and migrations/.
"""
