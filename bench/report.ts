/** What is measured, in the order of the report. */
export const TITLES = {
  firstMessageCalls: 'API calls, first message',
  firstMessageLatencies: 'time of a first message, in API calls',
  laterMessageCalls: 'API calls, later message',
  laterMessageLatencies: 'time of a later message, in API calls',
  apiConnections: 'connections to the API, 20 messages',
  endpointConnections: 'connections to the endpoint, 20 messages',
  inPerSecondOfOne: 'messages/s in, one instance',
  inPerSecondOfFour: 'messages/s in, four instances',
  outPerSecondOfOne: 'messages/s out, one instance',
  outPerSecondOfFour: 'messages/s out, four instances',
  cpuIn: 'CPU in µs, a message in',
  cpuInTimesBare: 'times the CPU of a bare function, a message in',
  cpuOut: 'CPU in µs, a message out',
  cpuOutTimesBare: 'times the CPU of a bare function, a message out',
  heapBefore: 'heap in MB, after one message',
  heapAfter: 'heap in MB, after 20,000 messages in 10,000 conversations',
  bundleKb: 'bundle in kB',
  loadMs: 'load time in ms',
}

export type Figure = keyof typeof TITLES

const rounded = (value: number): string =>
  value < 10 ? String(Number(value.toFixed(2))) : Math.round(value).toLocaleString('en-US')

/** The figures as a table in Markdown, as README.md has it. */
export const report = (figures: Record<Figure, { plain: number; ours: number }>): string =>
  [
    ['', 'plain', 'this build', 'ratio'],
    ['---', '---', '---', '---'],
    ...Object.entries(TITLES).map(([figure, title]) => {
      const { plain, ours } = figures[figure as Figure]
      return [title, rounded(plain), rounded(ours), rounded(ours / plain)]
    }),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
