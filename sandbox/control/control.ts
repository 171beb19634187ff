import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type BotReply, repliesOf } from '../bot/bot'
import type { Installation } from '../cloud/installation'
import { type FaultSettings, type Faults, faultSettings } from './faults'
import { parse } from './parse'
import type { CloudRecord, RecordedDelivery, Received, Wanted } from './record'

/** What lets a program in, and where. */
export type Access = {
  webhookUrl: string
  /** What `Authorization: Bearer` takes. */
  credential: string
  controlUrl: string
  /** Of the inspector, if it is served. */
  pageUrl?: string
  pid: number
}

/** The id that a backend gives a conversation. */
export const conversationId = z.string().min(1).max(500)

/** How long a reset waits for what is under way. */
const SETTLE_MS = 1000

type ControlProps = {
  installation: () => Installation
  record: CloudRecord
  faults: Faults
  access: () => Access
  endInstances: () => Promise<void>
  /** Told after a reset. */
  onReset: () => void
}

/** What tests do with the sandbox, in this process or over HTTP. */
export class Control {
  constructor(private readonly props: ControlProps) {}

  get access(): Access {
    return this.props.access()
  }

  get counts() {
    const { chat } = this.props.installation()
    const { conversations, users, messages } = chat
    // The bot is a user too.
    const inChat = { conversations: conversations.all().length, users: users.all().length - 1 }
    return { ...inChat, messages: messages.all().length, ...this.props.record.counts }
  }

  /** Lets the bot write first. Resolves when the delivery has ended. */
  async say(to: string, reply: BotReply): Promise<{ botpressMessageId: string }> {
    const { chat, say } = this.props.installation()
    const [message, ...others] = repliesOf(reply)
    if (!message || others.length > 0) throw new Error('The bot says one message at a time.')
    const { conversation } = chat.operations.getOrCreateConversation({
      channel: 'channel',
      tags: { id: parse(conversationId, to) },
    })
    const { messageId } = await say(conversation.id, message)
    return { botpressMessageId: messageId }
  }

  received(wanted: Wanted = {}): Promise<Received[]> {
    return this.props.record.receivedOnes(wanted)
  }

  deliveries(wanted: Wanted = {}): Promise<RecordedDelivery[]> {
    return this.props.record.deliveriesOf(wanted)
  }

  /** From now on, nothing but this goes wrong. @throws Error if it is no FaultSettings */
  setFaults(settings?: unknown): FaultSettings {
    this.props.faults.set(parse(faultSettings, settings))
    return this.props.faults.get()
  }

  /** Forgets conversations, users, messages, deliveries and faults, and ends the instances. */
  async reset(): Promise<void> {
    const { installation, record, faults, endInstances, onReset } = this.props
    await endInstances()
    // What was under way has failed then; a bot that is still at work writes into a conversation that is no longer there.
    await Promise.race([installation().settled(), sleep(SETTLE_MS)])
    installation().reset()
    record.clear()
    faults.set()
    onReset()
  }
}
