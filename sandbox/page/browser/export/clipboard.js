import { announce } from '../views/announcer.js'

/** Puts a text on the clipboard, and says so. @param {string} text @param {string} what */
export const copy = async (text, what) => {
  await navigator.clipboard.writeText(text)
  announce(`Copied ${what}`)
}

/** Lets the browser save a text as a file. @param {string} name @param {string} type @param {string} text */
export const download = (name, type, text) => {
  const link = Object.assign(document.createElement('a'), {
    href: URL.createObjectURL(new Blob([text], { type })),
    download: name,
  })
  link.click()
  URL.revokeObjectURL(link.href)
}
