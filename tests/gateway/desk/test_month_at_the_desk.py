"""Does a month close at the desk? One pair of carriers, from the first dispute to the statement on chain."""

import copy
from dataclasses import replace
from pathlib import Path

import pytest

from gateway import verify_bundle
from gateway.composition import partnership_with
from gateway.peers import encode
from gateway.thread.receiving import Equivocated, receive_entry
from gateway.thread.writing import Draft, deliver_entries, next_place, struct_of_row, write_entry
from ledger.chain.bindings import DisputeState
from ledger.errors import NotFound, Refused, SequenceConflict, SignatureRefused
from ledger.identity import CarrierCode
from ledger.money import Micros
from ledger.store.dispute_entries import list_entries
from ledger.store.engine import reading
from ledger.store.settlement import dispute_of, list_disputes, list_statements
from ledger.store.states import EntryAct
from tests.gateway.desk.clerk import Clerk, form_of
from tests.gateway.disputed import OCTOBER, Served
from tests.scenarios.gateways import CN_T, GB_B

pytestmark = pytest.mark.chain
CN_PAGE, GB_PAGE = f"/desk/statements/{GB_B}/{OCTOBER}", f"/desk/statements/{CN_T}/{OCTOBER}"


@pytest.fixture(scope="module")
def cn(served: Served) -> Clerk:
    return Clerk(served.apps[CN_T])


@pytest.fixture(scope="module")
def gb(served: Served) -> Clerk:
    return Clerk(served.apps[GB_B])


def test_1_the_page_says_in_plain_words_what_a_dispute_would_sign(served: Served, cn: Clerk) -> None:
    page = cn.get(f"{CN_PAGE}/dispute")

    assert page.status_code == 200
    assert "CN-T does not agree to pay GB-B USD" in page.text
    assert "Reason: Missing at ours, 12 records." in page.text
    assert page.text.count('type="checkbox"') == 2
    with reading(served[CN_T].engine) as connection:
        assert list_disputes(connection) == []


def test_2_a_forged_form_and_a_reader_sign_nothing(served: Served, cn: Clerk) -> None:
    path = f"{CN_PAGE}/dispute"
    forged = [
        cn.submit(path, path, csrf="0" * 64),
        cn.submit(path, path, csrf=None),
        cn.submit(path, path, headers={"Origin": "http://elsewhere.example"}),
        cn.submit(path, path, headers={"Sec-Fetch-Site": "cross-site"}),
    ]
    stranger = cn.browser.request("POST", path, headers={"Cookie": ""}, data={"seen": "x"})

    assert [each.status_code for each in forged] == [403] * 4
    assert all("<h1>Forged form</h1>" in each.text for each in forged)
    assert stranger.status_code == 401
    assert 'href="/login"' in stranger.text
    with reading(served[CN_T].engine) as connection:
        assert list_disputes(connection) == []


def test_3_a_choice_that_is_not_what_was_shown_is_refused_with_what_changed(cn: Clerk) -> None:
    path = f"{CN_PAGE}/dispute"
    shown = cn.submit(path, path, seen=f"0x{'ab' * 32}:missing_at_ours:0:1990000:99")

    assert shown.status_code == 409
    assert "The figures have changed since you looked; nothing was signed." in shown.text
    assert "USD 1.99" in shown.text, "what was seen"
    said = form_of(cn.get(path).text, path) | {"seen": f"0x{'ab' * 32}:missing_at_ours:0:1990000:99"}
    chinese = cn.post(f"{path}?lang=zh", said).text
    assert all(each in chinese for each in ("<h1>数字已改变</h1>", "应为", "实为", "下一步：", "没有签署任何内容"))
    assert "12 records" in shown.text, "what is so now"


def test_4_chosen_disputes_are_opened_once_however_often_the_button_is_pressed(
    served: Served, cn: Clerk, gb: Clerk
) -> None:
    path = f"{CN_PAGE}/dispute"
    before = cn.get(path).text
    first = cn.submit(path, path)
    second = cn.submit(path, path)
    on_its_way = cn.get(CN_PAGE).text
    served.settle(CN_T)

    assert (first.status_code, first.headers["location"]) == (303, f"{CN_PAGE}#disputes"), first.text
    assert second.status_code in (303, 404, 422), second.text
    assert 'hx-get="/desk/progress?of=' in on_its_way
    assert before.count('class="sentences"') == 2
    with reading(served[GB_B].engine) as connection:
        rows = list_disputes(connection)
    assert sorted(row.reason for row in rows) == ["duration", "missing_at_ours"]
    assert "Missing at theirs" in gb.get("/desk/disputes").text, "the creditor's desk says it from its own side"
    assert "hx-get" not in cn.get(CN_PAGE).text


def test_5_an_offer_and_its_acceptance_end_a_dispute_on_chain_and_both_see_the_thread(
    served: Served, cn: Clerk, gb: Clerk
) -> None:
    row = _dispute(served, "missing_at_ours")
    thread = f"/desk/disputes/0x{row.dispute_id.hex()}"
    taken = gb.submit(f"{thread}/sign?act=take_up", f"{thread}/sign")
    served.settle(GB_B)
    looked = gb.get(f"{thread}/sign?act=offer&credited=0.5").text
    offered = gb.submit(
        f"{thread}/sign?act=offer&credited=0.5", f"{thread}/sign", text="Half of it was our switch.\nSorry."
    )
    seen = cn.get(thread).text
    accepted = cn.submit(f"{thread}/sign?act=offer&credited=0.500000", f"{thread}/sign", text="Agreed.")
    again = cn.post(f"{thread}/sign", {"csrf": "stale"})
    served.settle()

    assert (taken.status_code, offered.status_code, accepted.status_code) == (303, 303, 303), accepted.text
    assert f"<h1>Offer to credit USD 0.50 of USD {row.amount_micros / 1_000_000:.2f}</h1>" in looked
    assert "Half of it was our switch.\nSorry." in seen
    assert "Accept what GB-B offers: USD 0.50 credited" in seen
    assert again.status_code == 403
    ended = _dispute(served, "missing_at_ours")
    assert (ended.state, ended.credited_micros) == (DisputeState.PAYMENT_DUE, Micros(500_000))
    for clerk in (cn, gb):
        page = clerk.get(thread).text
        assert page.index("Sorry.") < page.index("Agreed.")
        assert "payment due" in page
        assert "What you may do" not in page


def test_6_an_entry_written_after_the_thread_moved_on_is_refused_and_a_second_click_writes_once(
    served: Served, cn: Clerk, gb: Clerk
) -> None:
    row = _dispute(served, "duration")
    thread = f"/desk/disputes/0x{row.dispute_id.hex()}"
    fields = form_of(cn.get(thread).text, f"{thread}/sign")
    first = cn.post(f"{thread}/sign", fields | {"text": "Two minutes too long, each."})
    twice = cn.post(f"{thread}/sign", fields | {"text": "Two minutes too long, each."})
    other = cn.post(f"{thread}/sign", fields | {"text": "Something else."})
    kept = gb.submit(f"{thread}/sign?act=keep", f"{thread}/sign")

    assert (first.status_code, twice.status_code, kept.status_code) == (303, 303, 303)
    assert other.status_code == 409
    assert "The thread has moved on" in other.text or "moved on since you looked" in other.text
    for carrier in (CN_T, GB_B):
        with reading(served[carrier].engine) as connection:
            entries = list_entries(connection, row.dispute_id)
        assert [(each.author, each.number, each.act) for each in entries] == [
            (CN_T, 1, EntryAct.NOTE),
            (GB_B, 1, EntryAct.KEEP),
        ]
        assert entries[1].previous == entries[0].digest


def test_7_a_file_comes_with_its_entry_and_its_hash(served: Served, cn: Clerk, gb: Clerk) -> None:
    row = _dispute(served, "duration")
    content = b"[[[ a switch log {{{" * 200
    with reading(served[CN_T].engine) as connection:
        place = next_place(connection, served[CN_T], row.dispute_id)
    entry = write_entry(
        served[CN_T], row.dispute_id, Draft(EntryAct.NOTE, "See the log.", files=(("log.txt", content),)), place
    )
    thread = f"/desk/disputes/0x{row.dispute_id.hex()}"
    page = gb.get(thread).text
    href = next(each.split('"')[0] for each in page.split('<a href="') if "/files/0x" in each.split('"')[0])
    file = gb.get(href)
    wrong = gb.get(f"{thread}/files/0x{'00' * 32}")

    assert entry.digest.hex() in page
    assert (file.status_code, file.content) == (200, content)
    assert "attachment" in file.headers["content-disposition"]
    assert wrong.status_code == 404
    assert deliver_entries(served[CN_T], partnership_with(served[CN_T].settings, GB_B)) == ""


def test_7b_a_partner_that_signs_two_entries_of_one_number_is_told_of_and_what_it_forges_is_refused(
    served: Served, cn: Clerk
) -> None:
    row = _dispute(served, "duration")
    with reading(served[CN_T].engine) as connection:
        before = list_entries(connection, row.dispute_id)
    genuine = next(each for each in before if each.author == GB_B)

    def sent(text: str = "", signer: CarrierCode = GB_B, signed_text: str | None = None, **changes: object) -> None:
        said = replace(genuine, text=text if signed_text is None else signed_text, act=EntryAct.NOTE, **changes)
        struct = struct_of_row(said)
        signature = served[signer].signer.sign(struct).signature
        receive_entry(served[CN_T], encode(struct), signature, text, ())

    with pytest.raises(SignatureRefused):
        sent("in their name", signer=CN_T)
    with pytest.raises(Refused, match="the text is not what was signed"):
        sent("other words", signed_text="these words")
    with pytest.raises(SequenceConflict, match="without a gap"):
        sent("later", number=genuine.number + 2)
    with pytest.raises(SequenceConflict, match="does not follow"):
        sent("over nothing", number=genuine.number + 1, previous=bytes(31) + b"\x01")
    with pytest.raises(NotFound):
        sent("about nothing", dispute_id=bytes(32))
    with reading(served[CN_T].engine) as connection:
        assert list_entries(connection, row.dispute_id) == before
    with pytest.raises(Equivocated):
        sent("We never said that.")
    page = cn.get(f"/desk/disputes/0x{row.dispute_id.hex()}").text
    assert f"GB-B has signed two different entries {genuine.number}." in page
    assert genuine.digest.hex() in page


def test_7c_the_disputes_bundle_holds_the_thread_and_its_file_and_a_changed_entry_is_found(
    served: Served, cn: Clerk, tmp_path: Path
) -> None:
    row = _dispute(served, "duration")
    path = tmp_path / "bundle.zip"
    path.write_bytes(cn.get(f"/desk/disputes/0x{row.dispute_id.hex()}/bundle.zip").content)
    content, proven, faults = verify_bundle.verify_file(str(path))
    changed = copy.deepcopy(content)
    changed["thread"]["entries"][-1]["text"] = "See nothing."

    assert faults == []
    assert any(line.startswith("CN-T signed 2 entries of the thread") for line in proven)
    assert "GB-B signed two entries of number 1: it says different things" in proven
    assert sum(len(each["attachments"]) for each in content["thread"]["entries"]) == 1
    assert any("changed after it was signed" in fault for fault in verify_bundle.verify(changed)[1])


def test_8_the_statement_is_signed_by_both_and_its_hash_is_on_chain(served: Served, cn: Clerk, gb: Clerk) -> None:
    path = f"{CN_PAGE}/agree"
    page = cn.get(path).text
    signed = cn.submit(path, path)
    waiting = cn.get(CN_PAGE).text
    theirs = gb.get(f"{GB_PAGE}/agree").text
    second = gb.submit(f"{GB_PAGE}/agree", f"{GB_PAGE}/agree")
    served.settle()
    with reading(served[CN_T].engine) as connection:
        (agreed,) = [each for each in list_statements(connection) if each.agreed_at]

    assert "withheld until its disputes end" in page
    assert "You sign first; GB-B signs the same, or nothing happens." in page
    assert (signed.status_code, second.status_code) == (303, 303)
    assert "You have signed; GB-B has not yet" in waiting
    assert "CN-T has signed exactly this." in theirs
    assert f"0x{agreed.statement_id.hex()}" in page
    for clerk, month in ((cn, CN_PAGE), (gb, GB_PAGE)):
        assert f"0x{agreed.statement_id.hex()}" in clerk.get(month).text


def test_9_small_disputes_are_let_go_at_once(served: Served, gb: Clerk) -> None:
    path = f"/desk/disputes/within/{CN_T}/{OCTOBER}"
    page = gb.get(path).text
    done = gb.submit(path, path)
    served.settle()

    assert "1 open dispute is below USD 1,000.00" in page
    assert done.status_code == 303
    with reading(served[GB_B].engine) as connection:
        row = dispute_of(connection, _dispute(served, "duration").dispute_id)
    assert row.state is DisputeState.GENERATED, "the debtor has not signed the same yet"


def _dispute(served: Served, reason: str):  # type: ignore[no-untyped-def]
    with reading(served[CN_T].engine) as connection:
        return next(row for row in list_disputes(connection) if row.reason == reason)
