import { createHmac, randomUUID } from 'node:crypto'
import http, { type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { listen } from '../harness/listen'

const ACCOUNT = 1
const TOKEN = 'bot-token'
const SECRETS = { bot: 'secret-of-the-bot', webhook: 'secret-of-the-webhook' }

type Status = 'pending' | 'open' | 'resolved'

/** A message of a conversation, as Chatwoot has it. */
export type ChatwootMessage = {
  id: number
  content: string
  message_type: 'incoming' | 'outgoing'
  content_type: string
  content_attributes: { items?: Record<string, unknown>[]; submitted_values?: object[] }
  attachments?: { file_type: string; data_url: string; fallback_title?: string }[]
  private: boolean
  sender: { type: string }
  /** Of an attachment that came with it. */
  file?: { name: string; type: string; text: string }
}

const USER = { id: 7, name: 'Ada', type: 'contact', thumbnail: '' }

/** What Chatwoot's own validator takes: https://www.chatwoot.com/hc/user-guide/articles/1677689344-how-to-use-interactive-messages */
const faultOf = ({ content_type: type, content_attributes: { items = [] } = {} }: ChatwootMessage) => {
  if (type !== 'input_select' && type !== 'cards') return undefined
  const allowed = type === 'cards' ? ['title', 'description', 'media_url', 'actions'] : ['title', 'value']
  if (items.length === 0) return 'At least one item is required.'
  if (items.some((item) => Object.keys(item).some((key) => !allowed.includes(key)))) return 'contains invalid keys'
  const lacksActions = type === 'cards' && items.some(({ actions }) => !(actions as object[] | undefined)?.length)
  return lacksActions ? 'contains items missing actions' : undefined
}

/**
 * Starts a stand-in for Chatwoot, after its public documentation: the API that an agent bot may use, and the signed events
 * that it and the account's webhook get.
 *
 * @param bridgeUrl what they are sent to
 */
export const startChatwoot = async (bridgeUrl: string) => {
  const conversations = new Map<number, { status: Status; updatedAt: number; messages: ChatwootMessage[] }>()
  const faults = {
    isDown: false,
    redirects: false,
    clockOffsetMs: 0,
    refusedType: '',
    /** What events of messages say that the status was before, as those do that come late. */
    lateStatus: undefined as Status | undefined,
    /** The account's webhook gets nothing: Chatwoot sends its events once. */
    losesWebhook: false,
    failsOnFiles: false,
    refusesStatus: false,
  }
  let lastId = 100
  let lastEvent: { body: string; headers: Record<string, string> } | undefined

  const conversationOf = (id: number) => {
    const conversation = conversations.get(id) ?? { status: 'pending', updatedAt: 0, messages: [] }
    conversations.set(id, conversation)
    return conversation
  }

  const post = async () => {
    // A bridge that is not there misses it.
    const response = await fetch(bridgeUrl, { method: 'POST', ...lastEvent! }).catch(() => undefined)
    return response?.status
  }

  const emit = async (from: keyof typeof SECRETS, event: object) => {
    if (from === 'webhook' && faults.losesWebhook) return undefined
    const body = JSON.stringify({ ...event, account: { id: ACCOUNT } })
    const timestamp = String(Math.floor((Date.now() + faults.clockOffsetMs) / 1000))
    const signature = createHmac('sha256', SECRETS[from]).update(`${timestamp}.${body}`).digest('hex')
    const headers = {
      'content-type': 'application/json',
      'x-chatwoot-timestamp': timestamp,
      'x-chatwoot-signature': `sha256=${signature}`,
      'x-chatwoot-delivery': randomUUID(),
    }
    lastEvent = { body, headers }
    return post()
  }

  const dataOf = (id: number) => {
    const { status, updatedAt } = conversationOf(id)
    return { id, status, updated_at: updatedAt, meta: { sender: USER } }
  }

  const emitMessage = (event: string, id: number, { file: _file, ...message }: ChatwootMessage) =>
    emit('bot', {
      event,
      ...message,
      conversation: { ...dataOf(id), ...(faults.lateStatus && { status: faults.lateStatus, updated_at: 0 }) },
    })

  const add = async (id: number, fields: Partial<ChatwootMessage>) => {
    const message: ChatwootMessage = {
      id: ++lastId,
      content: '',
      message_type: 'incoming',
      content_type: 'text',
      content_attributes: {},
      private: false,
      sender: { type: 'contact' },
      ...fields,
    }
    conversationOf(id).messages.push(message)
    conversationOf(id).updatedAt++
    await emitMessage('message_created', id, message)
    return message
  }

  const setStatus = async (id: number, status: Status) => {
    Object.assign(conversationOf(id), { status, updatedAt: conversationOf(id).updatedAt + 1 })
    if (status !== 'pending') await emit('bot', { event: `conversation_${status}ed`, ...dataOf(id) })
    await emit('webhook', { event: 'conversation_status_changed', ...dataOf(id) })
  }

  const fieldsIn = async (request: IncomingMessage): Promise<Partial<ChatwootMessage> & { status?: Status }> => {
    const body = await buffer(request)
    const type = request.headers['content-type'] ?? ''
    if (type.startsWith('application/json')) return JSON.parse(body.toString())
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
    const file = form.get('attachments[]') as File
    return {
      content: String(form.get('content')),
      file: { name: file.name, type: file.type, text: await file.text() },
    }
  }

  const server = http.createServer(async (request, response) => {
    const fields = await fieldsIn(request)
    const [, id, path] =
      request.url!.match(/^\/api\/v1\/accounts\/1\/conversations\/(\d+)\/(messages|toggle_status)$/) ?? []
    if (faults.isDown) return response.writeHead(503).end()
    if (faults.failsOnFiles && fields.file) return response.writeHead(500).end()
    if (faults.redirects) return response.writeHead(301, { location: '/' }).end()
    if (request.headers['api_access_token'] !== TOKEN) return response.writeHead(401).end()
    if (request.method !== 'POST' || !conversations.has(Number(id))) return response.writeHead(404).end()
    if (path === 'toggle_status' && faults.refusesStatus) return response.writeHead(403).end()
    if (path === 'toggle_status') await setStatus(Number(id), fields.status!)
    else {
      const fault = fields.content_type === faults.refusedType ? 'refused' : faultOf(fields as ChatwootMessage)
      if (fault) return response.writeHead(422).end(fault)
      await add(Number(id), { message_type: 'outgoing', ...fields, sender: { type: 'agent_bot' } })
    }
    return response.writeHead(200).end('{}')
  })
  const { port, close } = await listen(server)

  return {
    env: {
      CHATWOOT_URL: `http://127.0.0.1:${port}`,
      CHATWOOT_ACCOUNT: String(ACCOUNT),
      CHATWOOT_TOKEN: TOKEN,
      CHATWOOT_SECRETS: Object.values(SECRETS).join(' '),
    },
    faults,
    messages: (id: number) => conversationOf(id).messages,
    /** What the bot has said in a conversation. */
    said: (id: number) => conversationOf(id).messages.filter(({ sender }) => sender.type === 'agent_bot'),
    statusOf: (id: number) => conversationOf(id).status,
    userSays: (id: number, content: string, more: Partial<ChatwootMessage> = {}) => add(id, { content, ...more }),
    agentSays: (id: number, content: string, more: Partial<ChatwootMessage> = {}) =>
      add(id, { content, message_type: 'outgoing', sender: { type: 'user' }, ...more }),
    setStatus,
    /** The channel has taken the last message: its update has the status from before it was sent, though a newer time. */
    updateLast: (id: number, status: Status) => {
      const { messages, updatedAt } = conversationOf(id)
      const conversation = { ...dataOf(id), status, updated_at: updatedAt + 0.5 }
      return emit('bot', { event: 'message_updated', ...messages.at(-1), conversation })
    },
    /** The user picks an option of a choice, in the chat of a website. */
    choose: async (id: number, message: ChatwootMessage, value: string) => {
      const item = message.content_attributes.items?.find((candidate) => candidate['value'] === value)
      message.content_attributes.submitted_values = [item!]
      await emitMessage('message_updated', id, message)
    },
    /** Sends the last event once more, perhaps changed. Resolves to the status. */
    repeat: (change: (body: string) => string = (body) => body) => {
      lastEvent = { ...lastEvent!, body: change(lastEvent!.body) }
      return post()
    },
    close,
  }
}
