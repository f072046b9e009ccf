"""Which roaming traffic do TAP, NRTRDE and RAP files hold, and is it what they say? `tap.files.read_tap`.

TAP (transferred account procedure) carries priced events from the carrier that served a roamer to the one the roamer
belongs to; NRTRDE carries the same events unpriced within hours, against fraud; RAP carries back what was refused. All
three are BER (ITU-T X.690). Their abstract syntax belongs to the GSMA and is confidential: none of it is here. Elements
are known by the few tag numbers that public parsers name, each found by its own and its parent's number, so that the
reading does not depend on a release; what it does not know it counts by path.
"""
