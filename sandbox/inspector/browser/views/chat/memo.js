import { Component } from 'preact'

/**
 * Draws a component anew only when one of its properties is another, but for `said`, which is made anew each time: what changes
 * in its trace changes the `version`, which has to be a property. That of preact/compat would make every `onChange` of the page
 * an `onInput`.
 *
 * @template {object} Props
 * @param {(props: Props) => any} view
 */
export const memo = (view) =>
  /** @extends {Component<Props>} */
  class extends Component {
    /** @override @param {any} next */
    shouldComponentUpdate(next) {
      return Object.keys({ ...this.props, ...next }).some(
        (name) => name !== 'said' && next[name] !== /** @type {any} */ (this.props)[name]
      )
    }

    render() {
      return view(/** @type {any} */ (this.props))
    }
  }
