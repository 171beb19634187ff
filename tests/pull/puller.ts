import type { ApiCall, Fault } from '../../sandbox/cloud/chat/chat-api'
import { type Answer, messageBody, send } from '../harness/backend'
import { installationForTest, type TestInstallation } from '../harness/for-test'

type Options = Parameters<typeof installationForTest>[0]

type Start = (options: Options) => Promise<TestInstallation>

/** A backend that fetches, and what it can do. The bot answers each message with the same words. */
export const puller = async (options: Options = {}, start: Start = installationForTest) => {
  const calls: ApiCall[] = []
  let faultOf = (_call: ApiCall): Fault | undefined => undefined
  const sandbox = await start({
    pull: true,
    bot: ({ payload }) => String(payload.text),
    onApiCall: (call) => {
      calls.push(call)
      return faultOf(call)
    },
    ...options,
  })
  const say = async (text: string, conversationId = 'tea') => {
    const answer = await send(sandbox, messageBody({ text, conversationId, userId: 'ada' }))
    await sandbox.settled()
    return answer
  }
  const pull = (body?: object, prefer?: string): Promise<Answer> =>
    send(sandbox, body, { path: '/pull', headers: prefer === undefined ? {} : { prefer } })
  return {
    sandbox,
    calls,
    say,
    pull,
    failWith: (fault: (call: ApiCall) => Fault | undefined) => void (faultOf = fault),
    textsOf: ({ body }: Answer): string[] =>
      body.messages.map(({ payload }: { payload: { text: string } }) => payload.text),
    idsOf: ({ body }: Answer): string[] =>
      body.messages.map(({ botpressMessageId }: { botpressMessageId: string }) => botpressMessageId),
  }
}
