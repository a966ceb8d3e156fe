export { folderReport } from './folder-report/flow.ts'
export { hello } from './hello.ts'
export { researchAgent } from './research-agent/flow.ts'
