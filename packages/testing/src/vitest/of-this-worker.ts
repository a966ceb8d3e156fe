/** Of what there is one a worker of vitest (with commas between), that of the worker in which this file runs. */
export function ofThisWorker(addresses: string): string {
  const each = addresses.split(',')
  return each[(Number(process.env['VITEST_POOL_ID'] ?? 1) - 1) % each.length] ?? addresses
}
