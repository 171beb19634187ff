/** A secret, and what is shown in its place. */
export type Secret = { value: string; mark: string }

/** The secrets of a configured value: one, or two side by side while one is being replaced. */
export const secretsIn = (value = ''): string[] => value.match(/\S+/g) ?? []

/**
 * Takes secrets out of texts: as they are, and as they are written in JSON and in URLs.
 *
 * @param minLength shorter ones are left: they may stand anywhere for something else
 */
export const redactor = (secrets: Secret[], minLength: number): ((text: string) => string) => {
  const written = secrets
    .filter(({ value }) => value.length >= minLength)
    .flatMap(({ value, mark }) =>
      [value, JSON.stringify(value).slice(1, -1), inUrl(value)].map((form) => ({ form, mark }))
    )
    // One may be a part of another.
    .toSorted((a, b) => b.form.length - a.form.length)
  return (text) => written.reduce((rest, { form, mark }) => rest.replaceAll(form, mark), text)
}

/** Half a character, which a URL can't have, becomes U+FFFD first. */
const inUrl = (value: string): string => encodeURIComponent(Buffer.from(value).toString())
