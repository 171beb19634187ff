import { announce } from './announcer.js'

/** Puts a text on the clipboard, and says so. @param {string} text @param {string} what */
export const copy = async (text, what) => {
  await navigator.clipboard.writeText(text)
  announce(`Copied ${what}`)
}
