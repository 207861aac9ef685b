"""The command line: parse, call one function, print what it returns. Heavy imports happen in the command that needs them."""

from __future__ import annotations

import codecs
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from submit.desk import Desk
    from submit.judging import Outcome
    from submit.response import Source, Wishes

RARELY = 100_000, 50, 50
"""When garbage is looked for: ten thousand requests are no garbage, and to find that out again and again costs a tenth of the time."""
GOOD, REFUSED, WRONG_USE, NO_ANSWER, DAMAGED = 0, 1, 2, 3, 4

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A filled form becomes a checked, audited, queued machine-learning run.",
)
audit = typer.Typer(no_args_is_help=True, help="The audit log.")
app.add_typer(audit, name="audit")
forms = typer.Typer(no_args_is_help=True, help="Forms at online services.")
app.add_typer(forms, name="forms")
datasets = typer.Typer(no_args_is_help=True, help="The datasets that people may name.")
app.add_typer(datasets, name="datasets")


clearml = typer.Typer(no_args_is_help=True, help="Templates on the page of a ClearML server.")
app.add_typer(clearml, name="clearml")


class Language(StrEnum):
    ja = "ja"
    en = "en"


class Layout(StrEnum):
    form = "form"
    table = "table"


class Verified(StrEnum):
    microsoft = "microsoft"


class EngineName(StrEnum):
    local = "local"
    clearml = "clearml"


class Service(StrEnum):
    google = "google"


class Annotations(StrEnum):
    github = "github"
    gitlab = "gitlab"


class Encoding(StrEnum):
    utf_8 = "utf-8"
    shift_jis = "shift_jis"


def _encoding(name: str) -> Encoding:
    """Under any name that Python knows it by: sjis, cp932, ms932."""
    with suppress(LookupError, ValueError):
        found = codecs.lookup(name).name
        return Encoding("shift_jis" if found == "cp932" else found)
    raise typer.BadParameter(f"{name!r} is none of: {', '.join(Encoding)}.")


DeskOption = Annotated[Path, typer.Option("--desk", envvar="DENPYO_DESK", help="The desk's folder.", metavar="DIR")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of lines.")]
Files = Annotated[
    list[Path], typer.Argument(help="Filled workbooks (.xlsx), tables as CSV, or YAML documents.", metavar="FILE...")
]
As = Annotated[str, typer.Option("--as", help="For whom; recorded as claimed.", metavar="EMAIL")]
Again = Annotated[str, typer.Option("--again", help="Run the same request again, and why.", metavar="WHY")]
InEncoding = Annotated[
    Encoding | None,
    typer.Option("--encoding", parser=_encoding, metavar="shift_jis", help="What a CSV is written in, if not UTF-8."),
]
Queue = Annotated[str, typer.Option("--queue", help="Another queue than the answers name.", metavar="Q")]
Whole = Annotated[
    bool, typer.Option("--all-or-nothing", help="Accept nothing if anything is refused; refusals are recorded.")
]
Annotate = Annotated[
    Path | None,
    typer.Option("--annotate", help="Write the sheets back, marked, into this folder.", metavar="DIR"),
]
Force = Annotated[bool, typer.Option("--force", help="Replace marked sheets that are there.")]
OfService = Annotated[Service, typer.Argument(help="Whose form.", metavar="SERVICE")]
RequestId = Annotated[str, typer.Argument(help="The id of a request.", metavar="ID")]
HERE = Path("desk")


@app.command()
def kinds(desk: DeskOption = HERE, json: Json = False) -> None:
    """List the kinds of job that can be asked for."""
    from submit import terminal
    from submit.desk import desk_or_none_yet

    forms = [kind.form for kind in desk_or_none_yet(desk).kinds.values()]
    if json:
        titles = [
            {"kind": form.kind, "version": form.version, "en": form.title.en, "ja": form.title.ja} for form in forms
        ]
        return terminal.document({"kinds": titles})
    for form in forms:
        terminal.say(f"{form.kind}  v{form.version}  {form.title.ja} / {form.title.en}")


@app.command()
def build(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; name what drifted.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Write every generated file from the schema."""
    from submit import build as building
    from submit import terminal
    from submit.desk import desk_or_none_yet

    report = building.build(desk_or_none_yet(desk), write=not check)
    if json:
        terminal.document({"written": report.written, "drifted": report.drifted, "frozen": report.frozen})
    else:
        for file in report.written:
            terminal.say(f"wrote {file}")
        for file in report.drifted:
            terminal.complain(f"{file} is not what the schema says: run `denpyo build`")
        for file in report.frozen:
            terminal.complain(f"{file} is released and its kind has changed: raise `version` in the kind's class")
    _exit_if(bool(report.drifted or report.frozen))


@app.command()
def template(
    kind: Annotated[str, typer.Argument(help="A kind that `denpyo kinds` lists.", metavar="KIND")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The workbook to write.", metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    lang: Annotated[Language, typer.Option("--lang", help="The language of the form.")] = Language.ja,
    layout: Annotated[Layout, typer.Option("--layout", help="One request a sheet, or one a row.")] = Layout.form,
    filled: Annotated[
        Path | None, typer.Option("--from", help="Fill it in from these YAML documents.", metavar="SLIP.yaml")
    ] = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Write a blank Excel template of a kind, or one filled in from YAML."""
    from submit import blank, terminal
    from submit.desk import desk_or_none_yet

    if out.suffix.lower() != ".xlsx":
        raise typer.Exit(
            _complain(f"{out}: a template is an Excel workbook; give a name that ends in .xlsx", WRONG_USE)
        )
    if out.exists() and not force:
        raise typer.Exit(_complain(f"{out} is there already and may be filled in: --force replaces it", WRONG_USE))
    there = desk_or_none_yet(desk)
    problems = blank.write(there, kind, lang.value, layout.value, _source(filled) if filled else None, out)
    if json:
        found = [terminal.problem_data(one, lang.value) for one in problems]
        terminal.document({"file": None if problems else str(out), "problems": found})
    else:
        terminal.problems([(one, lang.value) for one in problems])
        if not problems:
            terminal.say(f"wrote {out}")
    _exit_if(bool(problems))


@app.command()
def init(desk: DeskOption = HERE, json: Json = False) -> None:
    """Make a desk whose policy lets the user of this machine run every kind on the local engine."""
    from submit import terminal
    from submit.new_desk import make_desk

    made = make_desk(desk)
    if json:
        return terminal.document({"desk": str(made.folder)})
    terminal.say(f"{made.folder}/ is a desk now: ledger, policy.yaml, denpyo.toml")


@app.command()
def check(
    files: Files,
    encoding: InEncoding = None,
    annotate: Annotate = None,
    force: Force = False,
    form_only: Annotated[
        bool, typer.Option("--form-only", help="Not whether dataset, queue and GPUs are there: where no desk is.")
    ] = False,
    service: Annotated[
        Annotations | None, typer.Option("--format", help="As this service shows it beside the lines of a change.")
    ] = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Judge only: every problem, each at its place. Nothing is kept or queued."""
    from submit.desk import desk_or_none_yet
    from submit.response import Wishes

    if service and (annotate or json):
        raise typer.Exit(_complain("--format writes for a service alone: leave out --annotate and --json", WRONG_USE))
    there, sources = desk_or_none_yet(desk), _sources(files)
    wishes = Wishes(encoding=encoding or "", form_only=form_only)
    if service:
        from submit import terminal
        from submit.replies import annotations

        found = annotations.judged(there, [str(file) for file in files], sources, wishes)
        terminal.annotated(found, service.value)
        return _exit_if(any(one.is_error for one in found))
    _judge(there, sources, wishes, _targets(files, annotate, force), json)


@app.command()
def convert(
    files: Files,
    out: Annotated[Path, typer.Option("-o", "--out", help="A folder for the YAML.", metavar="DIR")],
    sender: As = "",
    again: Again = "",
    encoding: InEncoding = None,
    all_or_nothing: Whole = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Write checked YAML and an entry; queue nothing."""
    from submit import blank, journey, progress, terminal
    from submit.desk import open_desk
    from submit.response import Wishes

    there = open_desk(desk)
    wishes = Wishes(sender=sender, again=again, encoding=encoding or "")
    with progress.counted("checked", json) as seen:
        outcome = journey.convert(there, _sources(files), wishes, seen, whole=all_or_nothing)
    written, erased = blank.copy_slips(there, [kept.id for kept in outcome.requests if not kept.problems], out)
    if json:
        terminal.submission(there, outcome, as_json=True)
    else:
        terminal.problems(outcome.problems)
        terminal.remarks(there, outcome)
        for file in written:
            terminal.say(f"wrote {file}")
    for request in erased:
        terminal.complain(f"{request}: its slip was erased")
    _exit_if(bool(outcome.problems))


@app.command()
def submit(
    files: Files,
    engine: Annotated[EngineName | None, typer.Option("--engine", help="Another engine than the desk's.")] = None,
    queue: Queue = "",
    sender: As = "",
    again: Again = "",
    encoding: InEncoding = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge only, as `check` does.")] = False,
    all_or_nothing: Whole = False,
    annotate: Annotate = None,
    force: Force = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Check, record and queue what is good; refuse the rest with every problem at its place."""
    from submit import journey, progress, terminal
    from submit.desk import open_desk
    from submit.response import Wishes

    there = open_desk(desk)
    wishes = Wishes(sender, queue, engine.value if engine else "", again, encoding or "")
    sources, targets = _sources(files), _targets(files, annotate, force)
    if dry_run:
        return _judge(there, sources, wishes, targets, json, dry=True)
    with progress.counted("checked", json) as seen:
        outcome = journey.submit(there, sources, wishes, seen, whole=all_or_nothing)
    with _said_anyway(partial(terminal.submission, there, outcome, as_json=json)):
        marked = _marked(there, sources, outcome, targets, kept=True, encoding=encoding or "")
    terminal.submission(there, outcome, as_json=json, marked=marked)
    _exit_if(bool(outcome.problems))
    if outcome.undelivered:
        raise typer.Exit(NO_ANSWER)


@app.command()
def run(
    file: Annotated[
        Path, typer.Argument(help="A filled workbook, CSV or YAML document with one request.", metavar="FILE")
    ],
    sender: As = "",
    again: Again = "",
    encoding: InEncoding = None,
    annotate: Annotate = None,
    force: Force = False,
    make: Annotated[
        bool, typer.Option("--make-desk", envvar="DENPYO_MAKE_DESK", help="Make the desk where there is none yet.")
    ] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Submit one request, run it on this machine, follow it to its end and print the result."""
    from submit import one_machine, progress, terminal
    from submit.desk import open_desk
    from submit.new_desk import made_or_there
    from submit.response import Wishes

    there = made_or_there(desk) if make else open_desk(desk)
    wishes = Wishes(sender=sender, engine="local", again=again, encoding=encoding or "")
    source, targets = _source(file), _targets([file], annotate, force)
    with progress.told(json) as told:
        outcome, found = one_machine.run(there, source, wishes, told, terminal.not_answered)
    ended = partial(terminal.status, there, found) if found else partial(terminal.submission, there, outcome)
    with _said_anyway(partial(ended, as_json=json)):
        marked = _marked(there, [source], outcome, targets, kept=True, encoding=encoding or "")
    if found is None:
        terminal.submission(there, outcome, as_json=json, marked=marked)
        raise typer.Exit(REFUSED)
    if outcome.requests[0].known and not json:
        terminal.ran_before(outcome.requests[0])
    terminal.status(there, found, as_json=json, marked=marked if targets else None)
    _exit_if(found.request.state != "done")


@app.command()
def work(
    drain: Annotated[bool, typer.Option("--drain", help="End when nothing waits any more.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Run what waits in this machine's queue."""
    from submit import one_machine, progress, terminal
    from submit.desk import open_desk

    with progress.told(json) as told:
        ended = one_machine.work(open_desk(desk), drain=drain, told=told, down=terminal.not_answered)
    if json:
        terminal.document({"ended": ended})


@app.command()
def reply(
    event: Annotated[Path, typer.Argument(help="What GITHUB_EVENT_PATH names.", metavar="EVENT")],
    post: Annotated[
        bool,
        typer.Option("--post", help="Keep the issue's comment up to date, with GITHUB_TOKEN, instead of printing it."),
    ] = False,
    desk: DeskOption = HERE,
) -> None:
    """Check a GitHub issue from its event alone and answer it: for workflows, where no desk is."""
    from submit import terminal
    from submit.desk import desk_or_none_yet
    from submit.replies import github

    data = _source(event).data
    said = github.checked(desk_or_none_yet(desk), data)
    if not post:
        return terminal.say(said.rstrip())
    from submit.inbox.github import post as post_comment

    post_comment(data, said)


@app.command()
def watch(
    once: Annotated[bool, typer.Option("--once", help="Look at each source a single time, for cron and CI.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Take what comes into the sources of denpyo.toml: check, record, queue, and answer."""
    from submit import terminal
    from submit import watch as watching
    from submit.desk import open_desk

    there = open_desk(desk)
    seen = watching.watch(there, terminal.delivered(there, json), once=once)
    if once and any(one.error for one in seen.values()):
        raise typer.Exit(
            _complain(
                f"{sum(bool(one.error) for one in seen.values())} of {len(seen)} sources did not answer", NO_ANSWER
            )
        )


@app.command()
def status(
    request: Annotated[str, typer.Argument(help="One request; without it, all.", metavar="[ID]")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Print each change until everything has ended.")] = False,
    inbox: Annotated[
        bool, typer.Option("--inbox", help="The sources of denpyo.toml instead, and how they are.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="With --inbox: end with 3 where there are sources and nobody looks at them.")
    ] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Say where requests stand."""
    from submit import one_machine, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    if inbox:
        from submit.inbox import health

        terminal.sources(health.inbox_data(there), as_json=json)
        if check and (wrong := health.unwatched(there)):
            raise typer.Exit(_complain(wrong, NO_ANSWER))
        return
    for found in one_machine.watched(there, request, terminal.not_answered, watch=watch):
        if request:
            terminal.status(there, found[0], as_json=json, one_line=watch)
        elif json:
            terminal.document({"requests": [one.status_data() for one in found]}, one_line=watch)
        else:
            for one in found:
                terminal.say(terminal.line(one))


@app.command()
def show(request: RequestId, desk: DeskOption = HERE, json: Json = False) -> None:
    """Print a request's slip, its history and where it stands."""
    from submit import kept_slip, standing, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    found = standing.standing(there, request)
    history = standing.history(there, found.request.id)
    text = kept_slip.slip_text(there, found.request)
    if json:
        entries = [{"at": one.at, "user": one.user, "action": one.action, "detail": one.detail} for one in history]
        return terminal.document({**found.status_data(), "slip": text or "", "history": entries})
    terminal.say("the slip was erased" if text is None else text)
    terminal.history(history)
    terminal.status(there, found, as_json=False)


@app.command()
def cancel(request: RequestId, desk: DeskOption = HERE, json: Json = False) -> None:
    """Ask for a request to be stopped."""
    from submit import hand_off, standing, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    request = standing.standing(there, request).request.id
    stopping = hand_off.cancel(there, request)
    state = standing.standing(there, request).request.state
    if json:
        terminal.document({"id": request, "stopping": stopping, "state": state})
    else:
        said = (", asked to stop" if state != "stopped" else "") if stopping else ", nothing to stop"
        terminal.say(f"{request}: {state}{said}")
    _exit_if(not stopping)


@app.command("open")
def open_page(request: RequestId, desk: DeskOption = HERE, json: Json = False) -> None:
    """Open the page of a request's run."""
    from submit import standing, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    found = standing.standing(there, request)
    page = standing.page(there, found)
    if not page:
        raise typer.Exit(_complain(f"{request} has no page: it is {found.request.state}", REFUSED))
    if json:
        return terminal.document({"id": request, "url": page})
    terminal.say(page)
    if sys.stdout.isatty():
        typer.launch(page)


@audit.command()
def verify(desk: DeskOption = HERE, json: Json = False) -> None:
    """Recompute the whole audit log and compare the slips with it."""
    from submit import terminal
    from submit.desk import LEDGER, open_desk
    from submit.ledger import verify as verified

    verdict = verified(open_desk(desk).folder / LEDGER)
    if json:
        data = {"ok": verdict.ok, "entries": verdict.entries, "root": verdict.root, "wrong": verdict.wrong}
        terminal.document({**data, "unrecorded": list(verdict.unrecorded)})
    else:
        terminal.say(f"{'good' if verdict.ok else 'DAMAGED'}: {verdict.entries} entries, root {verdict.root}")
        for line in [verdict.wrong] if verdict.wrong else []:
            terminal.complain(line)
        for file in verdict.unrecorded:
            terminal.complain(f"{file}: no entry records this slip")
    if not verdict.ok:
        raise typer.Exit(DAMAGED)


@forms.command("publish")
def publish(
    service: OfService,
    kind: Annotated[str, typer.Argument(help="A kind that `denpyo kinds` lists.", metavar="KIND")],
    lang: Annotated[Language, typer.Option("--lang", help="The language of the form.")] = Language.ja,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Make the form of a kind, or bring it up to date with the fewest changes; open it and share it."""
    from submit import google_forms, terminal
    from submit.desk import open_desk

    report = google_forms.publish(open_desk(desk), kind, lang.value, dry_run=dry_run)
    if json:
        return terminal.document({"form": report.form, "url": report.url, "steps": report.steps, "done": not dry_run})
    for step in report.steps:
        terminal.say(f"would {step}" if dry_run else step)
    terminal.say(
        f"{service.value} {kind} {lang.value}: {report.url or 'no form yet'}"
        + ("" if report.steps else "; nothing to do")
    )


@clearml.command("sync")
def sync(
    kinds: Annotated[list[str] | None, typer.Argument(help="Kinds; all without any.", metavar="KIND")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")] = False,
    newest: Annotated[bool, typer.Option("--newest", help="Also where a template was rolled back.")] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Bring the template tasks of the kinds up to date: new ones beside the old, which are archived; what was edited is mended."""
    from submit import clearml_templates, terminal
    from submit.desk import open_desk

    found = clearml_templates.sync(open_desk(desk), kinds or [], dry_run=dry_run, newest=newest)
    terminal.templates(found, would="would " if dry_run else "", as_json=json)


@clearml.command("rollback")
def rollback(
    kind: Annotated[str, typer.Argument(help="A kind whose templates are out.", metavar="KIND")],
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Return to the templates of a kind before the present ones."""
    from submit import clearml_templates, terminal
    from submit.desk import open_desk

    terminal.templates(clearml_templates.rollback(open_desk(desk), kind), as_json=json)


@forms.command("pull")
def pull(
    service: OfService,
    kind: Annotated[str, typer.Argument(help="A kind whose form is published.", metavar="KIND")],
    everything: Annotated[
        bool, typer.Option("--all", help="Every response there is; those that were read before are known.")
    ] = False,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Take the responses that came since the last time: check, record, queue."""
    from submit import google_forms, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    count = google_forms.pull(there, kind, terminal.delivered(there, json), everything=everything)
    if not json:
        terminal.say(f"{service.value} {kind}: {count} responses")


@forms.command("verify")
def verify_form(
    service: Annotated[Verified, typer.Argument(help="The service that the form lives at.", metavar="SERVICE")],
    kind: Annotated[str, typer.Argument(help="A kind that `denpyo kinds` lists.", metavar="KIND")],
    responses: Annotated[Path, typer.Argument(help="The workbook of its responses.", metavar="RESPONSES.xlsx")],
    lang: Annotated[Language | None, typer.Option("--lang", help="Another language than the desk's.")] = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Say which question a form lacks, asks in other words, or offers other options for."""
    from submit import online_forms, terminal
    from submit.desk import desk_or_none_yet

    there = desk_or_none_yet(desk)
    language = lang.value if lang else there.config.language
    found, remarks = online_forms.verify_microsoft(there, kind, _source(responses))
    terminal.comparison([(one, language) for one in found], [(one, language) for one in remarks], as_json=json)
    _exit_if(bool(found))


@forms.command("sign-in")
def sign_in(
    source: Annotated[
        str, typer.Argument(help="A source of denpyo.toml that is read in a person's name.", metavar="SOURCE")
    ],
    desk: DeskOption = HERE,
) -> None:
    """Sign in with a code, once, for a source that is read in a person's name."""
    from submit import online_forms, terminal
    from submit.desk import open_desk

    online_forms.sign_in(open_desk(desk), source, terminal.say)
    terminal.say(f"{source}: signed in")


@datasets.command("add")
def add_dataset(
    name: Annotated[str, typer.Argument(help="What people will call it: a to z, 0 to 9, hyphens.", metavar="NAME")],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="A CSV, a workbook, or a folder with train.csv and test.csv; without it, what lies in its place already.",
            metavar="[FILE]",
        ),
    ] = None,
    test: Annotated[
        Path | None, typer.Option("--test", help="The rows to test on, if not drawn from FILE.", metavar="FILE")
    ] = None,
    share: Annotated[float, typer.Option("--share", help="Of the rows, how many are drawn to test on.")] = 0.2,
    seed: Annotated[int, typer.Option("--seed", help="Another seed draws other rows.")] = 0,
    sheet: Annotated[str, typer.Option("--sheet", help="Which sheet of a workbook.", metavar="SHEET")] = "",
    clearml: Annotated[str, typer.Option("--clearml", help="A ClearML Dataset instead.", metavar="ID")] = "",
    encoding: InEncoding = None,
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Put a table in its place as a dataset, and record its hash, columns and rows."""
    from submit import new_dataset, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    written_in = encoding.value if encoding else there.config.encoding
    given = new_dataset.Given(file, test, share, seed, sheet, written_in, clearml)
    found, language = new_dataset.add(there, name, given), there.config.language
    if isinstance(found, list):
        said = [(one, language) for one in found]
        terminal.document({"problems": terminal.problems_data(said)}) if json else terminal.problems(said)
        raise typer.Exit(REFUSED)
    if json:
        return terminal.document(found.data())
    for line in found.lines():
        terminal.say(line)


@datasets.command("list")
def list_datasets(desk: DeskOption = HERE, json: Json = False) -> None:
    """Say which datasets there are, and whether their bytes are those that were added."""
    from submit import dataset_list, terminal
    from submit.desk import open_desk

    found = dataset_list.listed(open_desk(desk))
    if json:
        return terminal.document({"datasets": [one.data() for one in found]})
    for one in found:
        terminal.say(one.line())


@app.command()
def demo(
    desk: Annotated[Path | None, typer.Option("--desk", help="Keep the demo's desk here.", metavar="DIR")] = None,
    json: Json = False,
) -> None:
    """Show the whole journey: template, filled sheet, slip, run, result."""
    from submit import demo as demonstration
    from submit import progress, terminal

    with progress.told(json) as told:
        shown = demonstration.demo(desk, told)
    if json:
        return terminal.document(shown.data())
    for line in shown.lines():
        terminal.say(line)


def _sources(files: Sequence[Path]) -> list[Source]:
    return [_source(file) for file in files]


def _source(file: Path) -> Source:
    from schema.problem import shown
    from submit.response import Source

    try:
        return Source(shown(file.name, 200), file.read_bytes())
    except OSError as error:
        raise typer.Exit(_complain(f"{file}: {error.strerror}", WRONG_USE)) from error


def _targets(files: Sequence[Path], folder: Path | None, force: bool) -> list[Path]:
    """Where the marked copies go; looked at before anything is done, so that nothing is left half done."""
    if folder is None:
        return []
    from submit import marked_files

    return marked_files.files_of(files, folder, force=force)


def _marked(
    desk: Desk, sources: Sequence[Source], outcome: Outcome, targets: Sequence[Path], *, kept: bool, encoding: str
) -> tuple[list[Path], list[Path]]:
    if not targets:
        return [], []
    from submit import marked_files

    return marked_files.write(desk, sources, outcome.responses, targets, kept=kept, encoding=encoding)


@contextmanager
def _said_anyway(say: Callable[[], None]) -> Iterator[None]:
    """What was accepted is said, whatever becomes of the marked copies."""
    try:
        yield
    except Exception:
        say()
        raise


def _judge(
    desk: Desk, sources: Sequence[Source], wishes: Wishes, targets: Sequence[Path], json: bool, *, dry: bool = False
) -> None:
    """Judge only, say what was found and, where there are targets, write the sheets back marked."""
    from submit import judging, progress, terminal

    with progress.counted("checked", json) as seen:
        outcome = judging.check(desk, sources, wishes, seen)
    marked = _marked(desk, sources, outcome, targets, kept=False, encoding=wishes.encoding)
    terminal.judgement(desk, outcome, as_json=json, marked=marked, dry=dry)
    _exit_if(bool(outcome.problems))


def _exit_if(refused: bool) -> None:
    if refused:
        raise typer.Exit(REFUSED)


def _complain(line: str, code: int) -> int:
    sys.stderr.write(f"denpyo: {line}\n")
    return code


def _exit_code(error: Exception) -> int | None:
    """The one table of exit codes. What is not in it is a bug of ours, and keeps its traceback."""
    from schema.kinds import KindError
    from submit.demo import DemoFailedError
    from submit.desk import DeskError
    from submit.engines import EngineDownError
    from submit.inbox import SourceDownError
    from submit.ledger import LedgerBusy, LedgerDamaged, LedgerError
    from submit.marked_files import NotWrittenError
    from submit.standing import UnknownRequestError

    table: tuple[tuple[type[Exception], int], ...] = (
        (LedgerDamaged, DAMAGED),
        (LedgerBusy, NO_ANSWER),
        (EngineDownError, NO_ANSWER),
        (SourceDownError, NO_ANSWER),
        (DemoFailedError, REFUSED),
        (LedgerError, WRONG_USE),
        (DeskError, WRONG_USE),
        (KindError, WRONG_USE),
        (UnknownRequestError, WRONG_USE),
        (NotWrittenError, WRONG_USE),
        (OSError, WRONG_USE),
    )
    return next((code for kind, code in table if isinstance(error, kind)), None)


def _child_on_its_way(words: Sequence[str]) -> AbstractContextManager[None]:
    """The process that reads a workbook does so while this one still imports. What is wrong with the file is said later."""
    books = [Path(one) for one in words if one.lower().endswith(".xlsx")]
    if words[:1] in (["check"], ["convert"], ["submit"], ["run"]) and books and books[0].is_file():
        from submit.child import started_early

        with suppress(OSError):
            return started_early(books[0].read_bytes())
    return nullcontext()


def main() -> None:
    """The entry point ``denpyo``."""
    gc.set_threshold(*RARELY)
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = (
        "__all__"  # none is ours, and every installed package would be searched for some
    )
    try:
        with _child_on_its_way(sys.argv[1:]):
            app()
    except BrokenPipeError:
        os._exit(GOOD)  # whoever read our output has seen enough
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        sys.exit(_complain(" ".join(str(error).split()), code))


if __name__ == "__main__":
    main()
