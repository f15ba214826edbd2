// Five steps with what Node 18 and later have built in.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const URL = process.env.ZAPIER_URL ?? "http://localhost:8080";

async function call(method, path, key, body) {
  const headers = { "Content-Type": "application/json", ...(key ? { "X-API-Key": key } : {}) };
  const answer = await fetch(URL + path, { method, headers, body: body && JSON.stringify(body) });
  const json = await answer.json();
  if (!answer.ok) throw new Error(`${json.title}: ${json.detail}`);
  return json;
}

/** HMAC-SHA256 over id.timestamp.body as it came, keyed with the secret's decoded bytes; not older than five minutes. */
function verify(secret, headers, body) {
  const [id, timestamp] = [headers["webhook-id"], headers["webhook-timestamp"]];
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const made = Buffer.from(`v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")}`);
  return headers["webhook-signature"].split(" ").map((one) => Buffer.from(one)).some((one) => one.length === made.length && timingSafeEqual(one, made));
}

// The key. In production the operator makes it; a server in Development lets anyone.
const key = process.env.ZAPIER_KEY ?? (await call("POST", "/api/keys/generate", null, { organization_name: "Quick start" })).api_key;

// 1. Send an event. 202 means that it is kept; with a dedup_id it can be sent again safely.
const sent = await call("POST", "/api/events", key, { type: "order.paid", payload: { order: 7, total: 12.5 }, dedup_id: `order-${Date.now()}` });
console.log("sent", sent.id);

// 2. Send many: each has its own result.
const batch = await call("POST", "/api/events/batch", key, [7, 8].map((order) => ({ type: "order.sent", payload: { order } })));
console.log("accepted", batch.accepted);

// 3. Read what is pending, oldest first. next_cursor goes on from there.
const page = await call("GET", "/api/inbox?status=pending&order=asc&limit=10", key);
console.log("pending", page.events.map((event) => event.type));

// 4. Acknowledge what has been handled.
const done = await call("POST", "/api/inbox/ack", key, { event_ids: page.events.map((event) => event.id) });
console.log("acknowledged", done.acknowledged);

// 5. Receive a webhook, and verify it.
const { secret } = await call("POST", "/api/webhook/config", key, { webhook_url: "http://127.0.0.1:9091/hook" });
const receiver = createServer(async (request, answer) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const good = verify(secret, request.headers, body);
  answer.writeHead(good ? 204 : 400).end();
  if (!good) return;
  console.log("webhook verified:", JSON.parse(body).type);
  setImmediate(() => process.exit(0));
});
receiver.listen(9091, "127.0.0.1", () => call("POST", "/api/events", key, { type: "order.closed", payload: { order: 7 } }));
setTimeout(() => {
  console.error("no webhook came");
  process.exit(1);
}, 30_000);
