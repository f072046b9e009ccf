"""Does a preset say what a file holds, and is a broken one refused by name?"""

from pathlib import Path

import pytest

from gateway.formats.layout import Condition, TrunkLayout, TrunkRule
from gateway.formats.preset import FOLDER, load_preset, preset_names, read_preset
from ledger.errors import Malformed

GOOD = (FOLDER / "asterisk.toml").read_text("utf-8")


def test_the_presets_that_come_with_the_gateway_are_read() -> None:
    assert set(preset_names()) >= {"asterisk", "freeswitch", "freeswitch_b", "csv"}
    for name in preset_names():
        assert load_preset(name).name == name


def test_asterisk_is_read_from_its_18_columns() -> None:
    preset = load_preset("asterisk")
    assert len(preset.file.columns) == 18
    assert (preset.fields.start, preset.fields.quantity, preset.quantity.scale) == (("answer",), "billsec", 1000)
    assert preset.billable == (Condition("disposition", frozenset({"ANSWERED"})),)
    assert preset.trunk == TrunkLayout(TrunkRule.CHANNEL, "channel", "dstchannel")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('b_party = "dst"', 'b_party = "destination"', "no column destination"),
        ('unit = "s"', 'unit = "h"', "'h'"),
        ('format = "stamp"', 'format = "roman"', "roman"),
        ('zone = "local"', 'zone = "moon"', "moon"),
        ('rule = "channel"', 'rule = "guess"', "guess"),
        ("[file]", '[file]\ndelimiter = "ab"', "no delimiter"),
        ("[file]", '[file]\ncolour = "red"', "unknown key colour"),
        ('service = "voice"', 'service = "fax"', "FAX"),
        ('name = "asterisk"', "", "name"),
        ('b_party = "dst"\n', "", "voice needs b_party"),
        ('end = "end" ', 'later = "end" ', "unknown key later"),
        ('format = "stamp"', "format = 'pattern'\npattern = '(?P<year>x)'", "needs the groups"),
        ('unit = "s"', "unit = 's'\npattern = '(?P<weeks>x)'", "needs one of the groups"),
        ('unit = "s"', "unit = 's'\npattern = '(?P<hours>x'", "is broken"),
        ('unit = "s"', "unit = 's'\npattern = '(x)(?P<hours>x)'", "is broken"),
        ("[file]", '[file]\nkind = "scroll"', "scroll"),
        ("[file]", '[file]\nkind = "fixed"', "widths"),
        ("[quantity]", "[samples]\nbits = 16\n[quantity]", "16 bits"),
        ("[quantity]", '[direction]\ncolumn = "way"\nin = "a"\nout = "b"\n[quantity]', "no column way"),
        ("[quantity]", '[[part]]\ncolumn = "nothing"\npattern = "(?P<x>a)"\n[quantity]', "no column nothing"),
        ("[[billable]]", '[[billable]]\nmood = "good"', "unknown key mood"),
        ('name = "asterisk"', 'name = "asterisk"\nmood = "good"', "unknown key mood"),
        ('name = "asterisk"', "name = asterisk", "cannot be read"),
    ],
)
def test_a_broken_preset_is_refused_by_name(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in GOOD
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(Malformed, match=says):
        read_preset(path)


@pytest.mark.parametrize("name", ["nortel", "../asterisk", ""])
def test_an_unknown_preset_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="no such preset"):
        load_preset(name)
