export { KocoClient } from './api/koco-client.ts'
export { KocoApiError, type ClientOptions } from './api/request.ts'
export type { Lock, Page, Run, RunDetail, RunEvent, RunFilter } from './api/shapes.ts'
export type { Notice, WatchOptions } from './api/watch.ts'
