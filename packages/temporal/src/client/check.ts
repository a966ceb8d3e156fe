import { SearchAttributes } from './search-attributes.ts'
import { TemporalServer, type TemporalSettings } from './server.ts'

/** Looks whether a server takes runs: its version, and whether they can be searched for. UnavailableError or RefusedError with the remedy when it does not. */
export async function checkTemporal(settings: TemporalSettings): Promise<{ readonly server: string; readonly searchable: boolean }> {
  const server = new TemporalServer(settings)
  try {
    const { namespace } = settings
    const info = await server.call('tell its version', ({ workflowService }) => workflowService.getSystemInfo({}))
    await server.call('describe the namespace', ({ workflowService }) => workflowService.describeNamespace({ namespace }))
    return { server: info.serverVersion, searchable: await new SearchAttributes(server).ready() }
  } finally {
    await server.close()
  }
}
