import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import { Command } from 'commander'
import { KocoClient } from '../client/koco-client.ts'
import { createMcpServer } from '../mcp/server.ts'
import { VERSION } from '../version.ts'
import { CLIENT_SETTINGS, type CommandContext } from './context.ts'

/** `koco mcp` */
export function mcpCommand(context: CommandContext): Command {
  const command = new Command('mcp')
    .description('Serve a running koco to AI assistants, as MCP over standard input and output; read-only')
    .option('--allow-changes', 'also tools that start runs, answer questions and cancel')
  return context.withSettings(command, CLIENT_SETTINGS).action(async ({ allowChanges = false }: { allowChanges?: boolean }) => {
    const { io } = context
    const { address, key } = context.panel(command)
    const koco = new KocoClient({ address, ...(key !== undefined && { apiKey: key }) })
    await new Promise<void>((done) => {
      const transport = new StdioServerTransport()
      const server = serveStdio(() => createMcpServer(koco, { version: VERSION, allowChanges }), { transport, onerror: (error) => io.err(error.message) })
      const end = (): void => {
        void server.close().finally(done)
      }
      // The assistant goes away by closing our input.
      process.stdin.once('end', end)
      io.stop.addEventListener('abort', end, { once: true })
    })
  })
}
