import { writeFileSync } from 'node:fs'
import { openApiJson } from './document'

writeFileSync('openapi.json', openApiJson)
