import { z } from 'zod'
import type { Routes } from '../context.ts'
import { answers } from '../server/describe.ts'
import { TICKET_S } from '../sockets/tickets.ts'
import { caller } from './visible-run.ts'

const Ticket = z.object({ ticket: z.string(), expires_in: z.number(), path: z.string().describe('the address of the socket with the ticket in it') })

/** Tickets to the socket. */
export const ticketRoutes: Routes = (app, context) => {
  app.post(
    '/api/auth/ticket',
    {
      config: { access: 'account.use' },
      schema: {
        tags: ['account'],
        summary: 'A ticket to the WebSocket at /ws, good one time within 30 s',
        description: 'For browsers, whose sockets can send no Authorization header. What is said there: packages/panel/SOCKETS.md.',
        ...answers({ 200: Ticket }, 401, 403),
      },
    },
    async (request, reply) => {
      const ticket = await context.tickets.issue(caller(request))
      void reply.header('cache-control', 'no-store')
      return { ticket, expires_in: TICKET_S, path: `/ws?ticket=${ticket}` }
    },
  )
}
