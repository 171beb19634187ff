import { writeFileSync } from 'node:fs'
import { botpressApiJson } from './describe-botpress-api'

writeFileSync('sandbox/cloud/botpress-api.json', botpressApiJson())
