#!/bin/sh
# Five steps with curl. Needs curl and openssl.
set -eu
URL=${ZAPIER_URL:-http://localhost:8080}
JSON='Content-Type: application/json'

# The key. In production the operator makes it; a server in Development lets anyone.
KEY=${ZAPIER_KEY:-$(curl -fsS "$URL/api/keys/generate" -H "$JSON" -d '{"organization_name": "Quick start"}' | sed -n 's/.*"api_key": *"\([^"]*\)".*/\1/p')}

# 1. Send an event. 202 means that it is kept; with a dedup_id it can be sent again safely.
ID=$(curl -fsS "$URL/api/events" -H "X-API-Key: $KEY" -H "$JSON" \
    -d '{"type": "order.paid", "payload": {"order": 7, "total": 12.50}, "dedup_id": "order-7"}' | sed -n 's/.*"event_id": *"\([^"]*\)".*/\1/p')
echo "sent $ID"

# 2. Send many, one a line: each has its own result.
printf '%s\n' '{"type": "order.sent", "payload": {"order": 7}}' '{"type": "order.sent", "payload": {"order": 8}}' \
    | curl -fsS "$URL/api/events/batch" -H "X-API-Key: $KEY" -H 'Content-Type: application/x-ndjson' --data-binary @-
echo

# 3. Read what is pending, oldest first. next_cursor goes on from there.
curl -fsS "$URL/api/inbox?status=pending&order=asc&limit=10" -H "X-API-Key: $KEY"
echo

# 4. Acknowledge what has been handled.
curl -fsS -X POST "$URL/api/ack/$ID" -H "X-API-Key: $KEY"
echo

# 5. Verify a webhook: the signature is HMAC-SHA256 over id.timestamp.body, keyed with the secret's decoded bytes.
verify() { # verify SECRET ID TIMESTAMP SIGNATURE BODY
    hex=$(printf '%s' "${1#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
    made=$(printf '%s.%s.%s' "$2" "$3" "$5" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$hex" -binary | openssl base64 -A)
    case " $4 " in *" v1,$made "*) return 0 ;; *) return 1 ;; esac
}
verify whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw msg_p5jXN8AQM9LWM0D4loKWxJek 1614265330 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' '{"test": 2432232314}' \
    && echo "webhook verified"
