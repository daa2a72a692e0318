/** dynalite comes without types; this is the part in use. Source: its README, "Programmatically". */
declare module 'dynalite' {
  import type { Server } from 'node:http'

  interface Options {
    /** Folder of the database; in memory without one. */
    readonly path?: string
    readonly createTableMs?: number
    readonly deleteTableMs?: number
  }

  function dynalite(options?: Options): Server
  export = dynalite
}

/** What dynalite makes its store with. Source: dynalite 4, index.js and db/index.js. */
declare module 'dynalite/db/index.js' {
  import type { Level } from './guard-level.ts'

  const database: { create(options: object): { readonly db: Level } }
  export = database
}
