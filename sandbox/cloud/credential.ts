/** What lets somebody in, and in a word of which sort it is. */
export type Credential = { value: string; sort: string }

/** Headers that hold a credential, known or not. */
const CREDENTIAL_HEADERS = new Set(['authorization', 'x-bp-secret'])

/** Headers with no credential in them, for whoever watches: only that there was one, and of which sort. */
export const withoutCredentials = (
  headers: Record<string, unknown>,
  credentials: Credential[]
): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, content]) => {
      const text = String(content)
      const known = credentials.find(({ value }) => text === value || text.endsWith(` ${value}`))
      if (known) return [name, `${text.slice(0, text.length - known.value.length)}••• (${known.sort})`]
      return [
        name,
        CREDENTIAL_HEADERS.has(name.toLowerCase()) ? text.replace(/^(\w+ )?.*$/s, '$1••• (unknown)') : content,
      ]
    })
  )
