import { shell } from './curl.js'

/** @typedef {{ webhookUrl: string, key: string }} Target */

/** A string as JavaScript, Python and Go write it. @param {string} text */
const quoted = (text) => JSON.stringify(text)

/** A string as PHP writes it. @param {string} text */
const php = (text) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`

/**
 * A program for each language that sends the bot a message and prints its reply. Each makes a message id of its own.
 *
 * @type {Record<string, { file: string, run: string, code: (target: Target) => string }>}
 */
export const SNIPPETS = {
  curl: {
    file: 'a terminal',
    run: '',
    code: ({ webhookUrl, key }) => `curl ${shell(webhookUrl)} \\
  -H ${shell(`Authorization: Bearer ${key}`)} \\
  -H 'Content-Type: application/json' \\
  -H 'Prefer: wait=10, replies=1' \\
  -d '{"userId":"ada","conversationId":"tea","messageId":"'"$(date +%s)"'","type":"text","text":"Hello"}'`,
  },
  'Node.js': {
    file: 'send.mjs',
    run: 'node send.mjs',
    code: ({ webhookUrl, key }) => `const response = await fetch(${quoted(webhookUrl)}, {
  method: 'POST',
  headers: {
    authorization: ${quoted(`Bearer ${key}`)},
    'content-type': 'application/json',
    prefer: 'wait=10, replies=1',
  },
  body: JSON.stringify({
    userId: 'ada',
    conversationId: 'tea',
    messageId: crypto.randomUUID(),
    type: 'text',
    text: 'Hello',
  }),
})
const answer = await response.json()
if (!response.ok) throw new Error(answer.detail)
console.log(answer.replies.map(({ payload }) => payload.text))`,
  },
  Python: {
    file: 'send.py',
    run: 'python3 send.py',
    code: ({ webhookUrl, key }) => `import json, urllib.request, uuid

message = {
    "userId": "ada",
    "conversationId": "tea",
    "messageId": str(uuid.uuid4()),
    "type": "text",
    "text": "Hello",
}
request = urllib.request.Request(
    ${quoted(webhookUrl)},
    data=json.dumps(message).encode(),
    headers={
        "Authorization": ${quoted(`Bearer ${key}`)},
        "Content-Type": "application/json",
        "Prefer": "wait=10, replies=1",
    },
)
with urllib.request.urlopen(request) as response:
    answer = json.load(response)
print([reply["payload"]["text"] for reply in answer["replies"]])`,
  },
  PHP: {
    file: 'send.php',
    run: 'php send.php',
    code: ({ webhookUrl, key }) => `<?php
$answer = file_get_contents(${php(webhookUrl)}, false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => [
        ${php(`Authorization: Bearer ${key}`)},
        'Content-Type: application/json',
        'Prefer: wait=10, replies=1',
    ],
    'content' => json_encode([
        'userId' => 'ada',
        'conversationId' => 'tea',
        'messageId' => bin2hex(random_bytes(8)),
        'type' => 'text',
        'text' => 'Hello',
    ]),
    'ignore_errors' => true,
]]));
foreach (json_decode($answer, true)['replies'] as $reply) {
    echo $reply['payload']['text'], PHP_EOL;
}`,
  },
  Go: {
    file: 'send.go',
    run: 'go run send.go',
    code: ({ webhookUrl, key }) => `package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

func main() {
	body := fmt.Sprintf(\`{"userId":"ada","conversationId":"tea","messageId":"%d","type":"text","text":"Hello"}\`, time.Now().UnixNano())
	request, err := http.NewRequest("POST", ${quoted(webhookUrl)}, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", ${quoted(`Bearer ${key}`)})
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Prefer", "wait=10, replies=1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(response.Status, string(answer))
}`,
  },
}
