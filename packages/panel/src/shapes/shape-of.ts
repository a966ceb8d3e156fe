import type { Json } from '@koco/core'
import type { z } from 'zod'

/** `T` with every property read-only and without `undefined` beside what may be left out: schemas and the shapes of the API differ in nothing else. */
type Plain<T> = [Json, T] extends [T, Json]
  ? Json
  : unknown extends T
    ? unknown
    : T extends readonly (infer Item)[]
      ? number extends T['length']
        ? readonly Plain<Item>[]
        : { readonly [K in keyof T]: Plain<T[K]> }
      : T extends object
        ? { readonly [K in keyof T]: Plain<undefined extends T[K] ? Exclude<T[K], undefined> : T[K]> }
        : T

type Same<A, B> = (<T>() => T extends Plain<A> ? 1 : 2) extends <T>() => T extends Plain<B> ? 1 : 2 ? true : false

/** Takes a schema whose output is exactly the shape `T` of `@koco/core/api`, and no other: what is described and what programs read of it cannot drift apart. */
export function shapeOf<T>() {
  return <S extends z.ZodType>(schema: S & (Same<z.output<S>, T> extends true ? unknown : { readonly differsFrom: T })): S => schema
}
