"""Do Solidity, Python and JavaScript come to the same digests, leaves, roots and proofs?"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deploy.node import ROOT, node
from ledger.chain import bindings as b
from ledger.chain.abi import keccak
from ledger.chain.bound import Struct
from ledger.merkle import build, leaf_words
from ledger.sealing import LeafValues
from tests.contracts.books import CN, CN_GB, GB, USD, Books, agreement_id
from tests.contracts.inline import header, inline, records, tree_of
from tests.contracts.month import (
    close_both,
    cycle,
    declaration,
    dispute,
    items_of,
    leg,
    net,
    open_dispute,
    post,
    settle_month,
    statement,
)
from tests.contracts.month import line as statement_line
from tests.contracts.typed_data_vectors import DOMAIN, SIGNED, VECTORS, case_of, vector_of

SCRIPTS = VECTORS.parent
LEAF = ["uint64", "bytes32", "bytes32", "bytes32", "uint64", "uint64", "bytes32", "uint128"]
BATCH = 7


def javascript(script: str, cases: Sequence[Mapping[str, Any]]) -> list[Any]:
    """What a script of tests/vectors answers; its packages are those of package.json."""
    command = [str(node()), str(SCRIPTS / script)]
    ran = subprocess.run(
        command, cwd=ROOT, input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=120
    )
    answers: list[Any] = json.loads(ran.stdout)
    assert len(answers) == len(cases)
    return answers


def digests_agree(books: Books, seen: Mapping[Struct, tuple[str, bytes]]) -> None:
    """`seen`: what the contract called each struct, and which contract."""
    cases = [case_of(struct, books.domains[contract]) for struct, (contract, _) in seen.items()]
    for (struct, (contract, solidity)), script in zip(seen.items(), javascript("typed_data.cjs", cases), strict=True):
        assert f"0x{books.digest(struct, contract).hex()}" == script == f"0x{solidity.hex()}", type(struct).__name__


# COMMITTED


def test_every_struct_that_is_signed_has_a_vector() -> None:
    signable = {kind for kind in vars(b).values() if isinstance(kind, type) and issubclass(kind, Struct)}
    parts = {Struct, b.UsageRecord, b.StatementLine, b.Leg, b.IgwListing}
    assert {type(struct) for struct in SIGNED} == signable - parts


def test_python_gives_the_committed_digests() -> None:
    """After a change of a struct: `python -m tests.contracts.typed_data_vectors`."""
    assert [vector_of(struct) for struct in SIGNED] == json.loads(VECTORS.read_text(encoding="utf-8"))


def test_javascript_gives_the_committed_digests() -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    assert javascript("typed_data.cjs", vectors) == [vector["digest"] for vector in vectors]


def test_javascript_sees_every_member_of_a_domain() -> None:
    (struct, *_) = SIGNED
    others = [replace(DOMAIN, chain_id=1), replace(DOMAIN, version="2"), replace(DOMAIN, name="csg")]
    answers = javascript("typed_data.cjs", [case_of(struct, domain) for domain in (DOMAIN, *others)])
    assert len(set(answers)) == len(answers)


# LIVE


def test_a_declaration_has_one_digest_in_three_languages(books: Books) -> None:
    seen: dict[Struct, tuple[str, bytes]] = {}
    for declared in (declaration(GB, GB), declaration(CN, GB, quantity=2**128 - 1, igw=keccak(b"igw"))):
        answer = books.call("UsageLedger", b.calldata_usage_ledger_batch_id_of(declared))
        seen[declared] = ("UsageLedger", b.result_usage_ledger_batch_id_of(answer))
    digests_agree(books, seen)


def test_a_dispute_and_a_statement_have_one_digest_in_three_languages(books: Books) -> None:
    for declarer in (GB, CN):
        post(books, declarer, GB, 5_000_000)
    close_both(books)
    raised = dispute(GB, 1_000_000)
    opened = books.send("SettlementBook", open_dispute(books, CN, raised))
    drawn = statement(statement_line(GB, 5_000_000, 5_000_000, 1_000_000))
    signature = books.signed(CN, drawn, "SettlementBook")
    proposed = books.send("SettlementBook", b.calldata_settlement_book_propose_statement(drawn, CN.id, signature))
    dispute_id = opened.only(b.DisputeOpened).dispute_id
    statement_id = proposed.only(b.StatementProposed).statement_id
    digests_agree(books, {raised: ("SettlementBook", dispute_id), drawn: ("SettlementBook", statement_id)})


def test_a_netting_cycle_has_one_digest_in_three_languages(books: Books) -> None:
    items = items_of([settle_month(books, CN_GB, 4_000_000, 10_000_000)])
    netting = cycle(items, leg(CN_GB, GB, 6_000_000))
    assert netting.currency == USD
    receipt = books.send("SettlementBook", net(books, netting, CN, GB))
    digests_agree(books, {netting: ("SettlementBook", receipt.only(b.NettingCycleExecuted).cycle_id)})


def test_leaves_root_and_proofs_are_one_in_three_languages(books: Books) -> None:
    """The contract builds the root itself, from the records; then it takes JavaScript's proofs of every record."""
    calls = records(BATCH)
    values = [
        [f"0x{value.hex()}" if isinstance(value, bytes) else str(value) for value in call.values()] for call in calls
    ]
    case = {"types": LEAF, "values": values, "sortLeaves": False, "indices": list(range(BATCH))}
    (script,) = javascript("merkle.cjs", [case])
    tree = build(leaf_words([LeafValues(*call.values()).hash() for call in calls]))
    assert script["root"] == f"0x{tree.root.hex()}" == f"0x{tree_of(calls).root.hex()}"
    assert script["proofs"] == [[f"0x{sibling.hex()}" for sibling in tree.proof(index)] for index in range(BATCH)]

    receipt = books.send("UsageLedger", inline(books, header(calls), calls))
    batch_id = receipt.only(b.UsageDeclared).batch_id
    assert receipt.only(b.UsageDeclared).agreement_id == agreement_id(CN_GB)
    for call, proof in zip(calls, script["proofs"], strict=True):
        siblings = tuple(bytes.fromhex(sibling[2:]) for sibling in proof)
        included = b.calldata_usage_ledger_includes(batch_id, call, siblings)
        assert b.result_usage_ledger_includes(books.call("UsageLedger", included))
        other = b.calldata_usage_ledger_includes(batch_id, replace(call, quantity=call.quantity + 1), siblings)
        assert not b.result_usage_ledger_includes(books.call("UsageLedger", other))
