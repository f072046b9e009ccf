"""What do tests of settings need? A home where everything is said."""

from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from gateway.settings import ClockKind, KnownSettings, Listen, Settings, Switch, TrunkDirection, TrunkSetting, Webhooks
from ledger.identity import CarrierCode

GB_B = CarrierCode("GB-B")


def full(home: Path) -> Settings:
    """CN-T's."""
    return Settings(
        home=home.resolve(),
        carrier=CarrierCode("CN-T"),
        chain_url="http://127.0.0.1:9545",
        clock=ClockKind.CHAIN,
        listen=Listen(port=8101),
        webhooks=Webhooks(("127.0.0.1", "10.1.0.0/16")),
        switch=Switch(zone=ZoneInfo("Asia/Shanghai"), country="CN"),
        peers=MappingProxyType({GB_B: "http://127.0.0.1:8102"}),
        trunks=MappingProxyType({'odd "name"': TrunkSetting(GB_B, TrunkDirection.IN, "US", ("1234#", "99"))}),
        capacity=MappingProxyType({"gbb-in-1": 60}),
        numbers=MappingProxyType({GB_B: ("44",)}),
        tadig=MappingProxyType({"GBRXX": GB_B}),
        igw=MappingProxyType({GB_B: "GLOBAL-BEIJING"}),
        unallocated=("447700900",),
        known=KnownSettings(("1900",), ("447700900999",), ("8610",), ("LON-BJS-9",), {"lon-pop1": 10_000}),
    )
