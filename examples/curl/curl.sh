#!/bin/sh
# Asks the bot, and prints its replies: sh curl.sh 'Hello'
set -eu

WEBHOOK_URL=${WEBHOOK_URL:-http://localhost:3000/webhook}
ACCESS_KEY=${ACCESS_KEY:-an-access-key-to-try-things-out-with}

# As JSON has it. A text with line breaks needs more than this.
text=$(printf '%s' "${1:-Hello}" | sed 's/[\\"]/\\&/g')

# Repeats are safe: the same messageId is one message.
curl --silent --show-error --fail-with-body --retry 3 "$WEBHOOK_URL" \
  -H "Authorization: Bearer $ACCESS_KEY" \
  -H 'Content-Type: application/json' \
  -H 'Prefer: wait=10' \
  -d '{"userId":"ada","conversationId":"tea","messageId":"'"$(date +%s)-$$"'","type":"text","text":"'"$text"'"}'
echo
