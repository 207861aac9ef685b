"""The record of a desk for those who look at it: as a page, as lines, as files. Nothing here changes a ledger."""
