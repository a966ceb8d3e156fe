// Goal: everything that changes something is logged under a name that says what it was, and nothing else is. Method: routes with and without a name of their own.
import { expect, test } from 'vitest'
import { auditedAs } from './actions.ts'

test.each([
  ['POST', '/api/runs/:fid/cancel', 'run.cancel'],
  ['GET', '/api/runs/:fid/export', 'run.export'],
  ['GET', '/api/runs/export', 'run.export_list'],
  ['POST', '/api/session/undo', 'session.undo'],
  ['POST', '/api/things/:id/parts/*', 'things.parts'],
  ['DELETE', '/api/things/:id', 'things.delete'],
])('%s %s is %s', (method, url, action) => {
  expect(auditedAs(method, url)?.action).toBe(action)
})

test.each([
  ['GET', '/api/runs'],
  ['PATCH', '/api/uploads/:id'],
  ['POST', '/api/session/draft'],
  ['OPTIONS', '/api/runs'],
  ['POST', '/elsewhere'],
])('%s %s is no deed', (method, url) => {
  expect(auditedAs(method, url)).toBeUndefined()
})
