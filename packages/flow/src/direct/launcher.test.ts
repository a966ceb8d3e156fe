// Goal: the direct launcher keeps the contract. Method: the contract suite in the embedded shape: memory transport, spooler and SQLite in a throw-away folder.
import { describeChildren, describeLauncher } from '../contract/index.ts'
import { newDir, onGround, openEmbedded } from '../contract/embedded.ts'

const embedded = onGround(async () => {
  const { dir, remove } = await newDir()
  const ground = await openEmbedded(dir)
  return { ...ground, close: () => ground.close().then(remove) }
})

describeLauncher('direct, memory transport, SQLite', embedded)
describeChildren('direct, memory transport, SQLite', embedded)
