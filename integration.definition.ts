import { IntegrationDefinition, messages, z } from '@botpress/sdk'
import { name, version } from './package.json'

const anyObject = z.object({}).passthrough()
const title = z.string().min(1).optional()

export default new IntegrationDefinition({
  name,
  version,
  title: 'Messaging API',
  description: 'Connect any backend to your bot over plain HTTP: POST messages to a URL, get every reply at yours.',
  readme: 'hub.md',
  icon: 'icon.svg',
  configuration: {
    schema: z.object({
      responseEndpointURL: z
        .string()
        .optional()
        .title('Response Endpoint URL')
        .describe(
          'The http or https URL of your backend that every message of the bot is POSTed to. Required, unless Pull is switched on.'
        ),
      signingSecret: z
        .string()
        .secret()
        .optional()
        .title('Signing Secret')
        .describe(
          'Signs every message, so that your backend can verify it. A Standard Webhooks secret: "whsec_" and 24 to 64 bytes in base64. While you replace one, both, with a space between them.'
        ),
      accessKey: z
        .string()
        .secret()
        .optional()
        .title('Access Key')
        .describe(
          'Lets your backend in, in place of a Personal Access Token. 32 to 200 visible ASCII characters: openssl rand -hex 32 makes one. While you replace one, both, with a space between them.'
        ),
      endpointHeader: z
        .string()
        .secret()
        .optional()
        .title('Endpoint Header')
        .describe(
          'A header that is sent with every message, for an endpoint that checks a fixed one: "Name: value", such as "x-api-key: …".'
        ),
      plainText: z
        .boolean()
        .optional()
        .title('Plain Text')
        .describe(
          'For a backend that shows texts alone: every message of the bot is written as text, with its options as numbered lines. If the user answers with a number, the bot gets the option.'
        ),
      pull: z
        .boolean()
        .optional()
        .title('Pull')
        .describe(
          'For a backend without a public address: nothing is posted, and your backend fetches the messages of the bot with POST {webhook URL}/pull.'
        ),
    }),
  },
  user: {
    tags: {
      id: { title: 'External user id', description: 'The id that your backend gave the user' },
    },
  },
  channels: {
    channel: {
      title: 'Messaging API channel',
      description: 'Conversations between your backend and the bot',
      conversation: {
        tags: {
          id: { title: 'External conversation id', description: 'The id that your backend gave the conversation' },
        },
      },
      message: {
        tags: {
          id: { title: 'External message id', description: 'The id that your backend gave the message' },
          conversationId: {
            title: 'Botpress conversation id',
            description: 'The conversation that the external message id belongs to: another one may use the same id',
          },
          delivery: {
            title: 'Delivery',
            description:
              'Of a message of the bot that is not known to have reached your backend: "failed", "unknown" if it may have, or "waiting" if your backend fetches it',
          },
          redeliveryFailures: {
            title: 'Failed redeliveries',
            description:
              'How often your backend has failed on the message when it was delivered again, and when it last did',
          },
          // Version 1.1 wrote it: messages that it left may still carry it.
          redelivery: {
            title: 'Redelivery (1.1)',
            description: 'Which call was delivering the message again, and until when',
          },
        },
      },
      messages: {
        ...messages.defaults,
        // Newer SDKs have no `markdown` among their defaults, but a title of media.
        markdown: { schema: z.object({ markdown: z.string().min(1) }) },
        image: { schema: messages.defaults.image.schema.extend({ title }) },
        audio: { schema: messages.defaults.audio.schema.extend({ title }) },
        video: { schema: messages.defaults.video.schema.extend({ title }) },
        any: { schema: anyObject },
      },
    },
  },
  states: {
    redelivery: {
      type: 'integration',
      schema: z
        .object({
          holder: z.string().title('Holder').describe('Which call holds the lock'),
          until: z.number().title('Until').describe('When that call ends at the latest, in milliseconds since 1970'),
        })
        .title('Redelivery lock')
        .describe('Lets one call at a time deliver messages again'),
    },
  },
  events: {
    custom: {
      // As in Botpress's own Chat integration.
      title: 'Custom Event',
      description: 'Something that your backend tells the bot, and that is no message of a user: an order was paid',
      schema: z.object({
        type: z.string().title('Type').describe('The name that your backend gave the event, such as order_paid'),
        payload: anyObject.title('Payload').describe('What your backend tells about it: any object'),
        conversationId: z
          .string()
          .title('Conversation id')
          .describe('The id that your backend gave the conversation that it belongs to'),
        userId: z.string().optional().title('User id').describe('The id that your backend gave the user, if any'),
        eventId: z.string().optional().title('Event id').describe('The id that your backend gave the event, if any'),
      }),
    },
  },
  actions: {
    getOrCreateUser: {
      title: 'Get or create a user',
      description: 'Gets the user with an external id, created if missing, so that the bot can write first',
      input: {
        schema: z.object({
          user: z
            .object({
              id: z
                .string()
                .min(1)
                .max(500)
                .title('External user id')
                .describe('The id that your backend gave the user'),
            })
            .title('User')
            .describe('The user to get'),
          name: z.string().max(200).optional().title('Name').describe('The name of the user, kept up to date'),
          pictureUrl: z
            .string()
            .optional()
            .title('Picture URL')
            .describe('The URL of the user’s picture, kept up to date'),
        }),
      },
      output: {
        schema: z.object({ userId: z.string().title('User id').describe('The Botpress id of the user') }),
      },
    },
    getOrCreateConversation: {
      title: 'Get or create a conversation',
      description: 'Gets the conversation with an external id, created if missing, so that the bot can write first',
      input: {
        schema: z.object({
          conversation: z
            .object({
              id: z
                .string()
                .min(1)
                .max(500)
                .title('External conversation id')
                .describe('The id that your backend gave the conversation'),
            })
            .title('Conversation')
            .describe('The conversation to get'),
        }),
      },
      output: {
        schema: z.object({
          conversationId: z.string().title('Conversation id').describe('The Botpress id of the conversation'),
        }),
      },
    },
  },
})
