# The comment on a merged change, made from what `denpyo submit --json` says: ids, states and addresses of runs, which denpyo made itself;
# of what was refused, the code and how often. People's own words stay out of it.
def link: .run.url // "" | if test("^https://[^\\s()<>]+$") then " [run](\(.))" else "" end;
{
  body: (
    ["### denpyo"]
    + [.requests[] | "- `\(.id)` \(.kind), \(.state)\(if .known then ", known already" else "" end)\(link)"]
    + [.problems | group_by(.code)[] | "- refused: `\(.[0].code)`, \(length) times; the job's log names the places"]
    | join("\n")
  )
}
