import type { Io } from './io.ts'
import type { OutputForm } from './table.ts'

/** What came of one of several things: its id, and what the panel answered, if anything. */
export type Outcome = { readonly id: string; readonly answer: unknown }

/**
 * Does something to each of these, one after the other, and prints the id of each that is done (`line`: something else in its place). As JSON all outcomes are printed in the end, also when one failed: the
 * others are done.
 */
export async function printEach<T>(
  io: Io,
  form: OutputForm,
  ids: readonly string[],
  act: (id: string) => Promise<T>,
  line: (answer: T, id: string) => string = (_answer, id) => id,
): Promise<void> {
  const outcomes: Outcome[] = []
  try {
    for (const id of ids) {
      const answer = await act(id)
      outcomes.push({ id, answer })
      if (form !== 'json') io.out(line(answer, id))
    }
  } finally {
    if (form === 'json') io.out(JSON.stringify(outcomes, null, 2))
  }
}
