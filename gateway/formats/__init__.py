"""Which usage do files hold? Presets, readers of text, tables and roaming files, price lists; docs/formats.md."""
