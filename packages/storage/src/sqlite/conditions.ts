/** Conditions of a WHERE clause, joined by AND, with their values in order. */
export class Conditions {
  readonly #parts: string[] = []
  readonly values: (string | number)[] = []

  add(part: string, ...values: readonly (string | number)[]): void {
    this.#parts.push(part)
    this.values.push(...values)
  }

  get sql(): string {
    return this.#parts.length === 0 ? '' : `WHERE ${this.#parts.join(' AND ')}`
  }
}
