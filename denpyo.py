"""The command line: parse, call one function, print what it returns. Heavy imports happen in the command that needs them."""

from __future__ import annotations

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

from commands import (
    DAMAGED,
    GOOD,
    HERE,
    NO_ANSWER,
    REFUSED,
    WRONG_USE,
    DeskOption,
    InEncoding,
    InState,
    Json,
    Language,
    OfKind,
    OfPerson,
    RequestId,
    Since,
    Until,
    approval,
    audit,
    clearml,
    complain,
    datasets,
    exit_if,
    forms,
    policy,
    replies,
    source_of,
)

if TYPE_CHECKING:
    from submit.desk import Desk
    from submit.judging import Outcome
    from submit.response import Source, Wishes

RARELY = 100_000, 50, 50
"""When garbage is looked for: ten thousand requests are no garbage, and to find that out again and again costs a tenth of the time."""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A filled form becomes a checked, audited, queued machine-learning run.",
)
for group in (audit, forms, datasets, clearml, replies, policy):
    app.add_typer(group.app, name=group.__name__.removeprefix("commands."))


class Layout(StrEnum):
    form = "form"
    table = "table"


class EngineName(StrEnum):
    local = "local"
    clearml = "clearml"


class Annotations(StrEnum):
    github = "github"
    gitlab = "gitlab"


Files = Annotated[
    list[Path], typer.Argument(help="Filled workbooks (.xlsx), tables as CSV, or YAML documents.", metavar="FILE...")
]
As = Annotated[str, typer.Option("--as", help="For whom; recorded as claimed.", metavar="EMAIL")]
Again = Annotated[str, typer.Option("--again", help="Run the same request again, and why.", metavar="WHY")]
Queue = Annotated[str, typer.Option("--queue", help="Another queue than the answers name.", metavar="Q")]
Whole = Annotated[
    bool, typer.Option("--all-or-nothing", help="Accept nothing if anything is refused; refusals are recorded.")
]
Annotate = Annotated[
    Path | None,
    typer.Option("--annotate", help="Write the sheets back, marked, into this folder.", metavar="DIR"),
]
Force = Annotated[bool, typer.Option("--force", help="Replace marked sheets that are there.")]


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
    exit_if(bool(report.drifted or report.frozen))


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
        raise typer.Exit(complain(f"{out}: a template is an Excel workbook; give a name that ends in .xlsx", WRONG_USE))
    if out.exists() and not force:
        raise typer.Exit(complain(f"{out} is there already and may be filled in: --force replaces it", WRONG_USE))
    there = desk_or_none_yet(desk)
    problems = blank.write(there, kind, lang.value, layout.value, source_of(filled) if filled else None, out)
    if json:
        found = [terminal.problem_data(one, lang.value) for one in problems]
        terminal.document({"file": None if problems else str(out), "problems": found})
    else:
        terminal.problems([(one, lang.value) for one in problems])
        if not problems:
            terminal.say(f"wrote {out}")
    exit_if(bool(problems))


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
        raise typer.Exit(complain("--format writes for a service alone: leave out --annotate and --json", WRONG_USE))
    there, sources = desk_or_none_yet(desk), _sources(files)
    wishes = Wishes(encoding=encoding or "", form_only=form_only)
    if service:
        from submit import terminal
        from submit.replies import annotations

        found = annotations.judged(there, [str(file) for file in files], sources, wishes)
        terminal.annotated(found, service.value)
        return exit_if(any(one.is_error for one in found))
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
    exit_if(bool(outcome.problems))


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
    exit_if(bool(outcome.problems))
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
    source, targets = source_of(file), _targets([file], annotate, force)
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
    exit_if(found.request.state != "done")


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

    data = source_of(event).data
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
    sources = [one for one in seen.values() if one.kind != watching.BESIDE]
    if once and (down := sum(bool(one.error) for one in sources)):
        raise typer.Exit(complain(f"{down} of {len(sources)} sources did not answer", NO_ANSWER))
    if once and len(seen) > len(sources):
        raise typer.Exit(NO_ANSWER)  # what went wrong beside them was said


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
    since: Since = "",
    until: Until = "",
    kind: OfKind = "",
    who: OfPerson = "",
    state: InState = "",
    desk: DeskOption = HERE,
    json: Json = False,
) -> None:
    """Say where requests stand. Times are those of the last change."""
    from submit import one_machine, terminal
    from submit.desk import open_desk
    from submit.review.wanted import among, wanted

    there = open_desk(desk)
    asked_for = wanted(since, until, kind, who, state=state)
    if inbox:
        from submit.inbox import health

        terminal.sources(health.inbox_data(there), as_json=json)
        if check and (wrong := health.unwatched(there)):
            raise typer.Exit(complain(wrong, NO_ANSWER))
        return
    for found in one_machine.watched(there, request, terminal.not_answered, watch=watch):
        if request:
            terminal.status(there, found[0], as_json=json, one_line=watch)
        else:
            terminal.statuses(among(there, found, asked_for), as_json=json, one_line=watch)


@app.command()
def show(request: RequestId, desk: DeskOption = HERE, json: Json = False) -> None:
    """Print who asked for a request, its answers, history, result and slip, in the language it was asked in."""
    from submit import kept_slip, standing, terminal
    from submit.desk import open_desk
    from submit.review import told

    there = open_desk(desk)
    found = standing.standing(there, request)
    history = standing.history(there, found.request.id)
    text = kept_slip.slip_text(there, found.request)
    if json:
        entries = [{"at": one.at, "user": one.user, "action": one.action, "detail": one.detail} for one in history]
        held = terminal.awaited(there, found)
        return terminal.document({**found.status_data(), **held, "slip": text or "", "history": entries})
    for line in told.about(there, found.request.id):
        terminal.say(line)
    terminal.say("")
    terminal.history(history)
    terminal.status(there, found, as_json=False)
    terminal.say("\nthe slip was erased" if text is None else f"\n{text}".rstrip())


for command in (approval.approve, approval.reject, approval.cancel):
    app.command()(command)


@app.command("open")
def open_page(request: RequestId, desk: DeskOption = HERE, json: Json = False) -> None:
    """Open the page of a request's run."""
    from submit import standing, terminal
    from submit.desk import open_desk

    there = open_desk(desk)
    found = standing.standing(there, request)
    page = standing.page(there, found)
    if not page:
        raise typer.Exit(complain(f"{request} has no page: it is {found.request.state}", REFUSED))
    if json:
        return terminal.document({"id": request, "url": page})
    terminal.say(page)
    if sys.stdout.isatty():
        typer.launch(page)


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
    return [source_of(file) for file in files]


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
    exit_if(bool(outcome.problems))


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
        sys.exit(complain(" ".join(str(error).split()), code))


if __name__ == "__main__":
    main()
