type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>

/** How often a method is called at most while its errors are worth another try. */
const TRIES_MAX = 5

/**
 * The same part of a store, its methods' errors put through `convert`: what a driver throws becomes one of core's errors. A method whose error is worth `another` try (it stored nothing, and the same at once may do) is
 * called again before that, five times at most. Methods must not use `this`.
 */
export function guarded<T extends object>(part: T, convert: (error: unknown) => unknown, another: (error: unknown) => boolean = () => false): T {
  const methods = Object.entries(part).map(([name, method]) => [name, guardMethod(method as Method, convert, another)] as const)
  return Object.fromEntries(methods) as T
}

function guardMethod(method: Method, convert: (error: unknown) => unknown, another: (error: unknown) => boolean): Method {
  return async (...args) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await method(...args)
      } catch (error) {
        if (attempt === TRIES_MAX || !another(error)) throw convert(error)
      }
    }
  }
}
