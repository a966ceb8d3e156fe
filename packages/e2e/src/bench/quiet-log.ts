/** A log for benches: silent but for errors, which would make a figure worthless. */
export const quietLog = {
  info: (): void => {},
  warn: (): void => {},
  error(fields: object, message: string): void {
    process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
  },
}
