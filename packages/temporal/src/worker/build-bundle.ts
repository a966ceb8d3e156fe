import { buildWorkflowBundle } from './bundle.ts'

// `node build-bundle.ts FILE`: bundles the workflow in a process of its own, because the bundler leaves 150 MB behind in the one that it ran in.
const [, , file = ''] = process.argv
const level = (name: string, message: string): void => void process.stderr.write(`${name}: ${message}\n`)
await buildWorkflowBundle(file, level)
