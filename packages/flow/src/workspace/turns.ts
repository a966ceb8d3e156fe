/** Lets the works of one name go one after the other. */
export type Turns = {
  /** Does the work when all that were given before it under this name are over, however they ended. */
  take<T>(name: string, work: () => Promise<T>): Promise<T>
}

/** Makes turns; names without work are forgotten. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  return {
    async take(name, work) {
      const mine = (last.get(name) ?? Promise.resolve()).then(work, work)
      last.set(name, mine)
      try {
        return await mine
      } finally {
        if (last.get(name) === mine) last.delete(name)
      }
    },
  }
}
