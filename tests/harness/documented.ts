import Ajv2020 from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import document from '../../openapi.json'

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats(ajv)
ajv.addSchema({ ...document, $id: 'openapi' })

/** Throws where a value is not as a schema of the OpenAPI document has it. */
const mustMatch = (pointer: string, value: unknown, what: string): void => {
  const validate = ajv.getSchema(`openapi#${pointer}`)
  if (!validate) throw new Error(`${what}: openapi.json has nothing at ${pointer}: ${JSON.stringify(value)}`)
  if (!validate(value)) {
    throw new Error(
      `${what} is not as openapi.json has it: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`
    )
  }
}

const escaped = (segment: string) => segment.replaceAll('~', '~0').replaceAll('/', '~1')

type Exchange = { method: string; path: string; body: unknown; status: number; contentType: string; answer: unknown }

/** Throws where an exchange with the webhook is not as the OpenAPI document has it. */
export const mustBeDocumented = ({ method, path, body, status, contentType, answer }: Exchange): void => {
  const what = `${method} ${path}: ${status}`
  const [mediaType = ''] = contentType.split(';')
  // Slashes too many change nothing.
  const route = path.split('?')[0]!.split('/').filter(Boolean).join('/')
  const operation = `/paths/${escaped(`/${route}`)}/${method.toLowerCase()}`
  if (!ajv.getSchema(`openapi#${operation}`)) {
    if (status !== 404 && status !== 405) throw new Error(`${what}: there is no such operation in openapi.json`)
    mustMatch('/components/schemas/Problem', answer, what)
    return
  }
  if (status === 204) {
    if (answer !== undefined || !ajv.getSchema(`openapi#${operation}/responses/204`)) throw new Error(`${what}: no 204`)
    return
  }
  mustMatch(`${operation}/responses/${status}/content/${escaped(mediaType)}/schema`, answer, what)
  if (status === 200 && body !== undefined) {
    mustMatch(`${operation}/requestBody/content/application~1json/schema`, body, `${what}, the request`)
  }
}

/** Throws where a message to the endpoint is not as the OpenAPI document has it. */
export const mustBeDocumentedDelivery = (
  headers: Record<string, unknown>,
  body: unknown,
  webhook: keyof typeof document.webhooks = 'botMessage'
): void => {
  const operation = document.webhooks[webhook].post
  mustMatch(`/webhooks/${webhook}/post/requestBody/content/application~1json/schema`, body, 'a delivery')
  const missing = operation.parameters.filter(({ name, required }) => required && !(name in headers))
  if (missing.length > 0) throw new Error(`a delivery lacks the headers ${missing.map(({ name }) => name).join(', ')}`)
  const undocumented = Object.keys(headers).filter(
    (name) => /^(webhook|botpress)-/.test(name) && !operation.parameters.some((parameter) => parameter.name === name)
  )
  if (undocumented.length > 0) throw new Error(`openapi.json lacks the headers ${undocumented.join(', ')}`)
}
