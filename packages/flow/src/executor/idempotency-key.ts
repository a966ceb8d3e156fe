import { digest } from './digest.ts'

/** The key that a step hands to outside systems: the same in every try of its run, another in every other run. */
export function idempotencyKey(fid: string, stepId: string): string {
  return digest([fid, stepId], 32)
}
