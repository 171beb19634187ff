/**
 * Keeps the focus near where it was, when what had it is drawn no more or can no longer have it: on the nearest that holds it
 * and takes the focus, or else on the list.
 *
 * @returns {() => void} ends it
 */
export const keepFocus = () => {
  /** What had the focus, and what holds it, from the inside to the outside. @type {HTMLElement[]} */
  let path = []
  const onFocus = (/** @type {FocusEvent} */ { target }) => {
    path = []
    for (let at = /** @type {HTMLElement | null} */ (target); at; at = at.parentElement) path.push(at)
  }
  const observer = new MutationObserver(() => {
    const [focused] = path
    if (!focused || (document.activeElement !== document.body && document.activeElement !== focused)) return
    if (focused.isConnected && !focused.matches(':disabled')) return
    const near = path.find((at) => at.isConnected && at.hasAttribute('tabindex')) ?? document.getElementById('traces')
    near?.focus({ preventScroll: true })
  })
  document.addEventListener('focusin', onFocus)
  observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] })
  return () => {
    document.removeEventListener('focusin', onFocus)
    observer.disconnect()
  }
}
