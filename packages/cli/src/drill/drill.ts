import type { ServerName } from './links.ts'
import type { World } from './world.ts'

/** A drill that went as it should: the run that it was made with, and what happened in one line. */
export type Drilled = { readonly fid: string; readonly note: string }

/** Something that is broken on purpose, as a person would do it by hand. `run` throws when it does not go as it should. `server`: what it takes away. */
export type Drill = { readonly name: string; readonly about: string; readonly server?: ServerName; run(world: World): Promise<Drilled> }
