// The health check of the container image: this process answers that it is ready, as a panel or as a spooler or worker.
const addresses = [process.env.KODO_LISTEN ?? '127.0.0.1:3370', process.env.KODO_METRICS].filter((address) => address !== undefined)
const answers = addresses.map(async (address) => {
  const port = address.slice(address.lastIndexOf(':') + 1)
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(4000) })
  if (!response.ok) throw new Error(`${address} answers ${response.status}: ${await response.text()}`)
})
try {
  await Promise.any(answers)
} catch (error) {
  process.stderr.write(`${error.errors.map(({ message }) => message).join('\n')}\n`)
  process.exitCode = 1
}
