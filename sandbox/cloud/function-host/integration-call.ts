/** What the cloud calls the integration with: a function call that looks like an HTTP request. */
export type IntegrationRequest = {
  method: string
  path: string
  query: string
  headers: Record<string, string | undefined>
  body?: string
}

export type IntegrationResponse = { status: number; headers?: Record<string, string>; body?: string }
