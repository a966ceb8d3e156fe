import { z } from 'zod'
import { about } from '../kinds.ts'

/** What other programs are told of. */
export const webhookSettings = {
  webhookPrivate: z
    .enum(['on', 'off'])
    .default('off')
    .meta(about({ variable: 'WEBHOOK_PRIVATE', help: 'on: webhooks may go to addresses of this machine and of private networks, and over http' })),
}
