"use strict";
// Everything that people wrote enters the page as text nodes alone: there is no innerHTML here.
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const [ID, AT, KIND, WHO, DOOR, STATE, QUEUE, SECONDS, REMARK, DAMAGE, SEARCHED, ERASED] = Array(12).keys();
const A_PAGE = 100;
const HASH = /^[0-9a-f]{64}$/; // of a source; its beginning is what is searched
const groupOf = Object.fromEntries(Object.entries(data.groups).flatMap(([group, states]) => states.map((one) => [one, group])));
const plain = (text) => text.normalize("NFKC").toLowerCase();
const numbers = new Map(data.rows.map((row, number) => [row[ID], number]));
let searched = null;
let shown = [];
let page = 0;
let sorted = { by: AT, down: true };
let opened = null;
let deskShown = 0;
const unpacked = new Map();

const say = (name, facts = {}) =>
  (data.texts[root.lang][name] ?? name).replace(/\{(\w+)\}/g, (blank, key) => (key in facts ? String(facts[key]) : blank));
const word = (prefix, name) => data.texts[root.lang][prefix + name] ?? name;
const said = (pair) => (Array.isArray(pair) ? pair[root.lang === "ja" ? 1 : 0] : pair);
const kindOf = (name) => said(data.kinds[name] ?? name);

function el(name, given, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given ?? {})) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...inside.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== ""));
  return made;
}

function duration(took) {
  if (took === null || took === undefined) return "–";
  if (took < 60) return say("seconds", { count: Math.round(took) });
  const minutes = Math.round(took / 60);
  if (minutes < 60) return say("minutes", { count: minutes });
  return say("hours", { hours: Math.floor(minutes / 60), minutes: String(minutes % 60).padStart(2, "0") });
}

const badge = (state) => el("span", { class: `badge ${groupOf[state] ?? "open"}` }, word("state_", state) || "–");
const flag = (mark) => (mark ? el("span", { class: `flag ${mark}` }, say(`mark_${mark}`)) : null);
const who = (name, erased) => (name ? name : erased ? el("span", { class: "gone" }, say("erased")) : "–");

// ---- the table ----

function haystacks() {
  searched ??= data.rows.map((row) => plain([row[ID], row[KIND], row[QUEUE], row[REMARK], row[SEARCHED],
    ...Object.values(data.texts).map((texts) => texts[`state_${row[STATE]}`] ?? "")].join("\n")));
  return searched;
}

function filter() {
  const asked = plain(byId("search").value).split(/\s+/).filter(Boolean);
  const [state, kind, door, since, until] = ["state", "kind", "door", "since", "until"].map((id) => byId(id).value);
  const onlyDamage = byId("damage")?.checked;
  const texts = asked.length ? haystacks() : [];
  shown = [];
  data.rows.forEach((row, number) => {
    const day = row[AT].slice(0, 10);
    if ((state && row[STATE] !== state) || (kind && row[KIND] !== kind) || (door && row[DOOR] !== door)) return;
    if ((since && day < since) || (until && day > until) || (onlyDamage && !row[DAMAGE])) return;
    if (asked.every((one) => texts[number].includes(HASH.test(one) ? one.slice(0, 12) : one))) shown.push(number);
  });
  page = 0;
  sort();
}

function sort() {
  const { by, down } = sorted;
  const key = { [KIND]: kindOf, [DOOR]: (name) => word("door_", name), [STATE]: (name) => word("state_", name) }[by] ?? ((value) => value);
  const order = new Intl.Collator(root.lang);
  const numeric = by === SECONDS;
  const keys = new Map(shown.map((number) => [number, key(data.rows[number][by])]));
  const compare = numeric || by === AT || by === ID ? (a, b) => (a < b ? -1 : a > b ? 1 : 0) : order.compare;
  shown.sort((a, b) => {
    const [first, second] = [keys.get(a), keys.get(b)];
    if (numeric && (first === null || second === null)) return (first === null) - (second === null) || a - b;
    return (down ? -1 : 1) * (compare(first, second) || a - b);
  });
  draw();
}

function draw() {
  const pages = Math.max(1, Math.ceil(shown.length / A_PAGE));
  page = Math.min(page, pages - 1);
  const rows = shown.slice(page * A_PAGE, (page + 1) * A_PAGE).map((number) => line(data.rows[number]));
  if (!rows.length) rows.push(el("tr", {}, el("td", { colspan: 9 }, say("none_found"))));
  byId("list").tBodies[0].replaceChildren(...rows);
  const count = (number) => number.toLocaleString(root.lang);
  byId("count").textContent = say("found", { count: count(shown.length), all: count(data.rows.length) });
  byId("page-number").textContent = say("page", { page: page + 1, pages });
  byId("page-before").disabled = page === 0;
  byId("page-next").disabled = page === pages - 1;
  byId("pages").hidden = pages === 1;
  for (const head of document.querySelectorAll("#list th[data-sort]")) {
    if (Number(head.dataset.sort) === sorted.by) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

function line(row) {
  const under = el("span", { class: "under" }, row[AT], el("br"), kindOf(row[KIND]));
  return el("tr", {},
    el("th", { scope: "row", class: "c-id" }, el("button", { type: "button", class: "link mono", "data-open": row[ID] }, row[ID]), under),
    el("td", { class: "c-at" }, row[AT]), el("td", { class: "c-kind" }, kindOf(row[KIND])),
    el("td", { class: "c-who" }, who(row[WHO], row[ERASED])), el("td", { class: "c-door" }, word("door_", row[DOOR])),
    el("td", { class: "c-state" }, badge(row[STATE]), flag(row[DAMAGE])), el("td", { class: "c-queue" }, row[QUEUE]),
    el("td", { class: "c-seconds" }, duration(row[SECONDS])), el("td", { class: "c-remark" }, row[REMARK]));
}

function options(id, place, name) {
  const values = [...new Set(data.rows.map((row) => row[place]))].filter(Boolean).sort();
  const chosen = byId(id).value;
  byId(id).replaceChildren(el("option", { value: "" }, say("filter_any")), ...values.map((one) => el("option", { value: one }, name(one))));
  byId(id).value = chosen;
}

// ---- the cards: packed, a piece of them is unpacked when one of it is opened ----

async function piece(number) {
  if (!unpacked.has(number)) {
    const packed = Uint8Array.from(atob(byId(`piece-${number}`).textContent), (one) => one.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    unpacked.set(number, JSON.parse(await new Response(stream).text()));
  }
  return unpacked.get(number);
}

async function open(id, move = true) {
  const number = numbers.get(id);
  if (number === undefined) return;
  const at = shown.indexOf(number);
  opened = id;
  byId("card-title").replaceChildren(el("span", { class: "mono" }, id), badge(data.rows[number][STATE]), flag(data.rows[number][DAMAGE]) ?? "");
  byId("card-before").disabled = at <= 0;
  byId("card-after").disabled = at < 0 || at === shown.length - 1;
  const body = byId("card-body");
  if (!byId("card").open) byId("card").showModal();
  if (!("DecompressionStream" in window)) return body.replaceChildren(el("p", {}, say("old_browser")));
  body.replaceChildren(el("p", { class: "soft" }, say("loading")));
  const one = (await piece(Math.floor(number / data.piece)))[number % data.piece];
  if (opened !== id) return;
  body.replaceChildren(...card(one));
  if (move) { byId("card").scrollTop = 0; byId("card-title").focus(); }
}

function step(by) {
  const next = shown[shown.indexOf(numbers.get(opened)) + by];
  if (next !== undefined) open(data.rows[next][ID]);
}

const part = (title, ...inside) => el("section", { "aria-label": say(title) }, el("h3", {}, say(title)), inside);
const fact = (title, value, more = "") => (value === "" || value === null || value === undefined ? null
  : el("div", {}, el("dt", {}, say(title)), el("dd", { class: more }, value)));
const facts = (...all) => el("dl", { class: "facts" }, all);
const other = (id) => (numbers.has(id) ? el("button", { type: "button", class: "link mono", "data-open": id }, id) : el("span", { class: "mono" }, id));
const heads = (...names) => el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col" }, say(name)))));

function card(one) {
  return [asked(one), rulings(one), problems(one), answers(one), changes(one), difference(one), ...one.runs.map((run) => runPart(one, run)), slip(one),
    part("card_history", el("ol", { class: "history" }, one.history.map(entry)))].filter(Boolean);
}

function asked(one) {
  return part("card_asked", facts(
    fact("card_who", who(one.who, one.erased), "text"), fact("card_trust", one.trust && word("trust_", one.trust)), fact("card_subject", one.subject, "mono"),
    fact("card_at", `${data.rows[numbers.get(one.id)][AT]} (${one.at})`), fact("card_kind", `${kindOf(one.kind)} (${one.kind}${one.version ? `, v${one.version}` : ""})`),
    fact("card_door", one.door && word("door_", one.door)), fact("card_source", one.source, "text"), fact("card_where", one.where, "text"),
    fact("card_source_sha256", one.source_sha256, "mono"), fact("card_again", one.again, "text"),
    fact("card_follows", one.follows && other(one.follows)), fact("card_next", one.next && other(one.next))));
}

function rulings(one) {
  if (!one.rulings.length) return null;
  const sort = { approved: "yes", rejected: "no", denied: "no", expired: "no", held: "wait", stopped: "wait" };
  const sign = { yes: "✓ ", no: "✕ ", wait: "… " };
  return part("card_rulings", one.rulings.map((each) => el("div", { class: `ruling ${sort[each.action]}` },
    el("b", {}, el("span", { "aria-hidden": "true" }, sign[sort[each.action]]), say(`ruling_${each.action}`)),
    facts(fact("card_at", each.at), fact("ruling_by", each.by || (each.erased ? say("erased") : ""), "text"), fact("ruling_why", each.why, "text"),
      fact("ruling_rule", each.rule), fact("ruling_over", each.over.map(said).join(" ")),
      fact("ruling_expires", each.expires)))));
}

function problems(one) {
  if (!one.problems.length && !one.codes.length) return null;
  if (!one.problems.length) return part("card_problems", one.codes.map(([code, what]) => el("p", {}, said(what), " ", el("code", {}, code))));
  return part("card_problems", el("table", { class: "answers" }, heads("card_problem_place", "card_problem_question", "card_problem_message"),
    el("tbody", {}, one.problems.map((each) => el("tr", {}, el("td", { class: "mono" }, each.spot), el("td", {}, said(each.label)),
      el("td", { class: "text" }, each.message, " ", el("code", {}, each.code)))))));
}

function answers(one) {
  if (!one.answers.length) return null;
  const known = one.answers[0][0] === "" ? el("p", { class: "soft" }, say("show_unknown_form")) : null;
  return part("card_answers", known, one.answers.map(([title, lines]) => [title ? el("h4", {}, said(title)) : null,
    el("table", { class: "answers" }, el("tbody", {}, lines.map(([label, value, isDefault]) => el("tr", {}, el("th", { scope: "row" }, said(label)),
      el("td", { class: "text" }, said(value), isDefault ? el("span", { class: "as-it-was" }, say("card_default")) : null)))))]));
}

function changes(one) {
  if (!one.changes.length) return null;
  return part("card_changes", el("table", { class: "answers" }, heads("question", "difference_before", "difference_now", "why"),
    el("tbody", {}, one.changes.map((each) => el("tr", {}, el("td", {}, said(each.label)), el("td", { class: "text" }, said(each.before) || say("empty")),
      el("td", { class: "text" }, said(each.after) || say("empty")), el("td", { class: "text" }, said(each.why)))))));
}

function difference(one) {
  if (!one.previous) return null;
  const [before, after] = say("difference_to", { id: "\n" }).split("\n");
  const value = (text, how) => el("td", {}, text === null ? el("span", { class: "gone" }, say("not_asked")) : el(how, { class: "text" }, said(text)));
  const table = el("table", { class: "answers" }, heads("question", "difference_before", "difference_now"), el("tbody", {},
    one.difference.map(([label, old, now]) => el("tr", {}, el("td", {}, said(label)), value(old, "del"), value(now, "ins")))));
  return part("card_difference", el("p", { class: "soft" }, before, other(one.previous), after), one.difference.length ? table : el("p", {}, say("difference_none")));
}

function runPart(one, run) {
  const number = (value) => (typeof value === "number" ? String(Number(value.toPrecision(6))) : String(value));
  const last = run === one.runs[one.runs.length - 1];
  const metrics = last ? Object.entries(one.metrics) : [];
  const links = run.links.filter(([, url]) => /^https?:\/\//.test(url)).flatMap(([name, url], at) => [at ? " · " : "",
    el("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, word("link_", name))]);
  return part("card_runs", facts(
    fact("run_id", run.run, "mono"), fact("run_state", badge(run.state)), fact("run_queue", run.queue), fact("run_engine", run.engine),
    fact("run_hours", duration(run.max_hours * 3600)), fact("run_passed", typeof run.passed === "boolean" ? say(`passed_${run.passed}`) : ""),
    fact("run_reason", said(run.reason), "text"), metrics.length ? fact("metrics", metrics.map(([name, value]) => el("div", {}, `${name}: ${number(value)}`))) : null,
    fact("run_warnings", (run.warnings ?? []).map((each) => el("div", { class: "text" }, String(each))).length ? run.warnings.map((each) => el("div", { class: "text" }, String(each))) : ""),
    fact("run_model", run.model, "mono"), fact("run_started_at", run.started_at), fact("run_ended_at", run.ended_at),
    fact("run_seed", run.seed), fact("run_dataset_sha256", run.dataset_sha256, "mono"), fact("run_commit", run.commit, "mono"),
    fact("run_lock_sha256", run.lock_sha256, "mono"), fact("run_engine_id", run.engine_id, "mono"), links.length ? fact("run_links", links) : null));
}

function slip(one) {
  const there = one.slip_is === "kept" ? el("pre", { lang: "", tabindex: "0" }, one.slip)
    : el("p", { class: one.slip_is === "changed" ? "flag" : "gone" }, say(`slip_${one.slip_is}`));
  return part("card_slip", there);
}

const object = (text) => { try { return JSON.parse(text) ?? {}; } catch { return {}; } };

function entry([seq, hash, body, beside, mark]) {
  const told = object(body);
  const detail = Object.entries(told.detail ?? {}).filter(([, value]) => value !== "" && value !== null);
  const spelled = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return el("li", { class: mark },
    el("div", {}, el("time", {}, told.at ?? "–"), el("span", { class: "what" }, told.action ? word("action_", told.action) : say("history_unreadable")), flag(mark)),
    el("div", {}, el("span", { class: "by" }, `${say("history_entry")} ${seq}`), el("span", { class: "by" }, told.user ?? "")),
    mark ? el("p", { class: "told strong" }, say(`history_${mark}`)) : null,
    detail.length ? el("p", { class: "told" }, detail.map(([name, value]) => `${word("detail_", name)}: ${name === "order" ? word("order_", value) : spelled(value)}`).join(" · ")) : null,
    beside === null ? el("p", { class: "told gone" }, `${say("history_beside")}: ${say("erased")}`) : null,
    el("details", {}, el("summary", {}, say("history_evidence")), facts(
      fact("history_hash", hash, "mono"), fact("history_before", told.before, "mono"), fact("history_key", told.key, "mono"),
      fact("history_body", el("pre", { lang: "" }, body)), beside ? fact("history_beside", el("pre", { lang: "" }, beside)) : null)));
}

// ---- the desk's own entries, the newest first ----

function deskEntries(more = 0) {
  const newest = [...data.desk].reverse();
  deskShown = Math.min(Math.max(deskShown, 10) + more, newest.length);
  byId("desk").hidden = !newest.length;
  byId("desk").querySelector("ol").replaceChildren(...newest.slice(0, deskShown).map(entry));
  byId("desk").querySelector(":scope > button").hidden = deskShown === newest.length;
}

// ---- language, and what listens ----

function speak(language) {
  root.lang = language;
  document.title = `${say("title")} · denpyo`;
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
  options("state", STATE, (one) => word("state_", one));
  options("kind", KIND, kindOf);
  options("door", DOOR, (one) => word("door_", one));
  filter();
  deskEntries();
  if (byId("card").open) open(opened, false);
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-open], [data-language], th[data-sort] button");
  if (!target) return;
  if (target.dataset.open) open(target.dataset.open);
  else if (target.dataset.language) speak(target.dataset.language);
  else {
    const by = Number(target.parentElement.dataset.sort);
    sorted = { by, down: sorted.by === by ? !sorted.down : by === AT };
    sort();
  }
});
let waiting = 0;
byId("filters").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 60); });
byId("filters").addEventListener("reset", () => setTimeout(filter));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("page-before").addEventListener("click", () => { page -= 1; draw(); });
byId("page-next").addEventListener("click", () => { page += 1; draw(); byId("list").scrollIntoView(); });
byId("card-close").addEventListener("click", () => byId("card").close());
byId("card-before").addEventListener("click", () => step(-1));
byId("card-after").addEventListener("click", () => step(1));
byId("card").addEventListener("click", (event) => { if (event.target === byId("card")) byId("card").close(); });
byId("desk").querySelector(":scope > button").addEventListener("click", () => deskEntries(50));
for (const one of [byId("filters"), byId("list"), document.querySelector(".languages")]) one.hidden = false;
const fromAddress = () => open(decodeURIComponent(location.hash.slice(1)));
addEventListener("hashchange", fromAddress);
speak(data.language);
root.dataset.ready = "yes";
fromAddress();
