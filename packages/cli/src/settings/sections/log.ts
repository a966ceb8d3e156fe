import { z } from 'zod'
import { about } from '../kinds.ts'

/** What is logged. */
export const logSettings = {
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta(about({ variable: 'LOG_LEVEL', help: 'trace, debug, info, warn, error, fatal or silent' })),
  logFormat: z
    .enum(['pretty', 'json'])
    .optional()
    .meta(about({ variable: 'LOG_FORMAT', none: 'pretty on a terminal, else json', help: 'pretty or json' })),
}
