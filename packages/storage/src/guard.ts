type Method = (this: unknown, ...args: unknown[]) => Promise<unknown>

/**
 * The same part of a store, its methods' errors put through `convert`: what a driver throws becomes one of core's errors. Methods must not use `this`.
 */
export function guarded<T extends object>(part: T, convert: (error: unknown) => unknown): T {
  const methods = Object.entries(part).map(([name, method]) => [name, guardMethod(method as Method, convert)] as const)
  return Object.fromEntries(methods) as T
}

function guardMethod(method: Method, convert: (error: unknown) => unknown): Method {
  return async (...args) => {
    try {
      return await method(...args)
    } catch (error) {
      throw convert(error)
    }
  }
}
