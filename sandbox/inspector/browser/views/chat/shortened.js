const LENGTH = 1000

/** The beginning of a text, for where there is not the place for all of it: the trace has the rest. @param {string} text */
export const shortened = (text) =>
  text.length > LENGTH
    ? `${text.slice(0, LENGTH)} … and ${(text.length - LENGTH).toLocaleString('en')} more characters`
    : text
