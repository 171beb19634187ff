import { html, render } from 'htm/preact'
import { followAddress } from './model/address.js'
import { connect } from './model/live.js'
import { App } from './views/app.js'

followAddress()
connect()
render(html`<${App} />`, document.body)
