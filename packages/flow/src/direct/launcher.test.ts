// Goal: the direct launcher keeps the contract. Method: the contract suite in the embedded shape: memory transport, spooler and SQLite in a throw-away folder.
import { describeLauncher } from '../contract/index.ts'
import { openEmbeddedLauncher } from '../testing/embedded.ts'

describeLauncher('direct, memory transport, SQLite', openEmbeddedLauncher())
