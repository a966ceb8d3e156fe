import { pino, type Logger } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { Settings } from '../settings/schema.ts'

/** The log of a process on standard error: pretty lines on a terminal, else JSON, unless the settings say. */
export function createLog(settings: Pick<Settings, 'logLevel' | 'logFormat'>, terminal: boolean): Logger {
  const form = settings.logFormat ?? (terminal ? 'pretty' : 'json')
  const options = { level: settings.logLevel, base: { pid: process.pid } }
  if (form === 'json') return pino(options, pino.destination({ fd: 2, sync: true }))
  return pino(
    options,
    PinoPretty({
      destination: 2,
      sync: true,
      colorize: process.stderr.isTTY && !process.env['NO_COLOR'],
      ignore: 'pid,hostname',
      translateTime: 'SYS:HH:MM:ss',
    }),
  )
}
