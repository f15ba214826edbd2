"use strict";

// Everything that comes from the server is put into the page as text, never as HTML: types and payloads are strangers' words.
const $ = (id) => document.getElementById(id);

/** Makes an element: el("td", {class: "id"}, "text", child …). */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key === "click") element.addEventListener("click", value);
    else element.setAttribute(key, value);
  }
  for (const child of children) element.append(child instanceof Node ? child : String(child ?? ""));
  return element;
}

const number = new Intl.NumberFormat();
const time = (text) => (text ? new Date(text).toLocaleString() : "–");

// Live figures

const samples = [];
let last = null;

function tone(id, text, kind) {
  const pill = $(id);
  pill.textContent = text;
  pill.className = `pill ${kind}`;
}

function showFigures(health, at) {
  const figures = health.figures;
  const now = { at, accepted: figures.zapier_events_accepted, delivered: figures.zapier_webhooks_delivered };
  if (last && now.accepted >= last.accepted && now.at > last.at) {
    const seconds = (now.at - last.at) / 1000;
    samples.push((now.accepted - last.accepted) / seconds);
    if (samples.length > 60) samples.shift();
    $("accepted").textContent = `${number.format(Math.round(samples.at(-1)))} /s`;
    $("delivered").textContent = `${number.format(Math.round((now.delivered - last.delivered) / seconds))} /s`;
    const top = Math.max(1, ...samples);
    const points = samples.map((value, i) => `${(i * 120) / 59},${26 - (24 * value) / top}`);
    $("trend").firstElementChild.setAttribute("points", points.join(" "));
  }
  last = now;
  $("lag").textContent = number.format(figures.zapier_journal_backlog_events);
  const age = health.oldest_unstored_ms;
  $("lag-note").textContent = age > 0 ? `oldest ${number.format(age)} ms` : "all events are stored";
  $("delivered-note").textContent =
    `${number.format(figures.zapier_webhooks_in_flight)} in flight, ${number.format(figures.zapier_webhooks_dead_letters)} dead letters since the start`;
  const states = health.endpoints;
  const all = states.active + states.backing_off + states.paused + states.disabled;
  $("endpoints-up").textContent = `${number.format(states.active)} of ${number.format(all)}`;
  $("endpoints-note").textContent = `${states.backing_off} backing off, ${states.paused} paused, ${states.disabled} disabled`;
}

async function refresh() {
  try {
    const answer = await fetch("/api/health/detailed", { cache: "no-store" });
    const health = await answer.json();
    const ready = health.status === "ready";
    tone("readiness", ready ? "ready" : "not ready", ready ? "good" : "bad");
    const reasons = health.reasons ?? [];
    $("reasons").textContent = reasons.join(" · ");
    $("reasons").hidden = reasons.length === 0;
    showFigures(health, performance.now());
  } catch {
    tone("readiness", "not reachable", "bad");
  }
}

// Calls with the key

const STORED = "zapier-triggers-key";

class Refused extends Error {}

// The text that an answer was read from.
const texts = new WeakMap();

/** A payload to be read by people, its numbers as they were sent (12.50, and those that JavaScript cannot hold) where the browser can. */
function payloadOf(event) {
  const whole = JSON.rawJSON
    ? JSON.parse(texts.get(event), (_, value, context) => (typeof value === "number" ? JSON.rawJSON(context.source) : value))
    : event;
  return JSON.stringify(whole.payload, null, 2);
}

async function call(method, path, body) {
  const headers = { "X-API-Key": sessionStorage.getItem(STORED) ?? "" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body });
  } catch {
    throw new Refused("The server cannot be reached.");
  }
  const text = await answer.text();
  const json = text ? JSON.parse(text) : {};
  texts.set(json, text);
  if (!answer.ok) throw new Refused(`${json.title}: ${json.detail}`);
  return json;
}

function complain(text) {
  $("trouble").textContent = text ?? "";
  $("trouble").hidden = !text;
}

/** Runs something that may be refused, and says so where it can be read. */
async function attempt(work) {
  complain(null);
  try {
    return await work();
  } catch (error) {
    complain(error instanceof Refused ? error.message : "The answer could not be understood.");
    return undefined;
  }
}

// Views

const KINDS = {
  delivered: "good", active: "good",
  pending: "wait", failed: "wait", backing_off: "wait", paused: "wait",
  dead_letter: "bad", disabled: "bad",
};
const state = (text) => el("span", { class: `pill ${KINDS[text] ?? ""}` }, String(text).replace("_", " "));

function table(columns, rows, empty) {
  if (rows.length === 0) return el("p", { class: "empty" }, empty);
  const head = el("tr", {}, ...columns.map((name) => el("th", { scope: "col" }, name)));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}

const row = (...cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell)));
const quiet = (text, click, attributes) => el("button", { type: "button", class: "quiet", click, ...attributes }, text);
const again = (view) => el("div", { class: "bar" }, el("span", {}), quiet("Refresh", () => open(view)));

let cursor = null;

async function inbox() {
  const page = await call("GET", `/api/inbox?limit=25${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
  const rows = page.events.map((event) =>
    row(
      quiet(event.type, () => attempt(() => showEvent(event.id))),
      state(event.status),
      number.format(event.attempts),
      time(event.created_at),
      el("span", { class: "id" }, event.id),
    ),
  );
  const pages = el("div", { class: "bar" },
    quiet("Newest", () => { cursor = null; open("inbox"); }),
    quiet("Older", () => { cursor = page.next_cursor; open("inbox"); }, page.has_more ? {} : { disabled: "" }));
  return [pages, table(["Event", "Status", "Tries", "Accepted", "Id"], rows, "No events here.")];
}

async function endpoints() {
  const list = await call("GET", "/api/endpoints");
  const rows = list.endpoints.map((one) =>
    row(
      el("span", {}, el("span", {}, one.url), el("br"), el("span", { class: "note" }, one.event_types.join(", "))),
      state(one.health.state),
      one.health.reason ?? one.health.last_error ?? "",
      quiet("Test", () => attempt(() => testEndpoint(one))),
    ),
  );
  return [again("endpoints"), table(["Endpoint", "Health", "Why", ""], rows, "No endpoints. POST /api/endpoints makes one.")];
}

async function deadLetters() {
  const page = await call("GET", "/api/dead-letters?limit=50");
  const rows = page.dead_letters.map((one) => {
    const button = quiet("Replay", () => attempt(async () => {
      button.disabled = true;
      try {
        await call("POST", `/api/dead-letters/${one.event_id}/replay`, JSON.stringify({ endpoint_id: one.endpoint_id }));
        button.textContent = "Sent again";
      } catch (error) {
        button.disabled = false;
        throw error;
      }
    }));
    return row(
      quiet(one.type, () => attempt(() => showEvent(one.event_id))),
      one.url, `${one.response_status ?? ""} ${one.error ?? ""}`, time(one.failed_at), button);
  });
  return [again("dead"), table(["Event", "Endpoint", "Error", "Given up", ""], rows, "No dead letters.")];
}

async function send() {
  const type = el("input", { id: "send-type", required: "", maxlength: "255", value: "test.event" });
  const payload = el("textarea", { id: "send-payload", required: "", spellcheck: "false" });
  payload.value = '{\n  "hello": "world"\n}';
  const result = el("p", { role: "status", class: "note" });
  const form = el("form", {},
    el("div", { class: "fields" }, el("label", { for: "send-type" }, "Type"), type),
    el("div", { class: "fields" }, el("label", { for: "send-payload" }, "Payload, a JSON object"), payload),
    el("button", { type: "submit" }, "Send"), result);
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    result.textContent = "";
    attempt(async () => {
      // The payload goes out as it was typed; the server says what is wrong with it.
      const sent = await call("POST", "/api/events", `{"type":${JSON.stringify(type.value)},"payload":${payload.value}}`);
      result.textContent = `Accepted as ${sent.id}`;
    });
  });
  return [form];
}

function show(title, ...parts) {
  $("detail-title").textContent = title;
  $("detail-body").replaceChildren(...parts);
  if (!$("detail").open) $("detail").showModal();
}

async function showEvent(id) {
  const event = await call("GET", `/api/events/${encodeURIComponent(id)}`);
  const deliveries = event.deliveries.flatMap((one) => [
    el("h3", {}, one.url, " ", state(one.status)),
    el("p", { class: "note" }, one.reason ?? "", one.next_attempt_at ? `; next try ${time(one.next_attempt_at)}` : ""),
    table(["Try", "At", "Status", "Took", "Error or answer"], one.attempts.map((tried) =>
      row(tried.number, time(tried.at), tried.response_status ?? "–", `${tried.latency_ms} ms`, tried.error ?? tried.response_body ?? "")),
      "No tries yet."),
  ]);
  const acknowledge = quiet("Acknowledge", () => attempt(async () => {
    await call("POST", `/api/ack/${encodeURIComponent(id)}`);
    await showEvent(id);
  }));
  if (event.acknowledged_at) acknowledge.disabled = true;
  show(event.type,
    el("p", { class: "id" }, event.id),
    el("p", {}, state(event.status), ` accepted ${time(event.created_at)}`,
      event.acknowledged_at ? `, acknowledged ${time(event.acknowledged_at)}` : "", " ", acknowledge),
    el("h3", {}, "Payload"),
    el("pre", { tabindex: "0" }, payloadOf(event)),
    ...deliveries);
}

async function testEndpoint(endpoint) {
  const result = await call("POST", `/api/endpoints/${encodeURIComponent(endpoint.id)}/test`);
  show(`Test of ${endpoint.url}`,
    el("p", {}, state(result.success ? "delivered" : "failed"), ` ${result.status ?? ""} in ${result.latency_ms} ms ${result.error ?? ""}`),
    el("h3", {}, "Sent with"),
    el("pre", { tabindex: "0" }, Object.entries(result.request_headers).map(([name, value]) => `${name}: ${value}`).join("\n")),
    el("h3", {}, "Answer"), el("pre", { tabindex: "0" }, result.response_body ?? ""));
}

const VIEWS = { inbox, endpoints, dead: deadLetters, send };
const tabs = Object.keys(VIEWS).map((name) => $(`tab-${name}`));

async function open(name) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  $("view").setAttribute("aria-labelledby", `tab-${name}`);
  const parts = await attempt(VIEWS[name]);
  if (parts) $("view").replaceChildren(...parts);
  return parts !== undefined;
}

for (const [i, tab] of tabs.entries()) {
  tab.addEventListener("click", () => open(tab.id.slice(4)));
  tab.addEventListener("keydown", (pressed) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[pressed.key];
    if (!step) return;
    const next = tabs[(i + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });
}

// The key

function showKey(has) {
  $("organization-view").hidden = !has;
  $("forget").hidden = !has;
}

$("key-form").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  sessionStorage.setItem(STORED, $("key").value.trim());
  $("key").value = "";
  cursor = null;
  showKey(await open("inbox"));
});

$("forget").addEventListener("click", () => {
  sessionStorage.removeItem(STORED);
  $("view").replaceChildren();
  complain(null);
  showKey(false);
  $("key").focus();
});

refresh();
setInterval(() => { if (!document.hidden) refresh(); }, 2000);
if (sessionStorage.getItem(STORED)) open("inbox").then(showKey);
