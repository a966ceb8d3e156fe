// Preloaded into the processes of a mutated installation: rewrites one line of one source file as it is loaded. A line that is not there (once) ends the process: the mutation would prove nothing.
import { registerHooks } from 'node:module'

const { file, line, instead } = JSON.parse(process.env.CRASH_MUTATION)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(file)) return loaded
    const [before, after, ...more] = Buffer.from(loaded.source).toString().split(line)
    if (after === undefined || more.length > 0) throw new Error(`"${line}" does not stand once in ${file}: adapt the mutation`)
    process.stderr.write(`mutation planted in ${file}\n`)
    return { ...loaded, source: before + instead + after }
  },
})
