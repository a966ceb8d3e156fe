// Loaded into a koco process that is watched for leaks: collects all garbage now and then, so that the heap holds what is held.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const EVERY_MS = 4000

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')
setInterval(() => collect(), EVERY_MS).unref()
