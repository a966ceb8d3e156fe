// A process for killed.crash.test.ts: does one operation and kills itself with SIGKILL at the nth step between its writes; says on stdout what was acknowledged.
import { writeSync } from 'node:fs'
import { openPlace, type Operation } from './place.ts'

const [dir = '', operation = '', nth = '0'] = process.argv.slice(2)
let steps = 0
const place = await openPlace(dir, () => {
  if (++steps === Number(nth)) process.kill(process.pid, 'SIGKILL')
})
writeSync(1, `${operation === 'prepare' ? await place.prepare() : await place.run(operation as Operation)}\n`)
await place.close()
