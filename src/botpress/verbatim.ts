/**
 * An object that arrives at Botpress as it is. axios copies plain objects without the keys `constructor`, `prototype` and
 * `__proto__`, but leaves instances of classes alone.
 */
export class Verbatim {
  constructor(private readonly value: object) {}

  toJSON() {
    return this.value
  }
}
